"""Tables saved as web pages under a spreadsheet name (HTML, often .xls) and SpreadsheetML 2003."""

from __future__ import annotations

from typing import Any

from lxml import etree, html

from ..grid import Grid, grid_from_cells
from ..tables import FileRefused, Limits
from .delimited import cell_too_long
from .encoding import decode
from .package import bomb, checked_xml
from .sniff import truncated
from .values import number_text

_SS = "{urn:schemas-microsoft-com:office:spreadsheet}"
_CELLS = 5_000_000


def read_html(content: bytes, limits: Limits) -> list[Grid]:
    """One grid per top-level ``<table>`` of a web page; refuses a page without a table, or with nested ones only."""
    text, _, _ = decode(content)
    page = html.document_fromstring(text, parser=html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=True))
    tables = [table for table in page.iter("table") if not any(True for _ in table.iterancestors("table"))]
    grids = [_html_grid(table, f"Tableau {number}", limits) for number, table in enumerate(tables, start=1)]
    grids = [grid for grid in grids if grid.width >= 2 and grid.height >= 2]
    if not grids:
        raise FileRefused(
            "html_without_table",
            "Ce fichier est une page web sans tableau lisible : exportez les données en .xlsx ou .csv.",
        )
    return grids


def _html_grid(table: Any, name: str, limits: Limits) -> Grid:
    cells: list[tuple[int, int, str]] = []
    merged: list[tuple[int, int, int, int]] = []
    taken: dict[int, set[int]] = {}
    for number, row in enumerate(table.iter("tr"), start=1):
        column = 0
        for cell in row.iter("td", "th"):
            while column in taken.get(number, ()):
                column += 1
            wide, high = _span(cell.get("colspan")), _span(cell.get("rowspan"))
            text = " ".join(cell.text_content().split())
            if len(text) > limits.cell_characters:
                raise cell_too_long(limits)
            if text:
                cells.append((number, column, text))
            if wide > 1 or high > 1:
                merged.append((number, column, number + high - 1, column + wide - 1))
                for below in range(number, number + high):
                    taken.setdefault(below, set()).update(range(column, column + wide))
            column += wide
        if len(cells) > _CELLS:
            raise bomb()
    grid = grid_from_cells(name, cells)
    return Grid(name, grid.frame, grid.rows, grid.columns, tuple(merged))


def _span(value: str | None) -> int:
    return max(1, min(int(value), 1000)) if value and value.isdigit() else 1


def read_xmlss(content: bytes, limits: Limits) -> list[Grid]:
    """The grids of an Excel 2003 XML workbook."""
    checked_xml(content)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True, recover=False)
    try:
        root = etree.fromstring(content.lstrip(), parser)
    except etree.XMLSyntaxError:
        raise truncated() from None
    return [_xmlss_grid(sheet, limits) for sheet in root.iter(_SS + "Worksheet")]


def _xmlss_grid(sheet: Any, limits: Limits) -> Grid:
    cells: list[tuple[int, int, str]] = []
    merged: list[tuple[int, int, int, int]] = []
    hidden: set[int] = set()
    number = 0
    for row in sheet.iter(_SS + "Row"):
        number = int(row.get(_SS + "Index", number + 1))
        column = -1
        if row.get(_SS + "Hidden") == "1":
            hidden.add(number)
        for cell in row.iter(_SS + "Cell"):
            column = int(cell.get(_SS + "Index", column + 2)) - 1
            wide, high = int(cell.get(_SS + "MergeAcross", 0)), int(cell.get(_SS + "MergeDown", 0))
            text = _xmlss_text(cell.find(_SS + "Data"))
            if text is not None and len(text) > limits.cell_characters:
                raise cell_too_long(limits)
            if text:
                cells.append((number, column, text))
            if wide or high:
                merged.append((number, column, number + high, column + wide))
            column += wide
    grid = grid_from_cells(sheet.get(_SS + "Name", "Feuille"), cells)
    return Grid(grid.sheet, grid.frame, grid.rows, grid.columns, tuple(merged), False, frozenset(hidden))


def _xmlss_text(data: Any) -> str | None:
    if data is None:
        return None
    text = "".join(data.itertext())
    kind = data.get(_SS + "Type")
    if kind == "Number":
        try:
            return number_text(float(text))
        except ValueError:
            return text
    if kind == "DateTime":
        return text.removesuffix(".000").removesuffix("T00:00:00")
    if kind == "Boolean":
        return "true" if text.strip() == "1" else "false"
    return text if text.strip() else None
