"""Vocabulary of the ledger: what a table is, what an act on it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

# Columns every ledger table adds to the contract's own.
ENTRY_COLUMNS = ("sign", "submission", "sender", "source_sheet", "source_row", "departement")


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
