"""Expressions and measures evaluated row by row in plain Python: the arithmetic of the naive reference."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from essaim.engines.measures.additivity import type_of
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
from essaim.engines.measures.indicator import Measure, Timing
from essaim.engines.measures.periods import Period, month_number

Row = Mapping[str, Any]


def value_of(expr: Expr, row: Row) -> Any:
    """An expression on one row; None is missing."""
    match expr:
        case Column(name):
            held = row[name]
            return held.date() if isinstance(held, datetime) else held
        case Literal(value):
            return value
        case Binary(op, left, right):
            return _binary(op, value_of(left, row), value_of(right, row))
        case Not(of):
            found = value_of(of, row)
            return None if found is None else not found
        case IsIn(of, values):
            found = value_of(of, row)
            return None if found is None else found in values
        case IsMissing(of):
            return value_of(of, row) is None
        case Coalesce(args):
            return next((found for item in args if (found := value_of(item, row)) is not None), None)
        case Extreme(op, args):
            found = [value_of(item, row) for item in args]
            return None if None in found else (min if op == "least" else max)(found)
        case When(condition, then, otherwise):
            return value_of(then if value_of(condition, row) else otherwise, row)
        case DaysBetween(start, end):
            first, last = value_of(start, row), value_of(end, row)
            return None if first is None or last is None else (last - first).days
        case SchoolYearStart(of):
            text = value_of(of, row)
            return None if text is None else date(int(str(text)[:4]), 9, 1)
    raise TypeError(type(expr).__name__)


def _binary(op: str, a: Any, b: Any) -> Any:
    if op == "and":
        if (a is not None and not a) or (b is not None and not b):
            return False
        return None if a is None or b is None else True
    if op == "or":
        if a or b:
            return True
        return None if a is None or b is None else False
    if a is None or b is None:
        return None
    if op == "/":
        return None if b == 0 else a / b
    return {
        "+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "==": lambda: a == b, "!=": lambda: a != b,
        "<": lambda: a < b, "<=": lambda: a <= b, ">": lambda: a > b, ">=": lambda: a >= b,
    }[op]()  # fmt: skip


def exact(value: Any, decimals: int) -> int:
    """value × 10^decimals rounded half away from zero."""
    scaled = float(value) * 10.0**decimals
    return int(math.copysign(math.floor(abs(scaled) + 0.5), scaled))


def row_value(measure: Measure, row: Row) -> tuple[int | None, bool]:
    """(exact value or None, filter met)."""
    met = measure.where is None or bool(value_of(measure.where, row))
    if measure.distinct:
        return (None if row[measure.distinct] is None else 1), met
    if measure.value is None:
        return 1, met
    found = value_of(measure.value, row)
    if found is None:
        return None, met
    exactly = type_of(measure.value, measure.facts) != "decimal" and measure.places_kept == 0
    return (int(found) if exactly else exact(found, measure.places_kept)), met


def rows_in_time(measure: Measure, rows: Iterable[Row], period: Period) -> list[Row]:
    """The entries of one establishment that count for a period, whatever the filter."""
    dated = [(value_of(measure.date_expr, row), row) for row in rows]
    past = [(day, row) for day, row in dated if day is not None and day <= period.end]
    if measure.timing is Timing.FLOW:
        return [row for day, row in past if day >= period.start]
    if measure.timing is Timing.CUMULATIVE:
        return [row for _, row in past]
    return _last_observed(measure, past, period)


def _last_observed(measure: Measure, past: list[tuple[date, Row]], period: Period) -> list[Row]:
    net: dict[tuple[Any, ...], dict[date, int]] = defaultdict(lambda: defaultdict(int))

    def thing(row: Row) -> tuple[Any, ...]:
        return tuple(row[name] for name in measure.observed_per)

    for day, row in past:
        value, met = row_value(measure, row)
        if value is not None or not met:
            net[thing(row)][day] += row["sign"]
    last = {key: max((day for day, n in days.items() if n > 0), default=None) for key, days in net.items()}
    if measure.max_age_months is not None:
        oldest = period.last - measure.max_age_months
        last = {key: day if day and month_number(day) >= oldest else None for key, day in last.items()}
    return [row for day, row in past if last.get(thing(row)) == day]


def measured(measure: Measure, rows: Iterable[Row], period: Period) -> int | None:
    """Exact sum in one establishment (and category), None without data."""
    total = data = 0
    for row in rows_in_time(measure, rows, period):
        value, met = row_value(measure, row)
        if value is not None or (not met and measure.distinct is None):
            data += row["sign"]
        if value is None or not met:
            continue
        until = value_of(measure.until_expr, row) if measure.until_expr is not None else None
        if until is None or until > period.end:
            total += row["sign"] * value
    return total if data > 0 else None


def interpolated(values: Sequence[int], share: float, decimals: int) -> float | None:
    """Quantile of sorted values, linear interpolation (type 7)."""
    if not values:
        return None
    position = share * (len(values) - 1)
    low = math.floor(position)
    high = min(low + 1, len(values) - 1)
    return (values[low] + (values[high] - values[low]) * (position - low)) / 10.0**decimals
