"""Synthetic control with predictors (Abadie, Diamond & Hainmueller 2010, JASA 105): donor weights on the simplex, predictor
weights V chosen to fit the pre-treatment outcomes, inference by placebo in space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from essaim.engines.impact.panel import Panel, PanelRefused
from essaim.engines.impact.stable import cross, symmetric_inverse
from essaim.engines.impact.synthetic_weights import simplex_least_squares

Floats = NDArray[np.float64]

LOG_RANGE = -14.0


@dataclass(frozen=True, slots=True)
class Predictor:
    """Mean of a covariate (or of the outcome) over ``periods`` (values; empty = all pre-treatment periods), missing ignored."""

    name: str
    periods: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class SyntheticControl:
    """``weights`` (N0,) of ``donors``; ``predictor_weights`` (k,) summing to one; ``gap`` (T,) treated minus synthetic;
    ``effect`` its mean after treatment; ``pre_mspe``, ``post_mspe`` mean squared gaps; ``balance`` (k, 2) treated and synthetic
    predictors."""

    treated: str
    donors: tuple[str, ...]
    weights: Floats
    predictors: tuple[str, ...]
    predictor_weights: Floats
    balance: Floats = field(repr=False)
    periods: Floats = field(repr=False)
    gap: Floats
    effect: float
    pre_mspe: float
    post_mspe: float

    @property
    def ratio(self) -> float:
        """Root mean squared gap after over before treatment, the placebo statistic."""
        return float(np.sqrt(self.post_mspe / self.pre_mspe)) if self.pre_mspe > 0 else float("inf")


@dataclass(frozen=True, slots=True)
class PlaceboRank:
    """Placebo in space: ``ratios`` of every unit played as treated (the real one first); ``p_value`` = rank / units."""

    units: tuple[str, ...]
    ratios: Floats
    gaps: Floats = field(repr=False)
    p_value: float
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ControlData:
    """``y`` (N, T) outcomes, ``x`` (N, k) predictors, ``before`` number of pre-treatment periods; row ``treated`` is treated.
    ``outcomes_only``: the predictors are the pre-treatment outcomes themselves."""

    y: Floats
    x: Floats
    predictors: tuple[str, ...]
    before: int
    treated: int
    labels: tuple[str, ...]
    periods: Floats
    outcomes_only: bool = False

    def as_treated(self, unit: int, without: Sequence[int] = ()) -> ControlData:
        """The same data with another treated unit, some rows left out."""
        kept = [i for i in range(len(self.labels)) if i not in without]
        return ControlData(
            self.y[kept], self.x[kept], self.predictors, self.before, kept.index(unit), tuple(self.labels[i] for i in kept), self.periods,
            self.outcomes_only,
        )  # fmt: skip


def control_data(
    panel: Panel, *, treated: str | None = None, predictors: Sequence[Predictor] = (), level: str = "unit"
) -> ControlData:
    """Matrices for one treated unit (``level="unit"``) or cluster; donors are never treated, and complete on the outcome.

    Without predictors, every pre-treatment outcome is one. Refuses a predictor with no value for a unit.
    """
    y, wides, cohort, labels, names = _matrices(panel, predictors, level)
    rows = np.flatnonzero(np.isfinite(cohort) & (cohort <= panel.periods[-1]))
    if treated is not None:
        rows = np.array([i for i in rows if labels[i] == treated], dtype=np.int64)
    if rows.size != 1:
        raise PanelRefused("treated", f"Il faut exactement une unité traitée, {rows.size} trouvée(s) : nommez-la.")
    start = cohort[rows[0]]
    before = int((panel.periods < start).sum())
    if before < 2:
        raise PanelRefused("synthetic", "Il faut au moins deux périodes avant traitement.")
    kept = np.isinf(cohort) | (cohort > panel.periods[-1])
    kept[rows[0]] = True
    kept &= np.isfinite(y).all(axis=1)
    if kept.sum() < 3 or not kept[rows[0]]:
        raise PanelRefused("donors", "Il faut une unité traitée complète et au moins deux donneurs complets.")
    x = y[:, :before] if wides is None else _predictor_values(wides, predictors, names, panel.periods, before)
    lacking = kept & ~np.isfinite(x).all(axis=1)
    if lacking.any():
        raise PanelRefused("predictor", f"Prédicteur sans aucune valeur pour : {', '.join(labels[i] for i in np.flatnonzero(lacking))}.")
    shown = tuple(_name(p) for p in predictors) or tuple(f"{panel.outcome_name} ({label})" for label in panel.period_labels[:before])
    position = int(np.flatnonzero(kept).tolist().index(rows[0]))
    return ControlData(y[kept], x[kept], shown, before, position, tuple(labels[i] for i in np.flatnonzero(kept)), panel.periods, not predictors)


def _matrices(
    panel: Panel, predictors: Sequence[Predictor], level: str
) -> tuple[Floats, list[Floats] | None, Floats, list[str], tuple[str, ...]]:
    names = (panel.outcome_name, *panel.covariate_names)
    unknown = [p.name for p in predictors if p.name not in names]
    if unknown:
        raise PanelRefused("predictor", f"Prédicteur(s) absent(s) du panel : {', '.join(unknown)}.")
    columns = [panel.outcome, *[panel.covariates[:, j] for j in range(panel.covariates.shape[1])]]
    if level == "cluster":
        wides = [panel.cluster_sums(np.nan_to_num(c)).mean for c in columns] if predictors else [panel.cluster_sums().mean]
        if predictors and any(not np.isfinite(c).all() for c in columns):
            raise PanelRefused("predictor", "Prédicteurs incomplets : impossible d'en faire la moyenne par département.")
        cohort, labels = panel.cluster_cohort(), panel.cluster_labels
    else:
        wides = [panel.wide(c) for c in columns] if predictors else [panel.wide()]
        cohort, labels = panel.unit_table()[1], panel.unit_labels
    return wides[0], wides if predictors else None, cohort, [str(x) for x in labels], names


def _predictor_values(wides: list[Floats], predictors: Sequence[Predictor], names: tuple[str, ...], periods: Floats, before: int) -> Floats:
    out = []
    for p in predictors:
        chosen = np.isin(periods, p.periods) if p.periods else np.arange(periods.size) < before
        values = wides[names.index(p.name)][:, chosen]
        count = np.isfinite(values).sum(axis=1)
        out.append(np.where(count > 0, np.nansum(values, axis=1) / np.maximum(count, 1), np.nan))
    return np.column_stack(out)


def _name(p: Predictor) -> str:
    if not p.periods:
        return p.name
    ends = f"{min(p.periods):g}" if len(p.periods) == 1 else f"{min(p.periods):g}–{max(p.periods):g}"
    return f"{p.name} ({ends})"


def synthetic_control(data: ControlData, *, starts: int = 6, fit_periods: Sequence[float] = ()) -> SyntheticControl:
    """Choose V to minimise the mean squared gap over ``fit_periods`` (default: all pre-treatment), W exactly for each V.

    Predictors are divided by their standard deviation over all units, as R Synth. The criterion has local minima: Nelder–Mead on
    log V starts from equal weights, regression weights and ``starts`` fixed low-discrepancy points, and the best is kept. With the
    outcomes alone as predictors, equal weights are already optimal and nothing is searched.
    """
    donors = [i for i in range(len(data.labels)) if i != data.treated]
    scale = np.ones(data.x.shape[1]) if data.outcomes_only else data.x.std(axis=0, ddof=1)
    varying = scale > 0
    x = data.x[:, varying] / scale[varying]
    gap_x = (x[donors] - x[data.treated]).T  # (k, N0)
    fit = np.isin(data.periods, fit_periods) if len(fit_periods) else np.arange(data.periods.size) < data.before
    z = (data.y[donors] - data.y[data.treated])[:, fit].T
    if data.outcomes_only:
        v = np.where(fit[: data.before], 1 / fit.sum(), 0.0)
    else:
        v = _best_v(gap_x, z, x, data.y[:, fit], starts)
    w = _inner(v, gap_x)
    gap = data.y[data.treated] - (w[:, None] * data.y[donors]).sum(axis=0)
    full = np.zeros(varying.size)
    full[varying] = v
    balance = np.column_stack([data.x[data.treated], (w[:, None] * data.x[donors]).sum(axis=0)])
    before, after = gap[: data.before], gap[data.before :]
    return SyntheticControl(
        data.labels[data.treated], tuple(data.labels[i] for i in donors), w, data.predictors, full, balance, data.periods, gap,
        float(after.mean()), float((before**2).mean()), float((after**2).mean()),
    )  # fmt: skip


def _inner(v: Floats, gap_x: Floats) -> Floats:
    return simplex_least_squares(gap_x * np.sqrt(v)[:, None], np.zeros(gap_x.shape[0]))


def _best_v(gap_x: Floats, z: Floats, x: Floats, y: Floats, starts: int) -> Floats:
    k = gap_x.shape[0]
    if k == 1:
        return np.ones(1)
    scale = float((y**2).mean())

    def loss(theta: Floats) -> float:
        w = _inner(_shares(theta), gap_x)
        return float(((z * w).sum(axis=1) ** 2).mean())

    found = []
    for start in _starts(k, x, y, starts):
        theta = np.log(np.clip(start / start.max(), np.exp(LOG_RANGE), None))
        result = theta
        for step in (2.0, 0.5):
            simplex = np.vstack([result, result + step * (np.eye(k) - 1 / k)])
            options = {"maxfev": 150 * k, "xatol": 1e-3, "fatol": 1e-8 * scale, "adaptive": k > 8, "initial_simplex": simplex}
            fit = minimize(loss, result, method="Nelder-Mead", options=options)
            result = fit.x
        found.append(fit)
    best = min(found, key=lambda r: r.fun)
    simplex = np.vstack([best.x, best.x + 0.2 * (np.eye(k) - 1 / k)])
    options = {"maxfev": 600 * k, "xatol": 1e-7, "fatol": 1e-13 * scale, "adaptive": k > 8, "initial_simplex": simplex}
    again = minimize(loss, best.x, method="Nelder-Mead", options=options)
    return _shares(again.x if again.fun <= best.fun else best.x)


def _shares(theta: Floats) -> Floats:
    """Predictor weights summing to one, none below ``exp(LOG_RANGE)`` of the largest: below, the criterion is flat."""
    e = np.exp(np.clip(theta - theta.max(), LOG_RANGE, 0))
    return np.asarray(e / e.sum())


def _starts(k: int, x: Floats, y: Floats, starts: int) -> list[Floats]:
    out = [np.full(k, 1 / k)]
    design = np.vstack([np.ones(x.shape[0]), x.T])
    inverse = symmetric_inverse(cross(design, design))
    if inverse is not None:
        slopes = (cross(y.T, design) @ inverse)[:, 1:]
        importance = (slopes**2).sum(axis=0)
        out.append(importance / importance.sum())
    primes = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47)
    for i in range(1, starts + 1):
        halton = np.array([_halton(i, primes[j % len(primes)] + 2 * (j // len(primes))) for j in range(k)])
        weights = np.exp(8 * (halton - 0.5))
        out.append(weights / weights.sum())
    return out


def _halton(index: int, base: int) -> float:
    out, fraction = 0.0, 1.0
    while index:
        fraction /= base
        index, digit = divmod(index, base)
        out += fraction * digit
    return out


def placebo_in_space(data: ControlData, *, starts: int = 1, max_pre_ratio: float = float("inf")) -> PlaceboRank:
    """Play every donor as treated; units whose pre-treatment MSPE exceeds ``max_pre_ratio`` times the real one are left out."""
    real = synthetic_control(data, starts=starts)
    labels, ratios, gaps = [real.treated], [real.ratio], [real.gap]
    for i in range(len(data.labels)):
        if i == data.treated:
            continue
        fit = synthetic_control(data.as_treated(i, without=(data.treated,)), starts=starts)
        if fit.pre_mspe <= max_pre_ratio * real.pre_mspe:
            labels.append(fit.treated)
            ratios.append(fit.ratio)
            gaps.append(fit.gap)
    values = np.array(ratios)
    rank = int((values >= values[0] - 1e-12).sum())
    said = () if values.size >= 20 else (f"Seulement {values.size} unités : la plus petite valeur p possible est 1/{values.size}.",)
    return PlaceboRank(tuple(labels), values, np.array(gaps), rank / values.size, said)
