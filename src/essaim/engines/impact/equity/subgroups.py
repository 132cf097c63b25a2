"""Effects by sub-group, and whether they differ: permutation of the roll-out over clusters, jointly for all sub-groups.

A difference between sub-groups is judged by the difference itself (Gelman & Stern 2006), never by comparing one significant
and one not. The same permuted roll-outs serve every sub-group, so their dependence is respected; p-values over
several sub-groups are adjusted by the largest studentised statistic (Romano & Wolf 2005).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from essaim.engines.impact.design.rollout_estimate import (
    permuted_waves,
    rollout_changes,
    rollout_estimates,
    strata_codes,
)
from essaim.engines.impact.refusal import Refusal

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
SLACK = 1e-12


@dataclass(frozen=True, slots=True)
class SubgroupEffect:
    """Effect in one sub-group (outcome units), permutation p-value, p-value adjusted for all sub-groups, clusters used."""

    name: str
    effect: float
    p_value: float
    adjusted_p: float
    clusters: int


@dataclass(frozen=True, slots=True)
class Interaction:
    """Difference of effects ``first`` minus ``second`` and its permutation p-value."""

    first: str
    second: str
    difference: float
    p_value: float


@dataclass(frozen=True, slots=True)
class GapChange:
    """Gap ``high`` minus ``low`` before and after in treated and comparison clusters; ``change`` is the treated gap's change
    net of the comparison's (negative narrows a positive gap)."""

    high: str
    low: str
    treated_before: float
    treated_after: float
    comparison_before: float
    comparison_after: float
    change: float
    p_value: float


@dataclass(frozen=True, slots=True)
class SubgroupEffects:
    """Every sub-group, every pair, and the reference set used."""

    effects: tuple[SubgroupEffect, ...]
    interactions: tuple[Interaction, ...]
    draws: int
    dropped_clusters: int


@dataclass(frozen=True, slots=True)
class _Plan:
    starts: tuple[int, ...]
    waves: Ints
    draws: Ints
    spans: Floats
    keep: npt.NDArray[np.bool_]


def _plan(cells: Sequence[Floats], start: Ints, strata: Sequence[object] | None, draws: int, seed: int) -> _Plan:
    """Complete clusters, their wave and permuted waves. ``start``: period index of treatment, negative for never."""
    keep = np.all([np.isfinite(m).all(axis=1) for m in cells], axis=0)
    treated = sorted({int(s) for s in start[keep] if s >= 0})
    if not treated or (start[keep] >= 0).all():
        raise Refusal("one-arm", "Aucune grappe traitée ou aucune grappe témoin n'a tous les sous-groupes à toutes les périodes.")
    if treated[0] < 1:
        raise Refusal("no-baseline", "Une grappe est traitée dès la première période : sans avant, pas de comparaison.")
    wave = {s: k for k, s in enumerate(treated)}
    waves = np.array([wave.get(int(s), -1) for s in start[keep]], np.int64)
    kept = None if strata is None else [s for s, k in zip(strata, keep, strict=True) if k]
    rng = np.random.default_rng(seed)
    drawn = permuted_waves(waves, strata_codes(kept, waves.size), draws, rng)
    spans = np.array([cells[0].shape[1] - s for s in treated], float)
    return _Plan(tuple(treated), waves, drawn, spans, keep)


def _effects(plan: _Plan, means: Floats, weights: Floats) -> tuple[float, Floats]:
    """Observed effect and effects under the permuted roll-outs."""
    changes = rollout_changes(means[plan.keep], plan.starts, means.shape[1])
    w = weights[plan.keep]
    observed = rollout_estimates(changes, plan.waves[None, :], w, plan.spans)[0]
    return float(observed), rollout_estimates(changes, plan.draws, w, plan.spans)


def _p(observed: float, drawn: Floats) -> float:
    return float((1 + np.sum(np.abs(drawn) >= abs(observed) - SLACK)) / (1 + drawn.size))


