"""Statistical secrecy of public figures: small counts hidden, and what would give them back.

A figure is small when its numerator or its denominator counts between 1 and threshold − 1 (or, for a percentage, when
the rest does). The levels of the same hierarchy that contain the one asked, up to the nation, are treated first, so that a
public reader who asks for every level and the total of every breakdown cannot subtract. Two hierarchies, or two
different breakdowns, published together are not compared with one another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from essaim.engines.measures.cells import Cells
from essaim.engines.measures.hierarchies import ESTABLISHMENT, NATIONAL, memberships, valid_at
from essaim.engines.measures.indicator import Indicator, Kind
from essaim.engines.measures.periods import Period
from essaim.engines.measures.periods import periods as parse_periods
from essaim.engines.measures.suppression import Level, hide

if TYPE_CHECKING:
    from essaim.engines.measures.computing import Scope

Compute = Callable[[Sequence[Indicator], Cells, "Scope", str | Sequence[str]], pl.DataFrame]
NUMBERS = ("numerator", "denominator", "value", "low", "high")


def protected(
    asked: Sequence[Indicator],
    held: Cells,
    scope: Scope,
    period: str | Sequence[str],
    table: pl.DataFrame,
    threshold: int,
    compute: Compute,
) -> pl.DataFrame:
    """``table`` with the numbers of hidden rows removed and ``suppressed`` set."""
    hidden: list[pl.DataFrame] = []
    compute = _remembered(compute, asked, scope, period)
    parents = _remembered_parents(scope)
    for wanted in parse_periods(period):
        chain = chain_of(scope, wanted)
        for item in asked:
            hidden.append(_hidden_rows(item, held, scope, wanted, chain, threshold, compute, parents))
    mask = pl.concat(hidden).with_columns(pl.lit(True).alias("_hidden"))
    table = table.join(mask, on=["indicator", "unit", "period", "breakdown"], how="left", maintain_order="left")
    secret = pl.col("_hidden").fill_null(False)
    return table.with_columns(
        *(pl.when(secret).then(None).otherwise(pl.col(name)).alias(name) for name in NUMBERS),
        secret.alias("suppressed"),
    ).drop("_hidden")


def _remembered(
    compute: Compute, asked: Sequence[Indicator], own: Scope, period: str | Sequence[str]
) -> Compute:
    """``compute`` for all periods and indicators at once, each table made once and then read part by part."""
    made: dict[tuple[object, ...], pl.DataFrame] = {}
    plain = tuple(item for item in asked if item.kind is not Kind.GAP)

    def read(items: Sequence[Indicator], held: Cells, scope: Scope, code: str | Sequence[str]) -> pl.DataFrame:
        together = set(items) <= set(plain) and scope.by in ((), own.by)
        whole = plain if together else tuple(items)
        key = (whole, scope.level, scope.hierarchy, scope.by)
        if key not in made:
            made[key] = compute(whole, held, scope, period)
        names = [item.code for item in items]
        return made[key].filter((pl.col("period") == code) & pl.col("indicator").is_in(names))

    return read


Parents = Callable[[Sequence[str], int, Period, list[str], list[list[str]]], np.ndarray]


def _remembered_parents(scope: Scope) -> Parents:
    """``_parents``, found once for units that several indicators share."""
    made: dict[tuple[object, ...], np.ndarray] = {}

    def read(chain: Sequence[str], depth: int, wanted: Period, names: list[str], units: list[list[str]]) -> np.ndarray:
        key = (tuple(chain), depth, wanted.code, tuple(names), tuple(units[depth - 1]) if depth else ())
        if key not in made:
            made[key] = _parents(scope, chain, depth, wanted, names, units)
        return made[key]

    return read


def chain_of(scope: Scope, wanted: Period) -> tuple[str, ...]:
    """The nested levels from the nation down to the one asked, in its hierarchy."""
    frame = valid_at(scope.frame, wanted)
    hierarchy, level = scope.hierarchy, scope.level
    if "/" in level and hierarchy is None:
        hierarchy, level = level.split("/", 1)
    if level == NATIONAL:
        return (scope.level,)
    if hierarchy is None:
        holding = frame.filter(pl.col("level") == level) if level != ESTABLISHMENT else frame
        names = sorted(holding["hierarchy"].drop_nulls().unique().to_list())
        hierarchy = names[0] if names else ""
    own = frame.filter(pl.col("hierarchy") == hierarchy)
    maps = {name: own.filter(pl.col("level") == name).select("uai", "unit") for name in own["level"].unique()}
    base = maps.get(level, own.select("uai", pl.col("uai").alias("unit")).unique())
    wider = [name for name in maps if name not in (level, NATIONAL) and _nested(base, maps[name])]
    wider.sort(key=lambda name: (maps[name]["unit"].n_unique(), name))
    chain: list[str] = []
    for name in wider:
        if not chain or _nested(maps[name], maps[chain[-1]]):
            chain.append(name)
    return (NATIONAL, *(f"{hierarchy}/{name}" for name in chain), scope.level)


def _nested(fine: pl.DataFrame, coarse: pl.DataFrame) -> bool:
    """Whether every fine unit lies in exactly one coarse unit, and there are fewer coarse ones."""
    joined = fine.join(coarse, on="uai", how="left", suffix="_wide")
    spread = joined.group_by("unit").agg(
        pl.col("unit_wide").n_unique().alias("n"), pl.col("unit_wide").is_null().any().alias("none")
    )
    whole = bool(spread.select(((pl.col("n") == 1) & ~pl.col("none")).all()).item())
    return whole and coarse["unit"].n_unique() < max(fine["unit"].n_unique(), 2)


def _hidden_rows(
    item: Indicator,
    held: Cells,
    scope: Scope,
    wanted: Period,
    chain: Sequence[str],
    threshold: int,
    compute: Compute,
    parents: Parents,
) -> pl.DataFrame:
    keys = {"indicator": item.code, "period": wanted.code}
    if item.kind is Kind.GAP and item.of is not None:
        return _hidden_gaps(item, held, scope, wanted, chain, threshold, compute, parents)
    if not item.small_counts_secret:
        return _named([], [], keys)
    tables = [compute((item,), held, _at(scope, name, ()), wanted.code) for name in chain]
    broken = [compute((item,), held, scope_at, wanted.code) for scope_at in _broken_scopes(scope, chain)]
    if item.kind is Kind.QUANTILE:
        last = (broken or tables)[-1].filter(pl.col("denominator") < threshold)
        return _named(last["unit"].to_list(), last["breakdown"].to_list(), keys)
    groups = sorted({text for table in broken for text in table["breakdown"]})
    if not any(_column(item, table, threshold)[1].any() for table in (*tables, *broken)):
        return _named([], [], keys)
    levels = []
    units: list[list[str]] = []
    for depth, table in enumerate(tables):
        names = table["unit"].to_list()
        parent = parents(chain, depth, wanted, names, units)
        cells, small = _matrix(item, broken[depth] if broken else None, names, groups, threshold)
        total, low = _column(item, table, threshold)
        levels.append(Level(parent, total, low, cells, small))
        units.append(names)
    mask = hide(levels, threshold)[-1]
    if not broken:
        return _named([units[-1][row] for row in np.flatnonzero(mask.totals)], None, keys)
    rows, columns = np.nonzero(mask.cells)
    return _named([units[-1][row] for row in rows], [groups[column] for column in columns], keys)


def _named(units: list[str], breakdowns: list[str] | None, keys: dict[str, str]) -> pl.DataFrame:
    labels = breakdowns if breakdowns is not None else [""] * len(units)
    frame = pl.DataFrame({"unit": units, "breakdown": labels}, schema={"unit": pl.String, "breakdown": pl.String})
    named = frame.with_columns(pl.lit(text).alias(name) for name, text in keys.items())
    return named.select("indicator", "unit", "period", "breakdown").unique()


def _at(scope: Scope, level: str, by: tuple[str, ...]) -> Scope:
    hierarchy = scope.hierarchy if level == scope.level else None
    return replace(scope, level=level, hierarchy=hierarchy, by=by)


def _broken_scopes(scope: Scope, chain: Sequence[str]) -> list[Scope]:
    return [_at(scope, name, scope.by) for name in chain] if scope.by else []


def _column(item: Indicator, table: pl.DataFrame, threshold: int) -> tuple[np.ndarray, np.ndarray]:
    """(quantity that can be moved, must be hidden) of each row."""
    top = table["numerator"].fill_null(0.0).to_numpy()
    small = (np.abs(top) > 0) & (np.abs(top) < threshold)
    movable = np.abs(top)
    if item.denominator is not None:
        bottom = np.abs(table["denominator"].fill_null(0.0).to_numpy())
        small = small | ((bottom > 0) & (bottom < threshold))
        if item.unit == "%" or item.kind is Kind.SHARE_OF_UNITS:
            rest = bottom - np.abs(top)
            shown = table["value"].is_not_null().to_numpy()
            small = small | (shown & (rest > 0) & (rest < threshold))
        movable = np.where(bottom > 0, np.minimum(movable, bottom), 0.0)
        movable = np.where(small & (movable == 0), np.maximum(np.abs(top), bottom), movable)
    return movable, small


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
    cells[place], small[place] = _column(item, table, threshold)
    return cells, small


def _parents(
    scope: Scope, chain: Sequence[str], depth: int, wanted: Period, names: list[str], units: list[list[str]]
) -> np.ndarray:
    """Position of each unit's parent in the level above; −1 at the top."""
    if depth == 0:
        return np.full(len(names), -1, dtype=np.int64)
    schools = scope.frame["uai"].drop_nulls().unique().sort().rename("uai")
    fine, coarse = (
        memberships(scope.frame, chain[at], _at(scope, chain[at], ()).hierarchy, (wanted,), schools)[0]
        for at in (depth, depth - 1)
    )
    holder = dict(zip(coarse.schools.tolist(), coarse.units.tolist(), strict=True))
    above = {name: index for index, name in enumerate(units[depth - 1])}
    found = dict.fromkeys(names, -1)
    for school, unit in zip(fine.schools.tolist(), fine.units.tolist(), strict=True):
        if school in holder:
            found[fine.names[unit]] = above.get(coarse.names[holder[school]], -1)
    return np.array([found[name] for name in names], dtype=np.int64)


def _hidden_gaps(
    item: Indicator,
    held: Cells,
    scope: Scope,
    wanted: Period,
    chain: Sequence[str],
    threshold: int,
    compute: Compute,
    parents: Parents,
) -> pl.DataFrame:
    """A gap is hidden when one of the two values it compares is."""
    assert item.of is not None
    inner = replace(scope, by=(*scope.by, item.gap_by))
    found = _hidden_rows(item.of, held, inner, wanted, chain, threshold, compute, parents)
    parts = pl.col("breakdown").str.split(" × ")
    kept = found.filter(parts.list.last().is_in(list(item.gap_groups)))
    return kept.select(
        pl.lit(item.code).alias("indicator"),
        "unit",
        "period",
        parts.list.head(parts.list.len() - 1).list.join(" × ").alias("breakdown"),
    ).unique()
