"""The list of issues put into a workbook as it is saved: hundreds of thousands of lines that openpyxl would hold cell by cell."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.writer.excel import ExcelWriter

from .sheet import Drawn

_CHUNK = 2_000
_DIMENSION = re.compile(r'<dimension ref="[^"]*" ?/>')


def save_with_list(book: Any, sheet: Any, rows: Iterable[tuple[Drawn, ...]], styles: Mapping[str, int]) -> bytes:
    """The bytes of ``book``, with ``rows`` under those ``sheet`` already holds. ``styles``: style name → its number in the book."""
    output = io.BytesIO()
    _Writer(book, ZipFile(output, "w", ZIP_DEFLATED, allowZip64=True), sheet, rows, styles).save()
    return output.getvalue()


class _Writer(ExcelWriter):  # type: ignore[misc]
    """openpyxl's own, but for one sheet."""

    def __init__(self, book: Any, archive: ZipFile, sheet: Any, rows: Iterable[tuple[Drawn, ...]], styles: Mapping[str, int]) -> None:
        super().__init__(book, archive)
        self._sheet, self._rows, self._styles = sheet, rows, styles

    def write_worksheet(self, ws: Any) -> None:
        """As openpyxl does; the rows of the list are added to the XML of their sheet."""
        if ws is not self._sheet:
            super().write_worksheet(ws)
            return
        writer = WorksheetWriter(ws)
        writer.write()
        ws._rels = writer._rels
        head, closing, tail = _DIMENSION.sub("", Path(writer.out).read_text(encoding="utf-8")).partition("</sheetData>")
        links: list[str] = []
        with self._archive.open(ws.path[1:], "w", force_zip64=True) as stream:
            stream.write(head.encode())
            for chunk in _chunks(_row(cells, self._styles, links) for cells in self._rows):
                stream.write(chunk.encode())
            stream.write((closing + _with_links(tail, links)).encode())
        self.manifest.append(ws)
        writer.cleanup()


def _chunks(texts: Iterator[str]) -> Iterator[str]:
    held: list[str] = []
    for text in texts:
        held.append(text)
        if len(held) == _CHUNK:
            yield "".join(held)
            held.clear()
    yield "".join(held)


def _row(cells: tuple[Drawn, ...], styles: Mapping[str, int], links: list[str]) -> str:
    row = cells[0].row
    found = []
    for _, column, value, style, link in cells:
        if value is None:
            continue
        place = f"{chr(64 + column)}{row}"
        start = f'<c r="{place}" s="{styles[style]}"' if style else f'<c r="{place}"'
        if isinstance(value, str):
            found.append(f'{start} t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>')
        else:
            found.append(f"{start}><v>{value}</v></c>")
        if link:
            links.append(f'<hyperlink ref="{place}" location={quoteattr(link)} display="{value}"/>')
    return f'<row r="{row}">{"".join(found)}</row>'


def _with_links(tail: str, links: list[str]) -> str:
    """Links come after the filter and before the margins."""
    if not links:
        return tail
    before, margins, after = tail.partition("<pageMargins")
    return f"{before}<hyperlinks>{''.join(links)}</hyperlinks>{margins}{after}"
