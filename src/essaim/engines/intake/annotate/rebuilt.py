"""Giving back as xlsx a file that was not one (csv, ods, xls, parquet, JSON…): same sheets, rows and columns."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Mapping
from itertools import chain
from typing import Any

import polars as pl
import xlsxwriter

from ..grid import Grid, index_of
from ..locate import is_annotation
from .neutralise import neutralise
from .sheet import (
    COLOURS,
    MAX_COLOURED,
    MAX_COMMENTS,
    SHEET,
    TAB,
    WIDTHS,
    Layout,
    cell_marks,
    head_cells,
    layout_of,
    limits_notes,
    list_rows,
)

_FORBIDDEN = re.compile(r"[\[\]:*?/\\]")
_INTEGER = re.compile(r"-?[1-9]\d{0,14}$|0$")
_DECIMAL = re.compile(r"-?(?:0|[1-9]\d{0,9})\.\d{0,5}[1-9]$")
_DATE = re.compile(r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$")
_MAX_ROWS = 1_048_576
_REMEMBERED = 100_000

Marks = dict[tuple[int, str | None], tuple[str, list[str]]]


def annotate_rebuilt(grids: tuple[Grid, ...], issues: pl.DataFrame, summary: pl.DataFrame, title: str) -> bytes:
    """An xlsx workbook with the « Anomalies » sheet first, then each sheet of the file, cell for cell."""
    kept = [grid for grid in grids if not is_annotation(grid)]
    names = sheet_names([grid.sheet for grid in kept])
    marks = cell_marks(issues)
    notes = limits_notes(issues, marks)
    notes.insert(0, "Votre fichier n'était pas un classeur .xlsx : il vous est rendu dans ce format, cellule pour cellule.")
    if any(grid.height and int(grid.rows[-1]) > _MAX_ROWS for grid in kept):
        notes.append(f"Les lignes au-delà de {_MAX_ROWS} ne tiennent pas dans un classeur : corrigez-les dans votre fichier.")
    output = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(output, options)
    formats = _formats(book)
    _anomalies(book, layout_of(issues, summary, title, notes), issues, names, formats)
    for grid in kept:
        _copy(book.add_worksheet(names[grid.sheet]), grid, marks.get(grid.sheet, {}), formats)
    book.close()
    return output.getvalue()


def sheet_names(names: list[str]) -> dict[str, str]:
    """A legal, distinct worksheet name (31 characters) for each sheet."""
    legal: dict[str, str] = {}
    used = {SHEET.casefold()}
    for name in names:
        base = _FORBIDDEN.sub("_", name).strip("' ")[:31] or "Feuille"
        chosen, number = base, 2
        while chosen.casefold() in used or chosen.casefold() == "history":
            suffix = f" ({number})"
            chosen, number = base[: 31 - len(suffix)] + suffix, number + 1
        used.add(chosen.casefold())
        legal[name] = chosen
    return legal


def _formats(book: Any) -> dict[str, Any]:
    formats = {
        "title": book.add_format({"bold": True, "font_size": 14}),
        "head": book.add_format({"bold": True, "font_color": "#FFFFFF", "bg_color": "#000091"}),
        "link": book.add_format({"font_color": "#0563C1", "underline": 1}),
        "mark": book.add_format({"font_color": "#FFFFFF", "font_size": 1}),
        "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
        "date": book.add_format({"num_format": "yyyy-mm-dd"}),
    }
    for severity, colour in COLOURS.items():
        formats[severity] = book.add_format({"bg_color": "#" + colour[2:]})
        formats["date:" + severity] = book.add_format({"bg_color": "#" + colour[2:], "num_format": "yyyy-mm-dd"})
    return formats


def _anomalies(book: Any, layout: Layout, issues: pl.DataFrame, names: Mapping[str, str], formats: dict[str, Any]) -> None:
    sheet = book.add_worksheet(SHEET)
    sheet.set_tab_color("#" + TAB[2:])
    for index, width in enumerate(WIDTHS):
        sheet.set_column(index, index, width)
    sheet.freeze_panes(layout.frozen, 0)
    sheet.autofilter(layout.filter)
    for cell in chain(head_cells(layout), chain.from_iterable(list_rows(layout, issues, names))):
        place, style = (cell.row - 1, cell.column - 1), formats.get(cell.style or "")
        if cell.link:
            sheet.write_url(*place, f"internal:{cell.link}", style)
        if isinstance(cell.value, str):
            sheet.write_string(*place, cell.value, style)
        elif cell.value is not None:
            sheet.write_number(*place, cell.value, style)


def _copy(sheet: Any, grid: Grid, marks: Marks, formats: dict[str, Any]) -> None:
    coloured = {key: mark for key, (mark, _) in zip(marks, list(marks.values())[:MAX_COLOURED], strict=False)}
    by_row: dict[int, dict[int, str]] = {}
    first = grid.columns[0] if grid.columns else 0
    for (row, letters), severity in coloured.items():
        by_row.setdefault(row, {})[index_of(letters) if letters else first] = severity
    for row_number in grid.hidden_rows:
        sheet.set_row(row_number - 1, None, None, {"hidden": True})
    memo: dict[str, str | float | dt.datetime] = {}
    for number, cells in zip(grid.rows.to_list(), grid.frame.iter_rows(), strict=False):
        if number > _MAX_ROWS:
            break
        _row(sheet, number - 1, dict(zip(grid.columns, cells, strict=False)), by_row.pop(number, {}), formats, memo)
    _comments(sheet, marks, first)
    if grid.hidden:
        sheet.hide()


def _row(
    sheet: Any,
    row: int,
    cells: dict[int, str | None],
    severities: dict[int, str],
    formats: dict[str, Any],
    memo: dict[str, str | float | dt.datetime],
) -> None:
    for column in sorted({*cells, *severities}) if severities else cells:
        value, severity = cells.get(column), severities.get(column)
        style = formats.get(severity) if severity else None
        if value is None:
            if style is not None:
                sheet.write_blank(row, column, None, style)
            continue
        typed = memo.get(value)
        if typed is None:
            typed = _typed(value)
            if len(memo) < _REMEMBERED:
                memo[value] = typed
        if type(typed) is str:
            sheet.write_string(row, column, typed, style)
        elif type(typed) is float:
            sheet.write_number(row, column, typed, style)
        else:
            sheet.write_datetime(row, column, typed, formats[f"date:{severity}" if severity else "date"])


def _typed(value: str) -> str | float | dt.datetime:
    """What a canonical text is in a workbook: a number, a date, or a harmless text."""
    if _INTEGER.match(value) or _DECIMAL.match(value):
        return float(value)
    if _DATE.match(value) and _is_date(value):
        return dt.datetime.fromisoformat(value)
    return neutralise(value)


def _is_date(value: str) -> bool:
    try:
        dt.date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _comments(sheet: Any, marks: Marks, first: int) -> None:
    for (row, letters), (_, texts) in list(marks.items())[:MAX_COMMENTS]:
        if row <= _MAX_ROWS:
            column = index_of(letters) if letters else first
            sheet.write_comment(row - 1, column, "\n\n".join(texts[:10])[:8000], {"author": "Essaim", "x_scale": 2.2})
