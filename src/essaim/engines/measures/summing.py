"""Sums of establishments by run, as products of sparse matrices: each row is read once, in order, and nothing is gathered."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

# Members whose mask is shared by that many others at least are summed together, in at most so many blocks.
_SHARED = 32
_BLOCKS = 16


@dataclass(frozen=True, slots=True)
class Block:
    """Members that belong in the same periods: ``schools`` (positions on the axis) sorted by ``run``; ``columns``: these
    periods, None for all. ``mask``: members × periods, for those that share their periods with too few others."""

    schools: np.ndarray
    run: np.ndarray
    columns: np.ndarray | None = None
    mask: np.ndarray | None = None


def blocks(schools: np.ndarray, run: np.ndarray, mask: np.ndarray | None) -> tuple[Block, ...]:
    """Members sorted by run, split by the periods in which they belong (``mask``; None: always)."""
    if mask is None:
        return (Block(schools, run),)
    _, which, count = np.unique(_patterns(mask), return_inverse=True, return_counts=True)
    common = [int(item) for item in np.argsort(-count)[:_BLOCKS] if count[item] >= _SHARED]
    found = []
    for item in common:
        held = np.flatnonzero(which == item)
        found.append(Block(schools[held], run[held], np.flatnonzero(mask[held[0]])))
    rest = np.flatnonzero(~np.isin(which, common))
    if len(rest):
        found.append(Block(schools[rest], run[rest], mask=mask[rest]))
    return tuple(found)


def _patterns(mask: np.ndarray) -> np.ndarray:
    """One value a row, the same for the rows that are the same: a number when the bits of a row fit in one."""
    packed = np.packbits(mask, axis=1)
    width = packed.shape[1]
    if width > 8:
        return np.ascontiguousarray(packed).view(np.dtype((np.void, width))).ravel()
    wide = np.zeros((len(packed), 8), dtype=np.uint8)
    wide[:, :width] = packed
    return wide.view(np.uint64).ravel()


def run_sums(values: np.ndarray, rows: np.ndarray, parts: tuple[Block, ...], runs: int, size: int) -> np.ndarray:
    """Sum over the establishments of each run (int64). ``rows``: positions on the axis (of length ``size``) of the first
    dimension of ``values``; establishments that have no row add nothing."""
    shape = (runs, *values.shape[1:])
    if not runs or not len(rows):
        return np.zeros(shape, dtype=np.int64)
    if values.dtype == np.bool_:
        # A count of establishments fits, and half the bytes are moved.
        values = values.astype(np.int32)
    place = None
    if len(rows) < size:
        place = np.full(size, -1, dtype=np.int64)
        place[rows] = np.arange(len(rows))
    if len(parts) == 1 and parts[0].columns is None and parts[0].mask is None:
        return _summed(values, parts[0], place, runs).reshape(shape).astype(np.int64, copy=False)
    found = np.zeros(shape, dtype=np.int64)
    for part in parts:
        if part.mask is not None:
            found += _masked(values, part, place, runs).reshape(shape)
        else:
            held = values[:, :, part.columns]
            found[:, :, part.columns] += _summed(held, part, place, runs).reshape(runs, *held.shape[1:])
    return found


def added(values: np.ndarray, owner: np.ndarray, runs: int) -> np.ndarray:
    """Sums of runs added by the run that holds each (``owner``)."""
    order = np.argsort(owner, kind="stable")
    return _product(values, order, owner[order], runs).reshape(runs, *values.shape[1:])


def _summed(values: np.ndarray, part: Block, place: np.ndarray | None, runs: int) -> np.ndarray:
    at, run = part.schools, part.run
    if place is not None:
        at = place[at]
        kept = at >= 0
        at, run = at[kept], run[kept]
    return _product(values, at, run, runs)


def _masked(values: np.ndarray, part: Block, place: np.ndarray | None, runs: int) -> np.ndarray:
    at, run, mask = part.schools, part.run, part.mask
    assert mask is not None
    if place is not None:
        at = place[at]
        kept = at >= 0
        at, run, mask = at[kept], run[kept], mask[kept]
    return _product(values[at] * mask[:, None, :], np.arange(len(at)), run, runs)


def _product(values: np.ndarray, at: np.ndarray, run: np.ndarray, runs: int) -> np.ndarray:
    """Rows ``at`` of ``values`` added by ``run`` (sorted), runs × the other dimensions laid flat."""
    starts = np.zeros(runs + 1, dtype=np.int64)
    np.cumsum(np.bincount(run, minlength=runs), out=starts[1:])
    ones = np.ones(len(at), dtype=values.dtype)
    matrix = csr_matrix((ones, at, starts), shape=(runs, len(values)), copy=False)
    # The width is said: it cannot be deduced when no establishment holds a row.
    return np.asarray(matrix @ values.reshape(len(values), math.prod(values.shape[1:])))