def _adjusted(observed: Floats, drawn: Floats) -> Floats:
    """Step-down adjusted p-values by the largest studentised statistic (Romano & Wolf). ``drawn``: groups × draws."""
    scale = np.sqrt((drawn**2).mean(axis=1))
    scale[scale == 0] = 1.0
    size, null = np.abs(observed) / scale, np.abs(drawn) / scale[:, None]
    order = np.argsort(-size, kind="stable")
    out, floor = np.empty(size.size), 0.0
    for k, j in enumerate(order):
        top = null[order[k:]].max(axis=0)
        floor = max(floor, float((1 + np.sum(top >= size[j] - SLACK)) / (1 + top.size)))
        out[j] = floor
    return out


def subgroup_effects(means: Mapping[str, Floats], start: Sequence[int], *, weights: Mapping[str, Floats] | None = None,
                     strata: Sequence[object] | None = None, draws: int = 1999, seed: int = 0) -> SubgroupEffects:
    """Effects by sub-group. ``means[name]``: clusters × periods of the sub-group's mean (NaN = not observed, cluster dropped);
    ``start``: first treated period index of each cluster, negative for never; ``weights[name]``: one a cluster."""
    names = list(means)
    if len(names) < 2:
        raise Refusal("one-subgroup", "Comparer des sous-groupes en demande au moins deux.")
    cells = [np.asarray(means[n], float) for n in names]
    plan = _plan(cells, np.asarray(start, np.int64), strata, draws, seed)
    found = []
    for name, cell in zip(names, cells, strict=True):
        w = np.ones(cell.shape[0]) if weights is None else np.asarray(weights[name], float)
        found.append(_effects(plan, cell, w))
    observed = np.array([f[0] for f in found])
    drawn = np.array([f[1] for f in found])
    adjusted = _adjusted(observed, drawn)
    used = int(plan.keep.sum())
    effects = tuple(SubgroupEffect(n, float(observed[j]), _p(observed[j], drawn[j]), float(adjusted[j]), used)
                    for j, n in enumerate(names))
    pairs = tuple(
        Interaction(names[i], names[j], float(observed[i] - observed[j]), _p(observed[i] - observed[j], drawn[i] - drawn[j]))
        for i in range(len(names)) for j in range(i + 1, len(names)))
    return SubgroupEffects(effects, pairs, draws, int(plan.keep.size - used))


def gap_change(high: Floats, low: Floats, start: Sequence[int], *, names: tuple[str, str] = ("favorisés", "défavorisés"),
               weights: Floats | None = None, strata: Sequence[object] | None = None, draws: int = 1999,
               seed: int = 0) -> GapChange:
    """Did the roll-out change the gap ``high - low``? Both clusters × periods; one weight a cluster.

    Before = the last period before the first wave starts; after = the last period."""
    gap = np.asarray(high, float) - np.asarray(low, float)
    plan = _plan([gap], np.asarray(start, np.int64), strata, draws, seed)
    return _gap(plan, gap, names, np.ones(gap.shape[0]) if weights is None else np.asarray(weights, float))


def gap_changes(means: Mapping[str, Floats], start: Sequence[int], *, weights: Mapping[str, Floats] | None = None,
                strata: Sequence[object] | None = None, draws: int = 1999, seed: int = 0) -> tuple[GapChange, ...]:
    """``gap_change`` of every pair of sub-groups, from the same permuted roll-outs; a pair's clusters weigh the mean of both weights."""
    cells = {n: np.asarray(m, float) for n, m in means.items()}
    plan = _plan(list(cells.values()), np.asarray(start, np.int64), strata, draws, seed)
    out = []
    for a, b in combinations(cells, 2):
        w = np.ones(cells[a].shape[0]) if weights is None else (np.asarray(weights[a], float) + np.asarray(weights[b], float)) / 2
        out.append(_gap(plan, cells[a] - cells[b], (a, b), w))
    return tuple(out)


def _gap(plan: _Plan, gap: Floats, names: tuple[str, str], w: Floats) -> GapChange:
    observed, drawn = _effects(plan, gap, w)
    kept, wk, treated = gap[plan.keep], w[plan.keep], plan.waves >= 0

    def mean(who: npt.NDArray[np.bool_], period: int) -> float:
        return float(wk[who] @ kept[who, period] / wk[who].sum())

    before = plan.starts[0] - 1
    return GapChange(names[0], names[1], mean(treated, before), mean(treated, -1), mean(~treated, before), mean(~treated, -1),
                     observed, _p(observed, drawn))
