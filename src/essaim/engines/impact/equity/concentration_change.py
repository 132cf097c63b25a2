"""Did the roll-out make an outcome more or less concentrated among the advantaged? Change of the concentration index in treated
clusters, net of that of comparison clusters, judged by permuting the treated clusters.

With ranks taken once in the whole population, the index of any set of clusters is ``2 (Σ w h R / Σ w h − Σ w R / Σ w)``: four sums a
cluster and period are sufficient, so that ten thousand permutations cost milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from essaim.engines.impact.equity.concentration import fractional_ranks
from essaim.engines.impact.inference.assignments import assignments
from essaim.engines.impact.refusal import Refusal

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ConcentrationChange:
    """Concentration indices before and after in treated and comparison clusters; ``change``: the treated change net of the
    comparison's (negative: less concentrated among the advantaged); ``p_value`` by permutation of clusters."""

    treated_before: float
    treated_after: float
    comparison_before: float
    comparison_after: float
    change: float
    p_value: float
    clusters: int
    treated_clusters: int
    enumerated: bool


def concentration_change(
    outcome: Floats, rank: Floats, cluster: Sequence[object], after: Flags, treated: Flags, *, weights: Floats | None = None,
    strata: Sequence[object] | None = None, draws: int = 9_999, seed: int = 20240901,
) -> ConcentrationChange:  # fmt: skip
    """``outcome``, social ``rank`` (larger = better off), ``after`` and ``treated`` flags: (n,) rows; ``strata`` one a row.

    Rows with a missing outcome or rank are dropped. Refuses a cluster partly treated, an outcome of nil mean in a compared set."""
    h, r = np.asarray(outcome, np.float64), np.asarray(rank, np.float64)
    w = np.ones(h.size) if weights is None else np.asarray(weights, np.float64)
    seen = np.isfinite(h) & np.isfinite(r)
    if h.shape != r.shape or not (w[seen] > 0).all() or not seen.any() or np.ptp(r[seen]) == 0:
        raise Refusal("shapes", "Résultat, rang social qui varie et poids positifs sont attendus, de même longueur.")
    names, code = np.unique(np.asarray([str(c) for c in cluster]), return_inverse=True)
    arm = _constant(code, np.asarray(treated, bool).astype(np.int64), names.size, "Une grappe est traitée pour une partie de ses lignes seulement.")
    layer = None
    if strata is not None:
        layer = _constant(code, np.unique(np.asarray([str(s) for s in strata]), return_inverse=True)[1], names.size,
                          "Une grappe est dans plusieurs strates.")  # fmt: skip
    sums = _sums(h[seen], fractional_ranks(r[seen], w[seen]), w[seen], code[seen], np.asarray(after, bool)[seen], names.size)
    space = assignments(np.where(arm > 0, 1.0, np.inf), strata=layer, draws=draws, seed=seed)
    found = _indices(sums, np.isfinite(space.cohort))
    real = _indices(sums, (arm > 0)[None])[0]
    drawn = (found[:, 1] - found[:, 0]) - (found[:, 3] - found[:, 2])
    change = float((real[1] - real[0]) - (real[3] - real[2]))
    return ConcentrationChange(
        float(real[0]), float(real[1]), float(real[2]), float(real[3]), change,
        space.p_value(np.abs(drawn) >= abs(change) - 1e-12), int(names.size), int((arm > 0).sum()), space.enumerated,
    )  # fmt: skip


def _constant(code: Ints, values: Ints, clusters: int, refusal: str) -> Ints:
    """Value of each cluster; refuses one that varies inside it."""
    first = np.empty(clusters, np.int64)
    first[code] = values
    if (first[code] != values).any():
        raise Refusal("mixed-cluster", refusal)
    return first


def _sums(h: Floats, position: Floats, w: Floats, code: Ints, after: Flags, clusters: int) -> Floats:
    """(4, 2, C): Σ whR, Σ wh, Σ wR, Σ w before and after, by cluster."""
    cell = code + clusters * after
    return np.stack([np.bincount(cell, v, 2 * clusters).reshape(2, clusters) for v in (w * h * position, w * h, w * position, w)])


def _indices(sums: Floats, treated: Flags) -> Floats:
    """(B, 4): treated before, treated after, comparison before, comparison after."""
    out = []
    for members in (treated.astype(np.float64), 1.0 - treated):
        for period in (0, 1):
            top, mass, ranks, weight = (np.einsum("bc,c->b", members, sums[k, period]) for k in range(4))
            if (weight <= 0).any() or (np.abs(mass) <= 1e-12 * np.abs(sums[1]).sum()).any():
                raise Refusal("zero-mean", "Un groupe comparé est vide, ou sa moyenne est nulle : l'indice n'y est pas défini.")
            out.append(2 * (top / mass - ranks / weight))
    return np.column_stack(out)
