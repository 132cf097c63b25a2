"""Weights on the simplex: Frank–Wolfe as in R synthdid (Arkhangelsky et al. 2021), and exact least squares by non-negative
least squares."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.optimize import nnls

Floats = NDArray[np.float64]


@njit(cache=True)
def _frank_wolfe(at, b, start, eta, zeta, tolerance, iterations):  # type: ignore[no-untyped-def]  # pragma: no cover
    """``at`` (columns, rows); the residual is updated, not recomputed: one pass over the matrix an iteration."""
    columns, rows = at.shape
    x = start.copy()
    residual = -b
    for j in range(columns):
        if x[j] != 0.0:
            for i in range(rows):
                residual[i] += at[j, i] * x[j]
    gradient = np.zeros(columns)
    before, previous = np.inf, np.inf
    for t in range(iterations):
        if t >= 2 and not (before - previous > tolerance):
            break
        best = 0
        for j in range(columns):
            total = eta * x[j]
            for i in range(rows):
                total += residual[i] * at[j, i]
            gradient[j] = total
            if total < gradient[best]:
                best = j
        slope, curvature, size = 0.0, 0.0, 0.0
        for j in range(columns):
            d = (1.0 if j == best else 0.0) - x[j]
            slope += gradient[j] * d
            curvature += eta * d * d
        for i in range(rows):
            curvature += (at[best, i] - residual[i] - b[i]) ** 2
        step = min(1.0, max(0.0, -slope / curvature)) if curvature > 0.0 else 0.0
        for j in range(columns):
            x[j] += step * ((1.0 if j == best else 0.0) - x[j])
            size += x[j] * x[j]
        error = 0.0
        for i in range(rows):
            residual[i] += step * (at[best, i] - residual[i] - b[i])
            error += residual[i] * residual[i]
        before, previous = previous, zeta * zeta * size + error / rows
    return x


def frank_wolfe(
    a: Floats, b: Floats, *, zeta: float, intercept: bool, tolerance: float, iterations: int, start: Floats | None = None
) -> Floats:
    """Minimise ``zeta²·|x|² + |a x − b|²/rows`` over the simplex: R synthdid's ``sc.weight.fw``, step for step.

    ``a`` (rows, columns), ``b`` (rows,); ``intercept`` centres both by column; stops when the objective falls by less than
    ``tolerance²``.
    """
    if intercept:
        a, b = a - a.mean(axis=0), b - b.mean()
    x = np.full(a.shape[1], 1.0 / a.shape[1]) if start is None else np.ascontiguousarray(start, np.float64)
    eta = a.shape[0] * zeta * zeta
    return np.asarray(_frank_wolfe(np.ascontiguousarray(a.T), np.ascontiguousarray(b), x, eta, zeta, tolerance**2, iterations))


def sparsify(x: Floats) -> Floats:
    """Set to zero the weights below a quarter of the largest, then renormalise (synthdid's default)."""
    kept = np.where(x <= x.max() / 4, 0.0, x)
    return kept / kept.sum()


def simplex_least_squares(a: Floats, b: Floats) -> Floats:
    """Exact minimiser of ``|a x − b|²`` over the simplex, ``a`` (rows, columns).

    With ``M = a − b·1'``, the point of the simplex nearest to the origin under M is, up to scale, the non-negative least
    squares solution of ``[M; 1'] x = [0; 1]``.
    """
    m = a - b[:, None]
    size = float(np.sqrt((m**2).mean())) or 1.0
    x = nnls(np.vstack([m / size, np.ones(m.shape[1])]), np.append(np.zeros(m.shape[0]), 1.0))[0]
    total = x.sum()
    return np.asarray(x / total) if total > 0 else np.full(m.shape[1], 1.0 / m.shape[1])
