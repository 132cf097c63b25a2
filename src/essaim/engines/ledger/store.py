"""One Delta Lake table: open, scan, append in one atomic commit. Nothing here knows what a submission means."""

from __future__ import annotations

import json
import weakref
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError, TableNotFoundError

from .kept import KEPT, identity_of
from .shape import ACTS, PARTITION, declaration, frame_schema, physical
from .spec import SpecMismatch, TableSpec

# Every commit that carries an act names this application: Delta Lake then refuses the second of two writers that started
# from the same version, which is the compare-and-swap that a new comparison needs.
APPLICATION = "essaim"
_HIVE = {"part": pl.String, "departement": pl.String}
# Column, test (=, <=, >, in), value.
Filters = list[tuple[str, str, Any]]


class Conflict(Exception):
    """Another writer committed since the table was opened."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Snapshot:
    """A table at one version. ``delta`` is None before the first act; then every scan is empty. It is this snapshot's alone, and
    kept open for the next one when this one is forgotten."""

    spec: TableSpec
    location: str
    options: Mapping[str, str]
    delta: DeltaTable | None

    @property
    def version(self) -> int:
        return -1 if self.delta is None else self.delta.version()

    @property
    def last(self) -> int:
        """Number of the last act, 0 before the first."""
        if self.delta is None:
            return 0
        return self.delta.transaction_version(APPLICATION) or 0

    def uris(self, filters: Filters) -> list[str]:
        """Parquet files that may hold matching rows (exact on part and département, by statistics elsewhere)."""
        if self.delta is None or any(test == "in" and not value for _, test, value in filters):
            return []
        predicate = " AND ".join(_sql(*item) for item in filters)
        return sorted(self.delta.file_uris(file_pruning_predicate=predicate))

    def is_uniform(self, filters: Filters) -> bool:
        """Whether every file selected is known to hold every declared column (false when in doubt)."""
        if self.delta is None:
            return False
        chosen = set(
            self.delta.file_uris(file_pruning_predicate=" AND ".join(_sql(*item) for item in filters))
        )
        files = pl.DataFrame(self.delta.get_add_actions(flatten=True))
        ends = {uri.rsplit("/", 1)[-1] for uri in chosen}
        files = files.filter(pl.col("path").str.split("/").list.last().is_in(sorted(ends)))
        names = [name for name in physical(self.spec).names if name not in PARTITION]
        counts = [f"null_count.{name}" for name in names]
        return all(name in files.columns and not files[name].null_count() for name in counts)

    def departements(self, parts: Collection[str]) -> set[str | None]:
        """Values of the département partition that hold rows of ``parts``."""
        if self.delta is None:
            return set()
        found = self.delta.partitions(file_pruning_predicate=_sql("part", "in", sorted(parts)))
        return {item.get("departement") or None for item in found}

    def scan(self, filters: Filters) -> pl.LazyFrame:
        """Every stored column of the files selected; the caller filters rows. Columns added later read as null."""
        schema = frame_schema(self.spec)
        uris = self.uris(filters)
        if not uris:
            return pl.LazyFrame(schema=schema)
        inside = {name: kind for name, kind in schema.items() if name not in _HIVE}
        return pl.scan_parquet(
            uris,
            schema=inside,
            hive_partitioning=True,
            hive_schema=_HIVE,
            missing_columns="insert",
            extra_columns="ignore",
            storage_options=dict(self.options) or None,
        ).select(schema.names())

    def acts(self, number: int | None = None) -> pl.DataFrame:
        """Acts recorded (``submission, act``), in order; only act ``number`` when given."""
        filters: Filters = [("part", "=", ACTS)]
        if number is not None:
            filters.append(("submission", "=", number))
        found = self.scan(filters).select("submission", "act")
        if number is not None:
            found = found.filter(pl.col("submission") == number)
        return found.sort("submission").collect()


def _sql(column: str, test: str, value: Any) -> str:
    """One file filter as SQL; None in a collection means a null partition value."""
    if test != "in":
        return f"{column} {test} {_literal(value)}"
    given = [_literal(item) for item in value if item is not None]
    tests = [f"{column} IN ({', '.join(given)})"] if given else []
    if None in value:
        tests.append(f"{column} IS NULL")
    return f"({' OR '.join(tests)})"


def _literal(value: Any) -> str:
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


def open_table(spec: TableSpec, location: str, options: Mapping[str, str]) -> Snapshot:
    """The table at its newest version; refuses a declaration other than the one it was created with (SpecMismatch)."""
    identity = identity_of(location)
    try:
        delta, opened = KEPT.take(location, identity) or _opened(location, options)
    except TableNotFoundError:
        return Snapshot(spec, location, options, None)
    stored = delta.metadata().description or ""
    if stored != declaration(spec):
        raise SpecMismatch(
            f"Table {spec.name} : la déclaration ({declaration(spec)}) diffère de celle du registre ({stored}). "
            "Une clé ou un périmètre ne change pas : créez une nouvelle version de la table."
        )
    _refuse_changed_types(spec, delta)
    snapshot = Snapshot(spec, location, options, delta)
    if identity is not None:
        weakref.finalize(snapshot, KEPT.give_back, location, identity, opened, delta).atexit = False
    return snapshot


def _opened(location: str, options: Mapping[str, str]) -> tuple[DeltaTable, int]:
    delta = DeltaTable(location, storage_options=dict(options) or None)
    return delta, delta.version()


def _refuse_changed_types(spec: TableSpec, delta: DeltaTable) -> None:
    stored = {item.name: str(item.type) for item in delta.schema().fields}
    declared = {item.name: str(item.type) for item in _delta_fields(spec)}
    for name, kind in declared.items():
        if stored.get(name, kind) != kind:
            raise SpecMismatch(
                f"Table {spec.name} : la colonne « {name} » est inscrite en {stored[name]}, pas en {kind}. "
                "Ajoutez une nouvelle colonne plutôt que de changer son type."
            )


def _delta_fields(spec: TableSpec) -> Sequence[Any]:
    from deltalake import Schema

    return Schema.from_arrow(physical(spec)).fields


def create_table(spec: TableSpec, location: str, options: Mapping[str, str]) -> Snapshot:
    """Create the table unless another process just did; empty, version 0."""
    DeltaTable.create(
        location,
        schema=physical(spec),
        mode="ignore",
        partition_by=list(PARTITION),
        name=spec.name,
        description=declaration(spec),
        configuration={"delta.checkpointInterval": "50", "delta.dataSkippingNumIndexedCols": "32"},
        storage_options=dict(options) or None,
    )
    return open_table(spec, location, options)


def append(snapshot: Snapshot, number: int, act: Mapping[str, Any], *frames: pl.DataFrame) -> int:
    """Commit the act and its rows at once; the new version. Raises Conflict when the snapshot is no longer the newest
    one that carries an act: nothing is then visible and the caller compares again."""
    schema = frame_schema(snapshot.spec)
    record = pl.DataFrame(
        {"sign": [0], "submission": [number], "sender": [act["sender"]], "origin": [number], "part": [ACTS]}
    ).with_columns(pl.lit(json.dumps(act, ensure_ascii=False, sort_keys=True)).alias("act"))
    rows = pl.concat([_filled(frame, schema) for frame in (record, *frames) if frame.height])
    target = snapshot.delta
    assert target is not None
    try:
        write_deltalake(
            target,
            rows.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(physical(snapshot.spec)),
            mode="append",
            schema_mode="merge",
            commit_properties=CommitProperties(app_transactions=[Transaction(APPLICATION, number)]),
        )
    except CommitFailedError as error:
        raise Conflict(str(error)) from error
    return target.version()


def _filled(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    return frame.select(
        pl.col(name).cast(kind) if name in frame.columns else pl.lit(None, kind).alias(name)
        for name, kind in schema.items()
    )
