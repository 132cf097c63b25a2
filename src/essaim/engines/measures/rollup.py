"""From establishments to units: sums along a level, counts of establishments with data, distinct counts, quantiles.

A roll-up always starts from establishments, never from another level: units may overlap (a school in two
programmes) without anything being counted twice inside a unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from essaim.engines.measures.arrays import Axes, Values, establishment_values
from essaim.engines.measures.cells import Cells, events
from essaim.engines.measures.hierarchies import Membership
from essaim.engines.measures.indicator import Indicator, Kind, Measure, Quantity, Timing


@dataclass(frozen=True, slots=True)
class Groups:
    """Establishments sorted by unit and group, for the periods ``periods`` (positions). ``starts`` delimit the runs;
    ``keys`` holds (unit position, group position) of each run."""

    periods: tuple[int, ...]
    schools: np.ndarray
    starts: np.ndarray
    run: np.ndarray
    keys: np.ndarray
    units: tuple[str, ...]
    labels: tuple[str, ...]


def grouped(member: Membership, periods: Sequence[int], codes: np.ndarray, labels: tuple[str, ...]) -> Groups:
    """Runs of establishments by unit × group."""
    combined = member.units.astype(np.int64) * len(labels) + codes[member.schools]
    order = np.argsort(combined, kind="stable")
    sorted_keys = combined[order]
    starts = np.flatnonzero(np.r_[True, sorted_keys[1:] != sorted_keys[:-1]]) if len(order) else order
    found = sorted_keys[starts]
    keys = np.stack([found // len(labels), found % len(labels)], axis=1)
    run = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(order)]))
    return Groups(tuple(periods), member.schools[order], starts, run, keys, member.names, labels)


@dataclass(frozen=True, slots=True)
class Totals:
    """A quantity in each run: ``value`` (float64, in the quantity's unit; NaN without data) and ``data`` (number of
    establishments with data), shape runs × (categories or 1) × periods of the groups."""

    value: np.ndarray
    data: np.ndarray
    rows: np.ndarray | None = None


def run_sums(values: np.ndarray, groups: Groups) -> np.ndarray:
    """Sum over the establishments of each run (int64)."""
    whole = len(groups.periods) == values.shape[2]
    held = values if whole else values[:, :, list(groups.periods)]
    if not len(groups.starts):
        return np.zeros((0, held.shape[1], held.shape[2]), dtype=np.int64)
    return np.add.reduceat(held[groups.schools].astype(np.int64, copy=False), groups.starts, axis=0)


def totals(quantity: Quantity, values: Values, groups: Groups, kept: np.ndarray | None = None) -> Totals:
    """Σ of an additive quantity over each run. ``kept``: establishments × categories × periods that count."""
    data = values.data if kept is None else values.data & kept
    value = np.where(data, values.value, 0)
    count = run_sums(data, groups)
    total = run_sums(value, groups) / 10.0**quantity.places_kept
    return Totals(np.where(count > 0, total, np.nan), count)


def distribution(
    indicator: Indicator, cells: Cells, axes: Axes, values: Values, groups: Groups
) -> Totals:
    """Distinct count or quantile of the numerator in each run; ``rows`` is the number of rows (or persons) behind."""
    measure = indicator.numerator
    assert isinstance(measure, Measure)
    level = "part" if measure.distinct else "at"
    count = run_sums(values.data, groups)
    net = _net(measure, cells, axes, groups, level)
    value, rows = np.full(count.shape, np.nan), np.zeros(count.shape, dtype=np.int64)
    if measure.distinct:
        found = net.group_by("run", "c", "p").len("value")
        place = tuple(found[name].to_numpy() for name in ("run", "c", "p"))
        value = np.where(count > 0, 0.0, np.nan)
        value[place] = found["value"].to_numpy()
        rows[place] = found["value"].to_numpy()
        return Totals(value, count, rows)
    found = quantiles(net, float(indicator.quantile or 0.0))
    place = tuple(found[name].to_numpy() for name in ("run", "c", "p"))
    value[place] = found["value"].to_numpy() / 10.0**measure.places_kept
    rows[place] = found["rows"].to_numpy()
    return Totals(value, count, rows)


def _net(measure: Measure, cells: Cells, axes: Axes, groups: Groups, level: str) -> pl.DataFrame:
    """Net weight of each row value (or distinct value) per run, category and period, positive ones only."""
    frame = cells.of(measure)
    positions = {axes.periods[index]: position for position, index in enumerate(groups.periods)}
    months: dict[str, list[int]] = {"when": [], "p": []}
    first = int(frame["when"].to_numpy().min()) if frame.height else 0
    for period, position in positions.items():
        start = period.first if measure.timing is Timing.FLOW else min(first, period.last)
        months["when"].extend(range(start, period.last + 1))
        months["p"].extend([position] * (period.last + 1 - start))
    window = pl.DataFrame(months, schema={"when": pl.Int32, "p": pl.Int64})
    runs = pl.DataFrame({"uai": axes.schools.gather(groups.schools), "run": groups.run})
    category = pl.lit(0, pl.Int64)
    if "by" in frame.columns:
        codes = {label: index for index, label in enumerate(axes.categories)}
        category = pl.col("by").replace_strict(codes, return_dtype=pl.Int64)
    keys = ("run", "c", "p", level)
    return (
        frame.filter(pl.col("value") != 0)
        .join(window, on="when").with_columns(category.alias("c"))
        .group_by("uai", "c", "p", level).agg(pl.col("value").sum())
        .join(runs, on="uai")
        .group_by(keys).agg(pl.col("value").sum())
        .filter(pl.col("value") > 0)
    )


def quantiles(net: pl.DataFrame, share: float) -> pl.DataFrame:
    """Quantile by linear interpolation between the two nearest ranks (position share × (n − 1), Hyndman & Fan 1996
    type 7) of values ``at`` repeated ``value`` times, per (run, c, p). Adds ``rows``."""
    keys = ["run", "c", "p"]
    ranked = net.sort(*keys, "at").with_columns(
        pl.col("value").cum_sum().over(keys).alias("last"), pl.col("value").sum().over(keys).alias("rows")
    )
    position = (pl.col("rows") - 1) * share
    ranked = ranked.with_columns(position.alias("h")).with_columns(pl.col("h").floor().cast(pl.Int64).alias("low"))
    at_low = pl.col("at").filter(pl.col("last") > pl.col("low")).first()
    at_high = pl.col("at").filter(pl.col("last") > pl.min_horizontal(pl.col("low") + 1, pl.col("rows") - 1)).first()
    return (
        ranked.group_by(keys)
        .agg(at_low.alias("a"), at_high.alias("b"), pl.col("h").first(), pl.col("low").first(), pl.col("rows").first())
        .with_columns((pl.col("a") + (pl.col("b") - pl.col("a")) * (pl.col("h") - pl.col("low"))).alias("value"))
    )


def category_labels(indicators: Sequence[Indicator], cells: Cells, last_month: int) -> tuple[str, ...]:
    """The categories met up to ``last_month``, sorted; ``("",)`` when none is kept apart."""
    found: set[str] = set()
    kept = False
    for measure in dict.fromkeys(part for item in indicators for part in item.measures):
        frame = cells.of(measure)
        if "by" in frame.columns:
            kept = True
            found.update(events(measure, frame).filter(pl.col("month") <= last_month)["by"].unique().to_list())
    return tuple(sorted(found)) if kept else ("",)


def values_of(indicator: Indicator, cells: Cells, axes: Axes, memory: dict[Quantity, Values]) -> None:
    """Fill ``memory`` with the establishment values of every quantity of ``indicator``."""
    for quantity in indicator.quantities:
        if quantity not in memory:
            memory[quantity] = establishment_values(quantity, cells, axes)


def is_distribution(indicator: Indicator) -> bool:
    """Whether the numerator does not add up over establishments."""
    top = indicator.numerator
    return indicator.kind is Kind.QUANTILE or (isinstance(top, Measure) and top.distinct is not None)
