"""What the equipment lever lets one measure. Declared data: the engine of figures compiles it, the catalogue shows it."""

from __future__ import annotations

from dataclasses import replace

from essaim.engines.measures.expressions import Expr, Literal, coalesce, col, days_between, least, when
from essaim.engines.measures.facts import FactColumn, FactTable, Role, fact_table
from essaim.engines.measures.indicator import (
    Coverage,
    Direction,
    Indicator,
    Kind,
    Measure,
    PerEstablishment,
    Timing,
)
from essaim.equipment.categories import TERMINALS, base_alternatives
from essaim.equipment.contracts import ACKNOWLEDGEMENTS, DELIVERIES, DISPOSALS, INVENTORY, ORDERS
from essaim.territories.contracts import ENROLMENT

RAISE, JUSTICE = "élever le niveau général", "justice sociale"
BREAKDOWNS = ("sector", "school_level", "rep", "ips_quartile", "category")

_prices = {"unit_price_eur": Role.PRICE}
orders = fact_table(ORDERS, roles=_prices)
deliveries = fact_table(DELIVERIES)
acknowledgements = fact_table(ACKNOWLEDGEMENTS)
inventory = fact_table(INVENTORY, roles={"quantity": Role.STOCK, "in_use": Role.STOCK, "loaned": Role.STOCK, "purchase_year": Role.DIMENSION})
disposals = fact_table(DISPOSALS, roles={"purchase_year": Role.DIMENSION})
enrolment = fact_table(
    ENROLMENT,
    roles={"pupils": Role.DISTINCT, "classes": Role.STOCK},
    disjoint={"pupils": tuple(name for name in ("uai", "school_level", "level", "grade") if name in ENROLMENT.field_names)},
)

# Order lines with what fills them: computed by ``equipment.reads.tracking`` from orders and deliveries.
tracking: FactTable = replace(
    orders,
    name="equipment.order_tracking",
    columns=(
        *orders.columns,
        FactColumn("delivered", "integer", Role.FLOW, "unités"),
        FactColumn("first_delivered_on", "date"),
        FactColumn("completed_on", "date"),
        FactColumn("due_on", "date"),
        FactColumn("late_from", "date"),
        FactColumn("late_from_revised", "date"),
    ),
)

is_terminal: Expr = col("category").isin(*TERMINALS)


def _delivered(code: str, where: Expr | None = None, label: str = "") -> Measure:
    return Measure(code, deliveries, date="delivered_on", value=col("quantity"), where=where, timing=Timing.CUMULATIVE, unit="unités", label=label)


PUPILS = Measure("pupils", enrolment, date="valid_from", value=col("pupils"), timing=Timing.LATEST, unit="élèves", label="Élèves inscrits") if "valid_from" in ENROLMENT.field_names else None
