"""Excel workbooks: calamine reads the cells, the XML fills in what it leaves out, openpyxl takes unusual sheets."""

from __future__ import annotations

import gc
import io
import warnings
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import polars as pl
import python_calamine

from ..grid import Grid, grid_from_cells, grid_from_columns
from ..tables import FileRefused, Limits
from .comments import read_comments
from .delimited import cell_too_long, too_many_columns, too_many_rows
from .package import check_parts, checked_xml, member_bytes, open_package
from .sheetxml import Overlay, SheetFacts, hidden_columns, is_dense, look
from .sniff import encrypted, truncated
from .styles import Package, SheetPart, read_package
from .values import cell_text, displayed, text_column

Notice = tuple[str, str]


def read_xlsx(content: bytes, limits: Limits) -> tuple[list[Grid], list[Notice]]:
    """The grids of an xlsx or xlsm workbook and the remarks its content calls for."""
    archive = open_package(content, limits)
    check_parts(archive)
    package = read_package(archive, limits)
    notices: list[Notice] = []
    if package.external_links:
        notices.append(("external_links", "Le classeur contient des liens vers d'autres fichiers : ils n'ont pas été suivis."))
    for name in archive.namelist():
        if name.endswith((".xml", ".rels", ".vml")) and not name.startswith("xl/worksheets/"):
            checked_xml(member_bytes(archive, name, limits))
    reader = _Lazy(content)
    commented = any("comments" in name for name in archive.namelist())
    grids = []
    for part in package.sheets:
        if part.member in archive.namelist() and "chartsheets" not in part.member:
            grid = _read_sheet(archive, package, part, reader, limits, notices)
            comments = read_comments(archive, part.member, limits) if commented else {}
            grids.append(replace(grid, epoch_1904=package.epoch_1904, comments=comments))
    return grids, notices


class _Lazy:
    """The calamine workbook, opened at the first sheet that needs it."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._workbook: Any = None

    def sheet(self, name: str) -> Any:
        """One sheet as calamine holds it."""
        if self._workbook is None:
            self._workbook = _calamine(self._content)
        return _sheet(self._workbook, name)

    @property
    def content(self) -> bytes:
        return self._content


def _calamine(content: bytes) -> Any:
    try:
        return python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    except python_calamine.PasswordError:
        raise encrypted() from None
    except (python_calamine.CalamineError, OSError, ValueError):
        raise truncated() from None


def _sheet(workbook: Any, name: str) -> Any:
    try:
        return workbook.get_sheet_by_name(name)
    except (python_calamine.CalamineError, OSError, ValueError):
        raise truncated() from None


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector of cycles, which would walk over and over rows that hold none."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _read_sheet(
    archive: zipfile.ZipFile, package: Package, part: SheetPart, reader: _Lazy, limits: Limits, notices: list[Notice]
) -> Grid:
    xml = checked_xml(member_bytes(archive, part.member, limits))
    if not is_dense(xml):
        return _sparse(reader.content, part, hidden_columns(xml), limits)
    with ThreadPoolExecutor(max_workers=1) as beside:  # calamine leaves the interpreter to the look at the XML
        sheet = beside.submit(reader.sheet, part.name)
        facts = look(xml, package.formats, package.struck, package.indents)
        del xml
        grid = _dense(part, facts, sheet.result(), limits)
    _tell_formulas(part, facts, notices)
    return grid


def _tell_formulas(part: SheetPart, facts: SheetFacts, notices: list[Notice]) -> None:
    if facts.valueless:
        notices.append(
            (
                "formula_without_value",
                f"Feuille « {part.name} » : {facts.valueless} formule(s) sans résultat enregistré ont été lues vides ; "
                "ouvrez le classeur dans un tableur, laissez-le calculer, enregistrez-le.",
            )
        )


def _dense(part: SheetPart, facts: SheetFacts, sheet: Any, limits: Limits) -> Grid:
    first_row, first_column = (sheet.start or (0, 0))[0] + 1, (sheet.start or (0, 0))[1]
    with _uncollected():
        rows = sheet.to_python(skip_empty_area=True)
        height = len(rows)
        check_size(height, len(rows[0]) if rows else 0, limits)
        columns = [text_column(values) for values in zip(*rows, strict=False)]
        del rows
    check_cells(columns, limits)
    columns = _overlaid(columns, facts.overlay, first_row, first_column, height)
    grid = grid_from_columns(part.name, columns, first_column, first_row)
    ranges = tuple((top + 1, left, bottom + 1, right) for (top, left), (bottom, right) in sheet.merged_cell_ranges or [])
    return Grid(
        part.name, grid.frame, grid.rows, grid.columns, ranges, part.hidden, facts.hidden_rows, facts.hidden_columns,
        struck_rows=facts.struck_rows, indents=facts.indents,
    )  # fmt: skip


def _overlaid(columns: list[pl.Series], overlay: Overlay, first_row: int, first_column: int, height: int) -> list[pl.Series]:
    for column, (rows, texts) in overlay.items():
        place = column - first_column
        if 0 <= place < len(columns):
            inside = pl.DataFrame({"row": rows, "text": texts}, schema={"row": pl.Int64, "text": pl.String})
            inside = inside.filter(pl.col("row").is_between(first_row, first_row + height - 1))
            columns[place] = columns[place].scatter((inside["row"] - first_row).cast(pl.UInt32), inside["text"])
    return columns


def check_size(height: int, width: int, limits: Limits) -> None:
    """Refuse a sheet above the limits of rows or columns."""
    if height > limits.rows:
        raise too_many_rows(limits)
    if width > limits.columns:
        raise too_many_columns(width, limits)


def check_cells(columns: list[pl.Series], limits: Limits) -> None:
    """Refuse a cell longer than the limit."""
    for series in columns:
        longest = series.str.len_chars().max()
        if isinstance(longest, int) and longest > limits.cell_characters:
            raise cell_too_long(limits)


# -- the exact, slower reader ------------------------------------------------------------------------------------


def _sparse(content: bytes, part: SheetPart, hidden: frozenset[int], limits: Limits) -> Grid:
    """Scattered or unusually written sheets, cell by cell."""
    import openpyxl  # slow to import, rarely needed

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
            sheet = book[part.name]
            sheet.reset_dimensions()
            grid = grid_from_cells(part.name, _cells(sheet, limits))
        except FileRefused:
            raise
        except Exception:
            raise truncated() from None
    check_size(grid.height, grid.width, limits)
    return Grid(part.name, grid.frame, grid.rows, grid.columns, (), part.hidden, frozenset(), hidden)


def _cells(sheet: Any, limits: Limits) -> Any:
    for row in sheet.iter_rows():
        for cell in row:
            value = cell.value
            if value is None:
                continue
            text = displayed(str(value), cell.number_format or "") if isinstance(value, int | float) else None
            text = text or cell_text(value)
            if text is None:
                continue
            if len(text) > limits.cell_characters:
                raise cell_too_long(limits)
            yield cell.row, cell.column - 1, text


# -- legacy workbooks --------------------------------------------------------------------------------------------


def read_plain_xls(content: bytes, limits: Limits) -> tuple[list[Grid], list[Notice]]:
    """The grids of an Excel 97-2003 workbook, values without their formats."""
    workbook = _calamine(content)
    grids = []
    for meta in workbook.sheets_metadata:
        if meta.typ != python_calamine.SheetTypeEnum.WorkSheet:
            continue
        hidden = meta.visible != python_calamine.SheetVisibleEnum.Visible
        part = SheetPart(meta.name, "", hidden)
        grids.append(_dense(part, SheetFacts(), _sheet(workbook, meta.name), limits))
    return grids, []
