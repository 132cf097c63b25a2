"""Indicators declared once, compiled to Ibis, run on DuckDB or Spark: see README.md."""

from essaim.engines.measures.cells import (
    Cells,
    cells,
    quantile_measures,
    refresh,
    touched_establishments,
    unplaced,
)
from essaim.engines.measures.engines import DuckEngine, FactsMissing, SparkEngine
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
from essaim.engines.measures.figures import (
    Figures,
    all_figures,
    empty_figures,
    figures,
    touched_units,
    with_fingerprints,
)
from essaim.engines.measures.hierarchies import LevelUnknown
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
from essaim.engines.measures.lineage import trace
from essaim.engines.measures.periods import Period, period, periods
from essaim.engines.measures.places import Places, places
from essaim.engines.measures.wording import catalogue_markdown, explain, sql

__all__ = [
    "Cells",
    "Coverage",
    "Direction",
    "DuckEngine",
    "Expr",
    "FactColumn",
    "FactTable",
    "FactsMissing",
    "Figures",
    "Indicator",
    "IndicatorRefused",
    "Kind",
    "LevelUnknown",
    "Measure",
    "PerEstablishment",
    "Period",
    "Places",
    "Quantity",
    "Role",
    "SparkEngine",
    "Timing",
    "all_figures",
    "catalogue_markdown",
    "cells",
    "coalesce",
    "col",
    "days_between",
    "empty_figures",
    "explain",
    "fact_table",
    "figures",
    "greatest",
    "least",
    "lit",
    "period",
    "periods",
    "places",
    "quantile_measures",
    "refresh",
    "school_year_start",
    "sql",
    "touched_establishments",
    "touched_units",
    "trace",
    "unplaced",
    "when",
    "with_fingerprints",
]
