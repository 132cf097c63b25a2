"""The outcome of checking one file: accepted rows, every issue at once, questions to ask, JSON of the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from .contract import Contract

# Where an accepted row that adds several up stands, and where each of the sender's lines it adds up does.
LINES_SCHEMA = {"source_sheet": pl.String, "source_row": pl.UInt32, "line_sheet": pl.String, "line_row": pl.UInt32}
# Columns the intake adds to the contract's own in ``Check.rows`` and ``Check.refused``.
SYSTEM_COLUMNS = ("departement", "sender", "source_sheet", "source_row")

_BUILT_WHEN_ASKED = ("rows", "refused", "issues", "summary")


@dataclass(frozen=True, slots=True)
class Mapping:
    """One column of the sender understood as one field. ``column`` is the spreadsheet letter; ``code`` what the header says of another
    field, where there is one column a category, a school or a month."""

    column: str
    header: str
    field: str
    score: float
    reason: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """Something only the sender can settle. ``kind`` is ``mapping`` or ``reference``; ``about`` the column letter, the label of a
    field or the text looked up; ``choices`` are (value, label, score). Answered by ``answers[question.id] = value``.
    ``holds``: the answer decides what rows say or what tells them apart (a required field, a part of the key), so nothing is
    accepted before it is given. ``free``: what else may be answered than a choice (``date``), nothing when empty."""

    id: str
    kind: str
    sheet: str
    about: str
    message: str
    choices: tuple[tuple[str, str, float], ...]
    holds: bool = False
    free: str = ""


@dataclass(frozen=True, slots=True)
class TableReading:
    """How one table was understood. ``layout`` is the fingerprint under which a confirmed mapping is remembered; ``letters`` are
    those of every column, read or not."""

    sheet: str
    header_row: int | None
    rows: int
    mapping: tuple[Mapping, ...]
    unmapped: tuple[str, ...]
    missing: tuple[str, ...]
    layout: str
    skipped: tuple[tuple[int, str], ...] = ()
    letters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """Everything known about a file after checking it.

    ``status``: ``clean``, ``issues`` or ``refused`` (no usable table, or the file could not be read).
    ``rows``: accepted rows, one typed column per contract field plus SYSTEM_COLUMNS; ``refused``: the same columns as
    text for rows with a blocking issue, ``rows_refused`` of them. ``issues``: frame ``code, severity, sheet, row, column, field,
    value, expected, suggestion, message`` in file order. ``summary``: the issues grouped: code, severity, field, count, message.
    These four, given as functions, are built when first looked at.
    ``missing_why``: frame ``source_sheet, source_row, field, why`` for cells that state why they are empty (ND, NS, #N/A).
    ``lines``: the lines that each accepted row adds up, in files of one line a thing (LINES_SCHEMA).
    """

    contract: Contract
    filename: str
    sha256: str
    status: str
    tables: tuple[TableReading, ...]
    rows: pl.DataFrame
    refused: pl.DataFrame
    issues: pl.DataFrame
    summary: pl.DataFrame
    questions: tuple[Question, ...] = ()
    missing_why: pl.DataFrame = field(default_factory=pl.DataFrame)
    notices: tuple[tuple[str, str], ...] = ()
    rows_read: int = 0
    extra: dict[str, Any] = field(default_factory=dict)
    rows_refused: int = -1
    lines: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LINES_SCHEMA))
    unbuilt: dict[str, Callable[[], pl.DataFrame]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in _BUILT_WHEN_ASKED:
            if callable(given := getattr(self, name)):
                self.unbuilt[name] = given
                object.__delattr__(self, name)
        if self.rows_refused < 0:
            object.__setattr__(self, "rows_refused", self.refused.height)

    def __getattr__(self, name: str) -> pl.DataFrame:
        """Only reached by a frame not yet built: written out once, at the first look."""
        if name not in _BUILT_WHEN_ASKED or name not in self.unbuilt:
            raise AttributeError(name)
        frame = self.unbuilt.pop(name)()
        object.__setattr__(self, name, frame)
        return frame
