"""Lines that are not data by what they hold: sums of the lines around them, examples, units of the columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from essaim.kernel.french import read_number

from ..masks import true_rows
from .shape import NUMBER, TEXT, kind_of

_EXAMPLE = re.compile(r"\s*(?:ex(?:emple)?s?|e\.g)\b\s*[.:]?", re.IGNORECASE)
_DESCRIPTION = re.compile(
    r"\s*[(\[]?\s*(?:(?:en\s+)?(?:k|m)?€(?:\s*(?:ht|ttc))?|texte(?:\s+libre)?|liste(?:\s+déroulante)?|choix|nombre(?:\s+entier)?|nb|entier|décimal|numérique|unités?|u\.?|code"
    r"|libellé|date(?:\s+fr)?|[jd]{1,2}/m{1,2}/[ay]{2,4}|[ay]{4}-m{2}-[jd]{2}|oui\s*/\s*non|o/n|obligatoire|facultatif|alphanum\w*\.?\s*\d*|\d+\s+caractères|%|:?-{2,}:?|"
    r"string|text|integer|number|boolean|varchar\s*\d*)\s*[)\]]?\s*\*?$",
    re.IGNORECASE,
)
_MOST_LINES, _MOST_SUMS = 20_000, 2_000


def is_example(cells: Sequence[str | None]) -> bool:
    """« Exemple | Tablette | 10 », « ex : 0020011B | ex : Tablette »: how a model says what to write."""
    found = [cell for cell in cells if cell]
    return (len(found) > 1 and bool(_EXAMPLE.fullmatch(found[0]))) or sum(bool(_EXAMPLE.match(cell)) for cell in found) > max(1, len(found) // 2)


def is_description(cells: Sequence[str | None]) -> bool:
    """« (texte) | (unités) | (jj/mm/aaaa) »: what kind of value each column takes."""
    found = [cell for cell in cells if cell]
    return len(found) > 1 and all(_DESCRIPTION.match(cell) for cell in found)


@dataclass(frozen=True, slots=True)
class _Sparse:
    """A line with one text at most and numbers, by column."""

    line: int
    numbers: Mapping[int, Decimal]
    bare: bool


def sums_of_lines(frame: pl.DataFrame, fill: pl.Series, usual: int, kinds: Sequence[str | None], reasons: Mapping[int, str]) -> list[int]:
    """Lines half empty whose every number is the sum of the lines above or below it, up to the next such line: subtotals that no word
    tells (« Laon | 25 » above its schools). All or none: one that is not the sum of anything leaves them all as they are."""
    if usual < 3 or not 3 <= frame.height <= _MOST_LINES:
        return []
    sparse = [line for line in true_rows((fill > 0) & (fill <= usual // 2)).head(_MOST_SUMS).to_list() if line not in reasons]
    if not sparse or 2 * len(sparse) > frame.height:
        return []
    columns = [place for place, kind in enumerate(kinds) if kind == NUMBER]
    found = [_read(line, frame.row(line), columns) for line in sparse]
    if not all(found):
        return []
    lines = [item for item in found if item is not None]
    places = sorted({place for item in lines for place in item.numbers})
    running = {place: _running(frame.to_series(place).to_list(), {*sparse, *reasons}) for place in places}
    bounds = [-1, *(item.line for item in lines), frame.height]
    matched = [_matches(item, bounds[number], bounds[number + 2], running) for number, item in enumerate(lines)]
    several = any(size > 1 for sizes in matched for size in sizes)
    if not several or any(not sizes for sizes in matched):
        return []
    return [item.line for item in lines]


def _read(line: int, cells: Sequence[str | None], columns: Sequence[int]) -> _Sparse | None:
    numbers = {place: number.value for place in columns if (cell := cells[place]) and (number := read_number(cell))}
    others = [cell for place, cell in enumerate(cells) if cell and place not in numbers]
    if not numbers or len(others) > 1 or any(kind_of(cell) != TEXT for cell in others):
        return None
    return _Sparse(line, numbers, not others)


def _running(cells: Sequence[str | None], left_out: set[int]) -> tuple[list[Decimal], list[int]]:
    """Sum and count of the numbers before each line, those left out apart."""
    sums, counts = [Decimal(0)], [0]
    for line, cell in enumerate(cells):
        number = read_number(cell) if cell and line not in left_out else None
        sums.append(sums[-1] + (number.value if number else 0))
        counts.append(counts[-1] + (number is not None))
    return sums, counts


def _matches(item: _Sparse, before: int, after: int, running: Mapping[int, tuple[list[Decimal], list[int]]]) -> set[int]:
    """How many lines a sum is of, for each way it is one: of those below, above, of all above."""
    sizes = set()
    for start, stop in ((item.line + 1, after), (before + 1, item.line), (0, item.line)):
        ranges = [(running[place], value) for place, value in item.numbers.items()]
        if all(sums[stop] - sums[start] == value for (sums, _), value in ranges):
            sizes.add(max(counts[stop] - counts[start] for (_, counts), _ in ranges))
    return {size for size in sizes if size}
