"""Annotating the sender's own Excel workbook: formats, formulas and other sheets stay.

openpyxl cannot keep: charts sheets' drawings it does not know (shapes, SmartArt, slicers), form controls, and
extended conditional formats; cell values, formulas, number formats, widths, merges, validations, pictures, macros
(xlsm) and pivot tables are kept."""

from __future__ import annotations

import io
import warnings
from typing import Any

import openpyxl
import polars as pl
from openpyxl.cell import Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import column_index_from_string
from openpyxl.worksheet.properties import PageSetupProperties

from ..locate import ANNOTATION_MARK
from .listing import save_with_list
from .markup import list_links, list_markup
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

_AUTHOR = "Essaim"
_FONTS = {"title": Font(bold=True, size=14), "mark": Font(color="FFFFFFFF", size=1), "head": Font(bold=True, color="FFFFFFFF"), "link": Font(color="FF0563C1", underline="single")}
_FILLS = {"head": PatternFill("solid", fgColor="FF000091"), **{severity: PatternFill("solid", fgColor=colour) for severity, colour in COLOURS.items()}}
_BETWEEN = "\n\n— Commentaire d'origine —\n"


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
        layout = layout_of(issues, summary, title, limits_notes(issues, marks))
        _write(sheet, layout)
        for other in book.worksheets:
            other.sheet_view.tabSelected = other is sheet
        book.active = 0
        return save_with_list(book, sheet, list_markup(layout, issues, _styles(sheet)), list_links(layout, issues, {}))


def _styles(sheet: Any) -> dict[str, int]:
    """Number of each style of the list in the workbook."""
    numbers = {}
    for name in ("link", "top", "wrap", *COLOURS):
        cell = Cell(sheet, row=1, column=1)
        _dress(cell, name)
        cell.alignment = Alignment(wrap_text=name == "wrap", vertical="top")
        numbers[name] = int(cell.style_id)
    return numbers


def _dress(cell: Any, style: str) -> None:
    if style in _FONTS:
        cell.font = _FONTS[style]
    if style in _FILLS:
        cell.fill = _FILLS[style]


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
    comment = cell.comment
    if comment is None or (comment.author != _AUTHOR and _BETWEEN not in comment.text):
        return
    own = comment.text.partition(_BETWEEN)[2]
    cell.comment = Comment(own, comment.author) if own else None
    if cell.fill.fill_type == "solid" and cell.fill.fgColor.rgb in COLOURS.values():
        cell.fill = PatternFill()


def _mark(sheet: Any, places: dict[tuple[int, str | None], tuple[str, list[str]]]) -> None:
    for count, ((row, letters), (severity, texts)) in enumerate(places.items()):
        if count >= MAX_COLOURED:
            break
        column = column_index_from_string(letters) if letters else sheet.min_column
        if row > 1_048_576 or column > 16_384:
            continue
        cell = _anchor(sheet, sheet.cell(row, column))
        cell.fill = _FILLS.get(severity, _FILLS["notice"])
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
    kept = f"{_BETWEEN}{own.text}" if own is not None and own.author != _AUTHOR else ""
    comment = Comment("\n\n".join(texts[:10])[: 8000 - len(kept)] + kept, own.author if kept else _AUTHOR)
    comment.width, comment.height = 320, min(400, 60 + 30 * len(texts))
    cell.comment = comment


def _write(sheet: Any, layout: Layout) -> None:
    for cell in head_cells(layout):
        put = sheet.cell(cell.row, cell.column, cell.value)
        _dress(put, cell.style or "")
    for index, width in enumerate(WIDTHS):
        sheet.column_dimensions[chr(65 + index)].width = width
    sheet.freeze_panes = sheet.cell(layout.frozen + 1, 1)
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0  # printed: every column on one page
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.auto_filter.ref = layout.filter
    sheet.sheet_properties.tabColor = TAB
