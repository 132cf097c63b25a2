"""What posting would do can be known before, exactly."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa

from essaim.engines.ledger import Ledger, TableSpec

SPEC = TableSpec("things", pa.schema([("uai", pa.string()), ("quantity", pa.int64())]), ("uai",))
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def rows(*quantities):
    return pa.table(
        {
            "uai": [f"S{i}" for i in range(len(quantities))],
            "quantity": list(quantities),
            "departement": ["02"] * len(quantities),
            "source_sheet": ["f"] * len(quantities),
            "source_row": list(range(len(quantities))),
        }
    )


def signed_rows(table):
    return sorted((r["sign"], r["uai"], r["quantity"]) for r in table.to_pylist() if r["sign"])


def test_planned_entries_are_those_that_posting_writes_and_nothing_is_written(tmp_path):
    """The preview of figures rests on the very entries that acceptance will post."""
    ledger = Ledger(tmp_path)
    ledger.post(SPEC, rows(1, 2), submission=1, sender="A", posted_at=NOW)
    planned = ledger.planned(SPEC, rows(1, 5, 7), sender="A")
    assert signed_rows(planned) == [(-1, "S1", 2), (1, "S1", 5), (1, "S2", 7)]
    assert ledger.last(SPEC) == 1
    ledger.post(SPEC, rows(1, 5, 7), submission=2, sender="A", posted_at=NOW)
    assert signed_rows(ledger.changes(SPEC, after=1)) == signed_rows(planned)
