"""Establishments as numbers: their identifiers are compared once, when cells are made; everything after works on integers.

The numbers are those that polars gives to the texts of a categorical column, the same for every frame of the process.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix

_UNLIKE = itertools.count()


def coded(schools: pl.Series) -> pl.Series:
    """The same identifiers, as they are kept in cells."""
    return schools.cast(pl.Categorical)


def codes_of(schools: pl.Series) -> np.ndarray:
    """The number of each identifier of a coded series, without copy when it is in one piece."""
    return schools.to_physical().to_numpy()


@dataclass(frozen=True, slots=True)
class Seats:
    """A row for each of some establishments. ``schools``: coded, keeps their numbers theirs; ``seat``: row by number, −1
    for those that have none, and in the last place for every number beyond."""

    schools: pl.Series
    seat: np.ndarray

    def of(self, schools: pl.Series) -> np.ndarray:
        """The row of each establishment of a coded series, −1 without."""
        return self.seat.take(codes_of(schools), mode="clip")


def seated(schools: pl.Series) -> Seats:
    """Rows in the order of a coded series."""
    codes = codes_of(schools)
    seat = np.full(int(codes.max()) + 2 if len(codes) else 1, -1, dtype=np.int64)
    seat[codes] = np.arange(len(codes))
    return Seats(schools, seat)


@dataclass(frozen=True, slots=True)
class Index:
    """Where each establishment is in a coded series: positions ``order`` from ``starts[number]`` on. ``codes`` keeps the
    series where it is in memory."""

    codes: np.ndarray
    order: np.ndarray
    starts: np.ndarray

    def of(self, codes: np.ndarray) -> np.ndarray:
        """Positions of the establishments ``codes``, one after the other."""
        known = codes[codes < len(self.starts) - 1].astype(np.int64)
        first = self.starts[known].astype(np.int64)
        count = self.starts[known + 1] - first
        before = np.cumsum(count) - count
        return self.order[np.repeat(first - before, count) + np.arange(int(count.sum()))]


def address(column: pl.Series) -> tuple[int, int]:
    """What tells a column of numbers or of coded identifiers from any other alive: frames made from one another share theirs.
    A column in several pieces, or with missing values, has no address of its own and is like no other."""
    if column.n_chunks() != 1 or column.has_nulls():
        return -1, next(_UNLIKE)
    codes = codes_of(column)
    return codes.__array_interface__["data"][0], len(codes)


def indexed(schools: pl.Series) -> Index:
    """The index of a coded series: a counting sort, which is what turning a sparse matrix round comes down to."""
    codes = codes_of(schools)
    size = int(codes.max()) + 1 if len(codes) else 0
    turned = csr_matrix((np.arange(len(codes), dtype=np.int32), codes, [0, len(codes)]), shape=(1, size)).tocsc()
    return Index(codes, turned.data, turned.indptr)
