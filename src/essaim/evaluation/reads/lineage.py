"""From entries to the files people sent, in the form of the command line, the API and the pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import pyarrow as pa

from essaim.foundation.contracts import contracts
from essaim.foundation.models import Posting, Submission
from essaim.foundation.reads.facts import counted_cell, ledger, lines_added, table_spec

_NOT_VALUES = {"submission", "origin", "source_sheet", "source_row", "sign"}


def described_entries(entries: pa.Table, *, limit: int | None = None) -> list[dict[str, Any]]:
    """Entries as ``{"submission", "file", "sheet", "row", "sign", "values", "cell"}``, in the order given, at most ``limit``. ``row`` and
    ``sheet`` find the row again in its submission; ``cell`` is where the sender wrote what it counts; ``lines`` the lines it adds up, in a
    file of one line a device (``2 à 14, 18``), empty for a row that is one line."""
    shown = entries if limit is None else entries.slice(0, limit)
    rows = shown.to_pylist()
    for row in rows:
        row["origin"] = row.get("origin") or row["submission"]
    origins = Submission.objects.in_bulk({row["origin"] for row in rows if row["origin"] is not None}, field_name="number")
    added = _lines(rows, origins)
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
            "lines": told_lines(added.get((row["origin"], row["source_sheet"], row["source_row"]), ()), row["source_sheet"]),
        }
        for row in rows
    ]


def _lines(rows: list[dict[str, Any]], origins: dict[int, Submission]) -> dict[tuple[int, str, int], list[tuple[str, int]]]:
    """The lines that each row adds up, by origin, sheet and row; each submission is looked at once."""
    places: dict[int, set[tuple[str, int]]] = {}
    for row in rows:
        if row["origin"] in origins and row["source_sheet"] is not None and row["source_row"] is not None:
            places.setdefault(row["origin"], set()).add((row["source_sheet"], row["source_row"]))
    return {(number, *place): lines for number, asked in places.items() for place, lines in lines_added(origins[number], asked).items()}


def told_lines(lines: Sequence[tuple[str, int]], sheet: str | None) -> str:
    """``2 à 14, 18``; lines of another sheet are told with its name."""
    found: list[str] = []
    for name in dict.fromkeys(name for name, _ in lines):
        rows = {row for other, row in lines if other == name}
        starts = sorted(row for row in rows if row - 1 not in rows)
        ends = sorted(row for row in rows if row + 1 not in rows)
        spans = [str(first) if first == last else f"{first} à {last}" if last > first + 1 else f"{first}, {last}" for first, last in zip(starts, ends, strict=True)]
        found.append(", ".join(spans) if name == sheet else f"feuille « {name} » : {', '.join(spans)}")
    return " ; ".join(found)


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
