"""Which cells of nested tables to hide, so that no published total gives a small one back.

A hidden cell is safe when numbers can be moved without changing anything published. Two kinds of moves are enough:
between two siblings of a one-way table, and around a rectangle (two siblings × two groups) of a two-way table. Every
move made at a level is carried down to one descendant of each of its units, so that finer tables do not betray
coarser ones. Levels are treated from the coarsest to the finest, totals before breakdowns: the decisions taken for a
coarse table are the same whatever finer table is asked.

Source: Cox 1980 (suppression by cycles) ; Fischetti & Salazar-González 2001 (attacker as a linear programme, used in
the tests).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

_NOBODY = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a chain. ``parent``: position of each unit's parent in the level above (−1 without). ``total`` and
    ``small``: value of each unit (0 when missing) and whether it must be hidden; ``cells`` and ``small_cells``: the same
    per unit × group, shape units × 0 without a breakdown."""

    parent: np.ndarray
    total: np.ndarray
    small: np.ndarray
    cells: np.ndarray
    small_cells: np.ndarray
    families: dict[int, np.ndarray] = field(default_factory=dict, repr=False, compare=False)

    def children(self, parent: int) -> np.ndarray:
        """Positions of the units of a parent, in order."""
        if not self.families and len(self.parent):
            order = np.argsort(self.parent, kind="stable")
            owners, starts = np.unique(self.parent[order], return_index=True)
            self.families.update(zip(owners.tolist(), np.split(order, starts[1:]), strict=True))
        return self.families.get(parent, _NOBODY)


@dataclass(frozen=True, slots=True)
class Hidden:
    """Masks of hidden totals and hidden cells of one level."""

    totals: np.ndarray
    cells: np.ndarray


@dataclass(slots=True)
class _Moves:
    """Moves of one level: ``pairs`` (a, b, position of the move above or −1, group once chosen); ``loops`` (a, b or −1,
    g, h)."""

    pairs: list[tuple[int, int, int]] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    loops: list[tuple[int, int, int, int]] = field(default_factory=list)


def hide(levels: list[Level], threshold: int) -> list[Hidden]:
    """Masks for every level of a chain, coarsest first. A hidden cell is exchanged with cells ≥ ``threshold`` whenever
    there are some, so that what an attacker can infer stays at least that wide."""
    found: list[Hidden] = []
    above = _Moves()
    for depth, level in enumerate(levels):
        here = _Moves()
        totals = _hide_totals(level, above, here, depth > 0, threshold)
        cells = _hide_cells(level, above, here, depth > 0, threshold)
        found.append(Hidden(totals, cells))
        above = here
    return found


def _siblings(level: Level, unit: int) -> np.ndarray:
    """Positions of the other units of the same parent."""
    family = level.children(int(level.parent[unit]))
    return family[family != unit]


