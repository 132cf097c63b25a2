"""What senders say beside a cell is never counted, and never lost without a word."""

from __future__ import annotations

import io
from datetime import date

import openpyxl
import pytest
from openpyxl.comments import Comment

from essaim.engines.intake import annotated_workbook, check
from essaim.equipment.contracts import DELIVERIES
from intake.understanding import uai

A, B = uai(1), uai(2)
MARCH = date(2022, 3, 1)
ROWS = (("UAI", "Matériel", "Quantité", "Date de livraison"), (A, "Tablette", 10, MARCH), (B, "Tablette", 6, MARCH))


def commented(comments: dict[str, tuple[str, str]], rows=ROWS) -> bytes:
    """A workbook with comments (cell → author, text)."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for cell, (author, text) in comments.items():
        book.active[cell].comment = Comment(text, author)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def told(content: bytes, name: str = "envoi.xlsx") -> list[tuple[str, int, str]]:
    """Severity, row and words of what is said of comments."""
    return check(content, name, DELIVERIES).issues.filter(code="cell_comment").select("severity", "row", "value").rows()


@pytest.mark.parametrize(("text", "severity"), [
    ("8 livrées seulement", "warning"), ("Non livré à ce jour", "warning"), ("deux cassées", "warning"), ("reliquat en mai", "warning"),
    ("Vu avec Mme la directrice", "notice"), ("Amélie Durand:\nconfirmé par la mairie", "notice"),
])  # fmt: skip
def test_a_comment_that_may_change_a_number_is_a_warning(text, severity):
    """The others are said too, in a notice; the name that spreadsheets write first is left out."""
    result = told(commented({"C3": ("Amélie Durand", text)}))
    assert result == [(severity, 3, " ".join(text.removeprefix("Amélie Durand:").split()))]
    assert "C3" in check(commented({"C3": ("x", text)}), "envoi.xlsx", DELIVERIES).issues["message"][0]


def test_comments_elsewhere_are_no_remarks():
    """On the header, which explains a column, or under the table."""
    assert told(commented({"C1": ("x", "Quantité au 01/03"), "C9": ("x", "2 manquantes")})) == []


def test_our_own_comments_are_not_the_senders():
    """Handed in again, an annotated workbook says only what its sender had said."""
    rows = (*ROWS, (A[:-1], "Tablette", 3, MARCH))
    content = commented({"A4": ("x", "voir avec le rectorat"), "C3": ("x", "dont 2 rendues")}, rows)
    first = check(content, "envoi.xlsx", DELIVERIES)
    again = told(annotated_workbook(content, "envoi.xlsx", first))
    assert [(row, text) for _, row, text in again] == [(3, "dont 2 rendues"), (4, "voir avec le rectorat")]
    assert told(commented({"C3": ("", "Bloquant : « x » n'est pas un nombre.")})) == []  # LibreOffice forgets authors


def test_the_notice_of_a_thread_is_left_out():
    """Excel writes a plain copy of a conversation, for older versions."""
    text = "[Threaded comment]\n\nYour version of Excel allows you to read this threaded comment.\n\nComment:\n    4 reçues"
    assert told(commented({"C2": ("tc={0}", text)})) == [("warning", 2, "4 reçues")]


def test_comments_of_opendocument_files_are_told():
    """Their text is beside the text of the cell, not in it."""
    cell = '<table:table-cell office:value-type="{kind}" {more}><text:p>{text}</text:p>{note}</table:table-cell>'
    note = "<office:annotation><dc:creator>Amélie</dc:creator><dc:date>2022-03-02</dc:date><text:p>2 manquantes</text:p></office:annotation>"
    lines = ""
    for number, row in enumerate(ROWS):
        cells = ""
        for place, value in enumerate(row):
            kind, more = ("float", f'office:value="{value}"') if isinstance(value, int) else ("date", f'office:date-value="{value}"') if isinstance(value, date) else ("string", "")
            cells += cell.format(kind=kind, more=more, text=value, note=note if (number, place) == (1, 2) else "")
        lines += f"<table:table-row>{cells}</table:table-row>"
    spaces = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text"))
    body = f'<table:table table:name="Mars">{lines}</table:table>'
    content = f'<office:document {spaces} xmlns:dc="http://purl.org/dc/elements/1.1/" office:mimetype="application/vnd.oasis.opendocument.spreadsheet"><office:body><office:spreadsheet>{body}</office:spreadsheet></office:body></office:document>'
    result = check(content.encode(), "envoi.fods", DELIVERIES)
    assert result.rows["quantity"].to_list() == [10, 6]
    assert told(content.encode(), "envoi.fods") == [("warning", 2, "2 manquantes")]
