"""One indicator of a roll-out, from power to sentence: the fixed order in which an honest study is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from essaim.engines.impact.design.balance import Balance, balance
from essaim.engines.impact.design.comparison import Comparisons, choose_comparisons, past_features
from essaim.engines.impact.did.aggregate import aggregate
from essaim.engines.impact.did.group_time import GroupTimeEffects, group_time_effects
from essaim.engines.impact.equity.subgroups import GapChange, SubgroupEffects, gap_changes, subgroup_effects
from essaim.engines.impact.estimates import EventStudy
from essaim.engines.impact.imputation import imputation
from essaim.engines.impact.inference.assignments import Assignments
from essaim.engines.impact.panel import Panel
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.study.baseline import BaselineGrade, baseline_grade
from essaim.engines.impact.study.battery import Battery, cluster_panel, rollout_battery
from essaim.engines.impact.study.evidence import evidence_level
from essaim.engines.impact.study.foresight import design_power
from essaim.engines.impact.study.plan import Plan
from essaim.engines.impact.study.results import DesignPower, Effect, EventEffects, IndicatorResult, Robustness
from essaim.engines.impact.study.robustness import robustness
from essaim.engines.impact.study.sentence import Conclusion, Reading, conclusion
from essaim.engines.impact.synthetic_did import synthetic_did
from essaim.engines.impact.twfe import bacon, twfe

Floats = npt.NDArray[np.float64]
BAND_DRAWS = 999
FEWEST_PLACEBOS = 20


@dataclass(frozen=True, slots=True)
class Setting:
    """What indicators of one study share: strata codes and balance covariates of clusters, cluster means by sub-group."""

    strata: npt.NDArray[np.int64] | None = None
    balance: Floats | None = None
    subgroups: Mapping[str, tuple[Floats, Floats]] = field(default_factory=dict)


def rollout_result(panel: Panel, plan: Plan, setting: Setting,
                   space: Assignments | None = None) -> tuple[IndicatorResult, Assignments | None]:
    """Everything about ``panel``'s outcome. Power first; what cannot be computed is said, never guessed."""
    power = design_power(panel, plan)
    grade = _baseline(panel, plan)
    main = group_time_effects(panel, method=plan.estimation.method, control=plan.estimation.control, base="universal",
                              anticipation=plan.estimation.anticipation, cluster="cluster", unbalanced=plan.estimation.unbalanced)
    simple = aggregate(main, "simple").overall
    effects = [Effect("callaway_santanna", "Callaway–Sant'Anna", simple.value, simple.std_error,
                      "moyenne des effets sur les traités"), *_others(panel, plan)]
    events = _events(main, 1 - plan.design.alpha)
    try:
        battery, space = rollout_battery(panel, plan, setting.strata, setting.balance, space)
        said: tuple[str, ...] = ()
    except Refusal as refusal:
        battery, said = None, (refusal.message,)
    sturdy = robustness(panel, events[1] if events else None, plan, space)
    groups, gaps, unsaid = _subgroups(panel, plan, setting)
    result = _concluded(panel, plan, power, grade, effects, battery, sturdy)
    shown = replace(result, by_group=_parts(main, "group"), by_period=_parts(main, "calendar"), events=events[0] if events else None,
                    subgroups=groups, gaps=gaps, balance=_balance(panel, space), comparisons=_comparisons(panel), warnings=(*result.warnings, *said, *unsaid, *_bacon_warning(panel)))
    return shown, space


def _baseline(panel: Panel, plan: Plan) -> BaselineGrade:
    first = panel.cohorts[0] if panel.cohorts.size else np.inf
    assert panel.cohort is not None
    late = bool((panel.cohort > panel.periods[-1]).any() and np.isfinite(panel.cohort[panel.cohort > panel.periods[-1]]).any())
    return baseline_grade(source=plan.baseline.source, periods_before=int((panel.periods < first).sum()),
                          has_never_treated=bool(np.isinf(panel.cohort).any()), late_entrants=late or panel.cohorts.size > 1,
                          has_covariates=panel.covariates.shape[1] > 0,
                          response_shift_checked=plan.baseline.response_shift_checked)


