"""Equipment facts made from several ledger tables, for figures and pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa

from essaim.equipment.contracts import ACKNOWLEDGEMENTS, DELIVERIES, DISPOSALS, INVENTORY, ORDERS
from essaim.equipment.reads.reconciliation import Reconciliation, reconcile
from essaim.equipment.reads.sources import connected, state_view
from essaim.equipment.reads.tracking import Tracking, track_orders
from essaim.foundation.reads.facts import ledger, table_spec

if TYPE_CHECKING:
    import duckdb

VIEWS = {
    "orders": ORDERS,
    "deliveries": DELIVERIES,
    "acknowledgements": ACKNOWLEDGEMENTS,
    "inventory": INVENTORY,
    "disposals": DISPOSALS,
}


def _files_of(files: Sequence[str], departements: Sequence[str] | None) -> Sequence[str]:
    """The files that may hold rows of ``departements``: opening those of the whole country to keep one place costs most of a page."""
    if departements is None:
        return files
    wanted = tuple(f"departement={place}/" for place in departements)
    return [path for path in files if any(part in path for part in wanted)]


@contextmanager
def states(
    *names: str,
    known_at: int | None = None,
    departements: Sequence[str] | None = None,
    uai: str | None = None,
    planned: Mapping[str, pa.Table] | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB connection holding the state of the equipment tables ``names`` at ``known_at``, as if the entries ``planned``
    (by contract) had been posted too."""
    with connected() as connection:
        for name in names:
            spec = table_spec(VIEWS[name])
            state_view(
                connection, name, _files_of(ledger().files(spec), departements), spec.schema,
                known_at=known_at, departements=departements, uai=uai, planned=(planned or {}).get(spec.name),
            )
        yield connection


def tracked(
    *, known_at: int | None = None, departements: Sequence[str] | None = None, planned: Mapping[str, pa.Table] | None = None
) -> Tracking:
    """Order lines with the deliveries that fill them."""
    with states("orders", "deliveries", known_at=known_at, departements=departements, planned=planned) as connection:
        return track_orders(connection)


def order_tracking(
    *, known_at: int | None = None, departements: Sequence[str] | None = None, planned: Mapping[str, pa.Table] | None = None
) -> pa.Table:
    """The fact table ``equipment.order_tracking``: one entry of sign +1 per order line."""
    return tracked(known_at=known_at, departements=departements, planned=planned).lines


def reconciled(
    *, on: date, known_at: int | None = None, departements: Sequence[str] | None = None, uai: str | None = None
) -> Reconciliation:
    """What each source says of each establishment and category on ``on``, and where they contradict one another. Sources are
    confronted school by school: those of one school (``uai``) are the same alone."""
    with states(*VIEWS, known_at=known_at, departements=departements, uai=uai) as connection:
        return reconcile(connection, on=on.isoformat())
