"""Small equipment states for tests: rows given as dictionaries, everything else empty."""

from __future__ import annotations

from typing import Any

import duckdb

from essaim.equipment.reads.derived import VIEWS
from essaim.equipment.reads.sources import state_view
from essaim.foundation.reads.facts import table_spec


def opened(**rows: list[dict[str, Any]]) -> duckdb.DuckDBPyConnection:
    """A connection with the five equipment states, holding ``rows`` (table → rows; missing columns are null)."""
    connection = duckdb.connect()
    for name, contract in VIEWS.items():
        state_view(connection, name, [], table_spec(contract).schema)
        for row in rows.get(name, []):
            names = ", ".join(row)
            marks = ", ".join("?" for _ in row)
            connection.execute(f"INSERT INTO {name} ({names}) VALUES ({marks})", list(row.values()))
    return connection
