"""From entries to the files people sent, in the form of the command line, the API and the pages."""

from __future__ import annotations

from typing import Any

import polars as pl
import pyarrow as pa

from essaim.foundation.contracts import contracts
from essaim.foundation.models import Posting
from essaim.foundation.reads.facts import ledger, table_spec

_NOT_VALUES = {"submission", "origin", "source_sheet", "source_row", "sign"}


def file_names(numbers: list[int]) -> dict[int, str]:
    """Submission number → name of the file it came in."""
    found = Posting.objects.filter(number__in=numbers).values_list("number", "submission__filename")
    return dict(found)


def described_entries(entries: pa.Table, *, limit: int | None = None) -> list[dict[str, Any]]:
    """Entries as ``{"submission", "file", "sheet", "row", "sign", "values"}``, in the order given, at most ``limit``."""
    shown = entries if limit is None else entries.slice(0, limit)
    rows = shown.to_pylist()
    for row in rows:
        row["origin"] = row.get("origin") or row["submission"]
    names = file_names(sorted({row["origin"] for row in rows if row["origin"] is not None}))
    return [
        {
            "submission": row["submission"],
            "origin": row["origin"],
            "file": names.get(row["origin"], ""),
            "sheet": row["source_sheet"],
            "row": row["source_row"],
            "sign": row["sign"],
            "values": {key: value for key, value in row.items() if key not in _NOT_VALUES and value is not None},
        }
        for row in rows
    ]


def entries_of_submission(number: int) -> pa.Table:
    """Every entry that submission ``number`` posted, all tables together, with the table's name in ``table``.

    LookupError, in French, when no submission has this number.
    """
    if not Posting.objects.filter(number=number).exists():
        raise LookupError(f"Aucun dépôt n'a été inscrit au registre sous le n° {number}.")
    parts = []
    for item in contracts():
        found = ledger().entries(table_spec(item), submission=number)
        if found.num_rows:
            frame = pl.from_arrow(found)
            assert isinstance(frame, pl.DataFrame)
            parts.append(frame.filter(pl.col("sign") != 0).select(pl.lit(item.code).alias("table"), pl.all()))
    return pl.concat(parts, how="diagonal_relaxed").to_arrow() if parts else pa.table({})
