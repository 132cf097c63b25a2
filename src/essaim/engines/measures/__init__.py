"""Indicators declared once, compiled to Ibis, run on DuckDB or Spark: see README.md."""

from essaim.engines.measures.expressions import (
    Expr,
    coalesce,
    col,
    days_between,
    greatest,
    least,
    lit,
    school_year_start,
    when,
)
from essaim.engines.measures.facts import FactColumn, FactTable, IndicatorRefused, Role, fact_table
from essaim.engines.measures.indicator import (
    Coverage,
    Direction,
    Indicator,
    Kind,
    Measure,
    PerEstablishment,
    Quantity,
    Timing,
)

__all__ = [
    "Coverage",
    "Direction",
    "Expr",
    "FactColumn",
    "FactTable",
    "Indicator",
    "IndicatorRefused",
    "Kind",
    "Measure",
    "PerEstablishment",
    "Quantity",
    "Role",
    "Timing",
    "coalesce",
    "col",
    "days_between",
    "fact_table",
    "greatest",
    "least",
    "lit",
    "school_year_start",
    "when",
]
