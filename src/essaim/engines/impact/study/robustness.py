"""How wrong parallel trends may be before the result falls: HonestDiD, what the pre-trend test was worth, one cluster fewer.

Coefficients are those of the last ``WINDOW`` periods before and the first ``WINDOW`` after entry: farther ones rest on few cohorts.
The pre-trend test reported is a permutation test (largest studentised pre coefficient), since the Wald test rejects far too often
when few clusters are treated.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from essaim.engines.impact.estimates import EventStudy
from essaim.engines.impact.inference.assignments import Assignments
from essaim.engines.impact.inference.randomisation import romano_wolf
from essaim.engines.impact.inference.statistics import LinearStatistic, staggered_att
from essaim.engines.impact.panel import Panel
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.sensitivity.magnitudes import magnitudes_breakdown, magnitudes_interval
from essaim.engines.impact.sensitivity.pretrends import linear_trend, pretrend_power
from essaim.engines.impact.sensitivity.smoothness import (
    Sensitivity,
    Trends,
    original_interval,
    smoothness_interval,
    trends,
)
from essaim.engines.impact.study.plan import Plan
from essaim.engines.impact.study.results import Robustness

Floats = npt.NDArray[np.float64]
WINDOW = 5
LARGEST_BREAKDOWN = 10.0
Row = tuple[str, float, float | None, float | None]


def robustness(panel: Panel, study: EventStudy | None, plan: Plan, space: Assignments | None) -> Robustness:
    """Sensitivity of the mean post-treatment effect of ``study``; what is not computable is told in ``notes``."""
    notes: list[str] = []
    rows: tuple[Row, ...] = ()
    breakdown = power = None
    try:
        t = _trends(study)
        rows = _rows(t, plan)
        breakdown = min(magnitudes_breakdown(t, level=1 - plan.design.alpha, largest=LARGEST_BREAKDOWN), LARGEST_BREAKDOWN)
        power = _power_against_fake(t, 1 - plan.design.alpha)
    except Refusal as refusal:
        notes.append(refusal.message)
    out = _leave_one_out(panel) if plan.sensitivity.leave_one_out else ()
    return Robustness(rows, breakdown, pretrend_test_by_permutation(panel, space), power, out, tuple(notes))


def _trends(study: EventStudy | None) -> Trends:
    if study is None:
        raise Refusal("event-time", "Aucun effet par ancienneté : la robustesse aux tendances n'est pas calculable.")
    near = (study.event_time >= -WINDOW - 1) & (study.event_time < WINDOW)
    usable = near & ((study.std_error > 0) | (study.event_time == -1))
    at = np.flatnonzero(usable)
    after = int((study.event_time[at] >= 0).sum())
    t = trends(study.event_time[at], study.value[at], study.covariance[np.ix_(at, at)], weights=[1 / max(after, 1)] * after)
    scale = np.sqrt(np.diag(t.covariance))
    if np.linalg.eigvalsh(t.covariance / np.outer(scale, scale))[0] < 1e-9:
        raise Refusal("few-clusters", "Trop peu de grappes traitées pour estimer ensemble les effets par ancienneté : "
                                      "la robustesse aux tendances n'est pas calculable.")
    return t


def _rows(t: Trends, plan: Plan) -> tuple[Row, ...]:
    level = 1 - plan.design.alpha
    found = [("original", original_interval(t, level))]
    found += [("relative", magnitudes_interval(t, m, level=level)) for m in plan.sensitivity.relative]
    found += [("smoothness", smoothness_interval(t, m, level=level)) for m in plan.sensitivity.smoothness]
    return tuple(_row(kind, s) for kind, s in found)


def _row(kind: str, s: Sensitivity) -> Row:
    return kind, s.bound, s.low if np.isfinite(s.low) else None, s.high if np.isfinite(s.high) else None


def _power_against_fake(t: Trends, level: float) -> float:
    """Power of the usual pre-trend test against the straight trend whose mean post departure is the estimate itself."""
    unit = linear_trend(t, 1.0)[t.before:]
    slope = float(t.weights @ t.value[t.before:]) / float(t.weights @ unit)
    return float(pretrend_power(t, linear_trend(t, slope), level=level).power)


def pretrend_test_by_permutation(panel: Panel, space: Assignments | None) -> float | None:
    """Permutation p-value that every pre-treatment effect (against the last period before) is nil; None when not testable."""
    if space is None:
        return None
    cohort = panel.cluster_cohort()
    cohort = np.where(cohort > panel.periods[-1], np.inf, cohort)
    leads = tuple(-k for k in range(2, WINDOW + 2) if ((panel.periods[:, None] - panel.cohorts[None]) == -k).any())
    if not leads:
        return None
    try:
        found = staggered_att(panel, event_times=leads)
        only = LinearStatistic(found.score[1:], found.mass, found.length[1:], found.cohorts, found.overlap)
        return float(romano_wolf(only, cohort, space).adjusted.min())
    except (Refusal, ValueError):
        return None


def _leave_one_out(panel: Panel) -> tuple[tuple[str, float], ...]:
    """Effect without each treated cluster in turn (cluster sums, never-treated comparison)."""
    statistic = staggered_att(panel)
    cohort = panel.cluster_cohort()
    cohort = np.where(cohort > panel.periods[-1], np.inf, cohort)
    treated = np.flatnonzero(np.isfinite(cohort))
    if treated.size < 2:
        return ()
    without = np.tile(cohort, (treated.size, 1))
    without[np.arange(treated.size), treated] = np.nan
    values = statistic(without)[:, 0]
    return tuple((str(panel.cluster_labels[c]), float(v)) for c, v in zip(treated, values, strict=True))
