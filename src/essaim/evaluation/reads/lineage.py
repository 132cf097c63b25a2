"""From entries to the files people sent, in the form of the command line, the API and the pages."""

from __future__ import annotations

from typing import Any

import polars as pl
import pyarrow as pa

from essaim.foundation.contracts import contracts
from essaim.foundation.models import Posting, Submission
from essaim.foundation.reads.facts import counted_cell, ledger, table_spec

_NOT_VALUES = {"submission", "origin", "source_sheet", "source_row", "sign"}


def described_entries(entries: pa.Table, *, limit: int | None = None) -> list[dict[str, Any]]:
    """Entries as ``{"submission", "file", "sheet", "row", "sign", "values", "cell"}``, in the order given, at most ``limit``. ``row`` and
    ``sheet`` find the row again in its submission; ``cell`` is where the sender wrote what it counts."""
    shown = entries if limit is None else entries.slice(0, limit)
    rows = shown.to_pylist()
    for row in rows:
        row["origin"] = row.get("origin") or row["submission"]
    origins = Submission.objects.in_bulk({row["origin"] for row in rows if row["origin"] is not None}, field_name="number")
    return [
        {
            "submission": row["submission"],
            "origin": row["origin"],
            "file": origins[row["origin"]].filename if row["origin"] in origins else "",
            "sheet": row["source_sheet"],
            "row": row["source_row"],
            "sign": row["sign"],
            "values": {key: value for key, value in row.items() if key not in _NOT_VALUES and value is not None},
            "cell": _cell(row, origins),
        }
        for row in rows
    ]


def _cell(row: dict[str, Any], origins: dict[int, Submission]) -> str | None:
    if row["origin"] not in origins or row["source_sheet"] is None or row["source_row"] is None:
        return None
    return counted_cell(origins[row["origin"]], row["source_sheet"], row["source_row"], row)


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
