"""Reading a table as it stood, or as it was written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import polars as pl
import pyarrow as pa

from .finding import in_departements
from .replay import standing
from .shape import CLAIMS, ENTRIES, frame_schema, visible
from .spec import LedgerRefused, TableSpec
from .store import Filters, Snapshot

_DUCKDB = {
    pl.String: "VARCHAR",
    pl.Int8: "TINYINT",
    pl.Int16: "SMALLINT",
    pl.Int32: "INTEGER",
    pl.Int64: "BIGINT",
    pl.Float32: "FLOAT",
    pl.Float64: "DOUBLE",
    pl.Boolean: "BOOLEAN",
    pl.Date: "DATE",
    pl.Datetime: "TIMESTAMPTZ",
    pl.Binary: "BLOB",
}


def _select(
    snapshot: Snapshot,
    parts: Sequence[str],
    *,
    after: int = 0,
    upto: int | None = None,
    where: dict[str, object] | None = None,
    departements: Iterable[str | None] | None = None,
) -> pl.LazyFrame:
    """Rows of ``parts`` posted in (after, upto] whose columns hold the values of ``where``."""
    filters: Filters = [("part", "in", list(parts))]
    tests: list[pl.Expr] = []
    if departements is not None:
        wanted = set(departements)
        filters += in_departements(wanted)
    if after > 0:
        filters.append(("submission", ">", after))
        tests.append(pl.col("submission") > after)
    if upto is not None:
        filters.append(("submission", "<=", upto))
        tests.append(pl.col("submission") <= upto)
    schema = frame_schema(snapshot.spec)
    for name, wish in (where or {}).items():
        test, values = _test(snapshot.spec, schema, name, wish)
        tests.append(test)
        if name == "departement":
            filters += in_departements(values)
    rows = snapshot.scan(filters)
    return rows.filter(*tests) if tests else rows


def _test(spec: TableSpec, schema: pl.Schema, name: str, wish: object) -> tuple[pl.Expr, list]:
    if name not in visible(spec):
        raise LedgerRefused(f"Table {spec.name} : colonne inconnue « {name} ».")
    many = isinstance(wish, Collection) and not isinstance(wish, (str, bytes))
    values = pl.Series(list(wish) if many else [wish]).cast(schema[name])  # type: ignore[call-overload]
    return pl.col(name).is_in(values.implode(), nulls_equal=True), values.to_list()


def state(
    snapshot: Snapshot,
    known_at: int | None,
    columns: Sequence[str] | None,
    where: object,
    departements: Iterable[str | None] | None,
) -> pa.Table:
    """Standing rows at ``known_at``; only the columns needed are read."""
    spec = snapshot.spec
    shown = _shown(spec, columns)
    read = list(dict.fromkeys((*shown, *spec.key, "sign", "submission")))
    rows = _select(snapshot, (ENTRIES,), upto=known_at, where=dict(where or {}), departements=departements)  # type: ignore[call-overload]
    return standing(spec, rows.select(read).collect()).select(shown).to_arrow()


def entries(
    snapshot: Snapshot,
    *,
    after: int,
    upto: int | None,
    columns: Sequence[str] | None = None,
    where: dict[str, object] | None = None,
    departements: Iterable[str | None] | None = None,
) -> pa.Table:
    """Signed entries in order of posting, −1 before +1."""
    rows = _select(snapshot, (ENTRIES,), after=after, upto=upto, where=where, departements=departements)
    shown = _shown(snapshot.spec, columns)
    order = ["submission", "sign"]
    found = rows.select(list(dict.fromkeys((*shown, *order)))).collect()
    return found.sort(order, maintain_order=True).select(shown).to_arrow()


def trace(
    snapshot: Snapshot,
    known_at: int | None,
    where: dict[str, object],
    departements: Iterable[str | None] | None,
    claims: bool,
) -> pa.Table:
    """Entries (and echoes when ``claims``), newest act first; inside an act, what stands before what falls."""
    parts = (ENTRIES, CLAIMS) if claims else (ENTRIES,)
    rows = _select(snapshot, parts, upto=known_at, where=where, departements=departements).collect()
    order = ["submission", "sign", "source_sheet", "source_row"]
    rows = rows.sort(order, descending=[True, True, False, False], maintain_order=True)
    return rows.select(visible(snapshot.spec)).to_arrow()


def files(snapshot: Snapshot, known_at: int | None) -> tuple[str, ...]:
    """Parquet files that may hold entries up to ``known_at``."""
    return tuple(snapshot.uris(_of_entries(known_at)))


def _of_entries(known_at: int | None) -> Filters:
    filters: Filters = [("part", "=", ENTRIES)]
    if known_at is not None:
        filters.append(("submission", "<=", known_at))
    return filters


def duckdb_source(snapshot: Snapshot, uris: Sequence[str], known_at: int | None) -> str:
    """A DuckDB SELECT over entries up to ``known_at``, read from ``uris`` (those of ``files``, or their copies); columns added
    since a file was written read as null."""
    schema = frame_schema(snapshot.spec)
    names = visible(snapshot.spec)
    typed = {name: _duckdb_type(schema[name]) for name in names}
    stored = set() if snapshot.delta is None else {item.name for item in snapshot.delta.schema().fields}
    absent = {name for name in names if name not in stored or not uris}
    picks = ", ".join(
        f"CAST({'NULL' if name in absent else _quoted(name)} AS {kind}) AS {_quoted(name)}"
        for name, kind in typed.items()
    )
    if not uris:
        return f"(SELECT {picks} WHERE false)"
    by_name = "false" if snapshot.is_uniform(_of_entries(known_at)) else "true"
    listed = ", ".join("'" + uri.replace("'", "''") + "'" for uri in uris)
    read = (
        f"read_parquet([{listed}], union_by_name = {by_name}, hive_partitioning = true, "
        "hive_types = {'departement': VARCHAR, 'part': VARCHAR})"
    )
    # Most acts are in files of their own: the filter is needed where a file, compacted, holds later ones too.
    later = known_at is not None and snapshot.uris([*_of_entries(known_at), ("submission", ">", known_at)])
    limit = f" WHERE submission <= {int(known_at)}" if known_at is not None and later else ""
    return f"(SELECT {picks} FROM {read}{limit})"


def _duckdb_type(kind: pl.DataType) -> str:
    if isinstance(kind, pl.Decimal):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    return _DUCKDB[kind.base_type()]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _shown(spec: TableSpec, columns: Sequence[str] | None) -> list[str]:
    if columns is None:
        return list(visible(spec))
    unknown = [name for name in columns if name not in visible(spec)]
    if unknown:
        raise LedgerRefused(f"Table {spec.name} : colonne(s) inconnue(s) : {', '.join(unknown)}.")
    return list(columns)
