"""Giving back as xlsx a file that was not one (csv, ods, xls, parquet, JSON…): same sheets, rows and columns."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

import polars as pl
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from ..grid import Grid, index_of
from ..locate import is_annotation
from .markup import MAX_ROWS, Styles, drawn_markup, grid_markup, list_links, list_markup
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
)

_FORBIDDEN = re.compile(r"[\[\]:*?/\\]")

_DAY: dict[str, Any] = {"num_format": "dd/mm/yyyy"}
_STRUCK: dict[str, Any] = {"font_strikeout": True}
_GLANCED, _NARROWEST, _WIDEST, _MERGED = 200, 9, 45, 5_000

Marks = dict[tuple[int, str | None], tuple[str, list[str]]]


def annotate_rebuilt(grids: tuple[Grid, ...], issues: pl.DataFrame, summary: pl.DataFrame, title: str) -> bytes:
    """An xlsx workbook with the « Anomalies » sheet first, then each sheet of the file, cell for cell."""
    kept = [grid for grid in grids if not is_annotation(grid)]
    names = sheet_names([grid.sheet for grid in kept])
    marks = cell_marks(issues)
    notes = limits_notes(issues, marks)
    notes.insert(0, "Votre fichier n'était pas un classeur .xlsx : il vous est rendu dans ce format, cellule pour cellule.")
    if any(grid.height and int(grid.rows[-1]) > MAX_ROWS for grid in kept):
        notes.append(f"Les lignes au-delà de {MAX_ROWS} ne tiennent pas dans un classeur : corrigez-les dans votre fichier.")
    output = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(output, options)
    styles = _styles(book)
    _anomalies(book, layout_of(issues, summary, title, notes), issues, names, styles)
    for grid in kept:
        _copy(book.add_worksheet(names[grid.sheet], worksheet_class=_Written), grid, marks.get(grid.sheet, {}), styles)
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


def _styles(book: Any) -> dict[str, int]:
    """Number of each style of the workbook."""
    formats = {
        "title": book.add_format({"bold": True, "font_size": 14}),
        "head": book.add_format({"bold": True, "font_color": "#FFFFFF", "bg_color": "#000091"}),
        "link": book.add_format({"font_color": "#0563C1", "underline": 1, "valign": "top"}),
        "top": book.add_format({"valign": "top"}),
        "mark": book.add_format({"font_color": "#FFFFFF", "font_size": 1}),
        "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
    }
    colours = {"": {}, **{severity: {"bg_color": "#" + colour[2:], "valign": "top"} for severity, colour in COLOURS.items()}}
    kinds = {"": {}, "date": _DAY, "struck": _STRUCK, "struck:date": {**_DAY, **_STRUCK}}
    for kind, look in kinds.items():
        for severity, colour in colours.items():
            if name := ":".join(filter(None, (kind, severity))):
                formats[name] = book.add_format({**look, **colour})
    return {name: style._get_xf_index() for name, style in formats.items()}


class _Written(Worksheet):  # type: ignore[misc]
    """A worksheet of xlsxwriter's whose rows, and links if any, are given already written."""

    rows: Iterable[str] = ()
    links = ""

    def holds(self, rows: int, columns: int) -> None:
        """States the size of the sheet."""
        self.dim_rowmin, self.dim_rowmax = 0, max(rows, 1) - 1
        self.dim_colmin, self.dim_colmax = 0, max(columns, 1) - 1

    def _write_sheet_data(self) -> None:
        self._xml_start_tag("sheetData")
        for text in self.rows:
            self.fh.write(text)
        self._xml_end_tag("sheetData")

    def _write_hyperlinks(self) -> None:
        self.fh.write(self.links)


def _anomalies(book: Any, layout: Layout, issues: pl.DataFrame, names: Mapping[str, str], styles: Styles) -> None:
    sheet = book.add_worksheet(SHEET, worksheet_class=_Written)
    sheet.set_tab_color("#" + TAB[2:])
    for index, width in enumerate(WIDTHS):
        sheet.set_column(index, index, width)
    sheet.freeze_panes(layout.frozen, 0)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.autofilter(layout.filter)
    sheet.holds(layout.list_row + layout.height, len(WIDTHS) + 1)
    sheet.rows = chain([drawn_markup(list(head_cells(layout)), styles)], list_markup(layout, issues, styles))
    sheet.links = list_links(layout, issues, names)


def _copy(sheet: Any, grid: Grid, marks: Marks, styles: Styles) -> None:
    coloured = {key: mark for key, (mark, _) in zip(marks, list(marks.values())[:MAX_COLOURED], strict=False)}
    if grid.height:
        sheet.holds(min(int(grid.rows[-1]), MAX_ROWS), grid.columns[-1] + 1 if grid.columns else 1)
    sheet.rows = grid_markup(grid, coloured, styles)
    for column, width in _widths(grid):
        sheet.set_column(column, column, width)
    sheet.merge.extend([top - 1, left, bottom - 1, right] for top, left, bottom, right in grid.merged[:_MERGED] if bottom <= MAX_ROWS)
    _comments(sheet, marks, grid.columns[0] if grid.columns else 0)
    if grid.hidden:
        sheet.hide()


def _widths(grid: Grid) -> Iterator[tuple[int, int]]:
    """Columns as wide as most of their texts: a title above the table may run over its neighbours."""
    for column, series in zip(grid.columns, grid.frame.iter_columns(), strict=False):
        lengths = series.head(_GLANCED).drop_nulls().str.len_chars().sort()
        if len(lengths):
            yield column, max(_NARROWEST, min(_WIDEST, int(lengths[int(0.9 * (len(lengths) - 1))]) + 2))


def _comments(sheet: Any, marks: Marks, first: int) -> None:
    for (row, letters), (_, texts) in list(marks.items())[:MAX_COMMENTS]:
        if row <= MAX_ROWS:
            column = index_of(letters) if letters else first
            sheet.write_comment(row - 1, column, "\n\n".join(texts[:10])[:8000], {"author": "Essaim", "x_scale": 2.2})
