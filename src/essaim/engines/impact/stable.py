"""Linear algebra whose result does not depend on the number of threads.

BLAS may split a long reduction between threads, which changes the last bits. Long sums here go through numpy's own loops, in
file order, on matrices stored (columns, rows) so that each sum is contiguous. Only k × k systems reach LAPACK.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def cross(left: Floats, right: Floats) -> Floats:
    """``left @ right.T`` for (a, n) and (b, n): shape (a, b), summed in fixed order."""
    return np.asarray(np.einsum("in,jn->ij", left, right))


@njit(cache=True)
def _combined(coefficients, basis):  # type: ignore[no-untyped-def]  # pragma: no cover
    """One pass over the output a term, in blocks that stay in the processor's cache."""
    m, k = coefficients.shape
    n = basis.shape[1]
    out = np.zeros((m, n))
    for start in range(0, n, 2048):
        stop = min(start + 2048, n)
        for r in range(m):
            for j in range(k):
                c = coefficients[r, j]
                for i in range(start, stop):
                    out[r, i] += c * basis[j, i]
    return out


def combine(coefficients: Floats, basis: Floats) -> Floats:
    """``coefficients @ basis`` for (m, k) and (k, n), accumulated over k in fixed order."""
    return np.asarray(_combined(np.ascontiguousarray(coefficients, np.float64), np.ascontiguousarray(basis, np.float64)))


def group_sums(values: Floats, codes: NDArray[np.int64], groups: int) -> Floats:
    """Sums of (m, n) over codes (n,): shape (m, groups), in row order."""
    rows = np.atleast_2d(values)
    return np.stack([np.bincount(codes, row, groups) for row in rows]).astype(np.float64)


def sums(codes: NDArray[np.int64], values: Floats, groups: int) -> Floats:
    """Sums of (n,) over codes: (groups,), in row order."""
    return np.asarray(np.bincount(codes, values, groups), np.float64)


def symmetric_inverse(matrix: Floats) -> Floats | None:
    """Inverse of a small Gram matrix, None when it is numerically singular (reciprocal condition below 1e-15 after scaling)."""
    scale = np.sqrt(np.diag(matrix))
    if not np.all(scale > 0) or not np.isfinite(matrix).all():
        return None
    scaled = matrix / np.outer(scale, scale)
    values = np.linalg.eigvalsh(scaled)
    if values[0] <= 1e-13 * values[-1]:
        return None
    return np.asarray(np.linalg.inv(scaled) / np.outer(scale, scale))
