"""A sheet as the sender sees it, before any table is located: text cells with their true rows and columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl


@dataclass(frozen=True, slots=True)
class Grid:
    """One sheet of text cells.

    ``frame`` has one String column per entry of ``columns`` (0-based sheet columns) in that order, empty cells null;
    ``rows`` (UInt32) gives the 1-based sheet row of each line. Rows and columns without any cell may be absent.
    ``merged`` holds inclusive ranges (first row, first column, last row, last column), rows 1-based, columns 0-based.
    ``keyed`` says that the first line is known to be the header (parquet, JSON): nothing is guessed.
    ``struck_rows``: 1-based rows with a cell whose text is struck through. ``indents``: (row, column) of a cell set in → by how much;
    ``comments``: → what its sender says beside it.
    """

    sheet: str
    frame: pl.DataFrame
    rows: pl.Series
    columns: tuple[int, ...]
    merged: tuple[tuple[int, int, int, int], ...] = ()
    hidden: bool = False
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    keyed: bool = False
    epoch_1904: bool = False
    struck_rows: frozenset[int] = frozenset()
    indents: Mapping[tuple[int, int], int] = field(default_factory=dict)
    comments: Mapping[tuple[int, int], str] = field(default_factory=dict)

    @property
    def width(self) -> int:
        return len(self.columns)

    @property
    def height(self) -> int:
        return self.frame.height


def letter_of(index: int) -> str:
    """The spreadsheet letter of a 0-based column: 0 → ``A``, 26 → ``AA``."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def index_of(letters: str) -> int:
    """The 0-based column of a spreadsheet letter: ``A`` → 0, ``AA`` → 26."""
    index = 0
    for character in letters:
        index = index * 26 + ord(character) - 64
    return index - 1


def place_of(reference: str) -> tuple[int, int] | None:
    """The 1-based row and 0-based column of a reference (``B3``, ``$B$3``); None when it is not that of a cell."""
    found = re.fullmatch(r"\$?([A-Z]{1,3})\$?(\d+)", reference)
    return (int(found.group(2)), index_of(found.group(1))) if found else None


def grid_from_columns(
    sheet: str, columns: Sequence[pl.Series], first_column: int = 0, first_row: int = 1
) -> Grid:
    """A dense grid from text columns of equal length starting at a given cell."""
    named = [series.alias(str(i)) for i, series in enumerate(columns)]
    frame = pl.DataFrame(named) if named else pl.DataFrame()
    return Grid(
        sheet,
        frame,
        row_numbers(frame.height, first_row),
        tuple(range(first_column, first_column + len(named))),
    )


def row_numbers(height: int, first: int = 1) -> pl.Series:
    """``height`` consecutive row numbers from ``first``."""
    return pl.int_range(first, first + height, dtype=pl.UInt32, eager=True).alias("row")


def grid_from_cells(sheet: str, cells: Iterable[tuple[int, int, str]]) -> Grid:
    """A grid from scattered (row 1-based, column 0-based, text) cells; absent rows and columns cost nothing."""
    by_row: dict[int, dict[int, str]] = {}
    used: set[int] = set()
    for row, column, text in cells:
        by_row.setdefault(row, {})[column] = text
        used.add(column)
    rows = sorted(by_row)
    columns = tuple(sorted(used))
    data = {
        str(i): pl.Series(str(i), [by_row[row].get(column) for row in rows], dtype=pl.String)
        for i, column in enumerate(columns)
    }
    return Grid(sheet, pl.DataFrame(data), pl.Series("row", rows, dtype=pl.UInt32), columns)
