"""Weighted logit by Newton's method, the propensity score of the doubly robust estimators."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from essaim.engines.impact.stable import cross, symmetric_inverse

Floats = NDArray[np.float64]


def fit_logit(treated: Floats, x: Floats, weights: Floats) -> tuple[Floats, Floats] | None:
    """Probabilities (n,) and inverse Hessian (k, k), ``x`` being (k, n).

    None when the maximum does not exist (separation) or the design is singular. Converged on the score, tighter than R's
    deviance criterion (1e-8), with which it agrees to about 1e-9.
    """
    share = float(np.clip((weights * treated).sum() / weights.sum(), 1e-8, 1 - 1e-8))
    beta = np.zeros(x.shape[0])
    guess = np.linalg.lstsq(cross(x, x), x.sum(axis=1), rcond=None)[0]
    beta += guess * np.log(share / (1 - share))
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-np.clip(_index(beta, x), -500, 500)))
        inverse = symmetric_inverse(cross(x * (weights * p * (1 - p)), x))
        if inverse is None:
            return None
        step = inverse @ (x * (weights * (treated - p))).sum(axis=1)
        beta = beta + step
        if not np.isfinite(beta).all():
            return None
        if float(np.max(np.abs(step) * np.sqrt((x * x).mean(axis=1)))) < 1e-11:
            break
    else:
        return None
    p = 1.0 / (1.0 + np.exp(-_index(beta, x)))
    inverse = symmetric_inverse(cross(x * (weights * p * (1 - p)), x))
    return None if inverse is None else (p, inverse)


def _index(beta: Floats, x: Floats) -> Floats:
    out = np.zeros(x.shape[1])
    for b, column in zip(beta, x, strict=True):
        out += b * column
    return out
