"""Many outcomes: sharpened false-discovery q values of Benjamini, Krieger & Yekutieli (2006) as Anderson (2008, JASA 103), and Holm."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from essaim.engines.impact.refusal import Refusal

Floats = NDArray[np.float64]


def sharpened_q(p_values: Floats) -> Floats:
    """(m,) smallest level, on Anderson's grid of 0.001, at which each hypothesis is rejected by the two-stage procedure."""
    p = _checked(p_values)
    m = p.size
    rank = np.empty(m)
    rank[np.argsort(p, kind="stable")] = np.arange(1, m + 1)
    out = np.ones(m)
    for step in range(1000, 0, -1):
        level = step / 1000
        first = level / (1 + level)
        rejected = _largest(p, rank, first / m)
        if rejected == m:
            second = np.inf
        else:
            second = first * m / (m - rejected) / m
        out[rank <= _largest(p, rank, second)] = level
    return out


def _largest(p: Floats, rank: Floats, slope: float) -> float:
    passed = rank[p <= slope * rank]
    return float(passed.max()) if passed.size else 0.0


def holm(p_values: Floats) -> Floats:
    """(m,) Holm's (1979) family-wise adjusted p values."""
    p = _checked(p_values)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * (p.size - np.arange(p.size)))
    out = np.empty(p.size)
    out[order] = np.minimum(stepped, 1.0)
    return out


def _checked(p_values: Floats) -> Floats:
    p = np.asarray(p_values, np.float64)
    if p.size == 0 or not ((p >= 0) & (p <= 1)).all():
        raise Refusal("p-values", "Les valeurs p doivent être comprises entre 0 et 1.")
    return p
