"""Cutting a sheet into blocks: runs of lines between blank ones, and side-by-side tables between blank columns."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ..grid import Grid, row_numbers
from ..masks import true_rows
from .headers import Header, Window, find_header, looks_like_data
from .shape import TEXT, is_expected, kind_of

HEAD = 100
MAX_RUNS = 300
STACKED_BY_HAND = 100_000
_FEW = 300
DIGITS = list("0123456789")
_TOGETHER = 0.75

Span = tuple[int, int]


def runs(grid: Grid) -> list[Span]:
    """Maximal runs of non-blank lines with consecutive row numbers, as (start, stop) positions."""
    if not grid.height or not grid.width:
        return []
    consecutive = int(grid.rows[-1]) - int(grid.rows[0]) == grid.height - 1
    if consecutive and any(series.null_count() == 0 for series in grid.frame.iter_columns()):
        return [(0, grid.height)]
    filled = grid.frame.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    gap = grid.rows.cast(pl.Int64).diff().fill_null(1) > 1
    if filled.all() and not gap.any():
        return [(0, grid.height)]
    starts = filled & (gap | ~filled.shift(1, fill_value=False))
    begin = true_rows(starts).to_list()
    ends = true_rows(filled & ~(filled.shift(-1, fill_value=False) & ~gap.shift(-1, fill_value=True))).to_list()
    return [(start, end + 1) for start, end in zip(begin, ends, strict=False)]


def cut_where_stacked(grid: Grid, spans: list[Span], vocabulary: frozenset[str]) -> list[Span]:
    """The same runs, cut where another header follows data without a blank line; titles just above it go with it.

    Only sheets of at most STACKED_BY_HAND lines are looked at: longer ones are exports, in one piece."""
    if not vocabulary or not 0 < grid.height <= STACKED_BY_HAND or grid.width < 3:
        return spans
    headings = [i for i in wordy_lines(grid.frame) if _is_heading(grid.frame.row(i), vocabulary)]
    found: list[Span] = []
    for start, stop in spans:
        seen = start
        for position in (i for i in headings if start < i < stop):
            first = position
            while first > seen and _is_title(grid.frame.row(first - 1)):
                first -= 1
            if any(looks_like_data(grid.frame.row(i)) for i in range(max(seen, first - 20), first)):
                found.append((seen, first))
                seen = first
        found.append((seen, stop))
    return found


def wordy_lines(frame: pl.DataFrame) -> list[int]:
    """Lines of three cells or more without any digit: each column only looks at the lines the ones before have left."""
    lines = row_numbers(frame.height, 0)
    for column in frame.get_columns():
        if len(lines) <= _FEW:
            break
        lines = lines.filter(~column[lines].str.contains_any(DIGITS).fill_null(False))
    return [line for line in lines.to_list() if _is_wordy(frame.row(line))]


def _is_wordy(cells: tuple[str | None, ...]) -> bool:
    found = [cell for cell in cells if cell is not None]
    return len(found) >= 3 and not any(digit in cell for cell in found for digit in DIGITS)


def _is_heading(cells: tuple[str | None, ...], vocabulary: frozenset[str]) -> bool:
    found = [cell for cell in cells if cell]
    expected = sum(is_expected(cell, vocabulary) for cell in found)
    return expected >= 3 and expected >= 0.6 * len(found) == 0.6 * len({*found}) and all(kind_of(cell) == TEXT for cell in found)


def _is_title(cells: tuple[str | None, ...]) -> bool:
    found = [cell for cell in cells if cell]
    return len(found) == 1 and kind_of(found[0]) == TEXT


def window_of(grid: Grid, start: int, stop: int, columns: tuple[int, ...]) -> Window:
    """The first lines of a block as seen and with merged cells filled in. ``columns`` are positions in the frame."""
    stop = min(stop, start + HEAD)
    part = grid.frame[start:stop][:, list(columns)]
    raw = [list(row) for row in part.rows()]
    numbers = [int(value) for value in grid.rows[start:stop]]
    filled, spans = _fill_merges(grid, raw, numbers, columns)
    return Window(tuple(map(tuple, raw)), filled, tuple(numbers), frozenset(spans))


def _fill_merges(
    grid: Grid, raw: list[list[str | None]], numbers: list[int], columns: tuple[int, ...]
) -> tuple[tuple[tuple[str | None, ...], ...], set[tuple[int, int]]]:
    filled = [list(row) for row in raw]
    place = {grid.columns[column]: i for i, column in enumerate(columns)}
    line = {number: i for i, number in enumerate(numbers)}
    spans: set[tuple[int, int]] = set()
    for top, left, bottom, right in grid.merged:
        if top not in line or left not in place or right - left > 3000:
            continue
        value = raw[line[top]][place[left]]
        for row in range(top, min(bottom, top + HEAD) + 1):
            for column in range(left, right + 1):
                if row in line and column in place:
                    filled[line[row]][place[column]] = value
        if right > left:
            spans.add((line[top], place[left]))
    return tuple(map(tuple, filled)), spans


def side_by_side(grid: Grid, start: int, stop: int, vocabulary: frozenset[str]) -> list[tuple[int, ...]]:
    """Column positions of each table of a block; a single entry unless the parts really stand on their own."""
    part = grid.frame[start:stop]
    used = [i for i, series in enumerate(part.iter_columns()) if series.null_count() < part.height]
    groups = _groups(grid, used)
    if len(groups) < 2:
        return _adjoining(grid, start, stop, tuple(used), vocabulary)
    headers = [_header(grid, start, stop, group, vocabulary) for group in groups]
    known = [header for header in headers if header is not None]
    if len(known) < len(groups) or any(len(group) < 2 for group in groups):
        return [tuple(used)]
    found = [groups[0]]
    for number in range(1, len(groups)):
        if _stand_apart(part, (groups[number - 1], groups[number]), (known[number - 1], known[number])):
            found.append(groups[number])
        else:
            found[-1] = (*found[-1], *groups[number])
    return found


def _stand_apart(part: pl.DataFrame, groups: tuple[tuple[int, ...], ...], headers: tuple[Header, Header]) -> bool:
    """Whether two neighbours are two tables: the same labels twice, headers on two lines, or lines of their own."""
    one, other = ({label.casefold() for label in header.labels if label} for header in headers)
    shared = len(one & other) >= max(1, min(len(one), len(other)) // 2)
    return shared or headers[0].last != headers[1].last or _uneven(part, groups)


def _adjoining(grid: Grid, start: int, stop: int, columns: tuple[int, ...], vocabulary: frozenset[str]) -> list[tuple[int, ...]]:
    """Tables that touch: one header line says the same labels several times over, at least two of them expected."""
    if len(columns) < 4 or not vocabulary:
        return [columns]
    for cells in window_of(grid, start, min(stop, start + 10), columns).raw:
        for size in range(2, len(cells) // 2 + 1):
            first, times = cells[:size], len(cells) // size
            if first * times == cells and len({*first}) == size and sum(is_expected(cell or "", vocabulary) for cell in first) >= 2:
                return [columns[i : i + size] for i in range(0, len(columns), size)]
    return [columns]


def _groups(grid: Grid, used: list[int]) -> list[tuple[int, ...]]:
    groups: list[list[int]] = []
    for position in used:
        if groups and grid.columns[position] - grid.columns[groups[-1][-1]] == 1:
            groups[-1].append(position)
        else:
            groups.append([position])
    return [tuple(group) for group in groups]


def _header(grid: Grid, start: int, stop: int, columns: tuple[int, ...], vocabulary: frozenset[str]) -> Header | None:
    return find_header(window_of(grid, start, stop, columns), vocabulary)


def _uneven(part: pl.DataFrame, groups: Sequence[tuple[int, ...]]) -> bool:
    """Whether the parts live on different lines. Lines that hold one cell (titles, notes) say nothing; a total or two that
    stand in one part only do not make two tables."""
    filled = [part.select(pl.sum_horizontal(pl.col([part.columns[i] for i in group]).is_not_null())).to_series() for group in groups]
    counts = pl.DataFrame({str(i): series for i, series in enumerate(filled)})
    lines = counts.filter(pl.sum_horizontal(pl.all()) > 1)
    together = lines.filter(pl.all_horizontal(pl.all() > 0)).height
    return together < _TOGETHER * max(1, lines.height)
