"""Lists and figures as files: xlsx, csv, ods, with cells that a spreadsheet will never execute."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from essaim.engines.intake.annotate import neutralise
from essaim.engines.measures import Figures

FORMATS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}


def exported(form: str, title: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """``rows`` under ``headings`` in format ``form`` (a key of FORMATS; KeyError otherwise)."""
    return _WRITERS[form](title, headings, rows)


def attached(content: bytes, form: str, name: str) -> HttpResponse:
    """``content`` as a file named ``name`` with the extension of ``form``."""
    header = content_disposition_header(True, f"{name}.{form}") or "attachment"
    return HttpResponse(content, content_type=FORMATS[form], headers={"Content-Disposition": header})


def figures_workbook(found: Figures) -> bytes:
    """Figures as a workbook: one row a figure, with definition date and fingerprint kept."""
    table = found.table
    return _xlsx("Chiffres", table.column_names, (tuple(row.values()) for row in table.to_pylist()))


def _text(value: Any) -> Any:
    return neutralise(value) if isinstance(value, str) else value


def _xlsx(title: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    import xlsxwriter  # loaded by who exports

    stream = io.BytesIO()
    book = xlsxwriter.Workbook(
        stream, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "default_date_format": "dd/mm/yyyy"}
    )
    sheet = book.add_worksheet(title[:31])
    bold = book.add_format({"bold": True, "bottom": 1})
    sheet.freeze_panes(1, 0)
    for column, heading in enumerate(headings):
        sheet.set_column(column, column, max(12, min(40, len(heading) + 4)))
        sheet.write_string(0, column, heading, bold)
    last = 0
    for index, row in enumerate(rows, start=1):
        last = index
        for column, value in enumerate(row):
            if value is None:
                continue
            if isinstance(value, bool):
                sheet.write_string(index, column, "oui" if value else "non")
            elif isinstance(value, (int, float)):
                sheet.write_number(index, column, value)
            elif isinstance(value, date):
                sheet.write_datetime(index, column, value)  # type: ignore[arg-type]
            else:
                sheet.write_string(index, column, neutralise(str(value)))
    if headings:
        sheet.autofilter(0, 0, max(1, last), len(headings) - 1)
    book.close()
    return stream.getvalue()


def _csv(title: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """« ; » and UTF-8 with a mark, as French spreadsheets open them; decimal comma."""
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=";")
    writer.writerow(headings)
    for row in rows:
        writer.writerow(str(v).replace(".", ",") if isinstance(v, float) else "" if v is None else _text(v) for v in row)
    return stream.getvalue().encode("utf-8-sig")


def _ods(title: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    document = OpenDocumentSpreadsheet()
    table = Table(name=title[:31])
    for row in (headings, *rows):
        line = TableRow()
        for value in row:
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                cell = TableCell(valuetype="float", value=value)
            elif isinstance(value, date):
                cell = TableCell(valuetype="date", datevalue=value.isoformat())
            else:
                cell = TableCell(valuetype="string")
            cell.addElement(P(text="" if value is None else str(_text(value))))
            line.addElement(cell)
        table.addElement(line)
    document.spreadsheet.addElement(table)
    stream = io.BytesIO()
    document.write(stream)
    return stream.getvalue()


_WRITERS = {"xlsx": _xlsx, "csv": _csv, "ods": _ods}
