"""Annotating the sender's own Excel workbook: formats, formulas and other sheets stay.

openpyxl cannot keep: charts sheets' drawings it does not know (shapes, SmartArt, slicers), form controls, and
extended conditional formats; cell values, formulas, number formats, widths, merges, validations, pictures, macros
(xlsm) and pivot tables are kept."""

from __future__ import annotations

import io
import warnings
from copy import copy
from typing import Any

import openpyxl
import polars as pl
from openpyxl.cell import Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import column_index_from_string

from ..locate import ANNOTATION_MARK
from .sheet import (
    COLOURS,
    LIST_HEADERS,
    MAX_COLOURED,
    MAX_COMMENTS,
    MAX_LINKS,
    SHEET,
    SUMMARY_HEADERS,
    WIDTHS,
    Layout,
    cell_marks,
    layout_of,
    limits_notes,
    listed,
    target,
)

_AUTHOR = "Essaim"
_BOLD = Font(bold=True)
_TITLE = Font(bold=True, size=14)
_HEAD = PatternFill("solid", fgColor="FF000091")
_WHITE = Font(bold=True, color="FFFFFFFF")
_LINK = Font(color="FF0563C1", underline="single")
_FRAME = Border(left=Side("thin", color="FFCE0500"), right=Side("thin", color="FFCE0500"))


def annotate_original(content: bytes, macros: bool, issues: pl.DataFrame, summary: pl.DataFrame, title: str) -> bytes:
    """The same workbook with its cells marked and the « Anomalies » sheet first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(io.BytesIO(content), keep_vba=macros, rich_text=True)
        _drop_previous(book)
        marks = cell_marks(issues)
        for name, places in marks.items():
            if name in book.sheetnames:
                _mark(book[name], places)
        sheet = book.create_sheet(SHEET if SHEET not in book.sheetnames else f"{SHEET} Essaim", 0)
        _write(sheet, layout_of(issues, summary, title, limits_notes(issues, marks)), issues)
        for other in book.worksheets:
            other.sheet_view.tabSelected = other is sheet
        book.active = 0
        output = io.BytesIO()
        book.save(output)
    return output.getvalue()


def _drop_previous(book: Any) -> None:
    """Remove the sheet, comments and colours of an earlier annotation."""
    for sheet in list(book.worksheets):
        first = sheet.cell(1, len(WIDTHS) + 1).value if sheet.title.startswith(SHEET) else None
        if first == ANNOTATION_MARK:
            book.remove(sheet)
            continue
        for row in sheet.iter_rows():
            for cell in row:
                _unmark(cell)


def _unmark(cell: Any) -> None:
    if cell.comment is None or cell.comment.author != _AUTHOR:
        return
    cell.comment = None
    if cell.fill.fill_type == "solid" and cell.fill.fgColor.rgb in COLOURS.values():
        cell.fill = PatternFill()


def _mark(sheet: Any, places: dict[tuple[int, str | None], tuple[str, list[str]]]) -> None:
    fills = {severity: PatternFill("solid", fgColor=colour) for severity, colour in COLOURS.items()}
    for count, ((row, letters), (severity, texts)) in enumerate(places.items()):
        if count >= MAX_COLOURED:
            break
        column = column_index_from_string(letters) if letters else sheet.min_column
        if row > 1_048_576 or column > 16_384:
            continue
        cell = _anchor(sheet, sheet.cell(row, column))
        cell.fill = fills.get(severity, fills["notice"])
        if count < MAX_COMMENTS:
            _comment(cell, texts)


def _anchor(sheet: Any, cell: Cell | MergedCell) -> Any:
    if not isinstance(cell, MergedCell):
        return cell
    for merged in sheet.merged_cells.ranges:
        if cell.coordinate in merged:
            return sheet.cell(merged.min_row, merged.min_col)
    return cell


def _comment(cell: Any, texts: list[str]) -> None:
    own = cell.comment
    kept = [own.text] if own is not None and own.author != _AUTHOR else []
    comment = Comment("\n\n".join([*texts[:10], *kept])[:8000], own.author if kept else _AUTHOR)
    comment.width, comment.height = 320, min(400, 60 + 30 * len(texts))
    cell.comment = comment


def _write(sheet: Any, layout: Layout, issues: pl.DataFrame) -> None:
    for index, text in enumerate(layout.intro, start=1):
        sheet.cell(index, 1, text).font = _TITLE if index == 1 else Font()
    mark = sheet.cell(1, len(WIDTHS) + 1, ANNOTATION_MARK)
    mark.font = Font(color="FFFFFFFF", size=1)
    _head(sheet, layout.summary_row, SUMMARY_HEADERS)
    for row in layout.summary:
        layout_row = layout.summary_row + 1 + layout.summary.index(row)
        for column, value in enumerate(row, start=1):
            sheet.cell(layout_row, column, value)
    _head(sheet, layout.list_row, LIST_HEADERS)
    _list(sheet, layout.list_row + 1, issues)
    for index, width in enumerate(WIDTHS):
        sheet.column_dimensions[chr(65 + index)].width = width
    sheet.freeze_panes = sheet.cell(layout.list_row + 1, 1) if layout.list_row <= 40 else "A2"
    last = layout.list_row + max(1, issues.height)
    sheet.auto_filter.ref = f"A{layout.list_row}:{chr(64 + len(LIST_HEADERS))}{last}"
    sheet.sheet_properties.tabColor = "FFCE0500"


def _head(sheet: Any, row: int, headers: tuple[str, ...]) -> None:
    for column, header in enumerate(headers, start=1):
        cell = sheet.cell(row, column, header)
        cell.font, cell.fill = _WHITE, _HEAD


def _list(sheet: Any, first: int, issues: pl.DataFrame) -> None:
    severities = issues.get_column("severity").to_list()
    fills = {severity: PatternFill("solid", fgColor=colour) for severity, colour in COLOURS.items()}
    wrap = Alignment(wrap_text=True, vertical="top")
    for offset, (values, severity) in enumerate(zip(listed(issues), severities, strict=False)):
        row = first + offset
        for column, value in enumerate(values, start=1):
            if value is not None:
                sheet.cell(row, column, value)
        sheet.cell(row, 7).fill = copy(fills.get(severity, fills["notice"]))
        if offset < MAX_LINKS and values[0] and values[1]:
            link = sheet.cell(row, 2)
            link.hyperlink = target(str(values[0]), values[1], values[2])
            link.font = _LINK
        if offset < 2_000:
            sheet.cell(row, 8).alignment = wrap
