"""From values per establishment to the rows of figures: ratios, intervals, coverage, breakdown labels, gaps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from essaim.engines.measures.arrays import Axes, Values
from essaim.engines.measures.cells import Cells
from essaim.engines.measures.facts import IndicatorRefused
from essaim.engines.measures.hierarchies import (
    UNKNOWN_GROUP,
    Membership,
    group_codes,
    memberships,
)
from essaim.engines.measures.indicator import Indicator, Kind, Quantity
from essaim.engines.measures.periods import periods as parse_periods
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


@dataclass(frozen=True, slots=True)
class Scope:
    """Where figures are asked: level, hierarchy, breakdown, attributes. Built by `figures`."""

    level: str
    hierarchy: str | None
    by: tuple[str, ...]
    frame: pl.DataFrame
    attributes: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Workspace:
    """Values per establishment, computed once and rolled up along as many levels and breakdowns as asked."""

    held: Cells
    axes: Axes
    memory: dict[Quantity, Values]
    members: dict[tuple[str, str | None], tuple[Membership, ...]] = field(default_factory=dict)
    codes: dict[tuple[tuple[str, ...], str], tuple[np.ndarray, tuple[str, ...]]] = field(default_factory=dict)


def workspace(asked: Sequence[Indicator], held: Cells, scope: Scope, period: str | Sequence[str]) -> Workspace:
    """An empty workspace for ``period``; the scope only says which establishments exist."""
    return Workspace(held, _axes(asked, held, scope, parse_periods(period)), {})


def compute(
    asked: Sequence[Indicator],
    held: Cells,
    scope: Scope,
    period: str | Sequence[str],
    space: Workspace | None = None,
) -> pl.DataFrame:
    """Figures without secrecy nor fingerprints, as a frame of `SCHEMA`."""
    space = space or workspace(asked, held, scope, period)
    wanted = space.axes.periods
    plain = tuple(item for item in asked if item.kind is not Kind.GAP)
    parts: list[pl.DataFrame] = []
    if plain:
        parts.extend(_plain(plain, space, scope))
    for item in asked:
        if item.kind is Kind.GAP:
            parts.append(_gap(item, space, scope))
    table = pl.concat(parts) if parts else pl.DataFrame(schema=SCHEMA)
    ranks = (
        ("indicator", [item.code for item in asked]),
        ("unit", table["unit"].unique().sort().to_list()),
        ("period", [item.code for item in wanted]),
        ("breakdown", table["breakdown"].unique().sort().to_list()),
    )
    # Sorting by position costs a fraction of sorting texts.
    order = [pl.col(name).cast(pl.Enum(names)).to_physical() for name, names in ranks]
    return table.sort(order)


def _axes(asked: Sequence[Indicator], held: Cells, scope: Scope, wanted: Sequence[object]) -> Axes:
    found = [scope.frame["uai"].cast(pl.String)]
    if scope.level == "establishment" or not scope.frame.height:
        found.extend(layer["uai"] for layers in held.frames.values() for layer in layers)
    schools = pl.concat(found).drop_nulls().unique().sort().rename("uai")
    schools = schools.filter(schools != "")
    last = max(item.last for item in wanted)  # type: ignore[attr-defined]
    return Axes(schools, category_labels(asked, held, last), tuple(wanted))  # type: ignore[arg-type]


def _plain(asked: Sequence[Indicator], space: Workspace, scope: Scope) -> Iterator[pl.DataFrame]:
    for item in asked:
        values_of(item, space.held, space.axes, space.memory)
    for groups in _groups(scope, space):
        sums: dict[tuple[Quantity, bool], Totals] = {}
        for item in asked:
            yield _rows(item, space.held, space.axes, groups, space.memory, sums, scope)


def _groups(scope: Scope, space: Workspace) -> Iterator[Groups]:
    axes = space.axes
    names = [name for name in scope.by if name in scope.attributes.columns]
    dated = bool(names) and "school_year" in scope.attributes.columns
    place = (scope.level, scope.hierarchy)
    if place not in space.members:
        space.members[place] = memberships(scope.frame, scope.level, scope.hierarchy, axes.periods, axes.schools)
    for member in space.members[place]:
        years: dict[str, list[int]] = {}
        for index in member.periods:
            years.setdefault(axes.periods[index].school_year if dated else "", []).append(index)
        for year, positions in years.items():
            key = (tuple(names), year)
            if key not in space.codes:
                space.codes[key] = group_codes(scope.attributes, names, year, axes.schools)
            codes, labels = space.codes[key]
            yield grouped(member, positions, codes, labels)


def _rows(
    item: Indicator,
    held: Cells,
    axes: Axes,
    groups: Groups,
    memory: dict[Quantity, Values],
    sums: dict[tuple[Quantity, bool], Totals],
    scope: Scope,
) -> pl.DataFrame:
    assert item.numerator is not None
    own = memory[item.numerator]
    if is_distribution(item):
        top = distribution(item, held, axes, own, groups)
    else:
        top = _total(item.numerator, memory, groups, sums)
    bottom = None
    if item.denominator is not None:
        kept = own.data if item.over == "reporting" else None
        bottom = _total(item.denominator, memory, groups, sums, kept)
    value, numerator, denominator = _ratio(item, top, bottom)
    low = high = np.full_like(value, np.nan)
    if item.proved is not None:
        sure = _ratio(item, _total(item.proved, memory, groups, sums), bottom)[0]
        # What was declared and never confirmed is proved for nothing, not for everything.
        sure = np.where(np.isnan(sure) & ~np.isnan(value), 0.0, sure)
        low, high = np.fmin(sure, value), np.fmax(sure, value)
    coverage = _coverage(item, memory, groups, value.shape, top)
    keep = _kept_rows(item, top, bottom, memory, value.shape)
    return _table(item, scope, axes, groups, (numerator, denominator, value, low, high, coverage), keep)


def _total(
    quantity: Quantity,
    memory: dict[Quantity, Values],
    groups: Groups,
    sums: dict[tuple[Quantity, bool], Totals],
    kept: np.ndarray | None = None,
) -> Totals:
    if kept is not None:
        return totals(quantity, memory[quantity], groups, kept)
    key = (quantity, False)
    if key not in sums:
        sums[key] = totals(quantity, memory[quantity], groups)
    return sums[key]


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


def _coverage(
    item: Indicator, memory: dict[Quantity, Values], groups: Groups, shape: tuple[int, ...], top: Totals
) -> np.ndarray:
    """Concerned establishments with data over concerned ones; NaN when none is concerned."""
    assert item.numerator is not None
    data = memory[item.numerator].data
    if item.coverage.counts == "both" and item.denominator is not None:
        data = data & memory[item.denominator].data
    if item.coverage.concerned is None:
        size = np.diff(np.r_[groups.starts, len(groups.schools)])
        concerned = np.broadcast_to(size[:, None, None], shape)
    else:
        held = memory[item.coverage.concerned]
        mask = held.data & (held.value > 0)
        data, concerned = data & mask, run_sums(mask, groups)
    known = top.data if data is memory[item.numerator].data else run_sums(data, groups)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.broadcast_to(np.where(concerned == 0, np.nan, known / concerned), shape)


def _kept_rows(
    item: Indicator, top: Totals, bottom: Totals | None, memory: dict[Quantity, Values], shape: tuple[int, ...]
) -> np.ndarray:
    """Every row of a unit; with categories, those that the numerator or a categorised denominator speaks of."""
    if shape[1] == 1 and top.data.shape[1] == 1:
        return np.ones(shape, dtype=bool)
    kept = np.broadcast_to(top.data > 0, shape) if top.data.shape[1] > 1 else np.zeros(shape, dtype=bool)
    if bottom is not None and bottom.data.shape[1] > 1:
        kept = kept | np.broadcast_to(bottom.data > 0, shape)
    return kept


def _table(
    item: Indicator,
    scope: Scope,
    axes: Axes,
    groups: Groups,
    columns: tuple[np.ndarray, ...],
    keep: np.ndarray,
) -> pl.DataFrame:
    run, category, position = np.nonzero(keep)
    unit = pl.Series(groups.units, dtype=pl.String).gather(groups.keys[run, 0])
    codes = pl.Series([axes.periods[index].code for index in groups.periods], dtype=pl.String)
    categories = axes.categories if keep.shape[1] > 1 or axes.categories != ("",) else ("",)
    label = _labels(scope, groups, categories, run, category)
    names = ("numerator", "denominator", "value", "low", "high", "coverage")
    held = {
        name: np.broadcast_to(values, keep.shape)[run, category, position]
        for name, values in zip(names, columns, strict=True)
    }
    frame = pl.DataFrame({"unit": unit, "period": codes.gather(position), "breakdown": label, **held})
    return frame.select(
        pl.lit(item.code).alias("indicator"),
        pl.lit(item.version, pl.Int64).alias("version"),
        pl.lit(scope.level).alias("level"),
        "unit",
        "period",
        "breakdown",
        *(pl.col(name).fill_nan(None) for name in names),
        pl.lit(False).alias("suppressed"),
        pl.lit("").alias("fingerprint"),
    )


def _labels(
    scope: Scope, groups: Groups, categories: Sequence[str], run: np.ndarray, category: np.ndarray
) -> pl.Series:
    """Breakdown text: attributes, then fact columns, joined by « × »."""
    attributes = pl.Series(groups.labels, dtype=pl.String).gather(groups.keys[run, 1])
    texts = [
        " × ".join(part or UNKNOWN_GROUP for part in text.split("\x1f")) if categories != ("",) else ""
        for text in categories
    ]
    kept = pl.Series(texts, dtype=pl.String).gather(category)
    both = any(name in scope.attributes.columns for name in scope.by) and categories != ("",)
    if both:
        return attributes + " × " + kept
    return kept if categories != ("",) else attributes


def _gap(item: Indicator, space: Workspace, scope: Scope) -> pl.DataFrame:
    """Value in the first group minus value in the last one; numerator and denominator are the two values."""
    assert item.of is not None
    if any(name not in scope.attributes.columns for name in scope.by):
        raise IndicatorRefused(
            "ventilation-refusee", f"L'écart « {item.code} » ne se ventile pas par une colonne des faits."
        )
    inner = Scope(scope.level, scope.hierarchy, (*scope.by, item.gap_by), scope.frame, scope.attributes)
    if item.gap_by not in scope.attributes.columns:
        raise IndicatorRefused("ventilation-refusee", f"Aucune donnée ne porte la ventilation « {item.gap_by} ».")
    table = pl.concat(_plain((item.of,), space, inner))
    split = pl.col("breakdown").str.split(" × ")
    table = table.with_columns(
        split.list.last().alias("_group"), split.list.head(split.list.len() - 1).list.join(" × ").alias("breakdown")
    )
    keys = ["level", "unit", "period", "breakdown"]
    first, last = (
        table.filter(pl.col("_group") == name).select(*keys, "value", "coverage") for name in item.gap_groups
    )
    joined = table.select(keys).unique().join(first, on=keys, how="left").join(last, on=keys, how="left", suffix="_b")
    missing = pl.lit(None, pl.Float64)
    return joined.select(
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
