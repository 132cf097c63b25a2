"""Two-way fixed effects and their Goodman-Bacon (2021) weights: shown as a warning, never as the result of a staggered roll-out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from essaim.engines.impact import panel_checks as checks
from essaim.engines.impact.estimates import EventStudy
from essaim.engines.impact.panel import Panel, PanelRefused
from essaim.engines.impact.regression import Regression, regress
from essaim.kernel.french import format_number

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TREATMENT = "traitement"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One 2 × 2 of the decomposition: ``kind`` is ``treated_never``, ``early_late``, ``late_early`` or ``late_always``."""

    kind: str
    treated: float
    control: float
    weight: float
    value: float


@dataclass(frozen=True, slots=True)
class Decomposition:
    """Goodman-Bacon: ``sum(weight·value) == twfe``. ``forbidden`` is the weight on comparisons whose controls are already
    treated; ``negative_cells`` the share of treated cells with a negative weight (de Chaisemartin & D'Haultfœuille 2020)."""

    twfe: float
    comparisons: tuple[Comparison, ...]
    forbidden: float
    negative_cells: float
    warning: str


def twfe(
    panel: Panel, *, kind: str = "CR1S", cluster: str = "cluster", absorb: Sequence[Ints] = (), unit_trends: bool = False,
    extra: dict[str, Floats] | None = None,
) -> Regression:  # fmt: skip
    """Regress the outcome on treatment (0/1 from the cohort, else the exposure), covariates, unit and period effects.

    ``absorb``: further effects as codes (n,) in the panel's row order (region × year…); ``unit_trends``: one linear trend a
    unit; ``extra``: further columns (n,). The coefficient is named ``traitement``; weights are the panel's.
    """
    checks.covariates_known(panel.covariates, panel.covariate_names)
    treatment = panel.exposure if panel.exposure is not None else panel.treated
    if np.ptp(treatment) == 0:
        raise PanelRefused("treatment", "Le traitement ne varie pas dans le panel : son effet n'est pas identifié.")
    columns = {TREATMENT: treatment}
    columns |= {name: panel.covariates[:, j] for j, name in enumerate(panel.covariate_names)}
    columns |= extra or {}
    if unit_trends:
        centred = panel.period_value - panel.periods.mean()
        labels = panel.unit_labels
        columns |= {f"tendance {labels[u]}": np.where(panel.unit == u, centred, 0.0) for u in range(labels.size)}
    fit = regress(
        panel.outcome, columns, absorb=[panel.unit, panel.period, *absorb], weights=panel.weights, kind=kind,
        cluster=panel.cluster if cluster == "cluster" else panel.unit,
    )  # fmt: skip
    if TREATMENT in fit.dropped:
        raise PanelRefused("treatment", "Le traitement se confond avec les effets fixes : son effet n'est pas identifié.")
    return fit


def twfe_event_study(
    panel: Panel, *, reference: float = -1.0, window: tuple[float, float] = (-np.inf, np.inf), kind: str = "CR1S",
    cluster: str = "cluster", absorb: Sequence[Ints] = (),
) -> EventStudy:  # fmt: skip
    """Coefficients by event time relative to ``reference``; event times outside ``window`` are binned at its ends.

    Never-treated units carry no event time. With several cohorts these mix effects of other periods (Sun & Abraham 2021).
    """
    if panel.cohort is None:
        raise PanelRefused("cohort", "Une étude par ancienneté demande une colonne de cohorte.")
    event = np.clip(panel.period_value - panel.cohort, *window)
    times = np.unique(event[np.isfinite(panel.cohort)])
    columns = {f"{e:g}": (event == e) * np.isfinite(panel.cohort) * 1.0 for e in times if e != reference}
    columns |= {name: panel.covariates[:, j] for j, name in enumerate(panel.covariate_names)}
    codes = panel.cluster if cluster == "cluster" else panel.unit
    fit = regress(panel.outcome, columns, absorb=[panel.unit, panel.period, *absorb], weights=panel.weights, kind=kind, cluster=codes)
    shown = [i for i, name in enumerate(fit.names) if name not in panel.covariate_names]
    return EventStudy(
        np.array([float(fit.names[i]) for i in shown]), fit.value[shown], fit.std_error[shown],
        fit.covariance.matrix[np.ix_(shown, shown)], reference, method="effets fixes",
    )  # fmt: skip


