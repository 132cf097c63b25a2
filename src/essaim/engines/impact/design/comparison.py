"""Choice of comparison clusters before any outcome is read: optimal matching on the past and the covariates.

Treated clusters were chosen, not drawn; comparison clusters are those that look like them *before*. Distances are Mahalanobis on
standardised features; the pairing minimises the total distance exactly (assignment problem), ``k`` comparisons each without
replacement, inside strata when given. What has no acceptable counterpart is left out and named, never stretched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from essaim.engines.impact.design.balance import Balance, balance
from essaim.engines.impact.refusal import Refusal

Floats = npt.NDArray[np.float64]
FAR = 1e9


@dataclass(frozen=True, slots=True)
class Match:
    """One comparison cluster kept for a treated one, at a Mahalanobis ``distance``."""

    treated: str
    comparison: str
    distance: float


@dataclass(frozen=True, slots=True)
class Comparisons:
    """Pairs sorted by treated then distance; ``unmatched`` treated clusters; balance of the features before and after."""

    matches: tuple[Match, ...]
    unmatched: tuple[str, ...]
    before: Balance
    after: Balance | None


def past_features(means: Floats, periods: Sequence[float] | Floats) -> tuple[tuple[str, ...], Floats]:
    """Level (mean) and yearly slope of each cluster's past outcome: names and clusters × 2 matrix."""
    y = np.asarray(means, float)
    t = np.asarray(periods, float)
    if y.ndim != 2 or y.shape[1] != t.size or t.size < 2:
        raise Refusal("past", "Deux périodes passées au moins sont nécessaires pour comparer les tendances.")
    centred = t - t.mean()
    slope = (y - y.mean(axis=1, keepdims=True)) @ centred / (centred @ centred)
    return ("niveau passé", "tendance passée"), np.column_stack([y.mean(axis=1), slope])


def mahalanobis_to(features: Floats, treated: npt.NDArray[np.bool_]) -> Floats:
    """Treated × comparison distances in the metric of the comparison clusters (pseudo-inverse when collinear)."""
    pool = features[~treated]
    spread = np.atleast_2d(np.cov(pool, rowvar=False)) if pool.shape[0] > 1 else np.eye(features.shape[1])
    metric = np.linalg.pinv(spread, hermitian=True)
    gap = features[treated][:, None, :] - pool[None, :, :]
    return np.sqrt(np.maximum(np.einsum("ijk,kl,ijl->ij", gap, metric, gap), 0.0))


def _checked(labels: Sequence[str], features: Floats, treated: Sequence[bool],
             k: int) -> tuple[npt.NDArray[np.int64], Floats, npt.NDArray[np.bool_]]:
    names = [str(label) for label in labels]
    order = np.asarray(sorted(range(len(names)), key=names.__getitem__), np.int64)
    x = np.asarray(features, float)[order]
    arm = np.asarray(treated, bool)[order]
    if not np.isfinite(x).all():
        raise Refusal("covariates", "Chaque grappe doit avoir toutes ses caractéristiques.")
    if int((~arm).sum()) < k or not arm.any():
        raise Refusal("too-few-comparisons", f"{int((~arm).sum())} grappes de comparaison pour {k} demandées par traitée.")
    return order, x, arm


def choose_comparisons(labels: Sequence[str], names: Sequence[str], features: Floats, treated: Sequence[bool], *, k: int = 1,
                       strata: Sequence[str] | None = None, caliper: float | None = None) -> Comparisons:
    """Match each treated cluster with up to ``k`` comparison clusters, without replacement, minimising total distance.

    ``caliper``: largest acceptable Mahalanobis distance; ``strata``: only inside the same stratum."""
    order, x, arm = _checked(labels, features, treated, k)
    who = [str(labels[i]) for i in order]
    distance = mahalanobis_to(x, arm)
    cost = distance.copy()
    if caliper is not None:
        cost[distance > caliper] = FAR
    if strata is not None:
        group = np.asarray([str(strata[i]) for i in order])
        cost[group[arm][:, None] != group[~arm][None, :]] = FAR
    pool = np.flatnonzero(~arm)
    target = np.flatnonzero(arm)
    repeated = np.repeat(cost, k, axis=0)
    idle = np.full((repeated.shape[0], repeated.shape[0]), FAR / 2)
    rows, columns = linear_sum_assignment(np.hstack([repeated, idle]))
    found = [(int(r) // k, int(c)) for r, c in zip(rows, columns, strict=True) if c < pool.size and repeated[r, c] < FAR / 2]
    matches = tuple(sorted((Match(who[target[i]], who[pool[j]], float(distance[i, j])) for i, j in found),
                           key=lambda m: (m.treated, m.distance, m.comparison)))
    matched = {m.treated for m in matches}
    unmatched = tuple(who[i] for i in target if who[i] not in matched)
    kept = np.array([w in matched or w in {m.comparison for m in matches} for w in who])
    after = balance(names, x[kept], arm[kept]) if matches else None
    return Comparisons(matches, unmatched, balance(names, x, arm), after)
