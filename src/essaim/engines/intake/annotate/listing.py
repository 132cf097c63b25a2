"""The list of issues put into a workbook as it is saved: hundreds of thousands of lines that openpyxl would hold cell by cell."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.writer.excel import ExcelWriter

_DIMENSION = re.compile(r'<dimension ref="[^"]*" ?/>')


def save_with_list(book: Any, sheet: Any, rows: Iterable[str], links: str) -> bytes:
    """The bytes of ``book``, with ``rows`` (as written in a worksheet) under those ``sheet`` already holds, and its ``links``."""
    output = io.BytesIO()
    _Writer(book, ZipFile(output, "w", ZIP_DEFLATED, allowZip64=True), sheet, rows, links).save()
    return output.getvalue()


class _Writer(ExcelWriter):  # type: ignore[misc]
    """openpyxl's own, but for one sheet."""

    def __init__(self, book: Any, archive: ZipFile, sheet: Any, rows: Iterable[str], links: str) -> None:
        super().__init__(book, archive)
        self._sheet, self._rows, self._links = sheet, rows, links

    def write_worksheet(self, ws: Any) -> None:
        """As openpyxl does; the rows of the list are added to the XML of their sheet."""
        if ws is not self._sheet:
            super().write_worksheet(ws)
            return
        writer = WorksheetWriter(ws)
        writer.write()
        ws._rels = writer._rels
        head, closing, tail = _DIMENSION.sub("", Path(writer.out).read_text(encoding="utf-8")).partition("</sheetData>")
        with self._archive.open(ws.path[1:], "w", force_zip64=True) as stream:
            stream.write(head.encode())
            for text in self._rows:
                stream.write(text.encode())
            stream.write((closing + _with_links(tail, self._links)).encode())
        self.manifest.append(ws)
        writer.cleanup()


def _with_links(tail: str, links: str) -> str:
    """Links come after the filter and before the margins."""
    before, margins, after = tail.partition("<pageMargins")
    return f"{before}{links}{margins}{after}"
