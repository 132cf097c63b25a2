"""Further analyses that doubt: relative magnitudes, what a pre-trend test was worth, few treated clusters, donors, comparisons,
instruments and doses, gaps and concentration. Keyword arguments are the plan's parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from essaim.engines.impact.design.comparison import choose_comparisons, past_features
from essaim.engines.impact.equity.concentration_change import concentration_change as change_concentration
from essaim.engines.impact.equity.subgroups import gap_change as change_gap
from essaim.engines.impact.experiments import complete_rows
from essaim.engines.impact.experiments_iv import dose_response, two_stage
from essaim.engines.impact.inference.conley_taber import conley_taber as compare_controls
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.sensitivity.robustness import donor_exclusion
from essaim.engines.impact.study.analyses_panel import Values, panel_for
from essaim.engines.impact.study.analyses_rows import codes_of, column_of, outcome_of
from essaim.engines.impact.study.frames import columns_used
from essaim.engines.impact.study.plan import Plan
from essaim.engines.impact.synthetic_augmented import augmented_control as augment
from essaim.engines.impact.synthetic_control import control_data, placebo_in_space


def conley_taber(frame: pl.DataFrame, plan: Plan, *, outcome: str | None = None, corrected: bool = True, weighting: str = "size") -> Values:
    """Conley–Taber pour peu de grappes traitées, avec la correction de Ferman et Pinto."""
    found = compare_controls(panel_for(frame, plan, outcome), corrected=corrected, draws=plan.inference.draws, seed=plan.inference.seed,
                             level=1 - plan.design.alpha, weighting=weighting)
    return {"estimate": found.value, "p_value": found.p_value, "low": found.low, "high": found.high, "treated": found.treated,
            "controls": found.controls, "enumerated": found.enumerated}


def augmented_control(frame: pl.DataFrame, plan: Plan, *, outcome: str | None = None, treated: str | None = None, level: str = "unit",
                      penalty: float | None = None, unit_effects: bool = False) -> Values:
    """Contrôle synthétique augmenté par régression ridge (Ben-Michael, Feller et Rothstein 2021)."""
    found = augment(control_data(panel_for(frame, plan, outcome), treated=treated, level=level), penalty=penalty, unit_effects=unit_effects)
    return {"effect": found.effect, "penalty": found.penalty, "imbalance": list(found.imbalance), "extrapolation": found.extrapolation,
            "weights": {d: float(w) for d, w in zip(found.donors, found.weights, strict=True)}, "gap": found.gap.tolist()}


def placebo_rank(frame: pl.DataFrame, plan: Plan, *, outcome: str | None = None, treated: str | None = None, level: str = "unit",
                 max_pre_ratio: float = float("inf")) -> Values:
    """Rang de l'unité traitée parmi les placebos du contrôle synthétique, et effet sans chaque donneur utile."""
    data = control_data(panel_for(frame, plan, outcome), treated=treated, level=level)
    found, without = placebo_in_space(data, max_pre_ratio=max_pre_ratio), donor_exclusion(data)
    return {"p_value": found.p_value, "units": len(found.units), "ratios": dict(zip(found.units, found.ratios.tolist(), strict=True)),
            "without_donor": dict(zip(without.names, without.values.tolist(), strict=True))}


def comparisons(frame: pl.DataFrame, plan: Plan, *, outcome: str | None = None, per_treated: int = 1, caliper: float | None = None) -> Values:
    """Choix des grappes de comparaison : appariement optimal sur le niveau et la tendance passés, sans lire l'après."""
    panel = panel_for(frame, plan, outcome)
    cohort = panel.cluster_cohort()
    treated = np.isfinite(cohort) & (cohort <= panel.periods[-1])
    before = panel.periods < (panel.cohorts[0] if panel.cohorts.size else np.inf)
    names, features = past_features(panel.cluster_sums().mean[:, before], panel.periods[before])
    found = choose_comparisons([str(c) for c in panel.cluster_labels], names, features, treated.tolist(), k=per_treated, caliper=caliper)
    return {"matches": [[m.treated, m.comparison, m.distance] for m in found.matches], "unmatched": list(found.unmatched),
            "balance_before": {r.name: r.standardised for r in found.before.rows},
            "balance_after": {r.name: r.standardised for r in found.after.rows} if found.after else None}


