"""Cutting a sheet into blocks: runs of lines between blank ones, and side-by-side tables between blank columns."""

from __future__ import annotations

import polars as pl

from ..grid import Grid
from .headers import Header, Window, find_header

HEAD = 100
MAX_RUNS = 300

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
    begin = starts.arg_true().to_list()
    ends = (filled & ~(filled.shift(-1, fill_value=False) & ~gap.shift(-1, fill_value=True))).arg_true().to_list()
    return [(start, end + 1) for start, end in zip(begin, ends, strict=False)]


def window_of(grid: Grid, start: int, stop: int, columns: tuple[int, ...]) -> Window:
    """The first lines of a block as seen and with merged cells filled in. ``columns`` are positions in the frame."""
    stop = min(stop, start + HEAD)
    part = grid.frame[start:stop].select([grid.frame.columns[i] for i in columns])
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
        return [tuple(used)]
    headers = [_header(grid, start, stop, group, vocabulary) for group in groups]
    if all(header is not None for header in headers) and all(len(group) >= 2 for group in groups):
        sets = [{label.casefold() for label in header.labels if label} for header in headers if header]
        shared = any(len(a & b) >= max(1, min(len(a), len(b)) // 2) for i, a in enumerate(sets) for b in sets[i + 1 :])
        if shared or _uneven(part, groups) or len({header.last for header in headers if header}) > 1:
            return groups
    return [tuple(used)]


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


def _uneven(part: pl.DataFrame, groups: list[tuple[int, ...]]) -> bool:
    """Whether the parts stop at different lines."""
    ends = set()
    for group in groups:
        names = [part.columns[i] for i in group]
        filled = part.select(pl.any_horizontal(pl.col(names).is_not_null())).to_series().arg_true()
        ends.add((int(filled[0]), int(filled[-1])) if filled.len() else (0, 0))
    return len(ends) > 1
