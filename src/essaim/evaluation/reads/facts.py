"""The facts that figures are computed from: ledger files, and tables that rooms derive from them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from essaim.engines.measures import Indicator
from essaim.evaluation.reads.catalogue import derived_facts
from essaim.foundation.contracts import contract
from essaim.foundation.reads.facts import ledger, table_spec


def fact_names(asked: Iterable[Indicator]) -> tuple[str, ...]:
    """Every fact table that ``asked`` reads, once."""
    return tuple(dict.fromkeys(name for item in asked for name in item.facts))


def ledger_tables(names: Iterable[str]) -> tuple[str, ...]:
    """The ledger tables behind ``names``: themselves, or those a derived table is made from."""
    derived = derived_facts()
    found = [base for name in names for base in (derived[name][0] if name in derived else (name,))]
    return tuple(dict.fromkeys(found))


def facts_for(
    asked: Sequence[Indicator],
    *,
    known_at: int | None = None,
    departements: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Fact table name → Parquet files of signed entries, or an Arrow table for derived and empty ones; those of ``names``
    only when given.

    A derived table is the state at ``known_at`` (its rows carry the submission they come from), so that the same number
    always gives the same figure. ``departements``: rows of other départements may be left out.
    """
    derived = derived_facts()
    return {
        name: derived[name][1](known_at=known_at, departements=departements)
        if name in derived
        else entries(name, known_at=known_at, departements=departements)
        for name in (fact_names(asked) if names is None else names)
    }


def entries(
    name: str, *, known_at: int | None = None, departements: Sequence[str] | None = None, in_place: bool = False
) -> Any:
    """Parquet files of the ledger table of contract ``name``; an empty table with its columns when nothing was posted.
    ``in_place``: their addresses in the object store, for an engine with its own access to it."""
    spec = table_spec(contract(name))
    files = list(ledger().addresses(spec, known_at=known_at) if in_place else ledger().files(spec, known_at=known_at))
    if departements is not None:
        wanted = {f"departement={item}" for item in departements} | {"departement=__HIVE_DEFAULT_PARTITION__"}
        files = [item for item in files if wanted & set(item.split("/")) or "departement=" not in item]
    return files or entries_schema(spec.schema).empty_table()


def derived_change(
    name: str, before: pa.Table, low: int, high: int, *, known_at: int, only: Sequence[str] | None = None
) -> tuple[pa.Table, pa.Table]:
    """A derived table brought to ``known_at`` when entries were posted in (low, high]: the signed change, and the new table.
    ``only``: départements that matter."""
    bases, compute = derived_facts()[name]
    posted = [within(ledger().changes(table_spec(contract(base)), after=low, upto=high), only) for base in bases]
    touched = {value for table in posted for value in table.column("departement").unique().to_pylist()}
    if not touched:
        return before.slice(0, 0), before
    return replaced(before, compute(known_at=known_at, departements=_readable(touched)), touched)


def within(entries: pa.Table, departements: Sequence[str] | None) -> pa.Table:
    """The entries of some départements (all when None), and those of none."""
    if departements is None:
        return entries
    place = entries.column("departement")
    return entries.filter(pc.or_kleene(pc.is_in(place, pa.array(departements, pa.string())), pc.is_null(place)))


def signed(entries: pa.Table, factor: int) -> pa.Table:
    """The entries, or their opposites."""
    if factor > 0:
        return entries
    at = entries.schema.get_field_index("sign")
    return entries.set_column(at, "sign", pc.negate(entries.column("sign")))


def derived_difference(name: str, before: pa.Table, planned: pa.Table, base: str) -> tuple[pa.Table, pa.Table] | None:
    """The same for entries ``planned`` for ``base`` but not posted; None when the room cannot tell (its function takes no
    ``planned``)."""
    _, compute = derived_facts()[name]
    if "planned" not in inspect.signature(compute).parameters:
        return None
    touched = set(planned.column("departement").unique().to_pylist())
    if not touched:
        return before.slice(0, 0), before
    made = compute(known_at=None, departements=_readable(touched), planned={base: planned})
    return replaced(before, made, touched)


def _readable(touched: set[str | None]) -> list[str] | None:
    """Départements to read; all of them when some entries have none."""
    return None if None in touched else sorted(value for value in touched if value is not None)


def replaced(before: pa.Table, after: pa.Table, touched: set[str | None]) -> tuple[pa.Table, pa.Table]:
    """Rows of the départements ``touched`` of ``before`` (all of them when one is None) replaced by ``after``: the signed
    change, and the new table."""
    old, new = pl.from_arrow(before), pl.from_arrow(after)
    assert isinstance(old, pl.DataFrame) and isinstance(new, pl.DataFrame)
    whole = None in touched
    inside = pl.lit(whole) | pl.col("departement").is_in([value for value in touched if value is not None]).fill_null(False)
    minus = old.filter(inside).with_columns((-pl.col("sign")).cast(pl.Int8).alias("sign"))
    return (
        pl.concat([minus, new], how="diagonal_relaxed").to_arrow(),
        pl.concat([old.filter(~inside), new], how="diagonal_relaxed").to_arrow(),
    )


def entries_schema(fields: pa.Schema) -> pa.Schema:
    """The columns of a ledger table: the contract's and those of every entry."""
    own = [field for field in fields if field.name not in {"sender", "departement"}]
    return pa.schema(
        [
            *own,
            pa.field("sign", pa.int8()),
            pa.field("submission", pa.int64()),
            pa.field("origin", pa.int64()),
            pa.field("sender", pa.string()),
            pa.field("source_sheet", pa.string()),
            pa.field("source_row", pa.int64()),
            pa.field("departement", pa.string()),
        ]
    )
