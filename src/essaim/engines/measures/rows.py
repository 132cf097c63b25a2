"""Measures on rows already in memory: the same semantics as the scans of `compiler`, in polars.

The entries of one submission, or those behind one figure, are few: writing SQL for them costs more than counting them, and a
process that only shows figures does without Ibis.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence

import polars as pl

from essaim.engines.measures.additivity import type_of
from essaim.engines.measures.compiler import OPERATORS, Bundle, has_always_data
from essaim.engines.measures.expressions import (
    Binary,
    Coalesce,
    Column,
    DaysBetween,
    Expr,
    Extreme,
    IsIn,
    IsMissing,
    Literal,
    Not,
    SchoolYearStart,
    When,
)
from essaim.engines.measures.facts import FactTable
from essaim.engines.measures.indicator import Measure

_TYPES = {"integer": pl.Int64(), "decimal": pl.Float64(), "date": pl.Date(), "boolean": pl.Boolean()}


def to_polars(expr: Expr, facts: FactTable) -> pl.Expr:
    """``expr`` on the columns of ``facts``. Decimals are computed as float64, dates as dates."""
    down = functools.partial(to_polars, facts=facts)
    match expr:
        case Column(name):
            return pl.col(name).cast(_TYPES.get(facts.column(name).type, pl.String()))
        case Literal(value):
            return pl.lit(value)
        case Binary("/", left, right):
            below = down(right).cast(pl.Float64)
            return down(left).cast(pl.Float64) / pl.when(below != 0).then(below)
        case Binary(op, left, right):
            return OPERATORS[op](down(left), down(right))  # type: ignore[no-any-return]
        case Not(of):
            return ~down(of)
        case IsIn(of, values):
            return down(of).is_in([item for item in values if item is not None])
        case IsMissing(of):
            return down(of).is_null()
        case Coalesce(args):
            return pl.coalesce(*(down(item) for item in args))
        case Extreme(op, args):
            return _extreme(op, [down(item) for item in args])
        case When(condition, then, otherwise):
            return pl.when(down(condition).fill_null(False)).then(down(then)).otherwise(down(otherwise))
        case DaysBetween(start, end):
            return down(end).cast(pl.Int32).cast(pl.Int64) - down(start).cast(pl.Int32).cast(pl.Int64)
        case SchoolYearStart(of):
            return pl.date(down(of).cast(pl.String).str.slice(0, 4).cast(pl.Int32), 9, 1)
    raise TypeError(type(expr).__name__)


def _extreme(op: str, values: list[pl.Expr]) -> pl.Expr:
    missing = functools.reduce(operator.or_, (item.is_null() for item in values))
    found = pl.min_horizontal(values) if op == "least" else pl.max_horizontal(values)
    return pl.when(~missing).then(found)


def joined(names: Sequence[str]) -> pl.Expr:
    """Columns as one text, as cells keep them apart."""
    return pl.concat_str([pl.col(name).cast(pl.String).fill_null("") for name in names], separator="\x1f")


def row_value(measure: Measure) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """(exact integer value, filter met, row has data) of one measure on each row."""
    facts = measure.facts
    met = pl.lit(True) if measure.where is None else to_polars(measure.where, facts).fill_null(False)
    if measure.distinct:
        known = pl.col(measure.distinct).is_not_null()
        return pl.lit(1, pl.Int64), met & known, known
    if measure.value is None:
        return pl.lit(1, pl.Int64), met, pl.lit(True)
    value = to_polars(measure.value, facts)
    has_data = value.is_not_null() | ~met
    if type_of(measure.value, facts) == "decimal" or measure.places_kept:
        value = (value.cast(pl.Float64) * 10.0**measure.places_kept).round(0, mode="half_away_from_zero")
    return value.cast(pl.Int64), met, has_data


def counted(bundle: Bundle, rows: pl.DataFrame, known_at: int | None, whole: frozenset[str] = frozenset()) -> pl.DataFrame:
    """What `compiler.scan` gives, of ``rows``."""
    facts = bundle.facts
    if "sign" not in rows.columns:
        rows = rows.with_columns(pl.lit(1, pl.Int8).alias("sign"))
    if known_at is not None:
        rows = rows.filter(pl.col("submission") <= known_at)
    held = rows.lazy().with_columns(to_polars(bundle.event, facts).alias("_event")).filter(pl.col("_event").is_not_null())
    month = (pl.col("_event").dt.year() * 12 + pl.col("_event").dt.month().cast(pl.Int32) - 1).cast(pl.Int32)
    keys = {
        "uai": pl.col(facts.place).cast(pl.String).fill_null(""),
        "when": pl.col("_event") if bundle.latest else month,
    }
    if bundle.by:
        keys["by"] = joined(bundle.by)
    parts = (bundle.distinct,) if bundle.distinct else bundle.per
    if parts:
        keys["part"] = joined(parts)
    if bundle.rows:
        value, met, _ = row_value(bundle.measures[0])
        keys["at"] = value
        held = held.filter(met & value.is_not_null())
    return held.group_by([expr.alias(f"_{name}") for name, expr in keys.items()]).agg(_sums(bundle, whole)).collect().rename(
        {f"_{name}": name for name in keys}
    )


def _sums(bundle: Bundle, whole: frozenset[str]) -> list[pl.Expr]:
    sign = pl.col("sign").cast(pl.Int64)
    found = []
    for index, item in enumerate(bundle.measures):
        value, met, has_data = row_value(item)
        signed = sign if bundle.rows or item.value is None or item.distinct else sign * value
        if item.where is not None or item.distinct:
            signed = pl.when(met).then(signed).otherwise(0)
        found.append((signed * bundle.sign).sum().alias(f"v{index}"))
        if bundle.sign > 0:
            count = sign if has_always_data(item, whole) else pl.when(has_data).then(sign).otherwise(0)
            found.append(count.sum().alias(f"n{index}"))
    return found
