"""From declared measures to Ibis: one grouped scan per fact table and date, the same text for DuckDB and Spark.

The scan gives *cells*: additive sums per establishment and month. Values are exact integers (value × 10^decimals,
rounded half away from zero on each row), so that sums do not depend on order nor on the engine.

Ibis weighs some 30 MB with its SQL parser: it is loaded by what scans, not by who only reads cells already made.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    children,
    column_names,
)
from essaim.engines.measures.facts import FactTable
from essaim.engines.measures.indicator import Measure, Timing

if TYPE_CHECKING:
    import ibis.expr.types as ir

OPERATORS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "and": operator.and_,
    "or": operator.or_,
}


def to_ibis(expr: Expr, table: ir.Table, facts: FactTable) -> ir.Value:
    """``expr`` on ``table``. Decimals are computed as float64, dates as dates."""
    import ibis

    down = functools.partial(to_ibis, table=table, facts=facts)
    match expr:
        case Column(name):
            return _column(table, facts, name)
        case Literal(value):
            return ibis.null() if value is None else ibis.literal(value)
        case Binary("/", left, right):
            return down(left).cast("float64") / down(right).cast("float64").nullif(0)
        case Binary(op, left, right):
            return OPERATORS[op](down(left), down(right))
        case Not(of):
            return ~down(of)
        case IsIn(of, values):
            return down(of).isin(list(values))
        case IsMissing(of):
            return down(of).isnull()
        case Coalesce(args):
            return ibis.coalesce(*(down(item) for item in args))
        case Extreme(op, args):
            return _extreme(op, [down(item) for item in args])
        case When(condition, then, otherwise):
            return ibis.ifelse(down(condition).fill_null(False), down(then), down(otherwise))
        case DaysBetween(start, end):
            return down(end).epoch_days() - down(start).epoch_days()
        case SchoolYearStart(of):
            return ibis.date(down(of).cast("string").substr(0, 4).cast("int32"), 9, 1)
    raise TypeError(type(expr).__name__)


_CASTS = {"integer": "int64", "decimal": "float64", "date": "date", "boolean": "boolean"}


def _column(table: ir.Table, facts: FactTable, name: str) -> ir.Value:
    wanted = _CASTS.get(facts.column(name).type, "string")
    held = table[name]
    return held if str(held.type()).lstrip("!") == wanted else held.cast(wanted)


def _extreme(op: str, values: list[ir.Value]) -> ir.Value:
    import ibis

    missing = functools.reduce(operator.or_, (item.isnull() for item in values))
    found = ibis.least(*values) if op == "least" else ibis.greatest(*values)
    return ibis.ifelse(missing, ibis.null(), found)


@dataclass(frozen=True, slots=True)
class Bundle:
    """Measures that one grouped scan computes together: same table, same event date, same extra keys.

    ``sign`` is −1 for the events that end a measure declared with ``until``. ``by``: fact columns kept apart.
    ``rows``: also keep apart the row value (quantiles).
    """

    facts: FactTable
    event: Expr
    measures: tuple[Measure, ...]
    sign: int
    by: tuple[str, ...]
    per: tuple[str, ...]
    distinct: str | None
    rows: bool
    latest: bool

    @property
    def columns(self) -> frozenset[str]:
        """The columns that its measures add or count."""
        values = [column_names(item.value) for item in self.measures if item.value is not None]
        return frozenset().union(*values, {self.distinct} if self.distinct else ())


def bundles(measures: Iterable[Measure], by: Sequence[str], quantiles: frozenset[Measure]) -> tuple[Bundle, ...]:
    """The scans needed for ``measures``; ``quantiles``: those whose row values are needed."""
    groups: dict[tuple[object, ...], list[Measure]] = {}
    for item in measures:
        kept = tuple(name for name in by if item.facts.has(name))
        latest = item.timing is Timing.LATEST
        rows = item in quantiles
        alone = item if rows or item.until is not None else None
        key = (item.facts, item.date_expr, 1, kept, item.observed_per, item.distinct, rows, latest, alone)
        groups.setdefault(key, []).append(item)
        if item.until_expr is not None:
            groups[(item.facts, _end_of(item), -1, kept, (), None, False, False, item)] = [item]
    return tuple(
        Bundle(key[0], key[1], tuple(found), key[2], *key[3:8])  # type: ignore[arg-type]
        for key, found in groups.items()
    )


def _end_of(measure: Measure) -> Expr:
    """When a measure stops counting: never before it began; null when it has not stopped."""
    assert measure.until_expr is not None
    return Extreme("greatest", (measure.date_expr, measure.until_expr))


def scan(bundle: Bundle, table: ir.Table, known_at: int | None, whole: frozenset[str] = frozenset()) -> ir.Table:
    """The grouped scan of a bundle: columns ``uai``, ``when`` (month number, or date for observations), ``by``,
    ``part`` (what is observed, or the distinct value), ``at`` (row value of quantiles), then ``v0 n0 v1 n1…``:
    Σ sign × value over the rows that meet the filter, and Σ sign of the rows that have data. ``whole``: columns known to
    have a value in every row; measures that read no other are then counted together."""
    facts = bundle.facts
    if known_at is not None:
        table = table.filter(table["submission"] <= known_at)
    event = to_ibis(bundle.event, table, facts)
    table = table.filter(event.notnull())
    event = to_ibis(bundle.event, table, facts)
    keys: dict[str, ir.Value] = {"uai": table[facts.place].cast("string").fill_null("")}
    keys["when"] = event if bundle.latest else (event.year() * 12 + event.month() - 1).cast("int32")
    if bundle.by:
        keys["by"] = joined(table, bundle.by)
    parts = (bundle.distinct,) if bundle.distinct else bundle.per
    if parts:
        keys["part"] = joined(table, parts)
    if bundle.rows:
        value, met, _ = row_value(bundle.measures[0], table)
        keys["at"] = value
        kept = table.filter(met & value.notnull())
        return kept.group_by(**keys).aggregate(**_sums(bundle, kept, whole))
    return table.group_by(**keys).aggregate(**_sums(bundle, table, whole))


def joined(table: ir.Table, names: Sequence[str]) -> ir.Value:
    texts = [table[name].cast("string").fill_null("") for name in names]
    return functools.reduce(lambda left, right: left + "\x1f" + right, texts)


def row_value(measure: Measure, table: ir.Table) -> tuple[ir.Value, ir.Value, ir.Value]:
    """(exact integer value, filter met, row has data) of one measure on each row."""
    import ibis

    facts = measure.facts
    met = ibis.literal(True)
    if measure.where is not None:
        met = to_ibis(measure.where, table, facts).fill_null(False)
    if measure.distinct:
        known = table[measure.distinct].notnull()
        return ibis.literal(1, "int64"), met & known, known
    if measure.value is None:
        return ibis.literal(1, "int64"), met, ibis.literal(True)
    value = to_ibis(measure.value, table, facts)
    has_data = value.notnull() | ~met if measure.where is not None else value.notnull()
    kind = type_of(measure.value, facts)
    if kind == "decimal" or measure.places_kept:
        value = (value.cast("float64") * float(10**measure.places_kept)).round()
    return value.cast("int64"), met, has_data


def _sums(bundle: Bundle, table: ir.Table, whole: frozenset[str]) -> dict[str, ir.Value]:
    import ibis

    sign = table["sign"].cast("int64")
    found: dict[str, ir.Value] = {}
    for index, item in enumerate(bundle.measures):
        value, met, has_data = row_value(item, table)
        signed = sign if bundle.rows or item.value is None or item.distinct else sign * value
        if item.where is not None or item.distinct:
            signed = ibis.ifelse(met, signed, 0)
        found[f"v{index}"] = _total(-signed if bundle.sign < 0 else signed)
        if bundle.sign > 0:
            found[f"n{index}"] = _total(sign if has_always_data(item, whole) else ibis.ifelse(has_data, sign, 0))
    return found


def _total(values: ir.Value) -> ir.Value:
    """The sum of integers. Engines add integers in 128 bits, at twice the price; as floats they are exact below 2^53."""
    return values.cast("float64").sum().fill_null(0).cast("int64")


def has_always_data(measure: Measure, whole: frozenset[str]) -> bool:
    """Whether every row has data for a measure."""
    if measure.distinct:
        return measure.distinct in whole
    return measure.value is None or (column_names(measure.value) <= whole and _is_filled(measure.value))


def _is_filled(expr: Expr) -> bool:
    """Whether an expression has a value as soon as its columns have one."""
    match expr:
        case Binary("/", _, _) | SchoolYearStart() | Literal(None):
            return False
        case _:
            return all(_is_filled(part) for part in children(expr))
