"""Extreme rays of the cone of multipliers ``{γ ≥ 0 : γ'X = 0}``, on which a test of linear moment inequalities with nuisance
parameters rests: once known, no linear programme is ever solved (double description; Motzkin et al. 1953, Fukuda & Prodon 1996)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from essaim.engines.impact.refusal import Refusal

Floats = NDArray[np.float64]

MOST_RAYS = 20_000
TINY = 1e-10


def extreme_rays(x: Floats) -> Floats:
    """(V, R) rays, each of largest entry one, of the cone of ``x`` (R, k). Refuses more than ``MOST_RAYS`` at any step."""
    rays = np.eye(x.shape[0])
    pending = list(range(x.shape[1]))
    while pending:
        sides = [rays @ x[:, j] for j in pending]
        cost = [int((s > TINY).sum()) * int((s < -TINY).sum()) for s in sides]
        chosen = int(np.argmin(cost))
        rays = _cut(rays, sides[chosen])
        pending.pop(chosen)
    return rays


def _cut(rays: Floats, side: Floats) -> Floats:
    """Rays of the face ``side = 0``: those already on it, and one between each adjacent pair on either side."""
    side = np.where(np.abs(side) <= TINY, 0.0, side)
    above, below = np.flatnonzero(side > 0), np.flatnonzero(side < 0)
    if above.size * below.size > 50 * MOST_RAYS:
        raise _too_many()
    support = rays > TINY
    pairs = [_combined(rays, side, support, int(i), below) for i in above]
    out = np.vstack([rays[side == 0], *pairs])
    if len(out) > MOST_RAYS:
        raise _too_many()
    return out


def _combined(rays: Floats, side: Floats, support: NDArray[np.bool_], i: int, below: NDArray[np.int64]) -> Floats:
    """New rays between ray ``i`` and the rays ``below`` adjacent to it: no other ray's support lies in the union of theirs."""
    union = support[i] | support[below]
    outside = (~union).astype(np.float64) @ support.T.astype(np.float64)  # entries of each ray outside each union
    adjacent = below[(outside < 0.5).sum(axis=1) == 2]
    new = rays[i] * -side[adjacent][:, None] + rays[adjacent] * side[i]
    new = np.where(new > TINY * new.max(axis=1, keepdims=True, initial=1e-300), new, 0.0)
    return np.asarray(new / new.max(axis=1, keepdims=True, initial=1e-300))


def _too_many() -> Refusal:
    return Refusal("window", "Trop de périodes après traitement pour cette restriction : resserrer la fenêtre (window) ou retirer le signe ou le sens imposé.")
