"""From values per establishment to the rows of figures: ratios, intervals, coverage, breakdown labels, gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from essaim.engines.measures.arrays import Axes, Values
from essaim.engines.measures.cells import Cells, narrowed
from essaim.engines.measures.coding import seated
from essaim.engines.measures.facts import IndicatorRefused
from essaim.engines.measures.hierarchies import UNKNOWN_GROUP
from essaim.engines.measures.indicator import Indicator, Kind, Quantity
from essaim.engines.measures.nesting import told_by
from essaim.engines.measures.periods import Period
from essaim.engines.measures.places import Places
from essaim.engines.measures.rollup import (
    Groups,
    Totals,
    category_labels,
    distribution,
    grouped,
    is_distribution,
    run_sums,
    totals,
    values_of,
)

SCHEMA = {
    "indicator": pl.String,
    "version": pl.Int64,
    "level": pl.String,
    "unit": pl.String,
    "period": pl.String,
    "breakdown": pl.String,
    "numerator": pl.Float64,
    "denominator": pl.Float64,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "coverage": pl.Float64,
    "suppressed": pl.Boolean,
    "fingerprint": pl.String,
}
NUMBERS = ("numerator", "denominator", "value", "low", "high", "coverage")


@dataclass(frozen=True, slots=True)
class Scope:
    """Where figures are asked: level, hierarchy, breakdown, register."""

    level: str
    hierarchy: str | None
    by: tuple[str, ...]
    places: Places

    @property
    def named(self) -> tuple[str, ...]:
        """The breakdowns that are attributes of establishments; an attribute wins over a fact column of the same name."""
        return tuple(name for name in self.by if name in self.places.attributes.columns)


@dataclass(frozen=True, slots=True)
class Workspace:
    """Values per establishment, computed once and rolled up along as many levels and breakdowns as asked."""

    held: Cells
    axes: Axes
    memory: dict[Quantity, Values] = field(default_factory=dict)
    groups: dict[tuple[str, str | None, tuple[str, ...]], Groups] = field(default_factory=dict)


def workspace(
    asked: Sequence[Indicator], held: Cells, places: Places, periods: Sequence[Period], only: np.ndarray | None = None
) -> Workspace:
    """An empty workspace for ``periods``; ``only``: positions of the establishments that matter, all when None."""
    seats, positions = places.seats, np.arange(len(places.schools))
    if only is not None:
        seats, positions = seated(seats.schools.gather(only)), only
        held = narrowed(held, [part for item in asked for part in item.measures], seats.schools)
    last = max(item.last for item in periods)
    apart = any(has_categories(item.numerator, held) or has_categories(item.denominator, held) for item in asked)
    return Workspace(held, Axes(seats, positions, category_labels(asked, held, last), tuple(periods), apart))


def compute(asked: Sequence[Indicator], scope: Scope, space: Workspace) -> pl.DataFrame:
    """Figures without secrecy nor fingerprints, as a frame of `SCHEMA`: indicators in the order asked, then unit, period in the
    order of the workspace, breakdown."""
    parts: list[pl.DataFrame] = []
    plain: list[Indicator] = []
    for item in asked:
        if item.kind is Kind.GAP:
            parts += [_plain(plain, space, scope), _gap(item, space, scope)]
            plain = []
        else:
            plain.append(item)
    return pl.concat([*parts, _plain(plain, space, scope)])


@dataclass(frozen=True, slots=True)
class _Layout:
    """Rows in the order shown: positions of unit, period and label, and the place of each in the flattened arrays."""

    unit: np.ndarray
    period: np.ndarray
    label: np.ndarray
    flat: np.ndarray


def _laid_out(keep: np.ndarray, groups: Groups, ranks: np.ndarray, made: dict[tuple[int, ...], _Layout]) -> _Layout:
    """The rows kept, sorted; arrays kept whole share one layout."""
    whole = bool(keep.all())
    if whole and keep.shape in made:
        return made[keep.shape]
    run, category, period = np.nonzero(keep)
    unit, label = groups.keys[run, 0], ranks[groups.keys[run, 1], category]
    order = np.lexsort((label, period, unit))
    flat = np.ravel_multi_index((run, category, period), keep.shape)[order]
    found = _Layout(unit[order], period[order], label[order], flat)
    if whole:
        made[keep.shape] = found
    return found


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of one indicator: where they are, and their numbers (None: missing in every row)."""

    item: Indicator
    layout: _Layout
    numbers: tuple[np.ndarray | None, ...]


