"""Excel 97-2003 workbooks: values, displayed codes and percents, errors, both epochs, merged cells, hidden parts."""

from __future__ import annotations

import datetime as dt
import io
from itertools import islice
from typing import Any

import polars as pl
import xlrd

from ..grid import Grid, grid_from_columns
from ..tables import FileRefused, Limits
from .comments import MOST, theirs
from .sniff import encrypted
from .values import blank_to_null, cell_text, displayed, duration_text, unshielded
from .workbook import Notice, check_cells, check_size, read_plain_xls

_TEXT, _NUMBER, _DATE, _BOOLEAN, _ERROR = (
    xlrd.XL_CELL_TEXT,
    xlrd.XL_CELL_NUMBER,
    xlrd.XL_CELL_DATE,
    xlrd.XL_CELL_BOOLEAN,
    xlrd.XL_CELL_ERROR,
)

_FIRST_COLUMNS = 4


def read_xls(content: bytes, limits: Limits) -> tuple[list[Grid], list[Notice]]:
    """The grids of an Excel 97-2003 workbook; a workbook whose formats are damaged is read without them."""
    try:
        book = xlrd.open_workbook(file_contents=content, formatting_info=True, ragged_rows=True, logfile=io.StringIO())
        return [_grid(book, sheet, limits) for sheet in book.sheets()], []
    except FileRefused:
        raise
    except Exception as error:
        if isinstance(error, xlrd.XLRDError) and "encrypted" in str(error).lower():
            raise encrypted() from None
        return read_plain_xls(content, limits)


def _grid(book: Any, sheet: Any, limits: Limits) -> Grid:
    check_size(sheet.nrows, sheet.ncols, limits)
    reader = _Cells(book)
    columns = [pl.Series(reader.column(sheet, place), dtype=pl.String) for place in range(sheet.ncols)]
    columns = [unshielded(blank_to_null(series)) for series in columns]
    check_cells(columns, limits)
    grid = grid_from_columns(sheet.name, columns)
    return Grid(
        sheet.name,
        grid.frame,
        grid.rows,
        grid.columns,
        tuple((top + 1, left, bottom, right - 1) for top, bottom, left, right in sheet.merged_cells),
        sheet.visibility != 0,
        frozenset(row + 1 for row, info in sheet.rowinfo_map.items() if info.hidden),
        frozenset(place for place, info in sheet.colinfo_map.items() if info.hidden),
        epoch_1904=book.datemode == 1,
        struck_rows=_struck_rows(book, sheet),
        indents=_set_in(book, sheet),
        comments={(row + 1, column): text for (row, column), note in islice(sheet.cell_note_map.items(), MOST) if (text := theirs(note.text, note.author))},
    )


def _struck_rows(book: Any, sheet: Any) -> frozenset[int]:
    """1-based rows with a cell that holds something and is struck through."""
    struck = {number for number, style in enumerate(book.xf_list) if book.font_list[style.font_index].struck_out}
    if not struck:
        return frozenset()
    rows = range(sheet.nrows)
    return frozenset(
        row + 1 for row in rows if any(sheet.cell_xf_index(row, place) in struck and sheet.cell_value(row, place) != "" for place in range(sheet.row_len(row)))
    )


def _set_in(book: Any, sheet: Any) -> dict[tuple[int, int], int]:
    """(row, column) of the cells of the first columns that are set in, and by how much."""
    indents = {number: style.alignment.indent_level for number, style in enumerate(book.xf_list) if style.alignment.indent_level}
    if not indents:
        return {}
    places = ((row, place) for row in range(sheet.nrows) for place in range(min(sheet.row_len(row), _FIRST_COLUMNS)))
    return {(row + 1, place): indents[style] for row, place in places if (style := sheet.cell_xf_index(row, place)) in indents}


class _Cells:
    """Canonical text of cells by type, value and format; each combination is worked out once."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._memo: dict[tuple[int, Any, int], str | None] = {}

    def column(self, sheet: Any, place: int) -> list[str | None]:
        """The texts of a column, one a row of the sheet."""
        return [self._text(sheet, row, place) if place < sheet.row_len(row) else None for row in range(sheet.nrows)]

    def _text(self, sheet: Any, row: int, place: int) -> str | None:
        kind, value = sheet.cell_type(row, place), sheet.cell_value(row, place)
        if kind == _TEXT:
            return value or None
        if kind not in (_NUMBER, _DATE, _BOOLEAN, _ERROR):
            return None
        key = (kind, value, sheet.cell_xf_index(row, place))
        if key not in self._memo:
            self._memo[key] = self._worked_out(*key)
        return self._memo[key]

    def _worked_out(self, kind: int, value: Any, style: int) -> str | None:
        if kind == _ERROR:
            return xlrd.error_text_from_code.get(value, "#N/A")
        if kind == _BOOLEAN:
            return cell_text(bool(value))
        code = self._format(style)
        if kind == _NUMBER:
            return displayed(str(value), code) or cell_text(float(value))
        return _moment(value, code, self._book.datemode)

    def _format(self, style: int) -> str:
        shown = self._book.format_map.get(self._book.xf_list[style].format_key)
        return shown.format_str if shown else ""


def _moment(value: float, code: str, epoch: int) -> str | None:
    if "[h" in code.lower() or "[m" in code.lower() or "[s" in code.lower():
        return duration_text(dt.timedelta(days=value))
    if 0 <= value < 1:
        return cell_text(_clock(round(value * 86_400) % 86_400))
    try:
        return cell_text(xlrd.xldate.xldate_as_datetime(round(value * 86_400) / 86_400, epoch))
    except (ValueError, OverflowError, xlrd.xldate.XLDateError):
        return cell_text(float(value))


def _clock(seconds: int) -> dt.time:
    return dt.time(seconds // 3600, seconds % 3600 // 60, seconds % 60)
