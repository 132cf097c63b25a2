"""Linear algebra whose result does not depend on the number of threads.

BLAS may split a long reduction between threads, which changes the last bits. Long sums here go through numpy's own loops, in
file order, on matrices stored (columns, rows) so that each sum is contiguous. Only k × k systems reach LAPACK.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def cross(left: Floats, right: Floats) -> Floats:
    """``left @ right.T`` for (a, n) and (b, n): shape (a, b), summed in fixed order."""
    return np.asarray(np.einsum("in,jn->ij", left, right))


def combine(coefficients: Floats, basis: Floats) -> Floats:
    """``coefficients @ basis`` for (m, k) and (k, n), accumulated over k in fixed order."""
    out = np.zeros((coefficients.shape[0], basis.shape[1]))
    for j in range(basis.shape[0]):
        out += coefficients[:, j, None] * basis[j]
    return out


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
