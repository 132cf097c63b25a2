"""From establishments to units: sums along a level, counts of establishments with data, distinct counts, quantiles.

A roll-up starts from establishments: units may overlap (a school in two programmes) without anything being counted twice
inside a unit. Only when every establishment is, in every period, in one run at most of another roll-up and each of these
runs lies whole in one of the runs asked are their sums added instead: see `nesting`.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from essaim.engines.measures import summing
from essaim.engines.measures.arrays import Axes, Values, establishment_values
from essaim.engines.measures.cells import Cells
from essaim.engines.measures.indicator import Indicator, Kind, Measure, Quantity, Timing
from essaim.engines.measures.places import Level, Places, day_number


@dataclass(frozen=True, slots=True)
class Groups:
    """Establishments sorted by unit and group. ``schools``: positions on the axis; ``starts`` delimit the runs; ``run``: run of
    each member; ``keys``: (unit, label) positions of each run; ``mask``: members × periods during which they belong, None for
    always; ``size``: members of each run, runs × periods; ``parts``: the members again, as they are summed; ``finer``: runs
    already made that lie whole in these, and which holds each; ``sums``: what was already summed, by name."""

    schools: np.ndarray
    starts: np.ndarray
    run: np.ndarray
    keys: np.ndarray
    units: tuple[str, ...]
    labels: tuple[str, ...]
    mask: np.ndarray | None
    size: np.ndarray
    parts: tuple[summing.Block, ...]
    finer: tuple[Groups, np.ndarray] | None = None
    sums: dict[Hashable, np.ndarray] = field(default_factory=dict, repr=False, compare=False)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)


def grouped(held: Places, level: Level, names: Sequence[str], axes: Axes) -> Groups:
    """Runs of establishments of ``level`` by unit × group of the attributes ``names``."""
    place = np.full(len(held.schools), -1, dtype=np.int64)
    place[axes.positions] = np.arange(len(axes.positions))
    own = place[level.schools]
    kept = own >= 0
    own, units = own[kept], level.units[kept].astype(np.int64)
    ends = np.array([day_number(item.end) for item in axes.periods])
    mask = (level.since[kept, None] <= ends) & (ends <= level.until[kept, None])
    codes, labels, mask, source = _by_group(held, names, axes, own, mask)
    own, key = own[source], units[source] * len(labels) + codes
    alive = mask.any(axis=1)
    own, key, mask = own[alive], key[alive], mask[alive]
    order = np.lexsort((own, key))
    return _runs(own[order], key[order], mask[order], level.names, labels)


def _by_group(
    held: Places, names: Sequence[str], axes: Axes, own: np.ndarray, mask: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...], np.ndarray, np.ndarray]:
    """(label of each member, labels, mask, position of the member): one copy of a member per school year, as groups change."""
    everyone = np.arange(len(own))
    if not names:
        return np.zeros(len(own), dtype=np.int64), ("",), mask, everyone
    dated = "school_year" in held.attributes.columns
    years = [item.school_year if dated else "" for item in axes.periods]
    found = {year: held.groups(names, year) for year in dict.fromkeys(years)}
    labels = tuple(sorted({text for _, texts in found.values() for text in texts}))
    rank = {text: index for index, text in enumerate(labels)}
    codes, masks = [], []
    for year, (held_codes, texts) in found.items():
        ranks = np.array([rank[text] for text in texts], dtype=np.int64)
        codes.append(ranks[held_codes[axes.positions][own]] if len(texts) else np.zeros(len(own), dtype=np.int64))
        masks.append(mask & np.array([item == year for item in years]))
    return np.concatenate(codes), labels, np.concatenate(masks), np.tile(everyone, len(found))


def _runs(own: np.ndarray, key: np.ndarray, mask: np.ndarray, units: tuple[str, ...], labels: tuple[str, ...]) -> Groups:
    """A pair (establishment, unit and group) appears once, even if declared twice."""
    if len(own):
        first = np.flatnonzero(np.r_[True, (key[1:] != key[:-1]) | (own[1:] != own[:-1])])
        if len(first) < len(own):
            own, key, mask = own[first], key[first], np.logical_or.reduceat(mask, first, axis=0)
    starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else np.zeros(0, dtype=np.int64)
    found = key[starts]
    keys = np.stack([found // len(labels), found % len(labels)], axis=1)
    run = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(key)]))
    size = np.add.reduceat(mask.astype(np.int64), starts, axis=0) if len(starts) else np.zeros((0, mask.shape[1]), np.int64)
    dated = None if mask.all() else mask
    return Groups(own, starts, run, keys, units, labels, dated, size, summing.blocks(own, run, dated))


@dataclass(frozen=True, slots=True)
class Totals:
    """A quantity in each run: ``value`` (float64, in the quantity's unit; NaN without data) and ``data`` (number of
    establishments with data), shape runs × (categories or 1) × periods."""

    value: np.ndarray
    data: np.ndarray
    rows: np.ndarray | None = None


def run_sums(name: Hashable, values: np.ndarray, rows: np.ndarray, groups: Groups, size: int) -> np.ndarray:
    """Sum over the establishments of each run (see `summing.run_sums`), kept under ``name``: the same name is the same
    values. Integers, so that adding finer runs gives the same."""
    with groups.lock:
        if name not in groups.sums:
            runs = len(groups.starts)
            if groups.finer is None:
                groups.sums[name] = summing.run_sums(values, rows, groups.parts, runs, size)
            else:
                fine, owner = groups.finer
                groups.sums[name] = summing.added(run_sums(name, values, rows, fine, size), owner, runs)
        return groups.sums[name]


def totals(quantity: Quantity, values: Values, groups: Groups, size: int, kept: tuple[Quantity, np.ndarray] | None = None) -> Totals:
    """Σ of an additive quantity over each run. ``kept``: what tells the establishments × categories × periods that count, and
    these."""
    data, value = values.data, values.value
    name: Hashable = values.named
    if kept is not None:
        name, data = (quantity, kept[0]), values.data & kept[1]
        value = np.where(data, values.value, 0)
    count = run_sums(("data", name), data, values.rows, groups, size)
    total = run_sums(("value", quantity, name), value, values.rows, groups, size) / 10.0**quantity.places_kept
    return Totals(np.where(count > 0, total, np.nan), count)


def distribution(indicator: Indicator, cells: Cells, axes: Axes, values: Values, groups: Groups) -> Totals:
    """Distinct count or quantile of the numerator in each run; ``rows`` is the number of rows (or persons) behind."""
    measure = indicator.numerator
    assert isinstance(measure, Measure)
    level = "part" if measure.distinct else "at"
    count = run_sums(("data", values.named), values.data, values.rows, groups, len(axes.positions))
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
    members = pl.DataFrame({
        "uai": axes.schools.gather(groups.schools), "run": groups.run, "member": np.arange(len(groups.schools)),
    })  # fmt: skip
    frame = cells.of(measure).filter(pl.col("value") != 0).join(members, on="uai")
    months: dict[str, list[int]] = {"when": [], "p": []}
    first = int(frame["when"].to_numpy().min()) if frame.height else 0
    for position, period in enumerate(axes.periods):
        start = period.first if measure.timing is Timing.FLOW else min(first, period.last)
        months["when"].extend(range(start, period.last + 1))
        months["p"].extend([position] * (period.last + 1 - start))
    window = pl.DataFrame(months, schema={"when": pl.Int32, "p": pl.Int64})
    category = pl.lit(0, pl.Int64)
    if "by" in frame.columns:
        category = pl.col("by").cast(pl.Enum(axes.categories), strict=False).to_physical().cast(pl.Int64)
    placed = frame.join(window, on="when").with_columns(category.alias("c")).drop_nulls("c")
    if groups.mask is not None:
        placed = placed.filter(pl.Series(groups.mask[placed["member"].to_numpy(), placed["p"].to_numpy()]))
    net = placed.group_by("run", "c", "p", level).agg(pl.col("value").sum())
    return net.filter(pl.col("value") > 0)


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
        if "by" in cells.frames[measure][0].columns:
            kept = True
            found.update(cells.changes_of(measure).filter(pl.col("month") <= last_month)["by"].unique().to_list())
    return tuple(sorted(found)) if kept else ("",)


def values_of(indicator: Indicator, cells: Cells, axes: Axes, memory: dict[Quantity, Values]) -> None:
    """Fill ``memory`` with the establishment values of every quantity of ``indicator``."""
    for quantity in indicator.quantities:
        if quantity not in memory:
            memory[quantity] = establishment_values(quantity, cells, axes, memory)


def is_distribution(indicator: Indicator) -> bool:
    """Whether the numerator does not add up over establishments."""
    top = indicator.numerator
    return indicator.kind is Kind.QUANTILE or (isinstance(top, Measure) and top.distinct is not None)
