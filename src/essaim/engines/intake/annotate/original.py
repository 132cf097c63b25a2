"""Annotating the sender's own Excel workbook in place: only the marked cells, their styles and their comments change; all the
rest of the file (charts, pictures, form controls, conditional formats, pivot tables, macros…) is copied as it came."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl
import python_calamine

from ..grid import index_of
from ..locate import ANNOTATION_MARK
from ..tables import Limits
from .markup import drawn_markup, list_links, list_markup
from .original_areas import anchored, first_column, merged_areas
from .original_book import Book, Listed
from .original_cells import MAX_COLUMN, MAX_ROW, Place, Sheet, Wanted, deselected, restyled, utf8
from .original_notes import Blocks, Notes
from .original_parts import Parts
from .original_styles import Styles
from .sheet import (
    LIST_HEADERS,
    MAX_COLOURED,
    MAX_COMMENTS,
    RANKS,
    SHEET,
    TAB,
    WIDTHS,
    Layout,
    cell_marks,
    head_cells,
    layout_of,
    limits_notes,
)

Marks = Mapping[tuple[int, str | None], tuple[str, list[str]]]
Places = set[tuple[int, str | None]]
_HEADING = 1_000  # rows at most before the list of issues


def annotate_original(
    content: bytes, macros: bool, issues: pl.DataFrame, summary: pl.DataFrame, title: str, limits: Limits
) -> bytes:
    """The same workbook with its cells marked and the « Anomalies » sheet first."""
    parts = Parts(content, limits)
    book = Book(parts, macros)
    earlier = _earlier(book, content)
    marks = cell_marks(issues)
    layout = layout_of(issues, summary, title, limits_notes(issues, marks))
    marking = _Marking(parts, book, Styles(book.styles()))
    for sheet in book.sheets:
        if not sheet.cells or not marking.mark(sheet, marks.get(sheet.name, {}), earlier.get(sheet.name, set())):
            _no_longer_selected(parts, sheet.part)
    _, part = book.add_first(layout.filter)
    parts.put(part, _anomalies(layout, issues, book.namespace, marking.styles.named()))
    return parts.save()


def _earlier(book: Book, content: bytes) -> dict[str, Places]:
    """Take the sheet of an earlier annotation away; the cells it told of, by sheet."""
    told: dict[str, Places] = {}
    for sheet in [sheet for sheet in book.sheets if sheet.cells and sheet.name.startswith(SHEET)]:
        read = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name(sheet.name)
        rows = read.to_python(nrows=MAX_COLOURED + _HEADING)
        if not any(ANNOTATION_MARK in row for row in rows[:3]):
            continue
        book.remove(sheet)
        start = next((i for i, row in enumerate(rows) if tuple(row[:3]) == LIST_HEADERS[:3]), len(rows))
        for name, row, column in (row[:3] for row in rows[start + 1 :]):
            if isinstance(row, int | float) and 0 < row <= MAX_ROW:
                told.setdefault(str(name), set()).add((int(row), str(column) or None))
    return told


def _no_longer_selected(parts: Parts, name: str) -> None:
    """Two selected sheets would be written on together."""
    if name not in parts or b"tabSelected" not in parts.head(name, b"sheetData").replace(b"\0", b""):
        return
    xml = utf8(parts.read(name))
    head = xml[: xml.find(b"sheetData")] if b"sheetData" in xml else xml
    parts.put(name, deselected(head).pieces(xml))


@dataclass(slots=True)
class _Marking:
    """The sheets of a workbook being marked, with what they share."""

    parts: Parts
    book: Book
    styles: Styles
    blocks: Blocks | None = None

    def mark(self, sheet: Listed, marks: Marks, earlier: Places) -> bool:
        """Colour and comment the cells of a sheet, after taking earlier colours and comments away; False if nothing was to do."""
        notes = Notes(self.parts, sheet.part, self.book.namespace, self.book.kind)
        if not (marks or earlier or notes.are_ours()):
            return False
        xml = utf8(self.parts.read(sheet.part))
        wanted, texts = self._wanted(xml, marks, earlier, notes)
        found = restyled(xml, wanted, self.styles.marked)
        notes.write(texts)
        if self.blocks is None:
            self.blocks = Blocks(self.parts.read(name) for name in self.parts.archive.namelist() if name.endswith(".vml"))
        notes.save(found, {place: min(400, 60 + 30 * len(told)) for place, told in texts.items()}, self.blocks)
        self.parts.put(sheet.part, self._changed(sheet.part, found))
        return True

    def _wanted(self, xml: bytes, marks: Marks, earlier: Places, notes: Notes) -> tuple[Wanted, dict[Place, list[str]]]:
        """What becomes of each cell, and the comments; several marks of one cell are joined on it."""
        first, wanted = first_column(xml), Wanted()
        places = {key: (key[0], index_of(key[1]) if key[1] else first) for key in (*marks, *earlier)}
        anchors = anchored((place for place in places.values() if place[0] <= MAX_ROW and place[1] < MAX_COLUMN), merged_areas(xml))
        told = {anchors[places[key]] for key in earlier if places[key] in anchors}
        for place in told | notes.erase(told):
            wanted.put(place, None)
        texts: dict[Place, list[str]] = {}
        severities: dict[Place, str] = {}
        for count, (key, (severity, messages)) in enumerate(list(marks.items())[:MAX_COLOURED]):
            if places[key] not in anchors:
                continue
            place = anchors[places[key]]
            severities[place] = min(severity, severities.get(place, severity), key=lambda name: RANKS.get(name, len(RANKS)))
            wanted.put(place, severities[place])
            if count < MAX_COMMENTS:
                texts.setdefault(place, []).extend(messages)
        return wanted, texts

    def _changed(self, part: str, found: Sheet) -> Iterator[bytes]:
        """Read again as it is written: one sheet at a time is in memory."""
        yield from found.pieces(utf8(self.parts.read(part)))


def _anomalies(layout: Layout, issues: pl.DataFrame, namespace: str, styles: Mapping[str, int]) -> Iterator[bytes]:
    """The sheet of anomalies: the words of ``head_cells``, then the whole list; printed with every column on one page."""
    widths = "".join(f'<col min="{i}" max="{i}" width="{width}" customWidth="1"/>' for i, width in enumerate(WIDTHS, start=1))
    frozen = layout.frozen
    yield (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<worksheet xmlns="{namespace}"><sheetPr><tabColor rgb="{TAB}"/>'
        '<pageSetUpPr fitToPage="1"/></sheetPr><sheetViews><sheetView tabSelected="1" workbookViewId="0">'
        f'<pane ySplit="{frozen}" topLeftCell="A{frozen + 1}" activePane="bottomLeft" state="frozen"/>'
        f'<selection pane="bottomLeft" activeCell="A{frozen + 1}" sqref="A{frozen + 1}"/></sheetView></sheetViews>'
        f'<sheetFormatPr defaultRowHeight="15"/><cols>{widths}</cols><sheetData>{drawn_markup(list(head_cells(layout)), styles)}'
    ).encode()
    for text in list_markup(layout, issues, styles):
        yield text.encode()
    yield (
        f'</sheetData><autoFilter ref="{layout.filter}"/>{list_links(layout, issues, {})}'
        '<pageMargins left="0.7" right="0.7" top="0.75" bottom="0.75" header="0.3" footer="0.3"/>'
        '<pageSetup orientation="landscape" fitToHeight="0"/></worksheet>'
    ).encode()
