"""Workbooks as authorities send them, made on the fly: nothing here was ever seen by the platform."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import openpyxl
from openpyxl.styles import Font

SHEET = "Suivi des livraisons"
FIRST_ROW = 7
HEADINGS = ("RNE", "École", "Ville", "Matériel", "Qté", "Date liv.", "Mise en service", "N° BL", "Obs.")


@dataclass(frozen=True, slots=True)
class School:
    """A school of the sender."""

    uai: str
    name: str
    commune: str

    @property
    def misspelt(self) -> str:
        """The same identifier with a key letter that is not its own."""
        return self.uai[:-1] + ("A" if self.uai[-1] != "A" else "B")


def messy(title: str, rows: Sequence[Sequence[Any]], headings: Sequence[str] = HEADINGS) -> bytes:
    """A workbook with a title, prose, a header on two levels with merged cells, a blank row, a TOTAL and a note below."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = SHEET
    sheet["A1"] = title
    sheet["A1"].font = Font(bold=True, size=14)
    sheet["A2"] = "Document de travail — arrêté par le service éducation, ne pas diffuser"
    sheet["A5"], sheet["D5"], sheet["F5"] = "Établissement", "Matériel", "Livraison"
    for area in ("A5:C5", "D5:E5", "F5:I5"):
        sheet.merge_cells(area)
    for column, heading in enumerate(headings, start=1):
        sheet.cell(6, column, heading).font = Font(bold=True)
    for index, row in enumerate(rows, start=FIRST_ROW):
        for column, value in enumerate(row, start=1):
            sheet.cell(index, column, value)
    end = FIRST_ROW + len(rows) + 1
    sheet.cell(end, 1, "TOTAL")
    sheet.cell(end, 5, sum(row[4] for row in rows if isinstance(row[4], int)))
    sheet.cell(end + 2, 1, "Les dates sont celles des bons signés par les écoles.")
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def unidentified(schools: Sequence[School], mark: str) -> bytes:
    """A workbook whose author never heard of identifiers: names and communes only, one row a school."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = SHEET
    sheet.append(["École", "Ville", "Matériel", "Qté", "Date liv.", "N° BL"])
    for index, school in enumerate(schools):
        sheet.append([school.name, school.commune, "tablette", 11 + index, "12/03/2026", f"{mark}-{index}"])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def deliveries(schools: Sequence[School], mark: str, *, first: int = 120, second: int = 80) -> bytes:
    """Two sound rows (``first`` and ``second`` tablets put in service), one written twice, one under a wrong identifier, one
    on a day that does not exist."""
    one, two = schools[0], schools[1]
    sound = [one.uai, one.name, one.commune, "tablette", first, "12 mars 2026", "16/03/2026", f"{mark}-1", "carton n° 1"]
    rows = [
        sound,
        [f" {two.uai[:4]} {two.uai[4:].lower()}", two.name, two.commune, "Tablettes", f"{second}", "13/03/2026", "17/03/2026", f"{mark}-2", None],
        [two.misspelt, two.name, two.commune, "tablette", 500, "14/03/2026", "18/03/2026", f"{mark}-3", None],
        list(sound),
        [one.uai, one.name, one.commune, "tablette", 700, "31/02/2026", "19/03/2026", f"{mark}-4", None],
    ]
    return messy("Suivi TNE — livraisons du printemps", rows)


def repaired(annotated: bytes, schools: Sequence[School]) -> bytes:
    """The annotated workbook with its two faulty cells corrected by hand, everything else left as it was given back."""
    book = openpyxl.load_workbook(io.BytesIO(annotated))
    sheet = book[SHEET]
    sheet.cell(FIRST_ROW + 2, 1).value = schools[1].uai
    sheet.cell(FIRST_ROW + 4, 6).value = "28/02/2026"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
