"""The naive reference: every figure recomputed row by row in plain Python, for the conformance of engines.

Nothing is shared with the compiler nor with the arrays but the declarations: slow, obvious, and the judge.
"""

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
from essaim.engines.measures.indicator import Indicator, Kind, Measure, PerEstablishment, Quantity, Timing
from essaim.engines.measures.periods import Period, month_number
from essaim.engines.measures.periods import period as parse_period

Row = Mapping[str, Any]
UNKNOWN = "non renseigné"


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


def _row_value(measure: Measure, row: Row) -> tuple[int | None, bool]:
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
        value, met = _row_value(measure, row)
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
        value, met = _row_value(measure, row)
        if value is not None or (not met and measure.distinct is None):
            data += row["sign"]
        if value is None or not met:
            continue
        until = value_of(measure.until_expr, row) if measure.until_expr is not None else None
        if until is None or until > period.end:
            total += row["sign"] * value
    return total if data > 0 else None


class Reference:
    """Figures by brute force. ``facts``: table name → entries as dictionaries; ``hierarchies`` and ``attributes``: rows
    as dictionaries, as `figures` takes them in frames."""

    def __init__(
        self,
        facts: Mapping[str, Sequence[Row]],
        hierarchies: Sequence[Row],
        attributes: Sequence[Row] = (),
        known_at: int | None = None,
    ) -> None:
        self.facts = {
            name: [row for row in rows if known_at is None or row["submission"] <= known_at]
            for name, rows in facts.items()
        }
        self.hierarchies, self.attributes = hierarchies, attributes

    def members(self, level: str, period: Period) -> dict[str, set[str]]:
        """Establishments of each unit on the last day of the period."""
        found: dict[str, set[str]] = defaultdict(set)
        declared = any(row["level"] == level for row in self.hierarchies)
        for row in self.hierarchies:
            start, end = row.get("valid_from"), row.get("valid_to")
            if (start and start > period.end) or (end and end < period.end):
                continue
            if declared and row["level"] == level:
                found[row["unit"]].add(row["uai"])
            elif not declared:
                found["FR" if level == "national" else row["uai"]].add(row["uai"])
        return found

    def group(self, uai: str, names: Sequence[str], school_year: str) -> str:
        """Breakdown label of an establishment."""
        held = [row for row in self.attributes if row["uai"] == uai and row.get("school_year", "") <= school_year]
        last = max(held, key=lambda row: row.get("school_year", ""), default={})
        return " × ".join(str(last[name]) if last.get(name) is not None else UNKNOWN for name in names)

    def entries(self, measure: Measure, uai: str, by: Sequence[str], category: str | None) -> list[Row]:
        """Entries of one establishment, of one category when the table knows it."""
        kept = [name for name in by if measure.facts.has(name)]
        rows = [row for row in self.facts[measure.facts.name] if row[measure.facts.place] == uai]
        if not kept or category is None or measure.timing is Timing.LATEST:
            return rows
        return [row for row in rows if self.category(row, kept) == category]

    @staticmethod
    def category(row: Row, names: Sequence[str]) -> str:
        return " × ".join(str(row[name]) if row[name] is not None else UNKNOWN for name in names)

    def amount(
        self, quantity: Quantity, uai: str, period: Period, by: Sequence[str], category: str | None
    ) -> int | None:
        """Exact value of a quantity in one establishment."""
        if isinstance(quantity, PerEstablishment):
            return self._combined(quantity, uai, period, by, category)
        rows = self.entries(quantity, uai, by, category)
        kept = [name for name in by if quantity.facts.has(name)]
        if quantity.timing is Timing.LATEST and kept and category is not None:
            # What was last observed does not depend on the category looked at.
            rows = [row for row in rows_in_time(quantity, rows, period) if self.category(row, kept) == category]
        return measured(quantity, rows, period)

    def _combined(
        self, quantity: PerEstablishment, uai: str, period: Period, by: Sequence[str], category: str | None
    ) -> int | None:
        held: dict[str, float | None] = {}
        for item in quantity.inputs:
            found = self.amount(item, uai, period, by, category)
            held[item.code] = None if found is None else found / 10.0**item.places_kept
        if all(value is None for value in held.values()):
            return None
        result = value_of(quantity.value, held)
        return None if result is None else exact(result, quantity.decimals)

    def _sum(
        self,
        quantity: Quantity,
        schools: Iterable[str],
        period: Period,
        by: Sequence[str],
        category: str | None,
    ) -> float | None:
        known = [
            found for uai in schools if (found := self.amount(quantity, uai, period, by, category)) is not None
        ]
        return sum(known) / 10.0**quantity.places_kept if known else None

    def figure(
        self,
        indicator: Indicator,
        schools: set[str],
        period: Period,
        by: Sequence[str] = (),
        category: str | None = None,
    ) -> dict[str, float | None]:
        """One figure over a set of establishments."""
        assert indicator.numerator is not None
        data = {uai for uai in schools if self._has_data(indicator, uai, period, by, category)}
        bottom: float | None = None
        if indicator.denominator is not None:
            counted = data if indicator.over == "reporting" else schools
            bottom = self._sum(indicator.denominator, counted, period, by, category)
        top = self._top(indicator, schools, data, period, by, category)
        result = {"numerator": top, "denominator": bottom, "low": None, "high": None}
        if indicator.kind is Kind.QUANTILE:
            rows = self._row_values(indicator.numerator, schools, period, by, category)
            result |= {"numerator": None, "denominator": float(len(rows)) if data else None, "value": top}
        else:
            result["value"] = _divided(indicator, top, bottom)
        if indicator.proved is not None:
            sure = _divided(indicator, self._sum(indicator.proved, schools, period, by, category), bottom)
            ends = [item for item in (sure, result["value"]) if item is not None]
            result |= {"low": min(ends, default=None), "high": max(ends, default=None)}
        result["coverage"] = self._coverage(indicator, schools, data, period, by, category)
        return result

    def _has_data(
        self, indicator: Indicator, uai: str, period: Period, by: Sequence[str], category: str | None
    ) -> bool:
        """A quantile needs at least one row value; anything else, one row with data."""
        assert indicator.numerator is not None
        if indicator.kind is Kind.QUANTILE:
            return bool(self._row_values(indicator.numerator, {uai}, period, by, category))
        return self.amount(indicator.numerator, uai, period, by, category) is not None

    def _top(
        self,
        indicator: Indicator,
        schools: set[str],
        data: set[str],
        period: Period,
        by: Sequence[str],
        category: str | None,
    ) -> float | None:
        top = indicator.numerator
        assert top is not None
        if indicator.kind is Kind.QUANTILE or (isinstance(top, Measure) and top.distinct):
            if not data:
                return None
            found = self._row_values(top, schools, period, by, category)
            if indicator.kind is Kind.QUANTILE:
                return interpolated(found, indicator.quantile or 0.0, top.places_kept)
            return float(len(set(found)))
        return self._sum(top, schools, period, by, category)

    def _row_values(
        self, top: Quantity, schools: set[str], period: Period, by: Sequence[str], category: str | None
    ) -> list[Any]:
        """Net row values (quantile) or net distinct values, sorted."""
        assert isinstance(top, Measure)
        net: dict[Any, int] = defaultdict(int)
        for uai in schools:
            own: dict[Any, int] = defaultdict(int)
            for row in rows_in_time(top, self.entries(top, uai, by, category), period):
                value, met = _row_value(top, row)
                if value is not None and met:
                    own[row[top.distinct] if top.distinct else value] += row["sign"]
            for key, count in own.items():
                net[key] += count
        return sorted((key for key, n in net.items() for _ in range(max(n, 0))), key=lambda item: (str(type(item)), item))

    def _coverage(
        self,
        indicator: Indicator,
        schools: set[str],
        data: set[str],
        period: Period,
        by: Sequence[str],
        category: str | None,
    ) -> float | None:
        rule = indicator.coverage
        concerned = schools
        if rule.concerned is not None:
            concerned = {
                uai for uai in schools if (self.amount(rule.concerned, uai, period, by, category) or 0) > 0
            }
        if rule.counts == "both" and indicator.denominator is not None:
            bottom = indicator.denominator
            data = {uai for uai in data if self.amount(bottom, uai, period, by, category) is not None}
        return len(data & concerned) / len(concerned) if concerned else None

    def rows(
        self,
        indicator: Indicator,
        *,
        level: str,
        period: str,
        by: Sequence[str] = (),
        attributes: Sequence[str] = (),
    ) -> list[dict[str, Any]]:
        """Every figure of a level: ``by`` fact columns, ``attributes`` attribute columns."""
        wanted = parse_period(period)
        if indicator.kind is Kind.GAP:
            return self._gap_rows(indicator, level, period, attributes)
        found = []
        for unit, schools in sorted(self.members(level, wanted).items()):
            groups: dict[str, set[str]] = defaultdict(set)
            for uai in schools:
                groups[self.group(uai, attributes, wanted.school_year)].add(uai)
            for label, members in sorted(groups.items()):
                for category in self._categories(indicator, members, wanted, by):
                    text = " × ".join(part for part in (label, category) if part)
                    held = self.figure(indicator, members, wanted, by, category)
                    found.append({"unit": unit, "period": period, "breakdown": text, **held})
        return found

    def _categories(
        self, indicator: Indicator, schools: set[str], period: Period, by: Sequence[str]
    ) -> Sequence[str | None]:
        if not by:
            return [None]
        found: set[str] = set()
        for quantity in (indicator.numerator, indicator.denominator):
            tables = [item for item in (quantity.measures if quantity else ()) if item.facts.has(by[0])]
            for measure in tables:
                kept = [name for name in by if measure.facts.has(name)]
                names = {self.category(row, kept) for row in self.facts[measure.facts.name]}
                assert quantity is not None
                for name in names:
                    if any(self._speaks(indicator, quantity, uai, period, by, name) for uai in schools):
                        found.add(name)
        return sorted(found)

    def _speaks(
        self, indicator: Indicator, quantity: Quantity, uai: str, period: Period, by: Sequence[str], name: str
    ) -> bool:
        if quantity is indicator.numerator:
            return self._has_data(indicator, uai, period, by, name)
        return self.amount(quantity, uai, period, by, name) is not None

    def _gap_rows(
        self, indicator: Indicator, level: str, period: str, attributes: Sequence[str]
    ) -> list[dict[str, Any]]:
        assert indicator.of is not None
        inner = self.rows(indicator.of, level=level, period=period, attributes=(*attributes, indicator.gap_by))
        held: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
        for row in inner:
            *outer, group = row["breakdown"].split(" × ")
            held[row["unit"], " × ".join(outer)][group] = row
        found = []
        for (unit, label), groups in sorted(held.items()):
            a, b = (groups.get(name, {}).get("value") for name in indicator.gap_groups)
            shares = [groups[name]["coverage"] for name in indicator.gap_groups if name in groups]
            shares = [item for item in shares if item is not None]
            found.append({
                "unit": unit, "period": period, "breakdown": label, "numerator": a, "denominator": b,
                "value": None if a is None or b is None else a - b, "low": None, "high": None,
                "coverage": min(shares, default=None),
            })  # fmt: skip
        return found


def _divided(indicator: Indicator, top: float | None, bottom: float | None) -> float | None:
    if indicator.denominator is None:
        return None if top is None else top * indicator.scale
    if top is None or not bottom:
        return None
    return top * indicator.scale / bottom


def interpolated(values: Sequence[int], share: float, decimals: int) -> float | None:
    """Quantile of sorted values, linear interpolation (type 7)."""
    if not values:
        return None
    position = share * (len(values) - 1)
    low = math.floor(position)
    high = min(low + 1, len(values) - 1)
    return (values[low] + (values[high] - values[low]) * (position - low)) / 10.0**decimals
