"""Effects computed from cluster × period sums for thousands of assignments at once.

Treatment is constant inside a cluster, so sums by cluster and period carry all the information: an assignment costs a few
additions. Every statistic here is linear in the outcome, which makes confidence intervals by inversion exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from essaim.engines.impact.panel import Panel, PanelRefused

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LinearStatistic:
    """``score`` (K, G, C): mass-weighted gain of each cluster were it in each of the ``cohorts`` (G,), for K effects;
    ``mass`` (C,); ``length`` (K, G) post-treatment periods that each cohort contributes; ``overlap`` (G, G): what a cluster treated
    as of cohort i contributes of a constant effect of one when played as cohort j (first effect).

    Effect = Σ_g [Σ_{c in g} score − (M_g/M_0)·Σ_{c never} score] / Σ_g M_g·length_g: for a balanced panel, the simple (or event-time)
    aggregate of Callaway–Sant'Anna against never-treated clusters, without covariates.
    """

    score: Floats
    mass: Floats
    length: Floats
    cohorts: Floats
    overlap: Floats

    def __call__(self, assignment: Floats) -> Floats:
        """(B, C) cohorts → (B, K) effects."""
        never = np.isinf(assignment).astype(np.float64)
        mass_never = np.einsum("bc,c->b", never, self.mass)
        top = np.zeros((assignment.shape[0], self.score.shape[0]))
        bottom = np.zeros_like(top)
        for g, cohort in enumerate(self.cohorts):
            inside = (assignment == cohort).astype(np.float64)
            mass = np.einsum("bc,c->b", inside, self.mass)
            net = inside - (mass / mass_never)[:, None] * never
            top += np.einsum("bc,kc->bk", net, self.score[:, g])
            bottom += mass[:, None] * self.length[:, g]
        return top / bottom

    def constant_effect(self, cohort: Floats) -> LinearStatistic:
        """The same first effect, applied to the real treatment itself as an outcome (an effect of one everywhere)."""
        own = np.searchsorted(self.cohorts, cohort)
        treated = np.isin(cohort, self.cohorts)
        score = np.where(treated, self.mass * self.overlap[np.minimum(own, self.cohorts.size - 1)].T, 0.0)
        return LinearStatistic(score[None], self.mass, self.length[:1], self.cohorts, self.overlap)


def staggered_att(panel: Panel, *, event_times: tuple[int, ...] = (), anticipation: int = 0, weighting: str = "size") -> LinearStatistic:
    """Statistic of the overall effect, followed by one an event time of ``event_times`` (periods since entry).

    Base period: the last before treatment. ``weighting``: clusters count by their weight (``size``) or equally (``cluster``).
    """
    sums = panel.cluster_sums()
    return staggered_att_of(
        sums.mean, sums.weight, panel.cluster_cohort(), panel.periods, event_times=event_times, anticipation=anticipation,
        weighting=weighting,
    )  # fmt: skip


def staggered_att_of(
    mean: Floats, weight: Floats, cohort: Floats, periods: Floats, *, event_times: tuple[int, ...] = (), anticipation: int = 0,
    weighting: str = "size",
) -> LinearStatistic:  # fmt: skip
    """The same from (C, T) means and weights, and (C,) cohorts."""
    if not np.isfinite(mean).all():
        raise PanelRefused("lost", "Un département n'est pas observé à toutes les périodes.")
    if not np.isinf(np.where(cohort > periods[-1], np.inf, cohort)).any():
        raise PanelRefused("never", "Aucun département n'est jamais traité.")
    mass = weight.mean(axis=1) if weighting == "size" else np.ones(mean.shape[0])
    cohorts = np.unique(cohort[np.isfinite(cohort) & (cohort <= periods[-1])])
    windows: list[float | None] = [None, *event_times]
    overlap = np.zeros((cohorts.size, cohorts.size))
    score = np.zeros((len(windows), cohorts.size, mean.shape[0]))
    length = np.zeros((len(windows), cohorts.size))
    for g, date in enumerate(cohorts):
        before = np.flatnonzero(periods + anticipation < date)
        if not before.size:
            raise PanelRefused("base", f"La cohorte {date:g} n'a aucune période avant traitement : l'écarter, ou remonter plus loin dans le passé.")
        gained = (periods >= cohorts[:, None]) * 1.0 - (periods[before[-1]] >= cohorts[:, None])
        overlap[:, g] = gained[:, periods >= date].sum(axis=1)
        for k, event in enumerate(windows):
            chosen = periods >= date if event is None else periods - date == event
            length[k, g] = chosen.sum()
            if chosen.any():
                score[k, g] = mass * (mean[:, chosen] - mean[:, [before[-1]]]).sum(axis=1)
    if (length.sum(axis=1) == 0).any():
        raise PanelRefused("window", "Une des anciennetés demandées n'est observée pour aucune cohorte.")
    return LinearStatistic(score, mass, length, cohorts, overlap)


def stack(statistics: list[LinearStatistic]) -> LinearStatistic:
    """Several statistics of the same clusters and cohorts (indicators, sub-groups) as one. Masses must be equal."""
    first = statistics[0]
    for s in statistics[1:]:
        if not np.array_equal(s.cohorts, first.cohorts) or not np.allclose(s.mass, first.mass):
            raise ValueError("statistics must share clusters, cohorts and masses")
    return LinearStatistic(
        np.concatenate([s.score for s in statistics]), first.mass, np.concatenate([s.length for s in statistics]), first.cohorts,
        first.overlap,
    )  # fmt: skip


def difference_in_means(y: Floats, mass: Floats | None = None, treated: float = 1.0) -> LinearStatistic:
    """Cross-section: mean of treated clusters (cohort ``treated``) minus mean of the others (``inf``)."""
    m = np.ones(y.size) if mass is None else mass
    return LinearStatistic((m * y)[None, None], m, np.ones((1, 1)), np.array([treated]), np.ones((1, 1)))