def instrument(frame: pl.DataFrame, plan: Plan, *, treatment: str | Sequence[str], instruments: Sequence[str], outcome: str | None = None,
               covariates: Sequence[str] = (), weights: str | None = None, se: str = "classical", cluster: str | None = None) -> Values:
    """Variables instrumentales (doubles moindres carrés) : F de première étape, Wu–Hausman, Sargan, intervalle d'Anderson–Rubin."""
    arms = [treatment] if isinstance(treatment, str) else list(treatment)
    y = column_of(frame, outcome_of(plan, outcome))
    x = {c: column_of(frame, c) for c in (*arms, *instruments, *covariates)}
    w = None if weights is None else column_of(frame, weights)
    codes = None if cluster is None else codes_of(frame, cluster)
    rows = complete_rows(y, *x.values()) & (True if w is None else np.isfinite(w)) & (True if codes is None else codes > 0)
    kept = {k: v[rows] for k, v in x.items()}
    found = two_stage(y[rows], {a: kept[a] for a in arms}, {i: kept[i] for i in instruments}, exogenous={c: kept[c] for c in covariates},
                      weights=None if w is None else w[rows], kind=se, cluster=None if codes is None else codes[rows],
                      level=1 - plan.design.alpha)
    return {"effects": {a: list(found.of(a)) for a in arms}, "first_stage_f": list(found.first_stage_f), "wu_hausman": list(found.wu_hausman),
            "sargan": None if found.sargan is None else list(found.sargan), "anderson_rubin": _ends(found.anderson_rubin),
            "observations": found.observations, "warnings": list(found.warnings)}


def _ends(interval: tuple[float, float] | None) -> Any:
    """Interval with « −∞ » and « +∞ » written out, « vide » when every value is rejected."""
    if interval is None:
        return "vide"
    return [v if np.isfinite(v) else ("−∞" if v < 0 else "+∞") for v in interval]


def dose(frame: pl.DataFrame, plan: Plan, *, dose: str, outcome: str | None = None, cuts: Sequence[float] = (), covariates: Sequence[str] = (),
         se: str = "HC1", cluster: str | None = None) -> Values:
    """Effet selon la dose : pente, ou effet par tranche contre la dose nulle."""
    y, d = column_of(frame, outcome_of(plan, outcome)), column_of(frame, dose)
    x = {c: column_of(frame, c) for c in covariates}
    codes = None if cluster is None else codes_of(frame, cluster)
    rows = complete_rows(y, d, *x.values()) & (True if codes is None else codes > 0)
    fit = dose_response(y[rows], d[rows], cuts=tuple(float(c) for c in cuts), covariates={k: v[rows] for k, v in x.items()}, kind=se,
                        cluster=None if codes is None else codes[rows])
    shown = [n for n in fit.names if n.startswith("dose")]
    return {"effects": {n: list(fit.of(n)) for n in shown}, "observations": fit.observations}


def gap_change(frame: pl.DataFrame, plan: Plan, *, group: str, high: Any, low: Any, outcome: str | None = None) -> Values:
    """Changement de l'écart entre deux groupes, net de celui des grappes de comparaison, jugé par permutation."""
    columns_used(frame, [group])
    whole = panel_for(frame, plan, outcome)
    means = []
    for value in (high, low):
        part = panel_for(frame.filter(pl.col(group) == value), plan, outcome)
        rows = np.searchsorted(whole.cluster_labels, part.cluster_labels)
        wide = np.full((whole.cluster_labels.size, whole.periods.size), np.nan)
        wide[np.ix_(rows, np.searchsorted(whole.periods, part.periods))] = part.cluster_sums().mean
        means.append(wide)
    cohort = whole.cluster_cohort()
    treated = np.isfinite(cohort) & (cohort <= whole.periods[-1])
    start = np.where(treated, np.searchsorted(whole.periods, np.where(treated, cohort, whole.periods[0])), -1)
    found = change_gap(means[0], means[1], start.tolist(), names=(str(high), str(low)), draws=min(plan.inference.draws, 9999),
                       seed=plan.inference.seed)
    return {"change": found.change, "p_value": found.p_value, "treated": [found.treated_before, found.treated_after],
            "comparison": [found.comparison_before, found.comparison_after]}


def concentration_change(frame: pl.DataFrame, plan: Plan, *, rank: str, after: float, outcome: str | None = None, treatment: str | None = None,
                         weights: str | None = None, strata: str | None = None) -> Values:
    """Changement de l'indice de concentration, net de celui des grappes de comparaison ; ``after`` : première période d'après."""
    who = plan.data.cluster or plan.data.unit
    if who is None or plan.data.period is None:
        raise Refusal("plan", "Nommer data.cluster (ou data.unit) et data.period : le changement se juge par grappe et par période.")
    flag = treatment or plan.data.cohort
    if flag is None:
        raise Refusal("plan", "Nommer « treatment » (0 ou 1) ou data.cohort : rien ne dit quelles grappes sont traitées.")
    columns_used(frame, [who, flag])
    period, told = column_of(frame, plan.data.period), np.nan_to_num(column_of(frame, flag), posinf=0.0)
    found = change_concentration(
        column_of(frame, outcome_of(plan, outcome)), column_of(frame, rank), frame[who].cast(pl.String).to_list(), period >= after, told > 0,
        weights=None if weights is None else column_of(frame, weights), strata=None if strata is None else frame[strata].to_list(),
        draws=plan.inference.draws, seed=plan.inference.seed)
    return {"change": found.change, "p_value": found.p_value, "treated": [found.treated_before, found.treated_after],
            "comparison": [found.comparison_before, found.comparison_after], "clusters": found.clusters}
