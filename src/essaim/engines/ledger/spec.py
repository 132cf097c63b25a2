"""Vocabulary of the ledger: what a table is, what an act on it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

# Columns every ledger table adds to the contract's own.
# ``submission`` is the act that wrote the entry; ``origin`` is the submission whose file holds ``source_sheet`` and
# ``source_row`` (they differ for a −1 and for a row restored by a withdrawal). A −1 mirrors the +1 it cancels exactly.
ENTRY_COLUMNS = ("sign", "submission", "sender", "source_sheet", "source_row", "departement", "origin")


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One ledger table, one per contract. ``schema`` holds the contract's fields only. ``key`` may name ``"sender"``.

    ``replaces``: ``"key"`` or ``"perimeter"``; ``perimeter``: columns (may hold ``"sender"``) whose values met in the
    submission delimit what it replaces.
    """

    name: str
    schema: pa.Schema
    key: tuple[str, ...]
    replaces: str = "key"
    perimeter: tuple[str, ...] = ("sender",)


@dataclass(frozen=True, slots=True)
class Preview:
    """What posting would do, in rows. ``changes`` holds, for changed keys, the key columns then ``column, old, new``."""

    new: int
    changed: int
    unchanged: int
    withdrawn: int
    changes: pa.Table


@dataclass(frozen=True, slots=True)
class Posted:
    """What was posted. ``submission`` is the number under which entries were written, strictly increasing in the order of
    acceptance; None when nothing changed. ``entries`` is the number of signed entries added; ``version`` the Delta version."""

    submission: int | None
    new: int
    changed: int
    unchanged: int
    withdrawn: int
    entries: int
    version: int
    posted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """What ``verify`` found. ``problems`` are French sentences, empty when ``ok``."""

    ok: bool
    problems: tuple[str, ...]
    submissions: int = 0
    entries: int = 0


@dataclass(frozen=True, slots=True)
class Compacted:
    """Number of Parquet files of the table before and after compaction; ``removed`` old files deleted from disk."""

    before: int
    after: int
    removed: int
    version: int


@dataclass(frozen=True, slots=True)
class CopiedTable:
    """One table of a copy: its name, the last submission it holds, its number of stored rows."""

    name: str
    last: int
    rows: int


class LedgerRefused(ValueError):
    """The ledger refuses the act; nothing was written. ``args[0]`` is the French message: what, where, what to do."""


class DuplicateKey(LedgerRefused):
    """The same natural key twice in one submission. ``examples`` holds a few of these keys."""

    def __init__(self, message: str, examples: tuple[tuple[object, ...], ...] = ()) -> None:
        super().__init__(message)
        self.examples = examples


class OutOfOrder(LedgerRefused):
    """The submission number is not above the last one of the table."""


class UnknownSubmission(LedgerRefused):
    """The submission to withdraw does not exist in this table, is itself a withdrawal, or is withdrawn already."""


class SpecMismatch(LedgerRefused):
    """Rows or declaration do not fit the stored table: missing column, changed type, changed key."""


class LedgerBusy(LedgerRefused):
    """Other writers kept winning; nothing was written, try again."""
