"""The naive reference: every figure recomputed row by row in plain Python, for the conformance of engines.

Nothing is shared with the compiler nor with the arrays but the declarations: slow, obvious, and the judge.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from essaim.engines.measures.indicator import Indicator, Kind, Measure, PerEstablishment, Quantity, Timing
from essaim.engines.measures.naive import (
    Row,
    exact,
    interpolated,
    measured,
    row_value,
    rows_in_time,
    value_of,
)
from essaim.engines.measures.periods import Period
from essaim.engines.measures.periods import period as parse_period

UNKNOWN = "non renseigné"


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
            if sure is None and result["value"] is not None:
                sure = 0.0
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
                value, met = row_value(top, row)
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
        told = [
            item for quantity in (indicator.numerator, indicator.denominator) for item in (quantity.measures if quantity else ())
            if all(item.facts.has(name) for name in by)
        ]
        possible = {
            self.category(row, by) for measure in told for row in self.facts[measure.facts.name]
            if measure.admits({name: row[name] if row[name] is not None else "" for name in by})
        }  # what every filter excludes is no group
        for quantity in (indicator.numerator, indicator.denominator):
            tables = [item for item in (quantity.measures if quantity else ()) if item.facts.has(by[0])]
            for measure in tables:
                kept = [name for name in by if measure.facts.has(name)]
                names = {self.category(row, kept) for row in self.facts[measure.facts.name]}
                assert quantity is not None
                for name in names:
                    if (not told or name in possible) and any(self._speaks(indicator, quantity, uai, period, by, name) for uai in schools):
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
