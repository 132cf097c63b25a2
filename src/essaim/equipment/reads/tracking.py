"""Following an order line to its end: which deliveries fill it, when it is complete, how late it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    import duckdb

# Deliveries are given to order lines from the surest match to the loosest; inside a group, oldest order first.
TIERS: tuple[tuple[str, ...], ...] = (
    ("sender", "order_ref", "uai", "category", "model"),
    ("sender", "order_ref", "uai", "category"),
    ("sender", "uai", "category"),
)


@dataclass(frozen=True, slots=True)
class Tracking:
    """``lines``: one row per order line, with ``delivered`` (units), ``first_delivered_on``, ``completed_on`` (date at
    which nothing is missing any more, null before), ``due_on`` (revised date, else planned), ``late_from`` and
    ``late_from_revised`` (the day after). ``allocations``: ``line_id, delivery_id, units, delivered_on``.
    ``excess``: delivered units that no order accounts for, per delivery."""

    lines: pa.Table
    allocations: pa.Table
    excess: pa.Table


def track_orders(connection: duckdb.DuckDBPyConnection) -> Tracking:
    """Matches the tables ``orders`` and ``deliveries`` of ``connection`` (as made by ``state_view``).

    First in, first out inside each tier; every unit delivered fills at most one ordered unit, so ordered, delivered and
    excess always balance. An order line that carries its own actual date is complete on that date when no delivery says
    otherwise.
    """
    _prepare(connection)
    for tier in TIERS:
        _allocate(connection, tier)
    return Tracking(_lines(connection), _table(connection, "allocations"), _excess(connection))


def _prepare(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE tracked AS
          SELECT row_number() OVER (ORDER BY sender, order_ref, uai, category, line, model, submission, source_row) AS line_id,
                 *, quantity AS missing FROM orders;
        CREATE OR REPLACE TEMP TABLE arriving AS
          SELECT row_number() OVER (ORDER BY sender, delivered_on, delivery_ref, uai, category, submission, source_row) AS delivery_id,
                 *, quantity AS unplaced FROM deliveries;
        CREATE OR REPLACE TEMP TABLE allocations (line_id BIGINT, delivery_id BIGINT, units BIGINT, delivered_on DATE);
        """
    )


def _allocate(connection: duckdb.DuckDBPyConnection, tier: Sequence[str]) -> None:
    """Fills lines with deliveries of the same ``tier`` values: both are laid end to end, overlaps are allocations."""
    keys = ", ".join(tier)
    present = " AND ".join(f"{name} IS NOT NULL" for name in tier)
    same = " AND ".join(f"l.{name} = d.{name}" for name in tier)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE new_allocations AS
        WITH l AS (
          SELECT line_id, {keys},
                 sum(missing) OVER w - missing AS low, sum(missing) OVER w AS high
          FROM tracked WHERE missing > 0 AND {present}
          WINDOW w AS (PARTITION BY {keys} ORDER BY coalesce(planned_on, ordered_on, DATE '2999-12-31'), line_id)
        ), d AS (
          SELECT delivery_id, delivered_on, {keys},
                 sum(unplaced) OVER w - unplaced AS low, sum(unplaced) OVER w AS high
          FROM arriving WHERE unplaced > 0 AND {present}
          WINDOW w AS (PARTITION BY {keys} ORDER BY delivered_on, delivery_id)
        )
        SELECT line_id, delivery_id, (least(l.high, d.high) - greatest(l.low, d.low))::BIGINT AS units, delivered_on
        FROM l JOIN d ON {same} AND l.low < d.high AND d.low < l.high;
        INSERT INTO allocations SELECT * FROM new_allocations;
        UPDATE tracked SET missing = missing - n.units
          FROM (SELECT line_id, sum(units) AS units FROM new_allocations GROUP BY 1) n WHERE n.line_id = tracked.line_id;
        UPDATE arriving SET unplaced = unplaced - n.units
          FROM (SELECT delivery_id, sum(units) AS units FROM new_allocations GROUP BY 1) n WHERE n.delivery_id = arriving.delivery_id;
        """
    )


def _lines(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    return connection.sql(
        """
        SELECT t.* EXCLUDE (missing),
               coalesce(revised_on, planned_on) AS due_on,
               (planned_on + 1)::DATE AS late_from,
               (coalesce(revised_on, planned_on) + 1)::DATE AS late_from_revised,
               CASE WHEN a.units IS NULL AND actual_on IS NOT NULL THEN quantity ELSE coalesce(a.units, 0) END::BIGINT AS delivered,
               coalesce(a.first_on, actual_on) AS first_delivered_on,
               CASE WHEN a.units IS NULL THEN actual_on WHEN a.units >= quantity THEN a.last_on END AS completed_on,
               1::TINYINT AS sign
        FROM tracked t
        LEFT JOIN (SELECT line_id, sum(units)::BIGINT AS units, min(delivered_on) AS first_on, max(delivered_on) AS last_on
                   FROM allocations GROUP BY 1) a USING (line_id)
        ORDER BY line_id
        """
    ).to_arrow_table()


def _excess(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    return connection.sql(
        "SELECT delivery_id, sender, uai, category, delivered_on, unplaced::BIGINT AS units, submission, source_sheet, source_row"
        " FROM arriving WHERE unplaced > 0 ORDER BY delivery_id"
    ).to_arrow_table()


def _table(connection: duckdb.DuckDBPyConnection, name: str) -> pa.Table:
    return connection.sql(f"SELECT * FROM {name} ORDER BY ALL").to_arrow_table()
