"""Opening equipment facts in DuckDB: the state of each table at a moment, from signed entries."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    import duckdb

# contract code → Parquet files of its ledger table (empty when nothing was ever accepted).
Files = Mapping[str, Sequence[str]]

# The database in memory of each process, empty: opening one costs more than most questions. A forked process has its own,
# since DuckDB's threads do not follow.
_BASES: dict[int, duckdb.DuckDBPyConnection] = {}


@contextmanager
def connected() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the database of this process; its tables are temporary: nobody else sees them and they go with it."""
    import duckdb

    base = _BASES.get(os.getpid()) or _BASES.setdefault(os.getpid(), duckdb.connect())
    connection = base.cursor()
    try:
        yield connection
    except duckdb.FatalException:
        _BASES.pop(os.getpid(), None)  # DuckDB refuses everything after such a failure
        raise
    finally:
        connection.close()


def state_view(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    files: Sequence[str],
    schema: pa.Schema,
    *,
    known_at: int | None = None,
    departements: Sequence[str] | None = None,
    uai: str | None = None,
    planned: pa.Table | None = None,
) -> None:
    """Creates the table ``name``: the rows standing at submission ``known_at`` (now if None), optionally of some
    départements or of one school only, and as if the entries ``planned`` had been posted. A row stands when its signed entries add up to
    one; ``submission`` (the file that states it) and its source are those of the last entry that posted it."""
    fields = [field for field in schema if field.name not in {"sender", "departement"}]
    names = [field.name for field in fields]
    columns = ", ".join(f'"{item}"' for item in (*names, "sender", "departement"))
    sources, values = [], []
    empty = schema_with_entries(fields).empty_table()
    kept = ", ".join(f'"{item}"' for item in empty.column_names)
    connection.register(f"_{name}_empty", empty)
    sources.append(f"SELECT {kept} FROM _{name}_empty")
    if files:
        sources.append(
            f"SELECT {kept} FROM read_parquet(?, union_by_name => true, hive_partitioning => true, hive_types_autocast => false)"
        )
        values.append(list(files))
    if planned is not None:
        connection.register(f"_{name}_planned", planned)
        sources.append(f"SELECT {kept} FROM _{name}_planned")
    conditions = ["sign <> 0"]
    if known_at is not None:
        conditions.append("submission <= ?")
        values.append(known_at)  # type: ignore[arg-type]
    if departements is not None:
        conditions.append("departement IN (SELECT unnest(?))")
        values.append(list(departements))
    if uai is not None:
        conditions.append("uai = ?")
        values.append(uai)  # type: ignore[arg-type]
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {name} AS
        SELECT {columns},
               arg_max(origin, submission) FILTER (sign > 0) AS submission,
               arg_max(source_sheet, submission) FILTER (sign > 0) AS source_sheet,
               arg_max(source_row, submission) FILTER (sign > 0) AS source_row
        FROM ({" UNION ALL ".join(sources)})
        WHERE {' AND '.join(conditions)}
        GROUP BY {columns}
        HAVING sum(sign) > 0
        """,
        values,
    )


def schema_with_entries(fields: Sequence[pa.Field]) -> pa.Schema:
    """The contract's fields and the columns every ledger entry carries."""
    return pa.schema(
        [
            *fields,
            pa.field("sender", pa.string()),
            pa.field("departement", pa.string()),
            pa.field("sign", pa.int8()),
            pa.field("submission", pa.int64()),
            pa.field("origin", pa.int64()),
            pa.field("source_sheet", pa.string()),
            pa.field("source_row", pa.int64()),
        ]
    )
