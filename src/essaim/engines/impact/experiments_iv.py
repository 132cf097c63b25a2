"""Instrumental variables (two-stage least squares) with the diagnostics of R's ivreg, weak-instrument-robust intervals, and dose."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from essaim.engines.impact import panel_checks as checks
from essaim.engines.impact.inference.cluster_robust import Covariance, covariance
from essaim.engines.impact.panel import PanelRefused
from essaim.engines.impact.regression import Regression, regress
from essaim.engines.impact.stable import combine, cross, symmetric_inverse
from essaim.kernel.french import format_number

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Instrumented:
    """Coefficients of ``names`` (k,), standard errors, and diagnostics.

    ``first_stage_f`` weak-instrument F under ``kind``; ``wu_hausman`` and ``sargan`` (statistic, p), ``sargan`` None when exactly
    identified; ``anderson_rubin`` the effect's values not rejected (low, high), infinite where unbounded, None if empty or if
    several variables are instrumented.
    """

    names: tuple[str, ...]
    value: Floats
    covariance: Covariance
    first_stage_f: tuple[float, ...]
    wu_hausman: tuple[float, float]
    sargan: tuple[float, float] | None
    anderson_rubin: tuple[float, float] | None
    observations: int
    warnings: tuple[str, ...]
    residual: Floats = field(repr=False)

    @property
    def std_error(self) -> Floats:
        """(k,) standard errors."""
        return np.sqrt(np.diag(self.covariance.matrix))

    def of(self, name: str) -> tuple[float, float]:
        """Coefficient and standard error of one column."""
        j = self.names.index(name)
        return float(self.value[j]), float(self.std_error[j])


def two_stage(
    y: Floats, endogenous: dict[str, Floats], instruments: dict[str, Floats], *, exogenous: dict[str, Floats] | None = None,
    weights: Floats | None = None, kind: str = "classical", cluster: Ints | None = None, level: float = 0.95,
) -> Instrumented:  # fmt: skip
    """``y`` (n,) on endogenous and exogenous columns, a constant added. Refuses fewer instruments than endogenous variables."""
    if len(instruments) < len(endogenous):
        raise PanelRefused("instruments", "Il faut au moins autant d'instruments que de variables instrumentées.")
    read = [y, *endogenous.values(), *instruments.values(), *(exogenous or {}).values()]
    if not all(np.isfinite(np.asarray(c, np.float64)).all() for c in read):
        raise PanelRefused("missing", "Des valeurs manquent : écartez explicitement ces lignes.")
    if weights is not None:
        checks.weights_positive(weights)
    root = np.ones(y.size) if weights is None else np.sqrt(weights)
    common = {"constante": np.ones(y.size)} | dict(exogenous or {})
    x = np.array([*endogenous.values(), *common.values()]) * root
    z = np.array([*instruments.values(), *common.values()]) * root
    target = np.asarray(y, np.float64) * root
    fitted = _project(x, z)
    beta = _solve(fitted, x, target)[0]
    residual = target - combine(beta[None], x)[0]
    found = covariance(fitted, residual, kind, cluster=cluster, parameters=x.shape[0])
    strength = tuple(_first_stage(x[j], z, len(instruments), kind, cluster) for j in range(len(endogenous)))
    said = tuple(
        f"Instrument faible pour « {n} » (F = {format_number(f, 1)} < 10) : lire l'intervalle d'Anderson–Rubin."
        for n, f in zip(endogenous, strength, strict=True) if f < 10
    )  # fmt: skip
    robust = anderson_rubin(x[0], x[1:], z, target, kind, cluster, level) if len(endogenous) == 1 else None
    return Instrumented(
        (*endogenous, *common), beta, found, strength, _wu_hausman(x, z, target, len(endogenous)),
        _sargan(z, residual, len(instruments) - len(endogenous)), robust, y.size, said, residual,
    )  # fmt: skip


def _project(x: Floats, z: Floats) -> Floats:
    inverse = symmetric_inverse(cross(z, z))
    if inverse is None:
        raise PanelRefused("collinear", "Les instruments sont colinéaires.")
    return combine(cross(x, z) @ inverse, z)


def _solve(fitted: Floats, x: Floats, target: Floats) -> tuple[Floats, Floats]:
    bread = symmetric_inverse(cross(fitted, fitted))
    if bread is None:
        raise PanelRefused("instruments", "Les instruments ne font pas varier le traitement : l'effet n'est pas identifié.")
    return bread @ cross(fitted, target[None])[:, 0], bread


def _ols_rss(target: Floats, x: Floats) -> float:
    residual = target - _project(target[None], x)[0]
    return float((residual**2).sum())


def _first_stage(column: Floats, z: Floats, instruments: int, kind: str, cluster: Ints | None) -> float:
    """F test that all instruments have no effect on one endogenous column, under the covariance asked."""
    inverse = symmetric_inverse(cross(z, z))
    assert inverse is not None
    beta = inverse @ cross(z, column[None])[:, 0]
    residual = column - combine(beta[None], z)[0]
    matrix = covariance(z, residual, kind, cluster=cluster).matrix[:instruments, :instruments]
    scale = np.sqrt(np.diag(matrix))
    if float(np.abs(residual).max()) <= 1e-10 * float(np.abs(column).max()) or not (scale > 0).all():
        return float("inf")  # the instruments determine the column
    return float(beta[:instruments] @ np.linalg.solve(matrix, beta[:instruments])) / instruments


def _wu_hausman(x: Floats, z: Floats, target: Floats, endogenous: int) -> tuple[float, float]:
    """F test of the first-stage residuals added to least squares (ivreg's diagnostic): statistic, p."""
    residual = x[:endogenous] - _project(x[:endogenous], z)
    full = np.vstack([x, residual])
    free = x.shape[1] - full.shape[0]
    if float(np.abs(residual).max()) <= 1e-10 * float(np.abs(x[:endogenous]).max()):
        return 0.0, 1.0  # nothing is endogenous: the instruments are the variables themselves
    inner, outer = _ols_rss(target, full), _ols_rss(target, x)
    statistic = (outer - inner) / endogenous / (inner / free)
    return statistic, float(stats.f.sf(statistic, endogenous, free))


def _sargan(z: Floats, residual: Floats, excess: int) -> tuple[float, float] | None:
    if excess == 0:
        return None
    explained = _project(residual[None], z)[0]
    statistic = float((explained**2).sum() / (residual**2).sum() * residual.size)
    return statistic, float(stats.chi2.sf(statistic, excess))


def anderson_rubin(
    treated: Floats, common: Floats, z: Floats, target: Floats, kind: str, cluster: Ints | None, level: float
) -> tuple[float, float] | None:
    """Interval of effects b such that the instruments do not explain ``y − b·treatment``; valid with weak instruments.

    Scanned outward then bisected; (−inf, inf) when the data say nothing, None when every value is rejected.
    """
    instruments = z.shape[0] - common.shape[0]

    def rejected(b: float) -> bool:
        statistic = _first_stage(target - b * treated, z, instruments, kind, cluster)
        free = z.shape[1] - z.shape[0] if cluster is None or not kind.startswith("CR") else np.unique(cluster).size - 1
        return float(stats.f.sf(statistic, instruments, free)) < 1 - level

    centre, bread = _solve(_project(np.vstack([treated, common]), z), np.vstack([treated, common]), target)
    unit = float(np.sqrt(bread[0, 0] * target.var())) or 1.0
    grid = [0.0] + [s * 1.25**k * 0.05 for k in range(60) for s in (-1.0, 1.0)]
    inside = [g for g in grid if not rejected(float(centre[0]) + g * unit)]
    if not inside:
        return None
    ends = []
    for sign in (-1.0, 1.0):
        edge = max(inside, key=lambda g: sign * g)
        limit = sign * 0.05 * 1.25**59
        if sign * edge >= sign * limit - 1e-9:
            ends.append(sign * np.inf)
            continue
        out = edge + sign * max(abs(edge) * 0.25, 0.05)
        while not rejected(float(centre[0]) + out * unit):
            edge, out = out, out + sign * max(abs(out) * 0.25, 0.05)
        for _ in range(60):
            middle = (edge + out) / 2
            edge, out = (edge, middle) if rejected(float(centre[0]) + middle * unit) else (middle, out)
        ends.append(float(centre[0]) + edge * unit)
    return float(ends[0]), float(ends[1])


def dose_response(
    change: Floats, dose: Floats, *, cuts: tuple[float, ...] = (), covariates: dict[str, Floats] | None = None,
    kind: str = "HC1", cluster: Ints | None = None,
) -> Regression:  # fmt: skip
    """Outcome change (n,) on dose: a slope (``dose``), or one level effect by dose band against the untreated (dose 0).

    Level effects need parallel trends only; comparing bands (or the slope) further assumes no selection on gains
    (Callaway, Goodman-Bacon & Sant'Anna 2024) and must be said so.
    """
    if not (dose == 0).any() or np.ptp(dose) == 0:
        raise PanelRefused("dose", "Il faut des unités de dose nulle et des doses qui varient.")
    if cuts:
        edges = (0.0, *cuts, np.inf)
        columns: dict[str, Floats] = {
            f"dose ]{_short(a)} ; {_short(b)}]": np.where((dose > a) & (dose <= b), 1.0, 0.0) for a, b in pairwise(edges)
        }
        empty = [n for n, c in columns.items() if not c.any()]
        if empty:
            raise PanelRefused("dose", f"Aucune unité dans la tranche {empty[0]}.")
    else:
        columns = {"dose": dose}
    return regress(change, columns | dict(covariates or {}), kind=kind, cluster=cluster)


def _short(value: float) -> str:
    return "∞" if np.isinf(value) else f"{value:g}".replace(".", ",")
