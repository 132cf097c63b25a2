"""What multiplies the residuals of a wild bootstrap, one factor a cluster: mean zero, variance one, two to infinitely many values."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ROOT5 = float(np.sqrt(5.0))
WEBB = np.array([-np.sqrt(1.5), -1.0, -np.sqrt(0.5), np.sqrt(0.5), 1.0, np.sqrt(1.5)])
WEIGHTS = ("rademacher", "webb", "mammen", "normal", "gamma")


def draw_factors(groups: int, weights: str, draws: int, seed: int) -> tuple[Floats, bool]:
    """(B, groups) factors, and whether they are all the sign vectors there are (2^groups ≤ draws + 1, the real one first).

    ``webb``: six points (Webb 2023); ``mammen``: two asymmetric points, third moment one; ``gamma``: shape 4, scale ½, less 2
    (Liu 1988), as in Stata's boottest."""
    if weights == "rademacher" and 2**groups <= draws + 1:
        return np.array(list(product((1.0, -1.0), repeat=groups))), True
    rng, shape = np.random.default_rng(seed), (draws, groups)
    if weights == "webb":
        return np.asarray(WEBB[rng.integers(0, 6, shape)], np.float64), False
    if weights == "mammen":
        return np.where(rng.random(shape) < (ROOT5 + 1) / (2 * ROOT5), (1 - ROOT5) / 2, (1 + ROOT5) / 2), False
    if weights == "normal":
        return rng.standard_normal(shape), False
    if weights == "gamma":
        return rng.gamma(4.0, 0.5, shape) - 2.0, False
    return np.asarray(rng.integers(0, 2, shape) * 2.0 - 1.0, np.float64), False
