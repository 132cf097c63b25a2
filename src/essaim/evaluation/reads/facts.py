"""The facts that figures are computed from: ledger files, and tables that rooms derive from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

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
    asked: Sequence[Indicator], *, known_at: int | None = None, departements: Sequence[str] | None = None
) -> dict[str, Any]:
    """Fact table name → Parquet files of signed entries, or an Arrow table for derived and empty ones.

    A derived table is the state at ``known_at`` (its rows carry the submission they come from), so that the same number
    always gives the same figure.
    """
    derived = derived_facts()
    return {
        name: derived[name][1](known_at=known_at, departements=departements) if name in derived else entries(name)
        for name in fact_names(asked)
    }


def entries(name: str) -> Any:
    """Parquet files of the ledger table of contract ``name``; an empty table with its columns when nothing was posted."""
    spec = table_spec(contract(name))
    return list(ledger().files(spec)) or entries_schema(spec.schema).empty_table()


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
