"""Imputation estimator of Borusyak, Jaravel & Spiess (2024, REStud 91): untreated outcomes are fitted on untreated rows by unit
and period effects (and covariates), then subtracted from the outcomes of treated rows. Handles unbalanced panels and weights."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from essaim.engines.impact import panel_checks as checks
from essaim.engines.impact.estimates import Estimate, EventStudy, PreTest
from essaim.engines.impact.panel import Panel, PanelRefused
from essaim.engines.impact.regression import Regression, regress
from essaim.engines.impact.stable import cross, group_sums, sums

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Imputation:
    """``overall`` effect on the treated, ``event_study`` by years since entry. ``effect`` (n,) is the imputed effect of each
    treated row of the analysed panel (NaN elsewhere); ``cluster_scores`` (1 + K, C): estimation error by cluster, whose sums of
    squares are the variances (overall first, then event times)."""

    overall: Estimate
    event_study: EventStudy
    effect: Floats = field(repr=False)
    cluster_scores: Floats = field(repr=False)
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Fit:
    """Normal equations of the untreated rows with unit effects eliminated; ``inverse`` is (m, m) over periods and covariates."""

    unit_weight: Floats  # (U,)
    coupling: Floats  # (m, U): sum of weights × column by unit
    inverse: Floats
    columns: Floats  # (m, n)


def imputation(
    panel: Panel, *, horizons: tuple[int, ...] | None = None, cluster: str = "unit", level: float = 0.95, anticipation: int = 0
) -> Imputation:
    """Overall effect and effects by horizon (default: all observed).

    Weights average the effects and fit the untreated outcomes. Standard errors follow the paper's conservative formula with
    effects centred by cohort × horizon, at the level ``unit`` or ``cluster``; a cohort held by one cluster makes the variance
    not estimable: ``std_error`` is then None (infinite in the event study).
    """
    if panel.cohort is None:
        raise PanelRefused("cohort", "L'imputation demande une colonne de cohorte (première période traitée).")
    checks.covariates_known(panel.covariates, panel.covariate_names)
    panel, said = _analysable(panel, anticipation)
    assert panel.cohort is not None
    event = panel.period_value - panel.cohort
    off, treated = event >= -anticipation, event >= 0
    fit = _fit(panel, ~off)
    effect = panel.outcome - _untreated_outcome(panel, ~off, fit)
    times = np.unique(event[treated]) if horizons is None else np.asarray(horizons, np.float64)
    masks = [treated] + [event == e for e in times]
    if any(not m.any() for m in masks):
        raise PanelRefused("horizon", "Un des horizons demandés n'est observé pour aucune unité traitée.")
    shares = np.stack([np.where(m, panel.weights, 0.0) / panel.weights[m].sum() for m in masks])
    value = cross(shares, np.where(off, effect, 0.0)[None])[:, 0]
    codes = panel.cluster if cluster == "cluster" else panel.unit
    groups = panel.cluster_labels.size if cluster == "cluster" else panel.unit_labels.size
    scores = np.stack([_scores(panel, s, fit, ~off, effect, event, codes, groups) for s in shares])
    lone = np.array([_has_lone_cohort(panel.cohort, codes, m) for m in masks])
    return _result(panel, np.where(treated, effect, np.nan), times, value, scores, lone, level, said, cluster)


def _analysable(panel: Panel, anticipation: int) -> tuple[Panel, tuple[str, ...]]:
    """Without the units and periods whose untreated outcome cannot be imputed, told in French."""
    panel, said = _varying_covariates(panel)
    assert panel.cohort is not None
    while True:
        untreated = panel.period_value - panel.cohort < -anticipation
        if not untreated.any():
            raise PanelRefused("untreated", "Aucune observation non traitée : rien ne peut être imputé.")
        unit_seen = np.bincount(panel.unit[untreated], minlength=panel.unit_labels.size) > 0
        period_seen = np.bincount(panel.period[untreated], minlength=panel.periods.size) > 0
        kept = unit_seen[panel.unit] & period_seen[panel.period]
        if kept.all():
            break
        if not unit_seen.all():
            said.append(f"{int((~unit_seen).sum())} établissement(s) toujours traités écartés : leur situation non traitée est inconnue.")
        if not period_seen.all():
            said.append(f"{int((~period_seen).sum())} période(s) sans aucune unité non traitée écartées.")
        panel = panel.keep(kept)
        assert panel.cohort is not None
    if not (~untreated).any():
        raise PanelRefused("treated", "Aucune observation traitée n'a de période avant traitement.")
    return panel, tuple(said) + panel.report.warnings


def _varying_covariates(panel: Panel) -> tuple[Panel, list[str]]:
    """Without the covariates that never vary inside a unit: the unit effects hold them already."""
    first = panel.covariates[panel.first_row()][panel.unit]
    varies = (panel.covariates != first).any(axis=0)
    if varies.all():
        return panel, []
    lost = ", ".join(n for n, v in zip(panel.covariate_names, varies, strict=True) if not v)
    kept = tuple(n for n, v in zip(panel.covariate_names, varies, strict=True) if v)
    told = f"Covariable(s) constante(s) dans le temps, déjà contenue(s) dans les effets d'établissement : {lost}."
    return replace(panel, covariates=panel.covariates[:, varies], covariate_names=kept), [told]


def _columns(panel: Panel) -> Floats:
    """Period dummies but the first, then covariates: (m, n)."""
    dummies = np.zeros((panel.periods.size - 1, panel.rows))
    later = panel.period > 0
    dummies[panel.period[later] - 1, np.flatnonzero(later)] = 1.0
    return np.vstack([dummies, panel.covariates.T])


def _fit(panel: Panel, untreated: Flags) -> _Fit:
    columns = _columns(panel)
    weight = np.where(untreated, panel.weights, 0.0)
    units = panel.unit_labels.size
    unit_weight = sums(panel.unit, weight, units)
    coupling = group_sums(columns * weight, panel.unit, units)
    gram = cross(columns * weight, columns) - cross(coupling / unit_weight, coupling)
    scale = np.sqrt(np.clip(np.diag(gram), 1e-300, None))
    normed = gram / np.outer(scale, scale)
    if np.linalg.cond(normed) > 1e12:
        raise PanelRefused("imputation", "Les observations non traitées ne suffisent pas à identifier les effets de période ou les covariables.")
    return _Fit(unit_weight, coupling, np.linalg.inv(normed) / np.outer(scale, scale), columns)


def _solve(fit: _Fit, unit_part: Floats, column_part: Floats) -> tuple[Floats, Floats]:
    """Solution of the normal equations: unit effects (U,), then periods and covariates (m,)."""
    right = column_part - cross(fit.coupling, (unit_part / fit.unit_weight)[None])[:, 0]
    slopes = fit.inverse @ right
    shift = np.zeros(fit.unit_weight.size)
    for s, row in zip(slopes, fit.coupling, strict=True):
        shift += s * row
    return (unit_part - shift) / fit.unit_weight, slopes


def _linear(panel: Panel, fit: _Fit, units: Floats, slopes: Floats) -> Floats:
    out = units[panel.unit]
    for s, row in zip(slopes, fit.columns, strict=True):
        out += s * row
    return out


def _untreated_outcome(panel: Panel, untreated: Flags, fit: _Fit) -> Floats:
    weighted = np.where(untreated, panel.weights * panel.outcome, 0.0)
    units, slopes = _solve(fit, sums(panel.unit, weighted, fit.unit_weight.size), cross(fit.columns, weighted[None])[:, 0])
    return _linear(panel, fit, units, slopes)


def _scores(
    panel: Panel, share: Floats, fit: _Fit, untreated: Flags, effect: Floats, event: Floats, codes: Ints, groups: int
) -> Floats:
    """(C,) sum of v·residual by cluster (equations 6, 8 and 10 of the paper)."""
    units, slopes = _solve(fit, sums(panel.unit, share, fit.unit_weight.size), cross(fit.columns, share[None])[:, 0])
    v = np.where(untreated, -panel.weights * _linear(panel, fit, units, slopes), share)
    assert panel.cohort is not None
    residual = np.where(untreated, effect, 0.0)
    treated = np.flatnonzero(~untreated & (share > 0))
    _, cell = np.unique(np.column_stack([panel.cohort[treated], event[treated]]), axis=0, return_inverse=True)
    cells = int(cell.max()) + 1
    by_cluster = np.bincount(cell * groups + codes[treated], v[treated], cells * groups).reshape(cells, groups)
    own = by_cluster[cell, codes[treated]] * v[treated]
    centre = np.bincount(cell, own * effect[treated], cells) / np.bincount(cell, own, cells)
    residual[treated] = effect[treated] - centre[cell]
    return sums(codes, v * residual, groups)


def _has_lone_cohort(cohort: Floats, codes: Ints, mask: Flags) -> bool:
    return any(np.unique(codes[mask & (cohort == g)]).size == 1 for g in np.unique(cohort[mask]))


def _result(
    panel: Panel, effect: Floats, times: Floats, value: Floats, scores: Floats, lone: Flags, level: float,
    said: tuple[str, ...], cluster: str,
) -> Imputation:  # fmt: skip
    matrix = cross(scores, scores)
    error = np.where(lone, np.inf, np.sqrt(np.diag(matrix)))
    z = float(stats.norm.ppf(0.5 + level / 2))
    if lone[0]:
        said = (*said, "Une cohorte ne compte qu'un département : la variance n'est pas estimable.")
    known = not lone[0] and error[0] > 0
    assert panel.cohort is not None
    treated = np.unique(panel.cluster[np.isfinite(panel.cohort)])
    overall = Estimate(
        "ATT", "Borusyak–Jaravel–Spiess", float(value[0]), float(error[0]) if known else None,
        float(value[0] - z * error[0]) if known else None, float(value[0] + z * error[0]) if known else None,
        float(2 * stats.norm.sf(abs(value[0] / error[0]))) if known else None,
        "imputation, niveau " + ("établissement" if cluster == "unit" else "département"), panel.rows,
        panel.unit_labels.size, panel.cluster_labels.size, int(treated.size), said,
    )  # fmt: skip
    study = EventStudy(times, value[1:], error[1:], matrix[1:, 1:], None, level, z, "Borusyak–Jaravel–Spiess")
    return Imputation(overall, study, effect, scores, said)


def pretrends(panel: Panel, leads: int, *, cluster: str = "cluster") -> tuple[Regression, PreTest]:
    """Coefficients of the last ``leads`` periods before entry (names ``-1`` … ``-leads``) among untreated rows, and their F test."""
    if panel.cohort is None:
        raise PanelRefused("cohort", "Le test des tendances demande une colonne de cohorte.")
    rows = panel.keep(panel.period_value < panel.cohort)
    assert rows.cohort is not None
    event = rows.period_value - rows.cohort
    columns = {f"{-k}": (event == -k) * 1.0 for k in range(1, leads + 1)}
    columns |= {name: rows.covariates[:, j] for j, name in enumerate(rows.covariate_names)}
    codes = rows.cluster if cluster == "cluster" else rows.unit
    fit = regress(rows.outcome, columns, absorb=[rows.unit, rows.period], weights=rows.weights, kind="CR1S", cluster=codes)
    shown = [i for i, name in enumerate(fit.names) if name not in rows.covariate_names]
    if len(shown) < leads:
        raise PanelRefused("leads", f"Seules {len(shown)} périodes avant entrée sont identifiées sur les {leads} demandées.")
    matrix = fit.covariance.matrix[np.ix_(shown, shown)]
    scale = np.sqrt(np.diag(matrix))
    if not (scale > 0).all() or np.linalg.cond(matrix / np.outer(scale, scale)) > 1e12:
        raise PanelRefused("leads", "Trop peu de départements pour tester ensemble les périodes avant entrée.")
    free = fit.covariance.clusters - 1
    statistic = float(fit.value[shown] @ np.linalg.solve(matrix, fit.value[shown])) / leads
    return fit, PreTest(statistic, leads, float(stats.f.sf(statistic, leads, free)))
