"""Statistical secrecy of public figures: small counts hidden, and what would give them back.

A figure is small when its numerator or its denominator counts between 1 and threshold − 1 (or, for a percentage, when
the rest does). The levels of the same hierarchy that contain the one asked, up to the nation, are treated first, so that a
public reader who asks for every level and the total of every breakdown cannot subtract. Two hierarchies, or two
different breakdowns, published together are not compared with one another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from essaim.engines.measures.computing import Scope, Workspace, compute
from essaim.engines.measures.hierarchies import ESTABLISHMENT, NATIONAL
from essaim.engines.measures.indicator import Indicator, Kind
from essaim.engines.measures.periods import Period
from essaim.engines.measures.places import Level as PlaceLevel
from essaim.engines.measures.places import Places, day_number, nesting
from essaim.engines.measures.suppression import Level, hide

NUMBERS = ("numerator", "denominator", "value", "low", "high")


def is_secret(item: Indicator, scope: Scope) -> bool:
    """Whether small counts of ``item`` are hidden there: always in the cells of a breakdown, where few devices may tell one
    school from another; elsewhere when it counts persons or establishments."""
    return hides_in(item, scope.by)


def hides_in(item: Indicator, by: Sequence[str]) -> bool:
    """The same, for a breakdown."""
    return item.small_counts_secret or bool(by)


def protected(
    asked: Sequence[Indicator], scope: Scope, table: pl.DataFrame, threshold: int, space: Workspace
) -> pl.DataFrame:
    """``table`` with the numbers of hidden rows removed and ``suppressed`` set."""
    tables = _Tables(asked, scope, table, space)
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
class _Part:
    """The rows of one indicator in one table: names, what `_weighed` says of each, and where those of each period are."""

    unit: np.ndarray
    breakdown: np.ndarray
    movable: np.ndarray
    small: np.ndarray
    signed: bool
    rows: tuple[np.ndarray, ...]


@dataclass(frozen=True, slots=True)
class _Tables:
    """Figures of every level of the chains: each table is made once for all indicators, and weighed once for all periods."""

    asked: Sequence[Indicator]
    scope: Scope
    own: pl.DataFrame
    space: Workspace
    made: dict[tuple[object, ...], dict[tuple[object, ...], pl.DataFrame]] = field(default_factory=dict)
    weighed: dict[tuple[object, ...], dict[int, _Part]] = field(default_factory=dict)
    parents: dict[tuple[object, ...], np.ndarray] = field(default_factory=dict)

    def read(self, item: Indicator, scope: Scope) -> pl.DataFrame:
        """The rows of ``item``."""
        key = (scope.level, scope.hierarchy, scope.by)
        own = scope == self.scope and item in self.asked
        if (own, key) not in self.made:
            table = self.own if own else compute(self._together(scope.by), scope, self.space)
            self.made[own, key] = table.partition_by("indicator", as_dict=True, maintain_order=True)
        found = self.made[own, key].get((item.code,))
        return self.own.clear() if found is None else found

    def _together(self, by: tuple[str, ...]) -> tuple[Indicator, ...]:
        """What is read of a table broken down by ``by``: the indicators asked, and what their gaps compare."""
        found: list[Indicator] = []
        for item in self.asked:
            if item.kind is Kind.GAP and item.of is not None:
                if by in ((), (*self.scope.by, item.gap_by)):
                    found.append(item.of)
            elif by in ((), self.scope.by) and is_secret(item, self.scope):
                found.append(item)
        return tuple(dict.fromkeys(found))

    def part(self, item: Indicator, scope: Scope, threshold: int) -> _Part:
        """The same rows, weighed."""
        held = self.weighed.setdefault((scope.level, scope.hierarchy, scope.by, item.code, threshold), {})
        own = scope == self.scope and item in self.asked
        if own not in held:
            table = self.read(item, scope)
            codes = [period.code for period in self.space.axes.periods]
            at = table["period"].cast(pl.Enum(codes)).to_physical().to_numpy()
            rows = tuple(np.flatnonzero(at == index) for index in range(len(codes)))
            unit, breakdown = (np.array(table[name].to_list(), dtype=object) for name in ("unit", "breakdown"))
            held[own] = _Part(unit, breakdown, *_weighed(item, table, threshold), rows)
        return held[own]


def chain_of(scope: Scope, wanted: Period) -> tuple[str, ...]:
    """The nested levels from the nation down to the one asked, in its hierarchy."""
    key = ("chain", scope.level, scope.hierarchy, wanted.last)
    memory = scope.places.memory
    if key not in memory:
        memory[key] = _chain(scope, day_number(wanted.end))
    return memory[key]  # type: ignore[no-any-return]


def _chain(scope: Scope, day: int) -> tuple[str, ...]:
    hierarchy, level = scope.hierarchy, scope.level
    if "/" in level and hierarchy is None:
        hierarchy, level = level.split("/", 1)
    if level == NATIONAL:
        return (scope.level,)
    held = _held_levels(scope.places, day)
    if hierarchy is None:
        names = sorted({own for own, name in held if level in (ESTABLISHMENT, name)})
        hierarchy = names[0] if names else ""
    own = {name: scope.places.level(name, at) for at, name in held if at == hierarchy}
    base = own.get(level) or _established(scope.places, own)
    wider = [
        name for name in own if name not in (level, NATIONAL) and nesting(scope.places, base, own[name], day) is not None
    ]
    wider.sort(key=lambda name: (len(np.unique(own[name].at(day)[1])), name))
    chain: list[str] = []
    for name in wider:
        if not chain or nesting(scope.places, own[name], own[chain[-1]], day) is not None:
            chain.append(name)
    return (NATIONAL, *(f"{hierarchy}/{name}" for name in chain), scope.level)


def _held_levels(places: Places, day: int) -> list[tuple[str, str]]:
    """(hierarchy, level) of which at least one unit exists on ``day``."""
    if "levels" not in places.memory:
        found = places.frame.select("hierarchy", "level").unique().drop_nulls().rows()
        places.memory["levels"] = sorted(found)
    return [(own, name) for own, name in places.memory["levels"] if len(places.level(name, own).at(day)[0])]


def _established(places: Places, own: dict[str, PlaceLevel]) -> PlaceLevel:
    """Every establishment of a hierarchy as its own unit, for as long as one of its levels knows it."""
    parts = list(own.values()) or [places.level(ESTABLISHMENT, None)]
    schools, since, until = (np.concatenate([getattr(item, name) for item in parts]) for name in ("schools", "since", "until"))
    return PlaceLevel(schools, schools, tuple(places.schools), since, until)


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
    leaf = tables.part(item, scope, threshold)
    if leaf.signed and not leaf.small.any():
        # Nothing is small here and nothing is negative: no wider total can be small.
        return
    for index in range(len(tables.space.axes.periods)):
        found = _hidden_at(item, scope, index, threshold, tables)
        if found is not None:
            yield found


def _hidden_at(item: Indicator, scope: Scope, index: int, threshold: int, tables: _Tables) -> pl.DataFrame | None:
    wanted = tables.space.axes.periods[index]
    chain, day = chain_of(scope, wanted), day_number(wanted.end)
    plain = [tables.part(item, _at(scope, name, ()), threshold) for name in chain]
    broken = [tables.part(item, _at(scope, name, scope.by), threshold) for name in chain] if scope.by else []
    if not any(part.small[part.rows[index]].any() for part in (*plain, *broken)):
        return None
    groups = sorted({text for part in broken for text in part.breakdown[part.rows[index]]})
    levels: list[Level] = []
    units: list[tuple[str, ...]] = []
    for depth, part in enumerate(plain):
        rows = part.rows[index]
        names = tuple(part.unit[rows])
        cells, small = _matrix(broken[depth] if broken else None, index, names, groups)
        low = part.small[rows] if item.small_counts_secret else np.zeros(len(rows), dtype=bool)
        parent = _parents(scope, chain, depth, day, names, units, tables.parents)
        levels.append(Level(parent, part.movable[rows], low, cells, small))
        units.append(names)
    mask = hide(levels, threshold)[-1]
    if not broken:
        return _named([units[-1][row] for row in np.flatnonzero(mask.totals)], None, item, wanted)
    hidden, columns = np.nonzero(mask.cells)
    return _named([units[-1][row] for row in hidden], [groups[column] for column in columns], item, wanted)


def _named(units: Sequence[str], breakdowns: Sequence[str] | None, item: Indicator, wanted: Period) -> pl.DataFrame:
    labels = breakdowns if breakdowns is not None else [""] * len(units)
    frame = pl.DataFrame({"unit": units, "breakdown": labels}, schema={"unit": pl.String, "breakdown": pl.String})
    named = frame.with_columns(pl.lit(item.code).alias("indicator"), pl.lit(wanted.code).alias("period"))
    return named.select("indicator", "unit", "period", "breakdown")


def _at(scope: Scope, level: str, by: tuple[str, ...]) -> Scope:
    hierarchy = scope.hierarchy if level == scope.level else None
    return replace(scope, level=level, hierarchy=hierarchy, by=by)


def _weighed(item: Indicator, table: pl.DataFrame, threshold: int) -> tuple[np.ndarray, np.ndarray, bool]:
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
    part: _Part | None, index: int, units: Sequence[str], groups: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """(quantity that can be moved, must be hidden) of each unit × group."""
    cells = np.zeros((len(units), len(groups)))
    small = np.zeros(cells.shape, dtype=bool)
    if part is None:
        return cells, small
    rows = part.rows[index]
    row = {name: place for place, name in enumerate(units)}
    column = {name: place for place, name in enumerate(groups)}
    place = (
        np.array([row[name] for name in part.unit[rows]], dtype=np.int64),
        np.array([column[name] for name in part.breakdown[rows]], dtype=np.int64),
    )
    cells[place], small[place] = part.movable[rows], part.small[rows]
    return cells, small


def _parents(
    scope: Scope,
    chain: Sequence[str],
    depth: int,
    day: int,
    names: tuple[str, ...],
    units: Sequence[tuple[str, ...]],
    made: dict[tuple[object, ...], np.ndarray],
) -> np.ndarray:
    """Position of each unit's parent in the level above; −1 at the top. ``made``: those already found."""
    key = (chain[: depth + 1], day, names, units[depth - 1] if depth else ())
    if key not in made:
        made[key] = _parents_at(scope, chain, depth, day, names, units)
    return made[key]


def _parents_at(
    scope: Scope, chain: Sequence[str], depth: int, day: int, names: Sequence[str], units: Sequence[Sequence[str]]
) -> np.ndarray:
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