def _plain(asked: Sequence[Indicator], space: Workspace, scope: Scope) -> pl.DataFrame:
    """Figures of indicators other than gaps."""
    if not asked:
        return pl.DataFrame(schema=SCHEMA)
    for item in asked:
        values_of(item, space.held, space.axes, space.memory)
    groups = groups_of(scope, space)
    sums: dict[Quantity, Totals] = {}
    texts, ranks = _labels(scope, groups, space.axes)
    made: dict[tuple[int, ...], _Layout] = {}
    names = tuple(name for name in scope.by if name not in scope.named)
    found = [_rows(item, names, space, groups, sums, ranks, made) for item in asked]
    return _framed(found, scope, groups, space.axes, texts)


def groups_of(scope: Scope, space: Workspace) -> Groups:
    """The establishments of a scope by unit and group: a roll-up asked after a finer one adds what that one summed."""
    key = (scope.level, scope.hierarchy, scope.named)
    if key not in space.groups:
        level = scope.places.level(scope.level, scope.hierarchy)
        made = grouped(scope.places, level, scope.named, space.axes)
        space.groups[key] = told_by(made, tuple(space.groups.values()))
    return space.groups[key]


def _rows(
    item: Indicator,
    names: Sequence[str],
    space: Workspace,
    groups: Groups,
    sums: dict[Quantity, Totals],
    ranks: np.ndarray,
    made: dict[tuple[int, ...], _Layout],
) -> _Rows:
    assert item.numerator is not None
    own = space.memory[item.numerator]
    if is_distribution(item):
        top = distribution(item, space.held, space.axes, own, groups)
    else:
        top = _total(item.numerator, space, groups, sums)
    bottom = None
    if item.denominator is not None:
        bottom = _bottom(item, space, groups, sums)
    value, numerator, denominator = _ratio(item, top, bottom)
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    shape = value.shape
    if item.proved is not None:
        sure = _ratio(item, _total(item.proved, space, groups, sums), bottom)[0]
        # What was declared and never confirmed is proved for nothing, not for everything.
        sure = np.where(np.isnan(sure) & ~np.isnan(value), 0.0, sure)
        low, high = np.fmin(sure, value), np.fmax(sure, value)
        shape = np.broadcast_shapes(shape, low.shape)
    coverage = _coverage(item, space, groups, shape, top)
    keep = _kept_rows(item, space, (top, bottom), groups, shape)
    if names and keep.shape[1] == len(space.axes.categories):
        keep = keep & _admitted(item, names, space.axes)[:, None]
    layout = _laid_out(keep, groups, ranks, made)
    numbers = (numerator, denominator, value, low, high, coverage)
    laid = (held if held is None else np.broadcast_to(held, shape).ravel()[layout.flat] for held in numbers)
    return _Rows(item, layout, tuple(laid))


def _total(quantity: Quantity, space: Workspace, groups: Groups, sums: dict[Quantity, Totals]) -> Totals:
    if quantity not in sums:
        sums[quantity] = totals(quantity, space.memory[quantity], groups, len(space.axes.positions))
    return sums[quantity]


def _bottom(item: Indicator, space: Workspace, groups: Groups, sums: dict[Quantity, Totals]) -> Totals:
    assert item.denominator is not None and item.numerator is not None
    if item.over != "reporting":
        return _total(item.denominator, space, groups, sums)
    held = space.memory[item.denominator]
    kept = _data_at(space.memory[item.numerator], held.rows)
    size = len(space.axes.positions)
    if kept.shape[1] > held.data.shape[1]:
        held = Values(held.rows, *(np.broadcast_to(part, kept.shape) for part in (held.value, held.data)))
    return totals(item.denominator, held, groups, size, (item.numerator, kept))