def _cost(values: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Published quantity lost by hiding; infinite where there is nothing to move."""
    return np.where(values > 0, np.where(hidden, 0.0, values), np.inf)


def _hide_totals(level: Level, above: _Moves, here: _Moves, has_parent: bool, threshold: int) -> np.ndarray:
    hidden = level.small.copy()
    if not has_parent:
        return hidden
    covered = np.zeros(len(hidden), dtype=bool)

    def add(a: int, b: int, origin: int) -> None:
        hidden[[a, b]] = covered[[a, b]] = True
        here.pairs.append((a, b, origin))

    for origin, (a, b, _) in enumerate(above.pairs):
        ends = [_cheapest_child(level, unit, hidden) for unit in (a, b)]
        if min(ends) >= 0:
            add(ends[0], ends[1], origin)
    for unit in np.argsort(level.total, kind="stable"):
        if not hidden[unit] or covered[unit]:
            continue
        partner = _partner(level, int(unit), hidden, threshold)
        if partner >= 0:
            add(int(unit), partner, -1)
    return hidden


def _cheapest_child(level: Level, parent: int, hidden: np.ndarray) -> int:
    children = level.children(parent)
    if not len(children):
        return -1
    cost = _cost(level.total[children], hidden[children])
    best = int(np.argmin(cost))
    return int(children[best]) if np.isfinite(cost[best]) else -1


def _partner(level: Level, unit: int, hidden: np.ndarray, threshold: int) -> int:
    siblings = _siblings(level, unit)
    if not len(siblings):
        return -1
    values = level.total[siblings]
    cost = _cost(values, hidden[siblings]) + np.where(values < threshold, 1e15, 0.0)
    best = int(np.argmin(cost))
    return int(siblings[best]) if np.isfinite(cost[best]) else -1


def _hide_cells(level: Level, above: _Moves, here: _Moves, has_parent: bool, threshold: int) -> np.ndarray:
    hidden = level.small_cells.copy()
    if not hidden.shape[1]:
        return hidden
    covered = np.zeros(hidden.shape, dtype=bool)
    for a, b, origin in here.pairs:
        group = above.groups[origin] if origin >= 0 else _common_group(level.cells, a, b)
        here.groups.append(group)
        hidden[[a, b], group] = covered[[a, b], group] = True
    for a, b, g, h in above.loops:
        ends = [_loop_child(level, unit, g, h, hidden) if unit >= 0 else -1 for unit in (a, b)]
        _close(here, hidden, covered, (ends[0], ends[1], g, h))
    order = np.argsort(level.cells, axis=None, kind="stable")
    for unit, group in zip(*np.unravel_index(order, hidden.shape), strict=True):
        if hidden[unit, group] and not covered[unit, group]:
            loop = _loop(level, int(unit), int(group), hidden, has_parent, threshold)
            if loop is None:
                _surround(level, int(unit), int(group), hidden, has_parent)
            else:
                _close(here, hidden, covered, loop)
    return hidden


def _close(here: _Moves, hidden: np.ndarray, covered: np.ndarray, loop: tuple[int, int, int, int]) -> None:
    a, b, g, h = loop
    for unit in (a, b):
        if unit >= 0:
            hidden[unit, [g, h]] = covered[unit, [g, h]] = True
    if a >= 0:
        here.loops.append(loop)


def _common_group(cells: np.ndarray, a: int, b: int) -> int:
    """The group in which two units have the most to exchange."""
    return int(np.argmax(np.minimum(cells[a], cells[b])))


def _loop_child(level: Level, parent: int, g: int, h: int, hidden: np.ndarray) -> int:
    children = level.children(parent)
    if not len(children):
        return -1
    cost = sum(_cost(level.cells[children, group], hidden[children, group]) for group in (g, h))
    return int(children[int(np.argmin(cost))])


def _loop(
    level: Level, unit: int, group: int, hidden: np.ndarray, has_parent: bool, threshold: int
) -> tuple[int, int, int, int] | None:
    """The cheapest rectangle (or pair of groups in the top unit) through a cell."""
    values, weak = level.cells, 1e15
    cost = _cost(values, hidden)
    along = cost[unit] + np.where(values[unit] < threshold, weak, 0.0)
    along[group] = np.inf
    if not has_parent:
        best = int(np.argmin(along))
        return (unit, -1, group, best) if np.isfinite(along[best]) else None
    siblings = _siblings(level, unit)
    if not len(siblings):
        return None
    across = cost[siblings, group] + np.where(values[siblings, group] < threshold, weak, 0.0)
    price = cost[siblings] + along[None, :] + across[:, None]
    row, column = np.unravel_index(int(np.argmin(price)), price.shape)
    if not np.isfinite(price[row, column]):
        return None
    return unit, int(siblings[row]), group, int(column)


def _surround(level: Level, unit: int, group: int, hidden: np.ndarray, has_parent: bool) -> None:
    """Without a rectangle, hide everything the cell could be deduced from."""
    hidden[unit] |= level.cells[unit] > 0
    if has_parent:
        siblings = _siblings(level, unit)
        near = siblings[level.cells[siblings, group] > 0]
        hidden[near] |= level.cells[near] > 0
