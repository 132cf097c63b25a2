"""The physical shape of a ledger table: columns, types, checks of a declaration and of rows."""

from __future__ import annotations

import json
from functools import lru_cache

import polars as pl
import pyarrow as pa

from essaim.kernel.identity import Same

from .spec import ENTRY_COLUMNS, DuplicateKey, LedgerRefused, SpecMismatch, TableSpec

# ``part`` separates, inside one Delta table and one commit: signed entries, claims that changed nothing, and acts.
ENTRIES, CLAIMS, ACTS = "entries", "claims", "acts"
PARTITION = ("part", "departement")
_SYSTEM = pa.schema(
    [
        ("sign", pa.int8()),
        ("submission", pa.int64()),
        ("sender", pa.string()),
        ("origin", pa.int64()),
        ("source_sheet", pa.string()),
        ("source_row", pa.int64()),
        ("departement", pa.string()),
        ("part", pa.string()),
        ("act", pa.string()),
    ]
)
_RESERVED = frozenset(_SYSTEM.names) - {"departement"}


def storable(kind: pa.DataType) -> pa.DataType:
    """The type under which Delta Lake keeps ``kind``: signed integers, plain strings, microseconds in UTC.

    Refuses nested types (SpecMismatch)."""
    if pa.types.is_dictionary(kind):
        return storable(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_unsigned_integer(kind):
        return pa.int64()
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", tz="UTC")
    if pa.types.is_date(kind):
        return pa.date32()
    if pa.types.is_nested(kind) or pa.types.is_null(kind) or pa.types.is_time(kind):
        raise SpecMismatch(f"Le type {kind} ne peut pas être inscrit au registre.")
    return kind


def fields(spec: TableSpec) -> tuple[str, ...]:
    """Names of the contract's own columns."""
    return tuple(spec.schema.names)


def physical(spec: TableSpec) -> pa.Schema:
    """Every stored column, system columns first (Delta keeps statistics of the first 32 columns)."""
    return _physical(Same(spec))


@lru_cache(maxsize=256)
def _physical(same: Same[TableSpec]) -> pa.Schema:
    spec = same.value
    own = [(item.name, storable(item.type)) for item in spec.schema if item.name != "departement"]
    return pa.schema([*_SYSTEM, *(pa.field(name, kind) for name, kind in own)])


def visible(spec: TableSpec) -> tuple[str, ...]:
    """Columns shown to readers: the contract's, then the entry's."""
    return (*fields(spec), *(name for name in ENTRY_COLUMNS if name not in fields(spec)))


def frame_schema(spec: TableSpec) -> pl.Schema:
    """Polars types of the stored columns. Not to be changed."""
    return _frame_schema(Same(spec))


@lru_cache(maxsize=256)
def _frame_schema(same: Same[TableSpec]) -> pl.Schema:
    return pl.Schema(pl.DataFrame(physical(same.value).empty_table()).schema)


def compared(spec: TableSpec) -> tuple[str, ...]:
    """Columns outside the key whose difference makes a row *changed*: contract fields, the département (the entry must
    sit in its partition), and the sender when it delimits the perimeter that the row belongs to."""
    names = [*fields(spec), "departement"]
    if spec.replaces == "perimeter" and "sender" in spec.perimeter:
        names.append("sender")
    return tuple(dict.fromkeys(name for name in names if name not in spec.key))


def declaration(spec: TableSpec) -> str:
    """What may never change in a table once it holds entries, as JSON kept in the table's description."""
    perimeter = list(spec.perimeter) if spec.replaces == "perimeter" else []
    return json.dumps(
        {"name": spec.name, "key": list(spec.key), "replaces": spec.replaces, "perimeter": perimeter},
        ensure_ascii=False,
    )


def check_spec(spec: TableSpec) -> None:
    """Refuse a declaration the ledger cannot hold (SpecMismatch)."""
    known = {*fields(spec), "sender", "departement"}
    reserved = sorted(_RESERVED & set(fields(spec)))
    if reserved:
        raise SpecMismatch(
            f"Table {spec.name} : noms de colonnes réservés au registre : {', '.join(reserved)}."
        )
    if not spec.key:
        raise SpecMismatch(f"Table {spec.name} : une clé naturelle est nécessaire.")
    if spec.replaces not in ("key", "perimeter"):
        raise SpecMismatch(
            f"Table {spec.name} : remplacement « {spec.replaces} » inconnu (key ou perimeter)."
        )
    named = spec.key if spec.replaces == "key" else (*spec.key, *spec.perimeter)
    unknown = sorted(set(named) - known)
    if unknown:
        raise SpecMismatch(
            f"Table {spec.name} : colonnes inconnues dans la clé ou le périmètre : {', '.join(unknown)}."
        )
    if spec.replaces == "perimeter" and not spec.perimeter:
        raise SpecMismatch(f"Table {spec.name} : un périmètre est nécessaire.")
    if not spec.name or any(mark in spec.name for mark in "/\\") or spec.name.startswith((".", "_")):
        raise SpecMismatch(f"Nom de table refusé : « {spec.name} ».")


def admit(spec: TableSpec, rows: pa.Table | pl.DataFrame, *, sender: str) -> pl.DataFrame:
    """Rows as claims: contract columns cast to the stored types, sender, source position and département.

    A contract column absent from ``rows`` is null unless it belongs to the key. Refuses a missing key column, values
    that do not fit their type (SpecMismatch) and duplicate keys (DuplicateKey)."""
    frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(rows)
    types = frame_schema(spec)
    wanted = dict.fromkeys((*fields(spec), "departement", "source_sheet", "source_row"))
    missing = [name for name in spec.key if name not in frame.columns and name != "sender"]
    if missing:
        raise SpecMismatch(f"Table {spec.name} : colonnes de la clé absentes : {', '.join(missing)}.")
    columns = [
        pl.col(name).cast(types[name]) if name in frame.columns else pl.lit(None, types[name]).alias(name)
        for name in wanted
    ]
    try:
        claims = frame.select(*columns)
    except pl.exceptions.PolarsError as error:
        raise SpecMismatch(
            f"Table {spec.name} : une valeur ne correspond pas à son type ({error})."
        ) from error
    claims = claims.with_columns(pl.lit(sender, pl.String).alias("sender"))
    _refuse_duplicates(spec, claims)
    return claims


def _refuse_duplicates(spec: TableSpec, claims: pl.DataFrame) -> None:
    keys = claims.select(spec.key)
    if keys.n_unique() == keys.height:
        return
    twice = keys.group_by(spec.key).len().filter(pl.col("len") > 1).sort(spec.key).drop("len")
    examples = tuple(twice.head(5).rows())
    shown = " ; ".join(", ".join("(vide)" if part is None else str(part) for part in key) for key in examples)
    raise DuplicateKey(
        f"Table {spec.name} : {twice.height} clé(s) présente(s) plusieurs fois dans le dépôt : {shown}. "
        "Gardez une seule ligne par clé.",
        examples,
    )


def check_number(number: int) -> None:
    """Refuse a submission number that cannot order acts (LedgerRefused)."""
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise LedgerRefused(f"Un numéro de dépôt est un entier à partir de 1, pas « {number} ».")
