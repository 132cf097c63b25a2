"""Secrecy of public figures worked out plainly, one indicator, one period and one table at a time: what the engine must
give, whatever it shares or keeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from essaim.engines.measures.computing import Scope, Workspace, compute
from essaim.engines.measures.indicator import Indicator, Kind
from essaim.engines.measures.periods import Period
from essaim.engines.measures.places import day_number
from essaim.engines.measures.secrecy import NUMBERS, chain_of, is_secret
from essaim.engines.measures.suppression import Level, hide


def protected(
    asked: Sequence[Indicator], scope: Scope, table: pl.DataFrame, threshold: int, space: Workspace
) -> pl.DataFrame:
    """``table`` with the numbers of hidden rows removed and ``suppressed`` set."""
    tables = _Tables(table, scope, asked, space)
    hidden = [part for item in asked for part in _hidden_rows(item, scope, threshold, tables)]
    if not hidden:
        return table
    mask = pl.concat(hidden).unique().with_columns(pl.lit(True).alias("_hidden"))
    table = table.join(mask, on=["indicator", "unit", "period", "breakdown"], how="left", maintain_order="left")
    secret = pl.col("_hidden").fill_null(False)
    return table.with_columns(
        *(pl.when(secret).then(None).otherwise(pl.col(name)).alias(name) for name in NUMBERS),
        secret.alias("suppressed"),
    ).drop("_hidden")


@dataclass(frozen=True, slots=True)
class _Tables:
    own: pl.DataFrame
    scope: Scope
    asked: Sequence[Indicator]
    space: Workspace

    def read(self, item: Indicator, scope: Scope) -> pl.DataFrame:
        if scope == self.scope and item in self.asked:
            return self.own.filter(pl.col("indicator") == item.code)
        return compute((item,), scope, Workspace(self.space.held, self.space.axes))


def _hidden_rows(item: Indicator, scope: Scope, threshold: int, tables: _Tables) -> Iterator[pl.DataFrame]:
    """Rows to hide: indicator, unit, period, breakdown."""
    if item.kind is Kind.GAP and item.of is not None:
        yield from _hidden_gaps(item, scope, threshold, tables)
        return
    if not is_secret(item, scope):
        return
    if item.kind is Kind.QUANTILE:
        few = tables.read(item, scope).filter(pl.col("denominator") < threshold)
        yield few.select("indicator", "unit", "period", "breakdown")
        return
    leaf = tables.read(item, scope)
    _, small, signed = _column(item, leaf, threshold)
    if not small.any() and signed:
        # Nothing is small here and nothing is negative: no wider total can be small.
        return
    for wanted in tables.space.axes.periods:
        found = _hidden_at(item, scope, wanted, threshold, tables)
        if found is not None:
            yield found


def _hidden_at(item: Indicator, scope: Scope, wanted: Period, threshold: int, tables: _Tables) -> pl.DataFrame | None:
    chain, day = chain_of(scope, wanted), day_number(wanted.end)
    plain = [_period_of(tables.read(item, _at(scope, name, ())), wanted) for name in chain]
    broken = [_period_of(tables.read(item, _at(scope, name, scope.by)), wanted) for name in chain] if scope.by else []
    if not any(_column(item, table, threshold)[1].any() for table in (*plain, *broken)):
        return None
    groups = sorted({text for table in broken for text in table["breakdown"]})
    levels: list[Level] = []
    units: list[list[str]] = []
    for depth, table in enumerate(plain):
        names = table["unit"].to_list()
        cells, small = _matrix(item, broken[depth] if broken else None, names, groups, threshold)
        total, low, _ = _column(item, table, threshold)
        if not item.small_counts_secret:
            low = np.zeros_like(low)
        levels.append(Level(_parents(scope, chain, depth, day, names, units), total, low, cells, small))
        units.append(names)
    mask = hide(levels, threshold)[-1]
    if not broken:
        return _named([units[-1][row] for row in np.flatnonzero(mask.totals)], None, item, wanted)
    rows, columns = np.nonzero(mask.cells)
    return _named([units[-1][row] for row in rows], [groups[column] for column in columns], item, wanted)


def _period_of(table: pl.DataFrame, wanted: Period) -> pl.DataFrame:
    return table.filter(pl.col("period") == wanted.code)


def _named(units: list[str], breakdowns: list[str] | None, item: Indicator, wanted: Period) -> pl.DataFrame:
    labels = breakdowns if breakdowns is not None else [""] * len(units)
    frame = pl.DataFrame({"unit": units, "breakdown": labels}, schema={"unit": pl.String, "breakdown": pl.String})
    named = frame.with_columns(pl.lit(item.code).alias("indicator"), pl.lit(wanted.code).alias("period"))
    return named.select("indicator", "unit", "period", "breakdown")


def _at(scope: Scope, level: str, by: tuple[str, ...]) -> Scope:
    hierarchy = scope.hierarchy if level == scope.level else None
    return replace(scope, level=level, hierarchy=hierarchy, by=by)


def _column(item: Indicator, table: pl.DataFrame, threshold: int) -> tuple[np.ndarray, np.ndarray, bool]:
    """(quantity that can be moved, must be hidden) of each row, and whether nothing is negative."""
    signed = table["numerator"].fill_null(0.0).to_numpy()
    top, positive = np.abs(signed), not (signed < 0).any()
    small = (top > 0) & (top < threshold)
    movable = top
    if item.denominator is not None:
        under = table["denominator"].fill_null(0.0).to_numpy()
        bottom, positive = np.abs(under), positive and not (under < 0).any()
        small = small | ((bottom > 0) & (bottom < threshold))
        if item.unit == "%" or item.kind is Kind.SHARE_OF_UNITS:
            rest = bottom - top
            shown = table["value"].is_not_null().to_numpy()
            small = small | (shown & (rest > 0) & (rest < threshold))
            positive = positive and not (rest[shown] < 0).any()
        movable = np.where(bottom > 0, np.minimum(movable, bottom), 0.0)
        movable = np.where(small & (movable == 0), np.maximum(top, bottom), movable)
    return movable, small, positive


def _matrix(
    item: Indicator, table: pl.DataFrame | None, units: list[str], groups: list[str], threshold: int
) -> tuple[np.ndarray, np.ndarray]:
    cells = np.zeros((len(units), len(groups)))
    small = np.zeros(cells.shape, dtype=bool)
    if table is None:
        return cells, small
    row = {name: index for index, name in enumerate(units)}
    column = {name: index for index, name in enumerate(groups)}
    place = (
        np.array([row[name] for name in table["unit"]], dtype=np.int64),
        np.array([column[name] for name in table["breakdown"]], dtype=np.int64),
    )
    cells[place], small[place], _ = _column(item, table, threshold)
    return cells, small


def _parents(
    scope: Scope, chain: Sequence[str], depth: int, day: int, names: list[str], units: list[list[str]]
) -> np.ndarray:
    """Position of each unit's parent in the level above; −1 at the top."""
    if depth == 0:
        return np.full(len(names), -1, dtype=np.int64)
    fine, coarse = (
        scope.places.level(chain[at], _at(scope, chain[at], ()).hierarchy) for at in (depth, depth - 1)
    )
    above = {name: index for index, name in enumerate(units[depth - 1])}
    if len(above) == 1 and depth == 1:
        return np.zeros(len(names), dtype=np.int64)
    holder = np.full(len(scope.places.schools), -1, dtype=np.int64)
    schools, owners = coarse.at(day)
    holder[schools] = owners
    found = dict.fromkeys(names, -1)
    members, own = fine.at(day)
    first = dict(zip(own.tolist(), holder[members].tolist(), strict=True))
    for unit, parent in first.items():
        if parent >= 0:
            found[fine.names[unit]] = above.get(coarse.names[parent], -1)
    return np.array([found[name] for name in names], dtype=np.int64)


def _hidden_gaps(item: Indicator, scope: Scope, threshold: int, tables: _Tables) -> Iterator[pl.DataFrame]:
    """A gap is hidden when one of the two values it compares is."""
    assert item.of is not None
    inner = replace(scope, by=(*scope.by, item.gap_by))
    parts = pl.col("breakdown").str.split(" × ")
    for found in _hidden_rows(item.of, inner, threshold, tables):
        kept = found.filter(parts.list.last().is_in(list(item.gap_groups)))
        yield kept.select(
            pl.lit(item.code).alias("indicator"),
            "unit",
            "period",
            parts.list.head(parts.list.len() - 1).list.join(" × ").alias("breakdown"),
        )