def _others(panel: Panel, plan: Plan) -> list[Effect]:
    """Other estimators asked for; one that refuses says why in its note."""
    makers = {"imputation": _imputation, "synthetic_did": _synthetic, "two_way": _two_way}
    labels = {"imputation": "Imputation (Borusyak–Jaravel–Spiess)", "synthetic_did": "Différence de différences synthétique",
              "two_way": "Effets fixes doubles (pour mémoire)"}
    out = []
    for name in plan.estimation.also:
        try:
            value, error, note = makers[name](panel, plan)
            out.append(Effect(name, labels[name], value, error, note))
        except Refusal as refusal:
            out.append(Effect(name, labels[name], float("nan"), None, refusal.message))
    return out


def _imputation(panel: Panel, plan: Plan) -> tuple[float, float | None, str]:
    found = imputation(panel, cluster="cluster", anticipation=plan.estimation.anticipation).overall
    return found.value, found.std_error, " ".join(found.warnings)


def _synthetic(panel: Panel, plan: Plan) -> tuple[float, float | None, str]:
    budget = max(FEWEST_PLACEBOS, plan.inference.placebos // max(len(plan.data.outcomes), 1))
    found = synthetic_did(panel, placebos=budget, seed=plan.inference.seed)
    return found.value, found.std_error, f"sur les moyennes de grappes ; erreur-type de {len(found.placebos)} placebos"


def _two_way(panel: Panel, plan: Plan) -> tuple[float, float | None, str]:
    value, error = twfe(cluster_panel(panel)).of("traitement")
    return value, error, "sur les moyennes de grappes ; mélange des comparaisons interdites quand les vagues diffèrent"


def _bacon_warning(panel: Panel) -> tuple[str, ...]:
    try:
        flat = replace(cluster_panel(panel), weights=np.ones(panel.cluster_labels.size * panel.periods.size), is_weighted=False)
        found = bacon(flat).warning
    except Refusal:
        return ()
    return (found,) if found else ()


def _events(main: GroupTimeEffects, level: float) -> tuple[EventEffects, EventStudy] | None:
    try:
        study = aggregate(main, "dynamic").event_study(level=level, draws=BAND_DRAWS)
    except Refusal:
        return None
    low, high = study.bounds()
    at_reference = study.std_error == 0
    shown = EventEffects(tuple(study.event_time.tolist()), tuple(study.value.tolist()),
                         tuple(None if r else float(v) for v, r in zip(low, at_reference, strict=True)),
                         tuple(None if r else float(v) for v, r in zip(high, at_reference, strict=True)),
                         float(study.critical_value))
    return shown, study


def _parts(main: GroupTimeEffects, kind: str) -> tuple[tuple[float, float, float | None], ...]:
    found = aggregate(main, kind)
    return tuple((float(a), float(v), float(s)) for a, v, s in zip(found.at, found.value, found.std_error, strict=True))


def _balance(panel: Panel, space: Assignments | None) -> Balance | None:
    """Treated and comparison clusters before the first wave: past level and slope of the outcome, covariates; permutation test."""
    treated, means, before = _past(panel)
    names: tuple[str, ...] = ("niveau passé",)
    columns = [means.mean(axis=1)] if before.size else []
    if before.size >= 2:
        names, features = past_features(means, before)
        columns = list(features.T)
    columns += [panel.cluster_sums(panel.covariates[:, j]).mean[:, 0] for j in range(panel.covariates.shape[1])]
    x = np.column_stack(columns) if columns else np.empty((treated.size, 0))
    if not columns or not np.isfinite(x).all() or not 1 < treated.sum() < treated.size - 1:
        return None
    arms = None if space is None else np.isfinite(space.cohort).astype(np.int64)
    return balance((*names, *panel.covariate_names), x, treated, assignments=arms)


def _comparisons(panel: Panel) -> Comparisons | None:
    """The comparison cluster whose past level and slope are nearest to each treated one's; None when the past is too short."""
    treated, means, periods = _past(panel)
    if periods.size < 2 or not treated.any() or not np.isfinite(means).all():
        return None
    names, features = past_features(means, periods)
    try:
        return choose_comparisons([str(c) for c in panel.cluster_labels], names, features, treated.tolist())
    except Refusal:
        return None


def _past(panel: Panel) -> tuple[npt.NDArray[np.bool_], Floats, Floats]:
    """Treated clusters, cluster means before the first wave, and those periods."""
    cohort = panel.cluster_cohort()
    before = panel.periods < (panel.cohorts[0] if panel.cohorts.size else -np.inf)
    return np.isfinite(cohort) & (cohort <= panel.periods[-1]), panel.cluster_sums().mean[:, before], panel.periods[before]


def _subgroups(panel: Panel, plan: Plan, setting: Setting) -> tuple[SubgroupEffects | None, tuple[GapChange, ...], tuple[str, ...]]:
    """Effects by sub-group and changes of the gaps between them, or why there are none."""
    groups = setting.subgroups
    if len(groups) < 2:
        return None, (), (("Moins de deux sous-groupes atteignent les seuils de publication.",) if plan.data.subgroup else ())
    cohort = panel.cluster_cohort()
    treated = np.isfinite(cohort) & (cohort <= panel.periods[-1])
    start = np.where(treated, np.searchsorted(panel.periods, np.where(treated, cohort, panel.periods[0])), -1).tolist()
    strata = None if setting.strata is None else setting.strata.tolist()
    draws, seed = min(plan.inference.draws, 9999), plan.inference.seed
    try:
        found = subgroup_effects({k: v[0] for k, v in groups.items()}, start, weights={k: v[1] for k, v in groups.items()}, strata=strata,
                                 draws=draws, seed=seed)
        gaps = gap_changes({k: v[0] for k, v in groups.items()}, start, weights={k: v[1] for k, v in groups.items()}, strata=strata,
                           draws=draws, seed=seed)
    except Refusal as refusal:
        return None, (), (refusal.message,)
    return found, gaps, ()


def _concluded(panel: Panel, plan: Plan, power: DesignPower, grade: BaselineGrade, effects: list[Effect],
               battery: Battery | None, sturdy: Robustness) -> IndicatorResult:
    head = battery.headline if battery else None
    significant = bool(head and head.p_value is not None and head.p_value <= plan.design.alpha)
    hard = "aucun test par permutation n'est possible." if battery is None else None if battery.can_conclude else battery.rule
    unanswerable = power.unanswerable or hard
    evidence = evidence_level(assignment=plan.design.assignment, baseline=grade.grade, treated_clusters=power.treated_clusters,
                              permutation=bool(battery and battery.can_conclude), pretrend_power=sturdy.pretrend_power,
                              pretrend_p=sturdy.pretrend_p, breakdown=sturdy.breakdown,
                              agree=battery is None or battery.agree)
    reading = Reading(plan.indicator.label if len(plan.data.outcomes) == 1 else panel.outcome_name, plan.indicator.unit,
                      plan.indicator.decimals, head.effect if head else effects[0].value, head.low if head else None,
                      head.high if head else None, head.p_value if head else None, plan.design.alpha, power.treated_clusters,
                      power.mde, plan.design.smallest_effect, plan.indicator.direction, evidence.level, grade.grade,
                      disagreement=None if battery is None or battery.agree else battery.agreement,
                      unanswerable=unanswerable if hard or not significant else None,
                      is_underpowered=power.power_at_smallest is not None and power.power_at_smallest < plan.design.power)
    told: Conclusion = conclusion(reading)
    return IndicatorResult(panel.outcome_name, replace(power, unanswerable=unanswerable), grade, tuple(effects), (), (), None,
                           battery, sturdy, None, evidence, told, None, panel.rows, int(panel.unit_labels.size),
                           panel.report.warnings, tuple(battery.draws.tolist()) if battery else ())
