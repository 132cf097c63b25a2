"""Cells as dense arrays establishment × category × period, and expressions evaluated on them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from essaim.engines.measures.cells import Cells
from essaim.engines.measures.coding import Seats, address
from essaim.engines.measures.expressions import (
    Binary,
    Coalesce,
    Column,
    Expr,
    Extreme,
    IsIn,
    IsMissing,
    Literal,
    Not,
    When,
)
from essaim.engines.measures.indicator import Measure, PerEstablishment, Quantity, Timing
from essaim.engines.measures.periods import Period


@dataclass(frozen=True, slots=True)
class Axes:
    """What arrays are indexed by: establishments (``schools``, sorted, at ``positions`` of the register), categories
    (``("",)`` without; ``has_categories`` tells this from a single category that nobody filled), periods. ``seats``: the row
    of each establishment; ``counted``: where there are data, for the measures that one scan counted together."""

    seats: Seats
    positions: np.ndarray
    categories: tuple[str, ...]
    periods: tuple[Period, ...]
    has_categories: bool = False
    counted: dict[Hashable, np.ndarray] = field(default_factory=dict, repr=False, compare=False)

    @property
    def schools(self) -> pl.Series:
        """The establishments, coded."""
        return self.seats.schools


@dataclass(frozen=True, slots=True)
class Values:
    """A quantity in each establishment that has cells: ``rows``, their positions on the axis, sorted; ``value`` int64
    (× 10^decimals, 0 without data) and ``data`` (bool: has data), both rows × (categories or 1) × periods."""

    rows: np.ndarray
    value: np.ndarray
    data: np.ndarray

    @property
    def named(self) -> int:
        """A name for ``data``, the same for the measures that share it, good as long as these values are held."""
        return id(self.data)


def establishment_values(quantity: Quantity, cells: Cells, axes: Axes, memory: MutableMapping[Quantity, Values]) -> Values:
    """The quantity in each establishment, category and period; the measures it is made of are kept in ``memory``."""
    if isinstance(quantity, Measure):
        return _measure_values(quantity, cells, axes)
    for item in quantity.inputs:
        if item not in memory:
            memory[item] = _measure_values(item, cells, axes)
    rows = np.unique(np.concatenate([memory[item].rows for item in quantity.inputs]))
    columns = {}
    for item in quantity.inputs:
        held = aligned(memory[item], rows)
        columns[item.code] = (held.value / 10.0**item.places_kept, held.data)
    return _combined(quantity, rows, columns)


def aligned(held: Values, rows: np.ndarray) -> Values:
    """The same values for the establishments ``rows``, without data where there were none."""
    if len(held.rows) == len(rows) and (held.rows == rows).all():
        return held
    shape = (len(rows), *held.value.shape[1:])
    value, data = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=bool)
    common, here, there = np.intersect1d(rows, held.rows, assume_unique=True, return_indices=True)
    if len(common):
        value[here], data[here] = held.value[there], held.data[there]
    return Values(rows, value, data)


def _combined(quantity: PerEstablishment, rows: np.ndarray, columns: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Values:
    found, known = evaluate(quantity.value, columns)
    shape = np.broadcast_shapes(found.shape, *(item.shape for item, _ in columns.values()))
    any_data = np.zeros(shape, dtype=bool)
    for _, data in columns.values():
        any_data |= data
    known = np.broadcast_to(known, shape) & any_data
    scaled = np.where(known, np.broadcast_to(found, shape), 0.0) * 10.0**quantity.decimals
    return Values(rows, rounded(scaled).astype(np.int64), known)


def rounded(values: np.ndarray) -> np.ndarray:
    """Nearest integer, half away from zero."""
    return np.sign(values) * np.floor(np.abs(values) + 0.5)


def _measure_values(measure: Measure, cells: Cells, axes: Axes) -> Values:
    frame = cells.changes_of(measure)
    by = axes.categories if "by" in frame.columns else ("",)
    low, high = min(p.first for p in axes.periods), max(p.last for p in axes.periods)
    width = high - low + 2
    row, flat, value, count = _cells_of(frame, by, axes, low, high)
    present = np.zeros(len(axes.schools), dtype=bool)
    present[row] = True
    rows, row = np.flatnonzero(present), (np.cumsum(present) - 1)[row]
    flat, shape = row * (len(by) * width) + flat, (len(rows), len(by), len(axes.periods))

    def over(weights: np.ndarray) -> np.ndarray:
        held = _accumulated(flat, weights, len(rows) * len(by) * width, width)
        return _at_ends(held, measure.timing, axes.periods, low).reshape(shape)

    key = (*(address(frame[name]) for name in ("uai", "month", "n")), measure.timing, len(by))
    if key not in axes.counted:
        axes.counted[key] = over(count) > 0
    data = axes.counted[key]
    return Values(rows, np.where(data, over(value), 0), data)


def _at_ends(held: np.ndarray, timing: Timing, periods: Sequence[Period], low: int) -> np.ndarray:
    """Accumulated cells at the end of each period, less what came before it for a flow."""
    # ``take`` keeps the months of an establishment together; an index would not.
    total = held.take(np.array([item.last - low + 1 for item in periods]), axis=1)
    if timing is Timing.FLOW:
        total = total - held.take(np.array([item.first - low for item in periods]), axis=1)
    return total


def _cells_of(frame: pl.DataFrame, by: Sequence[str], axes: Axes, low: int, high: int) -> tuple[np.ndarray, ...]:
    """The changes up to the month ``high`` of the establishments of the axis: their row there, their place within it, value
    and count."""
    width = high - low + 2
    row, month = axes.seats.of(frame["uai"]), frame["month"].to_numpy().astype(np.int64)
    kept = (row >= 0) & (month <= high)
    # Column 0 gathers everything that came before the first period.
    flat = np.maximum(month - low + 1, 0)
    if "by" in frame.columns:
        category = _positions(frame["by"], by)
        kept &= category >= 0
        flat += category * width
    found = (row, flat, frame["value"].to_numpy(), frame["n"].to_numpy())
    return found if kept.all() else tuple(item[kept] for item in found)


def _positions(texts: pl.Series, known: Sequence[str]) -> np.ndarray:
    """The position of each text among ``known``, −1 when it is not there."""
    return texts.cast(pl.Enum(known), strict=False).to_physical().cast(pl.Int64).fill_null(-1).to_numpy()


def _accumulated(flat: np.ndarray, weights: np.ndarray, size: int, width: int) -> np.ndarray:
    """Sum of ``weights`` per cell, accumulated along months. Exact: integers below 2^53."""
    dense = np.bincount(flat, weights=weights, minlength=size).astype(np.int64)
    return np.cumsum(dense.reshape(-1, width), axis=1)


Held = tuple[np.ndarray, np.ndarray]


def evaluate(expr: Expr, columns: Mapping[str, Held]) -> Held:
    """(values as float64, known) of an expression on arrays; conditions are 1.0 or 0.0."""
    match expr:
        case Column(name):
            return columns[name]
        case Literal(value):
            known = np.array(value is not None)
            return np.array(float(value) if isinstance(value, int | float) else 0.0), known
        case Binary(op, left, right):
            return _binary(op, evaluate(left, columns), evaluate(right, columns))
        case Not(of):
            held, known = evaluate(of, columns)
            return 1.0 - (held != 0), known
        case IsIn(of, values):
            held, known = evaluate(of, columns)
            return np.isin(held, np.array(values, dtype=float)).astype(float), known
        case IsMissing(of):
            return (~evaluate(of, columns)[1]).astype(float), np.array(True)
        case Coalesce(args):
            return _coalesced([evaluate(item, columns) for item in args])
        case Extreme(op, args):
            return _extreme(op, [evaluate(item, columns) for item in args])
        case When(condition, then, otherwise):
            met, known = evaluate(condition, columns)
            taken = known & (met != 0)
            one, other = evaluate(then, columns), evaluate(otherwise, columns)
            return np.where(taken, one[0], other[0]), np.where(taken, one[1], other[1])
    raise TypeError(f"{type(expr).__name__} ne s'évalue pas par établissement")


def _binary(op: str, left: Held, right: Held) -> Held:
    (a, known_a), (b, known_b) = left, right
    known = known_a & known_b
    if op == "/":
        return a / np.where(b == 0, 1.0, b), known & (b != 0)
    if op == "and":
        false = (known_a & (a == 0)) | (known_b & (b == 0))
        return ((a != 0) & (b != 0) & ~false).astype(float), known | false
    if op == "or":
        true = (known_a & (a != 0)) | (known_b & (b != 0))
        return true.astype(float), known | true
    found = {
        "+": np.add, "-": np.subtract, "*": np.multiply, "==": np.equal, "!=": np.not_equal,
        "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
    }[op](a, b)  # fmt: skip
    return found.astype(float), known


def _coalesced(args: Sequence[Held]) -> Held:
    value, known = args[-1]
    for item, here in reversed(args[:-1]):
        value, known = np.where(here, item, value), here | known
    return value, known


def _extreme(op: str, args: Sequence[Held]) -> Held:
    join = np.minimum if op == "least" else np.maximum
    value, known = args[0]
    for item, here in args[1:]:
        value, known = join(value, item), known & here
    return value, known
