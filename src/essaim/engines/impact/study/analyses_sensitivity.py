"""Further analyses that doubt parallel trends: HonestDiD on the event study of any estimator, and what a pre-trend test was worth.
Keyword arguments are the plan's parameters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from essaim.engines.impact.did.aggregate import aggregate
from essaim.engines.impact.did.group_time import group_time_effects
from essaim.engines.impact.estimates import EventStudy
from essaim.engines.impact.panel import Panel
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.sensitivity.conditional import sensitivity_breakdown, sensitivity_interval
from essaim.engines.impact.sensitivity.pretrends import detectable_slope, linear_trend, pretrend_power
from essaim.engines.impact.sensitivity.restrictions import Restriction
from essaim.engines.impact.sensitivity.smoothness import Trends, original_interval, trends
from essaim.engines.impact.study.analyses_panel import Values, keyed, panel_for
from essaim.engines.impact.study.plan import Plan
from essaim.engines.impact.sun_abraham import sun_abraham
from essaim.engines.impact.twfe import twfe_event_study

WHOLE = (-np.inf, np.inf)
STUDIES = ("two_way", "callaway_santanna", "sun_abraham")


def smoothness(frame: pl.DataFrame, plan: Plan, *, bounds: Sequence[float], outcome: str | None = None, reference: float = -1.0,
               window: Sequence[float] = WHOLE, weights: Sequence[float] | str | None = None, se: str = "CR1S", cluster: str = "cluster",
               study: str = "two_way", method: str | None = None, bias: str | None = None, monotone: str | None = None) -> Values:  # fmt: skip
    """Sensibilité ΔSD(M) de Rambachan et Roth, signe ou sens de la dérive au choix, et M de rupture."""
    effects = _study(panel_for(frame, plan, outcome), study, reference, window, se, cluster)
    return _sensitivity(effects, plan, Restriction("SD", bias, monotone), bounds, weights, method) | {
        "event_study": keyed(effects.event_time, effects.value, effects.std_error)}  # fmt: skip


def relative_magnitudes(frame: pl.DataFrame, plan: Plan, *, bounds: Sequence[float], outcome: str | None = None, reference: float = -1.0,
                        window: Sequence[float] = WHOLE, weights: Sequence[float] | str | None = None, se: str = "CR1S",
                        cluster: str = "cluster", study: str = "two_way", method: str | None = None, bias: str | None = None,
                        monotone: str | None = None, departure: str = "parallel") -> Values:  # fmt: skip
    """Sensibilité ΔRM(M̄) de Rambachan et Roth (``departure: linear`` : ΔSDRM, écart à une tendance linéaire), et M̄ de rupture."""
    if departure not in ("parallel", "linear"):
        raise Refusal("departure", "departure vaut « parallel » (tendances parallèles) ou « linear » (tendance linéaire).")
    effects = _study(panel_for(frame, plan, outcome), study, reference, window, se, cluster)
    restriction = Restriction("RM" if departure == "parallel" else "SDRM", bias, monotone)
    return _sensitivity(effects, plan, restriction, bounds, weights, method)


def pretrends(frame: pl.DataFrame, plan: Plan, *, slope: float | None = None, outcome: str | None = None, reference: float = -1.0,
              window: Sequence[float] = WHOLE, se: str = "CR1S", cluster: str = "cluster", study: str = "two_way") -> Values:  # fmt: skip
    """Ce que vaut un test de tendances passées (Roth 2022) : pente détectable, puissance et rapport de vraisemblance d'une pente."""
    t = _trends(_study(panel_for(frame, plan, outcome), study, reference, window, se, cluster), None)
    level = 1 - plan.design.alpha
    out: Values = {"detectable_slope_50": detectable_slope(t, power=0.5, level=level), "detectable_slope_80": detectable_slope(t, level=level)}
    if slope is not None:
        found = pretrend_power(t, linear_trend(t, slope), level=level)
        out |= {"power": found.power, "bayes_factor": found.bayes_factor, "likelihood_ratio": found.likelihood_ratio,
                "mean_after_pass": found.mean_after_pass.tolist()}  # fmt: skip
    return out


def _study(panel: Panel, study: str, reference: float, window: Sequence[float], se: str, cluster: str) -> EventStudy:
    """Event study of the estimator named, within ``window`` (binned at its ends by two-way fixed effects, cut by the others)."""
    low, high = float(window[0]), float(window[1])
    if study == "two_way":
        return twfe_event_study(panel, reference=reference, window=(low, high), kind=se, cluster=cluster)
    if study == "callaway_santanna":
        effects = group_time_effects(panel, base="universal", cluster=cluster)
        return aggregate(effects, "dynamic", min_e=low, max_e=high).event_study()
    if study != "sun_abraham":
        raise Refusal("study", f"Étude par ancienneté inconnue : « {study} ». Attendu : {', '.join(STUDIES)}.")
    found = sun_abraham(panel, reference=reference, kind=se, cluster=cluster).event_study
    at = np.flatnonzero((found.event_time >= low) & (found.event_time <= high))
    return EventStudy(found.event_time[at], found.value[at], found.std_error[at], found.covariance[np.ix_(at, at)], reference)


def _trends(effects: EventStudy, weights: Sequence[float] | str | None) -> Trends:
    """``weights``: one an effect after treatment, ``average``, or the first only."""
    reference = -1.0 if effects.reference is None else effects.reference
    if isinstance(weights, str):
        if weights != "average":
            raise Refusal("weights", "weights vaut « average » (moyenne des effets) ou une liste, un poids par effet après traitement.")
        after = int((effects.event_time > reference).sum())
        weights = [1 / max(after, 1)] * after
    return trends(effects.event_time, effects.value, effects.covariance, reference=reference, weights=weights)


def _sensitivity(effects: EventStudy, plan: Plan, restriction: Restriction, bounds: Sequence[float], weights: Sequence[float] | str | None,
                 method: str | None) -> Values:  # fmt: skip
    t, level = _trends(effects, weights), 1 - plan.design.alpha
    plain = original_interval(t, level)
    found = [sensitivity_interval(t, float(m), restriction, method=method, level=level) for m in bounds]
    return {"original": [plain.low, plain.high], "intervals": [[s.bound, s.low, s.high] for s in found], "set": restriction.name,
            "method": found[0].method if found else None, "breakdown": sensitivity_breakdown(t, restriction, method=method, level=level)}  # fmt: skip


def interaction_weighted(frame: pl.DataFrame, plan: Plan, *, outcome: str | None = None, reference: float = -1.0, se: str = "CR1S",
                         cluster: str = "cluster", covariates: Sequence[str] | None = None) -> Values:  # fmt: skip
    """Sun et Abraham (2021) : effets par cohorte et ancienneté d'une régression à effets fixes, moyennés par les parts des cohortes."""
    found = sun_abraham(panel_for(frame, plan, outcome, covariates), reference=reference, kind=se, cluster=cluster)
    study = found.event_study
    return {"overall": [found.overall.value, found.overall.std_error], "warnings": list(found.overall.warnings),
            "event_study": keyed(study.event_time, study.value, study.std_error)}  # fmt: skip

