"""Finding the header of a block: the row, its upper and lower levels, or none."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .shape import (
    CODE,
    DATA,
    DATE,
    MISSING,
    NUMBER,
    PROSE,
    TEXT,
    YEAR,
    is_expected,
    is_usual,
    kind_of,
    one_line,
)

Row = Sequence[str | None]
_UAI = re.compile(r"(?<![0-9A-Za-z])[0-9]{7} ?[A-Za-z]\b")
# What a word of the contract is worth in a header, how many count, and the most that all the rest may give.
_EXPECTED, _COUNTED, _MOST = 0.6, 6, 5.6
_UNIT = re.compile(
    r"\(?(?:en\s)?(?:m|k)?(?:€|euros?|%|ht|ttc|€\s?ht|€\s?ttc|nombre|nb|unités?|jj/mm/aaaa|oui/non|texte|date|facultatif|obligatoire"
    r"|m²|mbit/s|mb/s|go|jours?|mois|montants?(?:\s(?:ht|ttc))?|prix(?:\s(?:ht|ttc|unitaire))?|qt[ée]s?|quantit[ée]s?)\)?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Header:
    """Positions (in the block) of the first and last header lines, the label of each column, and its strength."""

    first: int
    last: int
    labels: tuple[str, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Window:
    """The first lines of a block: cells as written, cells with merged ranges filled in, and true row numbers."""

    raw: tuple[tuple[str | None, ...], ...]
    filled: tuple[tuple[str | None, ...], ...]
    numbers: tuple[int, ...]
    spans: frozenset[tuple[int, int]] = frozenset()

    @property
    def width(self) -> int:
        return len(self.raw[0]) if self.raw else 0


REACH = 60


def find_header(window: Window, vocabulary: frozenset[str], reach: int = REACH) -> Header | None:
    """The best header of the window, with every level joined; None when its lines are all data."""
    best: tuple[float, int] | None = None
    kinds = _Kinds(window.filled)
    fills = [sum(map(bool, row)) for row in window.filled]
    _take_schools_for_labels(window, kinds)
    for position in range(min(reach, len(window.raw))):
        if best is not None and _cannot_beat(best[0] + 0.03 * position, window.filled[position], vocabulary):
            continue
        score = _score(window, kinds, position, vocabulary, fills)
        if score is not None and (best is None or score - 0.03 * position > best[0]):
            best = (score - 0.03 * position, position)
    if best is None:
        return None
    chosen = next(i for i in range(best[1] + 1) if window.raw[i] == window.raw[best[1]])  # repeated on each page: the first
    first, last = _levels(window, kinds, chosen)
    return Header(first, last, _labels(window, first, last), best[0])


class _Kinds:
    """The shape of each cell of a window, line by line, worked out when a line is first asked."""

    __slots__ = ("_found", "_rows")

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self._found: list[list[str | None] | None] = [None] * len(rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, line: int) -> list[str | None]:
        found = self._found[line]
        if found is None:
            found = self._found[line] = [kind_of(cell) if cell else None for cell in self._rows[line]]
        return found


def _cannot_beat(score: float, row: Row, vocabulary: frozenset[str]) -> bool:
    """Whether a line cannot have a better score: all that ``_score`` adds is at its most, but for the words expected."""
    needed = (score - _MOST) / _EXPECTED
    if needed >= _COUNTED:
        return True
    found = 0
    for cell in row:
        if cell and (is_expected(cell, vocabulary) or _UAI.search(cell)):
            found += 1
            if found >= needed - 1e-9:
                return False
    return needed > 1e-9


def rivals_allowed(row: Row, vocabulary: frozenset[str]) -> int | None:
    """How many awaited cells (a word of the contract, the identifier of a school) each line below ``row`` may hold without any
    chance of being taken for the header in its place, whatever else it holds; None when ``row`` is no such clear header.

    A clear one fills every column with a label of its own, and none of its labels comes back below as a value."""
    cells = [one_line(cell or "") for cell in row]
    if not all(cells) or len({cell.casefold() for cell in cells}) < len(cells):
        return None
    if any(kind_of(cell) != TEXT or len(cell) > 70 or _UAI.search(cell) for cell in cells):
        return None
    expected = sum(is_expected(cell, vocabulary) for cell in cells)
    usual = sum(map(is_usual, cells)) / len(cells)
    least = 1 + 1 + 0.6 + min(expected, _COUNTED) * _EXPECTED + usual  # texts, coverage, distinct labels, words; contrast left out
    needed = (least + 0.03 - _MOST) / _EXPECTED
    return math.ceil(needed - 1e-9) - 1 if needed > 1e-9 else None


def _take_schools_for_labels(window: Window, kinds: _Kinds) -> None:
    """Identifiers of schools above columns of numbers are labels: one column a school."""
    for position, row in enumerate(window.raw[:20]):
        schools = [i for i, cell in enumerate(row) if cell and _UAI.search(cell)]
        if len(schools) < 2:
            continue
        below = [kinds[line][i] for line in range(position + 1, min(position + 21, len(kinds))) for i in schools]
        if NUMBER in below and {*below} <= {NUMBER, MISSING, None}:
            for i in schools:
                kinds[position][i] = TEXT


def _score(window: Window, kinds: _Kinds, position: int, vocabulary: frozenset[str], fills: list[int]) -> float | None:
    row, shapes = window.filled[position], kinds[position]
    places = [i for i, cell in enumerate(row) if cell]
    written = [i for i, cell in enumerate(window.raw[position]) if cell]
    below = position + 1 < len(kinds)
    if not places or len(written) < min(2, window.width) or any(shapes[i] == PROSE for i in places):
        return None
    cells = [row[i] or "" for i in places]
    texts = sum(shapes[i] in (TEXT, YEAR) for i in places) / len(places)
    schools = [shapes[i] == TEXT and bool(_UAI.search(cell)) for i, cell in zip(places, cells, strict=True)]
    if sum(schools) < 2:  # one column a school takes two of them; one is a name in a line of data
        schools = [False] * len(schools)
    awaited = (school or is_expected(cell, vocabulary) for school, cell in zip(schools, cells, strict=True))
    if texts < 0.6 and not _enough(awaited, len(cells), max(2, len(places) / 2)):
        return None
    expected = sum(school or is_expected(cell, vocabulary) for school, cell in zip(schools, cells, strict=True))
    distinct = len({one_line(cell).casefold() for cell in cells}) / len(cells)
    coverage = min(1.0, len(places) / _usual_fill(fills[position + 1 : position + 41], window.width))
    if coverage < 0.4 and expected < 2:
        return None
    contrast, recurring = _contrast(window, kinds, position, places)
    usual = sum(is_usual(cell) for cell in cells) / len(cells)
    long = sum(len(cell) > 70 for cell in cells) / len(cells)
    evidence = 2 * contrast + min(expected, _COUNTED) * _EXPECTED + usual
    if below and not expected and not usual and contrast < 0.15 and (recurring or distinct < 1 or texts < 1 or long > 0.3):
        return None
    if not below and not expected and usual < 0.25 and window.width > 1 and texts < 1:
        return None
    if window.width == 1 and not expected and not usual and contrast < 0.5:
        return None
    return texts + coverage + 0.6 * distinct + evidence - recurring - long


def _enough(awaited: Iterable[bool], count: int, needed: float) -> bool:
    """Whether at least ``needed`` of ``count`` cells are true; stops as soon as too few are left."""
    spare = count - needed
    for met in awaited:
        if not met:
            spare -= 1
            if spare < 0:
                return False
    return spare >= 0


def _usual_fill(below: list[int], width: int) -> float:
    fills = sorted(filter(None, below))
    return float(fills[int(len(fills) * 0.6)]) if fills else float(max(1, width))


def _contrast(window: Window, kinds: _Kinds, position: int, places: list[int]) -> tuple[float, float]:
    """Share of columns whose cells below are data under a text, and share whose label comes back as a value."""
    contrast = recurring = 0.0
    below = range(position + 1, min(position + 41, len(kinds)))
    rows = [i for i in below if window.raw[i] != window.raw[position]]
    lines = [kinds[i] for i in rows]
    for place in places:
        shapes = [line[place] for line in lines if line[place]]
        if not shapes:
            continue
        if kinds[position][place] in (TEXT, YEAR):
            contrast += sum(shape in DATA for shape in shapes) / len(shapes)
        label = window.filled[position][place]
        repeats = sum(window.raw[i][place] == label for i in rows)
        recurring += repeats > max(1, len(shapes) / 20)
    return contrast / len(places), recurring / len(places)


# -- levels ------------------------------------------------------------------------------------------------------


def _levels(window: Window, kinds: _Kinds, position: int) -> tuple[int, int]:
    first = last = position
    while last + 1 < len(window.raw) and last - position < 2 and _goes_on_below(window, kinds, last):
        last += 1
    while first > 0 and last - first < 3 and _groups_above(window, kinds, first):
        first -= 1
    return first, last


def _next_to(window: Window, upper: int) -> bool:
    return window.numbers[upper + 1] == window.numbers[upper] + 1


def _goes_on_below(window: Window, kinds: _Kinds, upper: int) -> bool:
    lower = upper + 1
    row, shapes = window.raw[lower], kinds[lower]
    places = [i for i, cell in enumerate(row) if cell]
    if not places or not _next_to(window, upper):
        return False
    if len(places) >= 2 and all(_UNIT.match(one_line(row[i] or "")) for i in places):
        return True
    if any(shapes[i] not in (TEXT, YEAR) for i in places) or lower + 1 >= len(window.raw):
        return False
    above = window.raw[upper]
    blanks = [i for i in places if not above[i]]
    heads = [i for i in places if above[i] and i + 1 < len(above) and not above[i + 1]]
    over_data = all(kinds[lower + 1][i] in DATA for i in places if window.raw[lower + 1][i])
    if not blanks or len(blanks) + len(heads) != len(places):  # beside merged headings, one may head a single column
        return bool(blanks) and over_data and any(line == upper for line, _ in window.spans)
    under = [i for i, cell in enumerate(window.raw[lower + 1]) if cell]
    empty_here = [i for i in under if not row[i]]
    return bool(empty_here) or over_data


def _groups_above(window: Window, kinds: _Kinds, lower: int) -> bool:
    upper = lower - 1
    if not _next_to(window, upper):
        return False
    raw, row = window.raw[upper], window.filled[upper]
    written = [i for i, cell in enumerate(raw) if cell]
    if not written or any(kinds[upper][i] not in (TEXT, YEAR) for i in written):
        return False
    if any(len(raw[i] or "") > 90 or (raw[i] or "").rstrip().endswith(":") for i in written):
        return False
    wide = max(sum(cell == raw[i] for cell in row) for i in written)
    if wide >= 0.9 * window.width and len(set(filter(None, row))) == 1:
        return False
    if any((upper, i) in window.spans for i in written):
        return True
    if len(written) == 1:
        return written[0] > 0 and bool(window.raw[lower][written[0]])
    return not (written[-1] <= 1 < window.width - 2) and len(written) < window.width


def _labels(window: Window, first: int, last: int) -> tuple[str, ...]:
    levels = [_spread(window, position, last) for position in range(first, last + 1)]
    labels = []
    for place in range(window.width):
        parts: list[str] = []
        for level in levels:
            text = one_line(level[place] or "")
            if text and (not parts or parts[-1] != text):
                parts.append(text)
        labels.append(" / ".join(parts))
    return tuple(labels)


def _spread(window: Window, position: int, last: int) -> list[str | None]:
    """An upper level carried over the blank cells to its right, as far as a lower level has a label."""
    row = list(window.filled[position])
    if position == last or any(place == position for place, _ in window.spans):
        return row
    lower = window.filled[position + 1]
    current: str | None = None
    for i, cell in enumerate(row):
        if cell:
            current = cell
        elif current and lower[i]:
            row[i] = current
        else:
            current = None
    return row


def is_numbering(cells: Row) -> bool:
    """Whether a line only numbers the columns: 1, 2, 3… or (1), (2)…"""
    found = [(cell or "").strip(" ().") for cell in cells if cell]
    return len(found) >= 3 and found == [str(i) for i in range(1, len(found) + 1)]


def looks_like_data(cells: Row) -> bool:
    """Whether a line holds at least one number, date or code."""
    return any(kind_of(cell) in (NUMBER, DATE, CODE) for cell in cells if cell)


def is_writing(cells: Sequence[str]) -> bool:
    """Whether the cells of a one-column block are sentences rather than values."""
    lengths = sorted(len(cell) for cell in cells)
    return bool(lengths) and lengths[len(lengths) // 2] > 60
