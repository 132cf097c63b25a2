"""OpenDocument spreadsheets, packed (ods) or flat (fods): values, displayed percents and codes, merges, hidden and struck rows."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lxml import etree

from essaim.kernel.french import read_number

from ..grid import Grid, grid_from_cells
from ..tables import FileRefused, Limits
from .comments import MOST, theirs
from .delimited import cell_too_long
from .package import bomb, checked_xml, member_bytes, open_package
from .sniff import encrypted, truncated
from .values import number_text, percent_text

_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_CELLS = 60_000_000
_ERRORS = ("#DIV/0!", "#N/A", "#NA", "#NAME?", "#NOM?", "#REF!", "#VALUE!", "#VALEUR!", "Err:", "#NUM!", "#NULL!")


@dataclass(slots=True)
class _Sheet:
    name: str
    hidden: bool
    cells: list[tuple[int, int, str]] = field(default_factory=list)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    struck_rows: set[int] = field(default_factory=set)
    comments: dict[tuple[int, int], str] = field(default_factory=dict)
    column: int = 0
    row: int = 1


@dataclass(slots=True)
class _Styles:
    """Names of the styles that hide a sheet, and of those that strike text through."""

    hidden: set[str] = field(default_factory=set)
    struck: set[str] = field(default_factory=set)


def read_ods(content: bytes, limits: Limits) -> list[Grid]:
    """The grids of a packed OpenDocument spreadsheet."""
    archive = open_package(content, limits)
    if b"encryption-data" in member_bytes(archive, "META-INF/manifest.xml", limits):
        raise encrypted()
    xml = member_bytes(archive, "content.xml", limits)
    if not xml:
        raise truncated()
    return read_flat_ods(xml, limits)


def read_flat_ods(xml: bytes, limits: Limits) -> list[Grid]:
    """The grids of OpenDocument XML; repeated empty rows and columns cost nothing, repeated values are bounded."""
    checked_xml(xml)
    styles = _Styles()
    sheets: list[_Sheet] = []
    try:
        for event, element in _events(xml):
            _step(event, element, sheets, styles, limits)
    except etree.XMLSyntaxError:
        raise truncated() from None
    return [_grid(sheet) for sheet in sheets]


def _events(xml: bytes) -> Iterator[tuple[str, Any]]:
    tags = tuple(_TABLE + name for name in ("table", "table-row", "table-column")) + (_STYLE + "style",)
    return iter(
        etree.iterparse(
            io.BytesIO(xml), events=("start", "end"), tag=tags, resolve_entities=False, no_network=True, huge_tree=True
        )
    )


def _step(event: str, element: Any, sheets: list[_Sheet], styles: _Styles, limits: Limits) -> None:
    name = element.tag
    if name == _STYLE + "style" and event == "end":
        if any(child.get(_TABLE + "display") == "false" for child in element):
            styles.hidden.add(element.get(_STYLE + "name"))
        if any(child.get(_STYLE + "text-line-through-style", "none") != "none" for child in element):
            styles.struck.add(element.get(_STYLE + "name"))
    elif name == _TABLE + "table" and event == "start":
        sheets.append(_Sheet(element.get(_TABLE + "name", ""), element.get(_TABLE + "style-name") in styles.hidden))
    elif event == "end" and sheets and name == _TABLE + "table-column":
        repeat = int(element.get(_TABLE + "number-columns-repeated", "1"))
        if element.get(_TABLE + "visibility") in ("collapse", "filter"):
            sheets[-1].hidden_columns.update(range(sheets[-1].column, sheets[-1].column + min(repeat, 16_384)))
        sheets[-1].column += repeat
    elif event == "end" and sheets and name == _TABLE + "table-row":
        _read_row(element, sheets[-1], styles, limits)
        element.clear(keep_tail=True)
        while element.getprevious() is not None and element.getprevious().tag == name:
            del element.getparent()[0]


def _read_row(element: Any, sheet: _Sheet, styles: _Styles, limits: Limits) -> None:
    repeat = int(element.get(_TABLE + "number-rows-repeated", "1"))
    found: list[tuple[int, str]] = []
    column = 0
    for cell in element:
        if cell.tag not in (_TABLE + "table-cell", _TABLE + "covered-table-cell"):
            continue
        times = int(cell.get(_TABLE + "number-columns-repeated", "1"))
        text = _cell(cell)
        if text is not None:
            if len(text) > limits.cell_characters:
                raise cell_too_long(limits)
            if column + times > 1_000_000 or len(sheet.cells) + times > _CELLS:
                raise bomb()
            found.extend((column + i, text) for i in range(times))
            if styles.struck and cell.get(_TABLE + "style-name") in styles.struck:
                sheet.struck_rows.update(range(sheet.row, sheet.row + min(repeat, limits.rows)))
            _note(cell, sheet, column)
        _merge(cell, sheet, column)
        column += times
    if found:
        if len(sheet.cells) + len(found) * repeat > _CELLS or repeat > limits.rows:
            raise bomb()
        for row in range(sheet.row, sheet.row + repeat):
            sheet.cells.extend((row, place, text) for place, text in found)
    if found and element.get(_TABLE + "visibility") in ("collapse", "filter"):
        sheet.hidden_rows.update(range(sheet.row, sheet.row + repeat))
    sheet.row += repeat


def _note(cell: Any, sheet: _Sheet, column: int) -> None:
    for note in cell.iterchildren(_OFFICE + "annotation"):
        text = theirs(_shown(note), next((child.text or "" for child in note if child.tag.endswith("}creator")), ""))
        if text and len(sheet.comments) < MOST:
            sheet.comments[sheet.row, column] = text


def _merge(cell: Any, sheet: _Sheet, column: int) -> None:
    wide = int(cell.get(_TABLE + "number-columns-spanned", "1"))
    high = int(cell.get(_TABLE + "number-rows-spanned", "1"))
    if wide > 1 or high > 1:
        sheet.merged.append((sheet.row, column, sheet.row + high - 1, column + wide - 1))


def _cell(cell: Any) -> str | None:
    kind = cell.get(_OFFICE + "value-type")
    text = _shown(cell)
    if kind in ("float", "currency", "percentage"):
        return _number(cell.get(_OFFICE + "value", ""), kind, text)
    if kind == "date":
        value = cell.get(_OFFICE + "date-value", "")
        return str(value).removesuffix("T00:00:00") or text
    if kind == "boolean":
        return cell.get(_OFFICE + "boolean-value") or text
    if kind == "time":
        return text or cell.get(_OFFICE + "time-value")
    return text if text and not text.isspace() else None


def _number(value: str, kind: str, shown: str) -> str | None:
    if shown.startswith(_ERRORS):
        return shown
    try:
        number = float(value)
    except ValueError:
        return shown or None
    if kind == "percentage":
        return percent_text(number)
    if shown.startswith("0") and shown.isdigit() and len(shown) > 1:
        return shown
    if "€" in shown and (written := read_number(shown)) is not None and abs(written.value) > 100 * abs(Decimal(value)) > 0:
        return f"{number_text(number)} {'M€' if abs(written.value) > 100_000 * abs(Decimal(value)) else 'k€'}"  # the format says the unit
    return number_text(number)


def _shown(cell: Any) -> str:
    lines = []
    for paragraph in cell:
        if paragraph.tag == _TEXT + "p":
            lines.append("".join(_pieces(paragraph)))
    return "\n".join(lines)


def _pieces(node: Any) -> Iterator[str]:
    yield node.text or ""
    for child in node:
        if child.tag == _TEXT + "s":
            yield " " * min(int(child.get(_TEXT + "c", "1")), 1000)
        elif child.tag in (_TEXT + "line-break", _TEXT + "tab"):
            yield "\n" if child.tag.endswith("line-break") else "\t"
        elif child.tag != _OFFICE + "annotation":
            yield from _pieces(child)
        yield child.tail or ""


def _grid(sheet: _Sheet) -> Grid:
    grid = grid_from_cells(sheet.name, sheet.cells)
    return Grid(
        sheet.name,
        grid.frame,
        grid.rows,
        grid.columns,
        tuple(sheet.merged),
        sheet.hidden,
        frozenset(sheet.hidden_rows),
        frozenset(sheet.hidden_columns),
        struck_rows=frozenset(sheet.struck_rows),
        comments=sheet.comments,
    )


def not_a_spreadsheet() -> FileRefused:
    """The refusal of an OpenDocument file without any sheet."""
    return FileRefused("no_sheet", "Le fichier ne contient aucune feuille de calcul.")
