"""Many sheets of one layout located together: a header nobody doubts on the first line, nothing but data under it.

What ``locate_tables`` would say of each follows from a few facts about its lines, looked at once for all the sheets; a sheet of
which one of these facts is not sure is left to it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate

import numpy as np
import polars as pl

from ..grid import letter_of, row_numbers
from ..tables import Column, RawTable
from .blocks import DIGITS, STACKED_BY_HAND, wordy_lines
from .body import GLANCED, begins_with_data, filled, is_sparse
from .headers import REACH, Row, rivals_allowed
from .shape import is_expected, one_line
from .turned import MAX_LINES, names_columns

_WIDTH = 6
_SCHOOL = r"[0-9]{7} ?[A-Za-z]"
_LETTER = r"[A-Za-z]|[^\x00-\x7F]"


def plain_tables(sheets: Sequence[str], frame: pl.DataFrame, sizes: Sequence[int], vocabulary: frozenset[str]) -> list[RawTable | None]:
    """The table of each sheet, None where it must be looked at alone.

    ``frame``: the lines of all sheets one after another (``sizes`` lines each), of which the first is the same and no other holds
    a word of total (``body.MARKED``)."""
    header = frame.row(0)
    allowed = rivals_allowed(header, vocabulary) if frame.width >= _WIDTH else None
    if allowed is None:
        return [None] * len(sheets)
    stops = list(accumulate(sizes))
    starts = [stop - size for stop, size in zip(stops, sizes, strict=True)]
    suspects = np.flatnonzero(is_sparse(filled(frame), frame.width) | (frame.to_series(0) == header[0]).fill_null(False))
    others = np.concatenate([suspects, wordy_lines(frame), _rivals(frame, starts, stops, vocabulary, allowed)])
    doubtful = {*np.searchsorted(stops, np.setdiff1d(others, starts), side="right").tolist()}
    labels = tuple(one_line(cell or "") for cell in header)
    columns = tuple(Column(letter_of(place), label) for place, label in enumerate(labels))
    named = pl.DataFrame([series.alias(f"c{place}") for place, series in enumerate(frame.iter_columns())])
    least = 2 if names_columns(header, vocabulary) else MAX_LINES + 1  # shorter ones might lie on their side
    return [
        _table(sheet, named[start:stop], columns, header) if number not in doubtful and least <= stop - start <= min(GLANCED, STACKED_BY_HAND) else None
        for number, (sheet, start, stop) in enumerate(zip(sheets, starts, stops, strict=True))
    ]


@lru_cache(maxsize=64)
def _written(vocabulary: frozenset[str]) -> tuple[bool, bool]:
    """Whether every word expected holds a letter, and whether none holds a digit."""
    words = [word for word in vocabulary if word]
    return all(any(map(str.isalpha, word)) for word in words), not any(any(map(str.isdecimal, word)) for word in words)


def _may_be_expected(cells: pl.Series, vocabulary: frozenset[str]) -> pl.Series:
    """The cells that could be words expected, from the signs they are made of."""
    lettered, without_digits = _written(vocabulary)
    looked = cells.filter(cells.str.contains(_LETTER)) if lettered else cells.drop_nulls()
    return looked.filter(~looked.str.contains_any(DIGITS)) if without_digits else looked


def _table(sheet: str, lines: pl.DataFrame, columns: tuple[Column, ...], header: Row) -> RawTable | None:
    if all(series.null_count() for series in lines.iter_columns()):
        return None
    if not begins_with_data(lines.row(1), [column.header for column in columns], header):
        return None
    return RawTable(sheet, 1, columns, lines[1:].hstack([row_numbers(lines.height - 1, 2)]))


def _rivals(frame: pl.DataFrame, starts: Sequence[int], stops: Sequence[int], vocabulary: frozenset[str], allowed: int) -> np.ndarray:
    """Among the first lines of each sheet, those that hold a label of the header in its column, or more than ``allowed``
    awaited cells (see ``rivals_allowed``)."""
    lines = np.concatenate([np.arange(start + 1, min(start + REACH, stop)) for start, stop in zip(starts, stops, strict=True)])
    head = frame[lines]
    cells = pl.concat(head.get_columns())
    awaited = [cell for cell in _may_be_expected(cells, vocabulary).unique().to_list() if is_expected(cell, vocabulary)]
    expected = pl.all().str.contains(_SCHOOL)
    looks = head.select(
        pl.sum_horizontal((expected | pl.all().is_in(awaited) if awaited else expected).fill_null(False)).alias("found"),
        pl.any_horizontal((pl.nth(place) == label).fill_null(False) for place, label in enumerate(frame.row(0)) if label is not None).alias("again"),
    )
    return lines[(looks["again"] | (looks["found"] > allowed)).to_numpy()]
