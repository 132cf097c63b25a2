"""What reading a file gives: sheets located as tables of text, with the way back to each sender's cell."""

from __future__ import annotations

from dataclasses import dataclass

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
    ``epoch_1904`` tells how a bare serial number left in a date column counts.
    """

    sheet: str
    header_row: int | None
    columns: tuple[Column, ...]
    frame: pl.DataFrame
    skipped: tuple[tuple[int, str], ...] = ()
    hidden: bool = False
    epoch_1904: bool = False


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
