"""Aggregates of ATT(g, t): simple, by group, by event time, by calendar time (Callaway & Sant'Anna 2021, §3; R did's aggte).

Cohort shares are estimated, and their estimation enters every influence function.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from essaim.engines.impact.did.group_time import GroupTimeEffects, clustered, covariance, standard_errors
from essaim.engines.impact.estimates import Estimate, EventStudy
from essaim.engines.impact.panel import PanelRefused
from essaim.engines.impact.stable import combine

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

KINDS = ("simple", "group", "dynamic", "calendar")


@dataclass(frozen=True, slots=True)
class Aggregate:
    """``overall`` effect, and its parts: ``at`` (K,) cohorts, event times or periods, ``value`` and ``std_error`` (K,).
    ``influence`` (K, n) of the parts; empty arrays for ``simple``. ``std_error`` is infinite (and the overall one None) where a cohort
    held by one cluster contributes and inference is by cluster: no variance is estimable then."""

    kind: str
    overall: Estimate
    at: Floats
    value: Floats
    std_error: Floats
    influence: Floats = field(repr=False)
    effects: GroupTimeEffects = field(repr=False)

    def event_study(self, *, level: float = 0.95, draws: int = 0, seed: int = 20240901) -> EventStudy:
        """The parts as an event study; with ``draws`` > 0, a simultaneous band by multiplier bootstrap (seeded)."""
        matrix = covariance(self.influence, self.effects.units, self.effects.cluster)
        critical = float(stats.norm.ppf(0.5 + level / 2))
        if draws:
            critical = max(critical, simultaneous_critical_value(self.influence, self.effects, level, draws, seed))
        reference = -1.0 - self.effects.anticipation if self.effects.base_period == "universal" else None
        return EventStudy(
            self.at, self.value, self.std_error, matrix, reference, level, critical,
            f"Callaway–Sant'Anna ({self.effects.method}, {self.effects.control})",
        )  # fmt: skip


def aggregate(
    effects: GroupTimeEffects, kind: str, *, balance_e: int | None = None, min_e: float = -np.inf, max_e: float = np.inf,
    level: float = 0.95,
) -> Aggregate:  # fmt: skip
    """Aggregate as R did's ``aggte(type = kind)``; ``balance_e``, ``min_e`` and ``max_e`` in periods since treatment."""
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is not one of {KINDS}")
    event = effects.time - effects.group
    post = (event >= 0) & (event >= min_e) & (event <= max_e)
    if not post.any() and kind != "dynamic":
        raise PanelRefused("window", "Aucun effet après traitement dans la fenêtre demandée.")
    if kind == "simple":
        mean, mean_influence = _weighted(effects, post)
        empty = np.empty(0)
        overall = _estimate(effects, "ATT", mean, mean_influence, level)
        return Aggregate(kind, overall, empty, empty, empty, np.empty((0, effects.units.size)), effects)
    masks = {"group": _by_group, "calendar": _by_calendar}
    if kind == "dynamic":
        at, cells = _by_event(effects, event, balance_e, min_e, max_e)
    else:
        at, cells = masks[kind](effects, post)
    parts = [_weighted(effects, c, kind != "group") for c in cells]
    value, influence = np.array([v for v, _ in parts]), np.stack([i for _, i in parts])
    total, total_influence = _overall(effects, kind, at, value, influence)
    errors = standard_errors(influence, effects.units, effects.cluster)
    lone = lone_cohorts(effects)
    errors = np.where([np.isin(effects.group[c], lone).any() for c in cells], np.inf, errors)
    overall = _estimate(effects, {"group": "ATT par cohorte", "dynamic": "ATT par ancienneté", "calendar": "ATT par période"}[kind],
                        total, total_influence, level)  # fmt: skip
    return Aggregate(kind, overall, at, value, errors, influence, effects)


def lone_cohorts(effects: GroupTimeEffects) -> Floats:
    """Cohorts held by one cluster, when inference is by cluster: their influence sums to zero, hiding all of their variance."""
    if effects.cluster == "unit":
        return np.empty(0)
    return np.array([g for g in np.unique(effects.group) if np.unique(effects.units.cluster[effects.units.cohort == g]).size == 1])


def _by_group(effects: GroupTimeEffects, post: Flags) -> tuple[Floats, list[Flags]]:
    at = np.unique(effects.group[post])
    return at, [post & (effects.group == g) for g in at]


def _by_calendar(effects: GroupTimeEffects, post: Flags) -> tuple[Floats, list[Flags]]:
    at = np.unique(effects.time[post])
    return at, [post & (effects.time == t) for t in at]


