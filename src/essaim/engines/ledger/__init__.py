"""Append-only signed entries on Delta Lake: post, state known at a number, trace, withdraw, verify, compact, copy."""

from .ledger import Ledger
from .spec import (
    ENTRY_COLUMNS,
    Compacted,
    CopiedTable,
    DuplicateKey,
    LedgerBusy,
    LedgerRefused,
    OutOfOrder,
    Posted,
    Preview,
    SpecMismatch,
    TableSpec,
    UnknownSubmission,
    Verification,
)

__all__ = [
    "ENTRY_COLUMNS",
    "Compacted",
    "CopiedTable",
    "DuplicateKey",
    "Ledger",
    "LedgerBusy",
    "LedgerRefused",
    "OutOfOrder",
    "Posted",
    "Preview",
    "SpecMismatch",
    "TableSpec",
    "UnknownSubmission",
    "Verification",
]
