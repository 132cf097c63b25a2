"""Locating the tables of a sheet: where each header is, which lines are data, what was left out and why."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from ..grid import Grid, index_of, letter_of
from ..masks import true_rows
from ..tables import Column, RawTable
from .blocks import MAX_RUNS, Span, cut_where_stacked, runs, side_by_side, window_of
from .body import NOTE, SECTION, TITLE, TOTAL, split_body
from .headers import Header, find_header, is_writing
from .turned import stands_under_a_header, turned

__all__ = ["ANNOTATION_MARK", "is_annotation", "locate_tables"]

ANNOTATION_MARK = "essaim:anomalies:1"
_HEADING = 40
_MOST_TOTALS = 2_000


@dataclass(slots=True)
class _Draft:
    """A table being assembled: its columns, header and line spans; ``before`` are lines of prose above it; ``turned``: its
    lines set upright when they lie on their side; ``before_column``: where the table to its right begins."""

    columns: tuple[int, ...]
    header: Header | None
    start: int
    spans: list[Span]
    before: list[int]
    turned: Grid | None = None
    before_column: int | None = None
    beside: bool = False


def is_annotation(grid: Grid) -> bool:
    """Whether a sheet was added by ``annotate`` (its first line holds the mark, whatever its name became)."""
    if not grid.height or not grid.sheet.rsplit("/", 1)[-1].startswith("Anomalies"):
        return False
    return any(ANNOTATION_MARK in cell for row in grid.frame.head(3).rows() for cell in row if cell)


def locate_tables(grid: Grid, vocabulary: frozenset[str] = frozenset(), *, upright: bool = False) -> list[RawTable]:
    """Every table of a sheet, top to bottom then left to right; an empty sheet gives none.

    A run of lines without a header of its own continues the table above it; prose alone is no table. ``upright``: none lies on its side."""
    if grid.keyed:
        return [_keyed(grid)]
    drafts: list[_Draft] = []
    prose: list[int] = []
    found = cut_where_stacked(grid, runs(grid), vocabulary)
    for order, (start, stop) in enumerate(found):
        if order >= MAX_RUNS and drafts:
            drafts[-1].spans.append((start, found[-1][1]))
            break
        if upright or not _lying(grid, start, stop, vocabulary, drafts, prose):
            _place(grid, start, stop, vocabulary, drafts, prose)
    tables = [_set_upright(grid, draft, vocabulary) if draft.turned else _table(grid, draft) for draft in drafts]
    return [table for table in tables if table is not None]


def _keyed(grid: Grid) -> RawTable:
    labels = grid.frame.row(0)
    columns = tuple(Column(letter_of(i), label or "") for i, label in zip(grid.columns, labels, strict=False))
    body = grid.frame[1:]
    frame = _named(body, grid.rows[1:])
    return RawTable(grid.sheet, 1, columns, frame, (), grid.hidden)


def _place(
    grid: Grid, start: int, stop: int, vocabulary: frozenset[str], drafts: list[_Draft], prose: list[int]
) -> None:
    groups = side_by_side(grid, start, stop, vocabulary)
    if len(groups) > 1:
        for group, following in zip(groups, [*(other[0] for other in groups[1:]), None], strict=True):
            header = find_header(window_of(grid, start, stop, group), vocabulary)
            drafts.append(_Draft(group, header, start, [(start, stop)], list(prose), before_column=following, beside=True))
            prose.clear()
        return
    columns = groups[0]
    window = window_of(grid, start, stop, columns)
    if len(columns) == 1 and is_writing([cell for row in window.raw for cell in row if cell]):
        prose.extend(range(start, stop))
        return
    header = find_header(window, vocabulary)
    if drafts and not drafts[-1].turned and _continues(grid, drafts, header, columns, stop - start):
        _extend(drafts, grid, (start, stop))
    elif header is not None and (stop - start > header.last + 1 or not _is_prose(window.raw) or len(columns) > 2):
        drafts.append(_Draft(columns, header, start, [(start, stop)], list(prose)))
        prose.clear()
    elif _is_prose(window.raw) and stop - start < 40:
        prose.extend(range(start, stop))
    else:
        drafts.append(_Draft(columns, None, start, [(start, stop)], list(prose)))
        prose.clear()


def _lying(grid: Grid, start: int, stop: int, vocabulary: frozenset[str], drafts: list[_Draft], prose: list[int]) -> bool:
    """Takes a run of lines whose labels go down the first column; those of a table already lying there go on with it."""
    standing = stands_under_a_header(grid, start, stop, vocabulary)
    if drafts and drafts[-1].turned and not standing and (upright := turned(grid, drafts[-1].start, stop, vocabulary)):
        drafts[-1].turned = upright
        return True
    upright = None if standing else turned(grid, start, stop, vocabulary)
    if upright is None:
        return False
    drafts.append(_Draft((), None, start, [(start, stop)], list(prose), upright))
    prose.clear()
    return True


def _is_prose(rows: tuple[tuple[str | None, ...], ...]) -> bool:
    return all(sum(cell is not None for cell in row) <= 2 for row in rows)


def _continues(grid: Grid, drafts: list[_Draft], header: Header | None, columns: tuple[int, ...], height: int) -> bool:
    last = drafts[-1]
    if header is None:
        return True
    if last.header is None:
        return False
    old = {label.casefold() for label in last.header.labels if label}
    new = {label.casefold() for label in header.labels if label}
    if new and new <= old and columns[0] >= last.columns[0]:
        return set(columns) <= set(last.columns) and _aligned(last, header, columns)
    if height <= header.last + 1:
        return True
    return header.score < 0.55 * last.header.score and set(columns) <= set(last.columns)


def _aligned(last: _Draft, header: Header, columns: tuple[int, ...]) -> bool:
    if last.header is None:
        return False
    by_place = dict(zip(last.columns, last.header.labels, strict=False))
    return all(not label or by_place.get(place) == label for place, label in zip(columns, header.labels, strict=False))


def _extend(drafts: list[_Draft], grid: Grid, span: Span) -> None:
    owners = [draft for draft in drafts if draft.spans[-1] == drafts[-1].spans[-1]]
    for draft in owners:
        draft.spans.append(span)


def _set_upright(grid: Grid, draft: _Draft, vocabulary: frozenset[str]) -> RawTable | None:
    assert draft.turned is not None
    tables = locate_tables(draft.turned, vocabulary, upright=True)
    if len(tables) != 1:
        return None
    prose = tuple((int(grid.rows[i]), _written(grid, i)) for i in draft.before[-_HEADING:])
    columns = tuple(Column(str(index_of(column.letter) + 1), column.header) for column in tables[0].columns)
    skipped = tuple((row, TITLE) for row, _ in prose)
    return replace(tables[0], header_row=None, columns=columns, skipped=skipped, prose=prose, turned=True)


def _table(grid: Grid, draft: _Draft) -> RawTable | None:
    last = draft.start + (draft.header.last + 1 if draft.header else 0)
    stop = draft.spans[-1][1]
    columns = _all_columns(grid, draft, last, stop)
    body = grid.frame[last:stop][:, list(columns)]
    labels = _labels(draft, columns)
    header_line = None
    if draft.header:
        line = grid.frame.row(last - 1)
        header_line = tuple(line[i] for i in columns)
    wide = frozenset(row for row, left, _, right in ((m[0], m[1], m[2], m[3]) for m in grid.merged) if right > left)
    frame, rows, skipped = split_body(body, grid.rows[last:stop], labels, header_line, wide)
    kept = [i for i in range(len(columns)) if labels[i] or frame.to_series(i).null_count() < frame.height]
    if not kept or (draft.header is None and not frame.height):
        return None
    frame = frame[:, kept]
    described = tuple(Column(letter_of(grid.columns[columns[i]]), labels[i]) for i in kept)
    first = draft.start + (draft.header.first if draft.header else 0)
    above = (*draft.before, *range(draft.start, first))
    prose = [(int(grid.rows[i]), TITLE) for i in above]
    header_row = int(grid.rows[last - 1]) if draft.header else None
    merged = _merged_down(grid, [grid.columns[columns[i]] for i in kept], header_row or 0)
    return RawTable(
        grid.sheet, header_row, described, _named(frame, rows), (*prose, *skipped), grid.hidden, grid.epoch_1904, merged,
        tuple((int(grid.rows[i]), _above(grid, draft, i)) for i in above[-_HEADING:]), _lines_of(grid, skipped, SECTION), _lines_of(grid, skipped, NOTE),
        struck=grid.struck_rows, totals=_totals(grid, skipped, [columns[i] for i in kept]), indents=_indents(grid, described),
        comments=_comments(grid, described),
    )  # fmt: skip


def _written(grid: Grid, line: int) -> tuple[str, ...]:
    return tuple(cell for cell in grid.frame.row(line) if cell)


def _above(grid: Grid, draft: _Draft, line: int) -> tuple[str, ...]:
    """What a line above a table says of it: of several tables side by side, each has what stands above its own columns."""
    if not draft.beside or line < draft.start:
        return _written(grid, line)
    return tuple(cell for cell in grid.frame.row(line)[draft.columns[0] : draft.before_column] if cell)


def _lines_of(grid: Grid, skipped: list[tuple[int, str]], wanted: str) -> tuple[tuple[int, str], ...]:
    """The headings between rows, or the notes under them: their row and text."""
    rows = [row for row, reason in skipped if reason == wanted]
    if not rows:
        return ()
    lines = {int(row): line for line, row in enumerate(grid.rows.to_list())}
    return tuple((row, " ".join(_written(grid, lines[row]))) for row in rows)


def _totals(grid: Grid, skipped: list[tuple[int, str]], columns: list[int]) -> tuple[tuple[int, tuple[str | None, ...]], ...]:
    """The lines of total: what they say proves which lines they are the sum of."""
    rows = [row for row, reason in skipped if reason == TOTAL][:_MOST_TOTALS]
    if not rows:
        return ()
    lines = true_rows(grid.rows.is_in(rows))
    cells = grid.frame[:, list(columns)][lines].rows()
    return tuple(zip(grid.rows.gather(lines).to_list(), cells, strict=True))


def _indents(grid: Grid, columns: tuple[Column, ...]) -> tuple[tuple[int, int], ...]:
    first = index_of(columns[0].letter)
    return tuple((row, indent) for (row, column), indent in grid.indents.items() if column == first) if grid.indents else ()


def _comments(grid: Grid, columns: tuple[Column, ...]) -> tuple[tuple[int, str, str], ...]:
    letters = {index_of(column.letter): column.letter for column in columns} if grid.comments else {}
    return tuple((row, letters[column], text) for (row, column), text in sorted(grid.comments.items()) if column in letters)


def _merged_down(grid: Grid, columns: list[int], header_row: int) -> tuple[tuple[int, int, int], ...]:
    """Cells of the body merged over several rows of one of these sheet columns, by position of the column."""
    places = {column: position for position, column in enumerate(columns)}
    return tuple(
        (places[left], top, bottom)
        for top, left, bottom, right in grid.merged
        if bottom > top > header_row and left == right and left in places
    )


def _all_columns(grid: Grid, draft: _Draft, start: int, stop: int) -> tuple[int, ...]:
    """The columns of the table, with those that lines further down add to it."""
    if len(draft.spans) == 1:
        return draft.columns
    part = grid.frame[start:stop]
    low = draft.columns[0]
    later = [i for i in range(low, grid.width if draft.before_column is None else draft.before_column) if part.to_series(i).null_count() < part.height]
    return tuple(sorted({*draft.columns, *later}))


def _labels(draft: _Draft, columns: tuple[int, ...]) -> tuple[str, ...]:
    by_place = dict(zip(draft.columns, draft.header.labels, strict=False)) if draft.header else {}
    return tuple(by_place.get(place, "") for place in columns)


def _named(frame: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    columns = [series.alias(f"c{i}") for i, series in enumerate(frame.get_columns())]
    return pl.DataFrame([*columns, rows.alias("row")])
