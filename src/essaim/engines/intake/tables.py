"""What reading a file gives: sheets located as tables of text, with the way back to each sender's cell."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import polars as pl


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the sender wrote it. ``letter`` is its spreadsheet letter (``A``, ``AB``); ``header`` joins the levels
    of a multi-line or merged header with `` / `` and is empty when the table has no header."""

    letter: str
    header: str


@dataclass(frozen=True, slots=True)
class RawTable:
    """One table found in a file.

    ``frame`` has one String column per entry of ``columns`` named ``c0, c1…`` plus ``row`` (UInt32, 1-based row number in
    the sheet as the sender sees it). Cells are canonical text: ISO dates, shortest decimal numbers without trailing
    ``.0``, ``true``/``false``, error cells as written (``#DIV/0!``), empty cells null. Blank, total and note rows are
    left out and listed in ``skipped`` as (row, reason). ``header_row`` is the last header row (1-based), None without.
    ``epoch_1904`` tells how a bare serial number left in a date column counts. ``merged`` lists cells merged downwards, as
    (position of the column, first row, last row): only the first row of ``frame`` holds their text. ``prose``: lines of text
    above the table, as (row, cells); ``sections``: headings between its rows, as (row, text). ``turned``: the sender wrote one
    line a field; then ``row`` numbers the sender's columns (A is 1) and the letter of a column is the number of its line.
    ``spelt_out``: the text of the file shows that no cell stands for the one above. ``struck``: rows with a cell struck through.
    ``notes``: what is written at its foot, as (row, text). ``totals``: lines of total left out, as (row, cells); ``indents``: how far cells of the first column are set in, as (row, indent).
    ``comments``: what its sender says beside cells of its columns, as (row, letter, text).
    """

    sheet: str
    header_row: int | None
    columns: tuple[Column, ...]
    frame: pl.DataFrame
    skipped: tuple[tuple[int, str], ...] = ()
    hidden: bool = False
    epoch_1904: bool = False
    merged: tuple[tuple[int, int, int], ...] = ()
    prose: tuple[tuple[int, tuple[str, ...]], ...] = ()
    sections: tuple[tuple[int, str], ...] = ()
    notes: tuple[tuple[int, str], ...] = ()
    turned: bool = False
    spelt_out: bool = False
    struck: frozenset[int] = frozenset()
    totals: tuple[tuple[int, tuple[str | None, ...]], ...] = ()
    indents: tuple[tuple[int, int], ...] = ()
    comments: tuple[tuple[int, str, str], ...] = ()

    def filled(self, positions: Collection[int]) -> RawTable:
        """The same table with the text of cells merged downwards on each of their rows, in the columns at ``positions`` only:
        a quantity merged over three rows is one quantity."""
        if not any(place in positions for place, _, _ in self.merged):
            return self
        lines = {int(row): line for line, row in enumerate(self.frame["row"].to_list())}
        frame = self.frame
        for position in sorted({place for place, _, _ in self.merged if place in positions}):
            column = frame.get_column(f"c{position}")
            given: dict[int, str | None] = {}
            for first, last in ((first, last) for place, first, last in self.merged if place == position and first in lines):
                text = column[lines[first]]
                given |= {lines[row]: text for row in range(first + 1, last + 1) if row in lines}
            if given:
                frame = frame.with_columns(column.scatter(list(given), list(given.values())))
        return replace(self, frame=frame)


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file read without trust. ``format`` is what the bytes are (xlsx, xls, ods, csv, parquet, jsonl…), whatever the
    extension says; ``notices`` are remarks in French for the sender (encoding guessed, wrong extension, macros…)."""

    filename: str
    format: str
    tables: tuple[RawTable, ...]
    notices: tuple[tuple[str, str], ...] = ()
    encoding: str | None = None
    separator: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may cost before it is refused. Bytes, rows, columns, cells, characters, seconds."""

    file_bytes: int = 100 * 2**20
    unpacked_bytes: int = 1500 * 2**20
    compression_ratio: int = 250
    rows: int = 5_000_000
    columns: int = 2_000
    cell_characters: int = 32_767
    seconds: float = 120.0
    memory_bytes: int = 4 * 2**30


class FileRefused(Exception):
    """The file cannot be read at all. ``code`` is stable, ``args[0]`` the French message: what, where, what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
