"""What a roll-out could detect, told before its result: noise of the same roll-out pretended among never-treated clusters."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from essaim.engines.impact.design.placebo_rollout import placebo_rollouts
from essaim.engines.impact.inference.choice import choose_inference
from essaim.engines.impact.panel import Panel
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.study.plan import Design, Plan
from essaim.engines.impact.study.results import DesignPower
from essaim.kernel.french import format_number

Floats = npt.NDArray[np.float64]
DRAWS = 1999
# An effect seen less than once in two is more often missed than found: such a study cannot answer its question.
HOPELESS = 0.5
# When the plan declares none: a small effect, of the order of the best documented ones (one-to-one laptops, 0.16 sd).
DEFAULT_EFFECT_SD = 0.2


def _never_treated(panel: Panel) -> tuple[Floats, Floats, Floats]:
    """Means of never-treated clusters (clusters × periods), their weights, and the cohort of every cluster."""
    sums, cohort = panel.cluster_sums(), panel.cluster_cohort()
    cohort = np.where(cohort > panel.periods[-1], np.inf, cohort)
    keep = np.isinf(cohort) & np.isfinite(sums.mean).all(axis=1)
    return sums.mean[keep], sums.weight[keep].mean(axis=1), cohort


def rollout_starts(panel: Panel, cohort: Floats) -> dict[int, int]:
    """Number of clusters starting at each period index."""
    dates, counts = np.unique(cohort[np.isfinite(cohort)], return_counts=True)
    return {int(np.searchsorted(panel.periods, d)): int(c) for d, c in zip(dates, counts, strict=True)}


def design_power(panel: Panel, plan: Plan) -> DesignPower:
    """Power of the roll-out that took place. Reads no outcome of a treated cluster."""
    means, weights, cohort = _never_treated(panel)
    treated, clusters = int(np.isfinite(cohort).sum()), int(cohort.size)
    d = plan.design
    if treated == 0 or treated == clusters:
        return DesignPower("aucune", None, None, d.smallest_effect, treated, clusters, None,
                           "Sans grappes traitées et jamais traitées, rien n'est détectable.",
                           "il n'y a pas à la fois des grappes traitées et des grappes jamais traitées.")
    benchmark = d.smallest_effect or DEFAULT_EFFECT_SD * _untreated_spread(panel)
    starts = rollout_starts(panel, cohort)
    choice = choose_inference(treated, clusters, level=1 - d.alpha)
    unanswerable = None if choice.can_conclude else (
        f"avec {treated} grappe(s) traitée(s) sur {clusters}, aucune valeur p ne peut descendre sous {_number(choice.smallest_p)}.")
    try:
        found = placebo_rollouts(means, starts, weights=weights, alpha=d.alpha, power=d.power, draws=DRAWS, seed=plan.inference.seed)
    except Refusal as refusal:
        return DesignPower("déploiements simulés", None, None, d.smallest_effect, treated, clusters, None, refusal.message,
                           unanswerable)
    return _told(found.mde, found.power(benchmark), benchmark, d, treated, clusters, _needed(found.spread, treated, benchmark, d),
                 unanswerable)


def _untreated_spread(panel: Panel) -> float:
    """Standard deviation of the outcome among rows of never-treated units."""
    assert panel.cohort is not None
    rows = panel.outcome[~(panel.cohort <= panel.periods[-1])]
    return float(rows.std()) if rows.size else float("nan")


def planned_power(panel_means: Floats, periods: tuple[str, ...], plan: Plan) -> DesignPower:
    """Power of the roll-out *planned* in ``design.rollout`` (period label → clusters), on a past panel without treatment."""
    d = plan.design
    treated, clusters = sum(d.rollout.values()), panel_means.shape[0]
    try:
        starts = {periods.index(str(p)): n for p, n in d.rollout.items()}
    except ValueError:
        raise Refusal("rollout", f"design.rollout nomme une période absente des données ({', '.join(periods)}).") from None
    if not starts:
        raise Refusal("rollout", "Décrire le déploiement prévu dans design.rollout : « période : nombre de grappes ».")
    try:
        found = placebo_rollouts(panel_means, starts, alpha=d.alpha, power=d.power, draws=DRAWS, seed=plan.inference.seed)
    except Refusal as refusal:
        if refusal.code != "too-few-assignments":
            raise
        return DesignPower("déploiements simulés", None, None, d.smallest_effect, treated, clusters, None, refusal.message,
                           refusal.message)
    benchmark = d.smallest_effect or DEFAULT_EFFECT_SD * float(panel_means.std())
    return _told(found.mde, found.power(benchmark), benchmark, d, treated, clusters, _needed(found.spread, treated, benchmark, d), None)


def _needed(spread: float, treated: int, effect: float, d: Design) -> int:
    """Treated clusters needed for ``effect`` with many comparisons: the spread shrinks as one over root n."""
    multiplier = norm.isf(d.alpha / 2) + norm.ppf(d.power)
    return max(2, int(np.ceil(treated * (multiplier * spread / effect) ** 2)))


def _number(value: float) -> str:
    return format_number(float(f"{value:.3g}"))


def _told(mde: float, power: float, benchmark: float, d: Design, treated: int, clusters: int, needed: int,
          unanswerable: str | None) -> DesignPower:
    text = (f"Avec {treated} grappe(s) traitée(s) sur {clusters}, le plus petit effet détectable {_number(100 * d.power)} fois sur 100 "
            f"est de {_number(mde)}.")
    asked = "Un effet" if d.smallest_effect is not None else f"À défaut d'effet déclaré, un petit effet ({_number(DEFAULT_EFFECT_SD)} écart-type)"
    text += f" {asked} de {_number(benchmark)} serait vu {_number(round(100 * power))} fois sur 100."
    if power < d.power:
        text += f" L'étude est sous-dimensionnée : il faudrait environ {needed} grappes traitées."
    if unanswerable is None and power < HOPELESS:
        unanswerable = (f"{treated} grappe(s) traitée(s) ne suffisent pas : un effet de {_number(benchmark)} serait manqué plus d'une fois "
                        f"sur deux ; il faudrait environ {needed} grappes traitées.")
    return DesignPower("déploiements simulés parmi les grappes non traitées", mde, power, benchmark, treated, clusters, needed, text,
                       unanswerable)