def bacon(panel: Panel) -> Decomposition:
    """Decompose the two-way fixed effects estimate of a balanced, unweighted panel without covariates."""
    if panel.cohort is None or not panel.is_balanced or panel.is_weighted:
        raise PanelRefused("balanced", "La décomposition demande un panel cylindré, non pondéré, avec une cohorte.")
    unit_cohort = panel.unit_table()[1]
    entered = np.append(panel.periods, np.inf)[np.searchsorted(panel.periods, unit_cohort)]  # first period observed since entry
    unit_cohort = np.where(unit_cohort > panel.periods[-1], np.inf, entered)
    cohorts, code, count = np.unique(unit_cohort, return_inverse=True, return_counts=True)
    wide = panel.wide()
    mean = np.stack([np.bincount(code, wide[:, t], cohorts.size) for t in range(wide.shape[1])], axis=1) / count[:, None]
    share = count / count.sum()
    found = []
    for i, k in enumerate(cohorts):
        for j in range(i + 1, cohorts.size):
            found += _pair(panel.periods, mean[[i, j]], share[[i, j]], float(k), float(cohorts[j]))
    total = sum(c.weight for c in found)
    parts = tuple(Comparison(c.kind, c.treated, c.control, float(c.weight / total), c.value) for c in found)
    forbidden = sum(c.weight for c in parts if c.kind in ("late_early", "late_always"))
    negative = _negative_cells(panel)
    return Decomposition(sum(c.weight * c.value for c in parts), parts, forbidden, negative, _warning(forbidden, negative))


def _pair(periods: Floats, mean: Floats, share: Floats, early: float, late: float) -> list[Comparison]:
    """Unnormalised comparisons of an earlier cohort and a later (or never treated) one."""
    treated_early, treated_late = periods >= early, periods >= late
    de, dl = float(treated_early.mean()), float(treated_late.mean())
    mass, split = share.sum(), share[0] / share.sum() * share[1] / share.sum()
    out = []
    before_late = ~treated_late
    if de < 1:
        base = mass * (1 - dl)
        weight = base**2 * split * (de - dl) / (1 - dl) * (1 - de) / (1 - dl)
        value = _did(mean[0], mean[1], treated_early & before_late, ~treated_early)
        out.append(Comparison("treated_never" if np.isinf(late) else "early_late", early, late, weight, value))
    if dl > 0:
        weight = (mass * de) ** 2 * split * dl / de * (de - dl) / de
        value = _did(mean[1], mean[0], treated_late, treated_early & before_late)
        out.append(Comparison("late_always" if de == 1 else "late_early", late, early, weight, value))
    return out


def _did(treated: Floats, control: Floats, after: NDArray[np.bool_], before: NDArray[np.bool_]) -> float:
    return float(treated[after].mean() - treated[before].mean() - control[after].mean() + control[before].mean())


def _negative_cells(panel: Panel) -> float:
    """Share of treated rows whose residual treatment, after unit and period effects, is negative."""
    d = panel.wide(panel.treated)
    residual = d - d.mean(axis=1, keepdims=True) - d.mean(axis=0) + d.mean()
    treated = d > 0
    return float((residual[treated] < -1e-12).mean()) if treated.any() else 0.0


def _warning(forbidden: float, negative: float) -> str:
    if forbidden < 1e-12 and negative == 0:
        return "Une seule vague et des unités jamais traitées : l'estimateur à effets fixes est interprétable."
    return (
        f"{format_number(100 * forbidden, 1)} % du poids de l'estimateur à effets fixes compare des unités à d'autres déjà traitées et "
        f"{format_number(100 * negative, 1)} % des cellules traitées y comptent négativement : il n'est pas retenu comme résultat."
    )
