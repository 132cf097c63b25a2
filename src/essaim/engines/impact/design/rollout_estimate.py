"""Effect of a roll-out as a linear function of cluster means, for one assignment or ten thousand at once.

The estimate is the Callaway–Sant'Anna simple aggregate with never-treated comparison and base period just before treatment:
every cluster contributes its mean change since that base, averaged over treated periods. Treatment being constant
inside a cluster, cluster × period means are all that any assignment needs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def rollout_changes(means: Floats, starts: Sequence[int], stop: int, offset: int = 0) -> Floats:
    """Mean post-minus-base change of every cluster had it started at each of ``starts``: waves × clusters.

    Periods of ``means`` (clusters × periods) are read from ``offset``; ``stop`` is the first period not used."""
    rows = []
    for start in starts:
        post = means[:, offset + start: offset + stop].mean(axis=1)
        rows.append(post - means[:, offset + start - 1])
    return np.asarray(rows)


def rollout_estimates(changes: Floats, waves: Ints, weights: Floats, spans: Floats) -> Floats:
    """Aggregate effect of each assignment in ``waves`` (draws × clusters, wave index or -1 for never): (draws,).

    ``weights``: one a cluster; ``spans``: treated periods of each wave. Sums avoid BLAS, whose order of addition depends on threads."""
    total = np.zeros(waves.shape[0])
    mass = np.zeros(waves.shape[0])
    never = (waves == -1) * weights
    never_mass = never.sum(axis=1)
    for wave in range(changes.shape[0]):
        inside = (waves == wave) * weights
        size = inside.sum(axis=1)
        gap = np.einsum("bc,c->b", inside, changes[wave]) / size - np.einsum("bc,c->b", never, changes[wave]) / never_mass
        total += size * spans[wave] * gap
        mass += size * spans[wave]
    return total / mass


def strata_codes(strata: Sequence[object] | None, clusters: int) -> Ints:
    """Codes of strata, zero everywhere without strata."""
    if strata is None:
        return np.zeros(clusters, np.int64)
    codes: dict[object, int] = {}
    return np.array([codes.setdefault(s, len(codes)) for s in strata], np.int64)


def permuted_waves(plan: Ints, strata: Ints, draws: int, rng: np.random.Generator) -> Ints:
    """``draws`` permutations of ``plan`` (wave of each cluster) inside strata: draws × clusters."""
    out = np.empty((draws, plan.size), np.int64)
    for code in np.unique(strata):
        at = np.flatnonzero(strata == code)
        order = np.argsort(rng.random((draws, at.size)), axis=1)
        out[:, at] = plan[at][order]
    return out