def _by_event(
    effects: GroupTimeEffects, event: Floats, balance_e: int | None, min_e: float, max_e: float
) -> tuple[Floats, list[Flags]]:
    included = np.ones(event.size, bool)
    at = np.unique(event)
    if balance_e is not None:
        last = effects.periods[-1]
        first = min(effects.periods[0], effects.group.min())
        included = last - effects.group >= balance_e
        at = np.unique(event[included])
        at = at[(at <= balance_e) & (at >= balance_e - last + first)]
    at = at[(at >= min_e) & (at <= max_e)]
    if not at.size:
        raise PanelRefused("window", "Aucune ancienneté d'exposition dans la fenêtre demandée.")
    return at, [included & (event == e) for e in at]


def _shares(effects: GroupTimeEffects, groups: Floats) -> tuple[Floats, Floats]:
    """Probability of each cohort (G,) and its influence (G, n)."""
    inside = (effects.units.cohort == groups[:, None]) * effects.units.weight
    share = inside.mean(axis=1)
    return share, inside - share[:, None]


def _weighted(effects: GroupTimeEffects, cells: Flags, estimated_shares: bool = True) -> tuple[float, Floats]:
    """Average of some cells weighted by cohort share, with the influence of the estimated shares."""
    value, influence = effects.select(cells)
    groups, which = np.unique(effects.group[cells], return_inverse=True)
    share, share_influence = _shares(effects, groups)
    total = share[which].sum()
    weight = share[which] / total
    mean = float(weight @ value)
    out = combine(weight[None], influence)[0]
    if estimated_shares and groups.size > 1:
        slope = (np.bincount(which, value) - np.bincount(which) * mean) / total
        out = out + combine(slope[None], share_influence)[0]
    return mean, out


def _overall(effects: GroupTimeEffects, kind: str, at: Floats, value: Floats, influence: Floats) -> tuple[float, Floats]:
    if kind == "group":
        share, share_influence = _shares(effects, at)
        weight = share / share.sum()
        mean = float(weight @ value)
        slope = (value - mean) / share.sum()
        return mean, combine(weight[None], influence)[0] + combine(slope[None], share_influence)[0]
    kept = at >= 0 if kind == "dynamic" else np.ones(at.size, bool)
    if not kept.any():
        raise PanelRefused("window", "Aucun effet après traitement dans la fenêtre demandée.")
    return float(value[kept].mean()), influence[kept].sum(axis=0) / kept.sum()


def _estimate(effects: GroupTimeEffects, estimand: str, value: float, influence: Floats, level: float) -> Estimate:
    error = float(standard_errors(influence, effects.units, effects.cluster)[0])
    said = effects.warnings
    alone = bool(lone_cohorts(effects).size)
    known = error > 0 and not alone
    if not known and not alone:
        said = (*said, "Le résultat ne fluctue pas d'une unité à l'autre : aucune variance n'est estimable.")
    if alone:
        said = (*said, "Une cohorte ne compte qu'un département : la variance n'est pas estimable, voir le rang parmi les placebos.")
    z = float(stats.norm.ppf(0.5 + level / 2))
    treated = np.unique(effects.units.cluster[np.isfinite(effects.units.cohort)])
    return Estimate(
        estimand=estimand, method=f"Callaway–Sant'Anna ({effects.method}, {effects.control})", value=value,
        std_error=error if known else None, low=value - z * error if known else None,
        high=value + z * error if known else None, p_value=float(2 * stats.norm.sf(abs(value / error))) if known else None,
        inference="fonction d'influence, niveau " + ("établissement" if effects.cluster == "unit" else "département"),
        observations=effects.units.size * effects.periods.size, units=effects.units.size, clusters=effects.units.clusters,
        treated_clusters=int(treated.size), warnings=said, influence=influence,
    )  # fmt: skip


def simultaneous_critical_value(influence: Floats, effects: GroupTimeEffects, level: float, draws: int, seed: int) -> float:
    """Quantile of max |t| over the parts under Rademacher multipliers at the level of inference (R did's ``cband``)."""
    sums = clustered(influence, effects.units, effects.cluster)
    scale = np.sqrt(np.einsum("kn,kn->k", sums, sums))
    if not (scale > 0).any():
        raise PanelRefused("variance", "Les effets n'ont aucune variance estimable : pas d'intervalle simultané.")
    sums = sums[scale > 0] / scale[scale > 0, None]
    rng = np.random.default_rng(seed)
    largest = np.empty(draws)
    for start in range(0, draws, 256):
        size = min(256, draws - start)
        signs = rng.integers(0, 2, (size, sums.shape[1])) * 2.0 - 1.0
        largest[start : start + size] = np.abs(np.einsum("dn,kn->dk", signs, sums)).max(axis=1)
    return float(np.quantile(largest, level))

