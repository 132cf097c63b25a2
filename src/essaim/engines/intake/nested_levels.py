"""Which lines of a table stand under which: the schools and articles that a pivot piles up in one column, or writes once a group."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from essaim.kernel.french import folded

DEEPEST = 3
_TOTAL = re.compile(r"(?:sous )?(?:total|somme) (?:(?:de|des|du|d|pour|of) )?(?P<of>.+)|(?P<before>.+) (?:total|resultat)")
_VOID = ("(vide)", "(blank)", "(empty)")
Numbers = dict[int, Decimal]


@dataclass(slots=True)
class Node:
    """One label: the number of its line (None where it has none of its own), how deep it stands, and the numbers beside it, by column."""

    line: int | None
    level: int
    label: str
    numbers: Numbers

    @property
    def text(self) -> str | None:
        return None if self.label.strip().casefold() in _VOID else self.label.strip()


def by_indent(indents: Sequence[int]) -> list[int]:
    """Levels of labels set in by more or less."""
    ranks = {indent: rank for rank, indent in enumerate(sorted(set(indents)))}
    return [ranks[indent] for indent in indents]


def by_leaves(kinds: Sequence[str]) -> list[int]:
    """Levels where everything of the kind of the last label stands lowest, and what precedes it above."""
    left, above = [], 0  # how many labels from each to the next of the lowest ones
    for kind in reversed(kinds):
        above = above + 1 if kind != kinds[-1] else 0
        left.append(above)
    return [max(left, default=0) - count for count in reversed(left)]


def by_parents(kinds: Sequence[str], parent: str) -> list[int]:
    """Levels where every label of one kind stands above all others."""
    return [int(kind != parent) for kind in kinds]


def is_staircase(levels: Sequence[int]) -> bool:
    """Whether levels begin at the top and go down one step at a time, at least once."""
    steps = pairwise(levels)
    return bool(levels) and not levels[0] and 0 < max(levels) <= DEEPEST and all(after <= before + 1 for before, after in steps)


def has_children(nodes: Sequence[Node]) -> list[bool]:
    """Whether each label has others under it."""
    return [after.level > node.level for node, after in pairwise(nodes)] + [False]


def with_totals(nodes: Sequence[Node], said_of: Callable[[int], bool]) -> tuple[list[Node], list[int]]:
    """Labels without the lines « Total École X », whose numbers go to the label they close, and the lines so left out. ``said_of``:
    whether a column of numbers is added up."""
    kept: list[Node] = []
    closing: list[int] = []
    for node in nodes:
        parent = _closed(node, kept)
        if parent is None:
            kept.append(node)
        elif node.line is not None:
            parent.numbers = {place: value for place, value in node.numbers.items() if said_of(place)} or node.numbers
            closing.append(node.line)
    return kept, closing


def _closed(node: Node, before: Sequence[Node]) -> Node | None:
    """The label without numbers that a line of total closes: the nearest above of that name."""
    found = _TOTAL.fullmatch(folded(node.label))
    name = (found["of"] or found["before"]) if found else None
    parent = next((other for other in reversed(before) if folded(other.label) == name), None) if name else None
    return parent if parent is not None and not parent.numbers else None


def adds_up(nodes: Sequence[Node], counted: Sequence[int]) -> bool | None:
    """Whether the numbers of every label are the sums of those just under it, in the columns ``counted``. None: some have no number."""
    parents, silent = has_children(nodes), False
    sums: list[Numbers] = [{} for _ in range(DEEPEST + 2)]
    for node, is_parent in zip(reversed(nodes), reversed(parents), strict=True):
        own = {place: value for place, value in node.numbers.items() if place in counted}
        if is_parent:
            under = sums[node.level + 1]
            if own and any(own.get(place, 0) != under.get(place, 0) for place in counted):
                return False
            silent, own = silent or not own, own or under
        for level in range(node.level + 1, len(sums)):
            sums[level] = {}
        total = sums[node.level]
        sums[node.level] = {place: total.get(place, Decimal(0)) + own.get(place, 0) for place in {*total, *own}}
    return None if silent else any(parents)


def paths(nodes: Sequence[Node]) -> list[list[str | None]]:
    """For each label, the texts that stand above it and its own, by level."""
    found: list[list[str | None]] = []
    path: list[str | None] = []
    for node in nodes:
        path = [*path[: node.level], *[None] * (node.level - len(path)), node.text]
        found.append(path)
    return found