def _data_at(held: Values, rows: np.ndarray) -> np.ndarray:
    """Whether the establishments ``rows`` have data."""
    found = np.zeros((len(rows), *held.data.shape[1:]), dtype=bool)
    _, here, there = np.intersect1d(rows, held.rows, assume_unique=True, return_indices=True)
    found[here] = held.data[there]
    return found


def _ratio(item: Indicator, top: Totals, bottom: Totals | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(value, numerator, denominator); NaN stands for missing."""
    if bottom is None:
        if item.kind is Kind.QUANTILE:
            assert top.rows is not None
            return top.value, np.full_like(top.value, np.nan), np.where(top.data > 0, top.rows, np.nan)
        return top.value * item.scale, top.value, np.full_like(top.value, np.nan)
    shape = np.broadcast_shapes(top.value.shape, bottom.value.shape)
    numerator, denominator = np.broadcast_to(top.value, shape), np.broadcast_to(bottom.value, shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(denominator == 0, np.nan, numerator * item.scale / denominator)
    return value, numerator, denominator


def _coverage(item: Indicator, space: Workspace, groups: Groups, shape: tuple[int, ...], top: Totals) -> np.ndarray:
    """Concerned establishments with data over concerned ones; NaN when none is concerned."""
    assert item.numerator is not None
    own, size = space.memory[item.numerator], len(space.axes.positions)
    data, rows = own.data, own.rows
    if item.coverage.counts == "both" and item.denominator is not None:
        data = data & _data_at(space.memory[item.denominator], rows)
    if item.coverage.concerned is None:
        concerned = np.broadcast_to(groups.size[:, None, :], shape)
    else:
        held = space.memory[item.coverage.concerned]
        mask = held.data & (held.value > 0)
        data, rows = _data_at(own, held.rows) & mask, held.rows
        concerned = run_sums(("concerned", item.coverage.concerned), mask, rows, groups, size)
        if item.coverage.counts == "both" and item.denominator is not None:
            data = data & _data_at(space.memory[item.denominator], rows)
    name = ("known", item.numerator, item.denominator, item.coverage)
    known = top.data if data is own.data else run_sums(name, data, rows, groups, size)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.broadcast_to(np.where(concerned == 0, np.nan, known / concerned), shape)


def _kept_rows(
    item: Indicator, space: Workspace, totals_: tuple[Totals, Totals | None], groups: Groups, shape: tuple[int, ...]
) -> np.ndarray:
    """Every row of a unit that exists; with categories, those that the numerator or a categorised denominator speaks of."""
    exists = np.broadcast_to(groups.size[:, None, :] > 0, shape)
    parts = zip((item.numerator, item.denominator), totals_, strict=True)
    spoken = [held.data > 0 for quantity, held in parts if held is not None and has_categories(quantity, space.held)]
    if not spoken:
        return exists
    return np.logical_or.reduce([np.broadcast_to(found, shape) for found in spoken]) & exists


def _admitted(item: Indicator, names: Sequence[str], axes: Axes) -> np.ndarray:
    """Which categories may be counted at all: one that the filter of every measure excludes is no group of the indicator, rather than
    a group worth zero (« screens » of an indicator that counts tablets)."""
    measures = [measure for quantity in (item.numerator, item.denominator) if quantity is not None for measure in quantity.measures]
    told = [measure for measure in measures if all(measure.facts.has(name) for name in names)]
    texts = [dict(zip(names, text.split("\x1f"), strict=False)) for text in axes.categories]
    return np.array([not told or any(measure.admits(text) for measure in told) for text in texts], dtype=bool)


def has_categories(quantity: Quantity | None, held: Cells) -> bool:
    """Whether the cells of a quantity are kept apart by category."""
    return quantity is not None and any("by" in held.frames[item][0].columns for item in quantity.measures)


def _labels(scope: Scope, groups: Groups, axes: Axes) -> tuple[list[str], np.ndarray]:
    """Breakdown texts, sorted, and the rank of each (attribute label, category): attributes, then fact columns, joined by « × »."""
    whole = not axes.has_categories
    shown = ["" if whole else " × ".join(part or UNKNOWN_GROUP for part in text.split("\x1f")) for text in axes.categories]
    joint = " × " if scope.named and not whole else ""
    made = [[label + joint + text for text in shown] for label in groups.labels]
    texts = sorted({text for line in made for text in line})
    rank = {text: index for index, text in enumerate(texts)}
    width = max(len(shown), 1)
    return texts, np.array([[rank[text] for text in line] for line in made], dtype=np.int64).reshape(len(made), width if shown else 0)


def _framed(found: Sequence[_Rows], scope: Scope, groups: Groups, axes: Axes, texts: list[str]) -> pl.DataFrame:
    """The rows of every indicator, one piece each: those laid out alike share their units, periods and labels."""
    shared: dict[int, dict[str, pl.Series]] = {}
    names = {
        "unit": pl.Series(groups.units, dtype=pl.String),
        "period": pl.Series([item.code for item in axes.periods], dtype=pl.String),
        "breakdown": pl.Series(texts, dtype=pl.String),
    }
    parts = []
    for item in found:
        layout, size = item.layout, len(item.layout.unit)
        if id(layout) not in shared:
            places = zip(names.items(), (layout.unit, layout.period, layout.label), strict=True)
            shared[id(layout)] = {name: held.gather(at) for (name, held), at in places}
            shared[id(layout)] |= {
                "level": _constant(scope.level, pl.String(), size),
                "suppressed": _constant(False, pl.Boolean(), size),
                "fingerprint": _constant("", pl.String(), size),
                "": _constant(None, pl.Float64(), size),
            }
        columns = shared[id(layout)] | {
            "indicator": _constant(item.item.code, pl.String(), size),
            "version": _constant(item.item.version, pl.Int64(), size),
        }
        for name, held in zip(NUMBERS, item.numbers, strict=True):
            columns[name] = columns[""] if held is None else pl.Series(held, dtype=pl.Float64, nan_to_null=True)
        parts.append(pl.DataFrame([columns[name].alias(name) for name in SCHEMA]))
    return pl.concat(parts, rechunk=False)


def _constant(value: object, kind: pl.DataType, size: int) -> pl.Series:
    return pl.Series([value], dtype=kind).new_from_index(0, size)


def _gap(item: Indicator, space: Workspace, scope: Scope) -> pl.DataFrame:
    """Value in the first group minus value in the last one; numerator and denominator are the two values."""
    assert item.of is not None
    columns = scope.places.attributes.columns
    if any(name not in columns for name in scope.by):
        raise IndicatorRefused(
            "ventilation-refusee", f"L'écart « {item.code} » ne se ventile pas par une colonne des faits."
        )
    if item.gap_by not in columns:
        raise IndicatorRefused("ventilation-refusee", f"Aucune donnée ne porte la ventilation « {item.gap_by} ».")
    table = _plain((item.of,), space, Scope(scope.level, scope.hierarchy, (*scope.by, item.gap_by), scope.places))
    split = pl.col("breakdown").str.split(" × ")
    table = table.with_columns(
        split.list.last().alias("_group"), split.list.head(split.list.len() - 1).list.join(" × ").alias("breakdown")
    )
    keys = ["level", "unit", "period", "breakdown"]
    first, last = (
        table.filter(pl.col("_group") == name).select(*keys, "value", "coverage") for name in item.gap_groups
    )
    joined = table.select(keys).unique(maintain_order=True)
    joined = joined.join(first, on=keys, how="left", maintain_order="left")
    joined = joined.join(last, on=keys, how="left", suffix="_b", maintain_order="left")
    ranks = {period.code: index for index, period in enumerate(space.axes.periods)}
    missing = pl.lit(None, pl.Float64)
    found = joined.select(
        pl.lit(item.code).alias("indicator"),
        pl.lit(item.version, pl.Int64).alias("version"),
        *keys,
        pl.col("value").alias("numerator"),
        pl.col("value_b").alias("denominator"),
        (pl.col("value") - pl.col("value_b")).alias("value"),
        missing.alias("low"),
        missing.alias("high"),
        pl.min_horizontal("coverage", "coverage_b").alias("coverage"),
        pl.lit(False).alias("suppressed"),
        pl.lit("").alias("fingerprint"),
    )
    return found.sort("unit", pl.col("period").replace_strict(ranks, return_dtype=pl.Int64), "breakdown")
