"""How authorities write: the same clean rows as workbooks and text files of many layouts.

A layout is headers in the sender's words, a way of writing values, and a container. None of them loses information the
contract needs: what a good reader understands equals the truth.
"""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import xlsxwriter

from essaim.equipment.categories import CATEGORIES
from essaim.foundation.contracts import contract as contract_called

Row = dict[str, Any]
CATEGORY_WORDS = {item.code: (item.label, *item.aliases[:2]) for item in CATEGORIES}

# Headers in the words of senders: field → header, by contract.
TERSE = {
    "delivery_ref": "N° BL", "order_ref": "N° BC", "line": "Ligne", "uai": "UAI", "school_name": "Ecole", "commune_name": "Ville",
    "category": "Matériel", "model": "Réf article", "quantity": "Qté", "unit_price_eur": "PU HT", "total_eur": "Montant HT",
    "buyer_siren": "SIREN", "funding": "Financement", "condition": "Neuf/Reconditionné", "ordered_on": "Date BC",
    "planned_on": "Date prévue", "revised_on": "Date révisée", "delivered_on": "Date liv.", "configured": "Configuré (o/n)",
    "installed_on": "Installé le", "received_on": "Reçu le", "working": "Fonctionne", "counted_on": "Situation au",
    "in_use": "dont en service", "loaned": "dont prêtés",
}
LONG = {
    "delivery_ref": "Numéro de livraison", "order_ref": "Numéro de commande", "line": "Numéro de ligne",
    "uai": "Identifiant de l'établissement", "school_name": "Nom de l'établissement", "commune_name": "Nom de la commune",
    "category": "Type d'équipement", "model": "Marque et modèle", "quantity": "Nombre", "unit_price_eur": "Prix unitaire HT",
    "total_eur": "Montant total HT", "buyer_siren": "SIREN acheteur", "funding": "Source de financement",
    "condition": "Neuf ou reconditionné", "ordered_on": "Date de commande", "planned_on": "Date de livraison prévue",
    "revised_on": "Date de livraison révisée", "delivered_on": "Date de livraison", "configured": "Prêt à l'emploi",
    "installed_on": "Date de mise en service", "received_on": "Date de réception", "working": "En état de marche",
    "counted_on": "Date d'inventaire", "in_use": "Quantité utilisée", "loaned": "Prêtés aux élèves",
}
MONTHS = ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre")


@dataclass(frozen=True, slots=True)
class Layout:
    """``write(contract, rows, title, rng)`` gives (file name, bytes)."""

    name: str
    write: Callable[[str, Sequence[Row], str, random.Random], tuple[str, bytes]]


def _labels(contract: str) -> dict[str, str]:
    return {item.name: item.label for item in contract_called(contract).fields}


def _fields(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _french(value: Any, rng: random.Random) -> str:
    """A value as typed by hand."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, date):
        if rng.random() < 0.15:
            return f"{value.day} {MONTHS[value.month - 1]} {value.year}"
        return f"{value:%d/%m/%Y}"
    if isinstance(value, float):
        whole, cents = f"{value:.2f}".split(".")
        grouped = f"{int(whole):,}".replace(",", "\u00a0")
        return f"{grouped},{cents}"
    return str(value)


def _spoken(contract: str, name: str, value: Any, rng: random.Random) -> Any:
    if name == "category":
        return rng.choice(CATEGORY_WORDS[value])
    if name == "condition" and value:
        return {"neuf": "Neuf", "reconditionne": "Reconditionné"}[value]
    if name == "funding" and value:
        return {"tne": "TNE", "plan_relance": "Plan de relance", "collectivite": "fonds propres"}[value]
    return _code_labels(contract).get((name, value), value)


@cache
def _code_labels(contract: str) -> dict[tuple[str, str], str]:
    return {(item.name, code.value): code.label for item in contract_called(contract).fields for code in item.codes}


def _book(write: Callable[[Any, xlsxwriter.Workbook], None]) -> bytes:
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "default_date_format": "dd/mm/yyyy"})
    write(book.add_worksheet("Feuil1"), book)
    book.close()
    return stream.getvalue()


def _put(sheet: Any, row: int, column: int, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_string(row, column, "x" if value else "")
    elif isinstance(value, date):
        sheet.write_datetime(row, column, value)
    elif isinstance(value, (int, float)):
        sheet.write_number(row, column, value)
    else:
        sheet.write_string(row, column, str(value))


def _plain_workbook(contract: str, rows: Sequence[Row], title: str, rng: random.Random) -> tuple[str, bytes]:
    """The platform's own template, well filled: labels of the contract, real dates and numbers."""
    names, labels = _fields(rows), _labels(contract)

    def write(sheet: Any, book: xlsxwriter.Workbook) -> None:
        bold = book.add_format({"bold": True, "bg_color": "#DDDDFF"})
        for column, name in enumerate(names):
            sheet.write(0, column, labels[name], bold)
        for index, row in enumerate(rows, start=1):
            for column, name in enumerate(names):
                value = row.get(name)
                _put(sheet, index, column, ("oui" if value else "non") if isinstance(value, bool) else _spoken(contract, name, value, rng))

    return f"{title}.xlsx", _book(write)


def _titled_workbook(contract: str, rows: Sequence[Row], title: str, rng: random.Random) -> tuple[str, bytes]:
    """Title and remarks above, two-level header with merged cells, a TOTAL row and notes below."""
    names, labels = _fields(rows), _labels(contract)

    def write(sheet: Any, book: xlsxwriter.Workbook) -> None:
        big = book.add_format({"bold": True, "font_size": 14})
        head = book.add_format({"bold": True, "border": 1, "text_wrap": True})
        sheet.write(0, 0, f"Suivi TNE – {title.replace('_', ' ')}", big)
        sheet.write(1, 0, "Document de travail, arrêté par le service éducation")
        middle = max(2, len(names) // 2)
        sheet.merge_range(3, 0, 3, middle - 1, "Identification", head)
        if middle < len(names) - 1:
            sheet.merge_range(3, middle, 3, len(names) - 1, "Suivi", head)
        for column, name in enumerate(names):
            sheet.write(4, column, TERSE.get(name, labels[name]), head)
        for index, row in enumerate(rows, start=5):
            for column, name in enumerate(names):
                value = row.get(name)
                _put(sheet, index, column, ("O" if value else "N") if isinstance(value, bool) else _spoken(contract, name, value, rng))
        last = 5 + len(rows)
        sheet.write(last, 0, "TOTAL")
        counted = next(name for name in names if all(type(row[name]) is int for row in rows))
        sheet.write_number(last, names.index(counted), sum(row[counted] for row in rows))
        sheet.write(last + 2, 0, "NB : les montants sont hors taxes. Contact : service éducation.")

    return f"{title}.xlsx", _book(write)


def _text_file(contract: str, rows: Sequence[Row], title: str, rng: random.Random) -> tuple[str, bytes]:
    """A « ; » file saved by a spreadsheet in Windows-1252, values typed by hand."""
    return f"{title}.csv", _delimited(contract, rows, rng, ";", TERSE).encode("cp1252", errors="replace")


def _unicode_tabs(contract: str, rows: Sequence[Row], title: str, rng: random.Random) -> tuple[str, bytes]:
    """« Texte Unicode » of an old spreadsheet: UTF-16 with tabs."""
    return f"{title}.txt", _delimited(contract, rows, rng, "\t", LONG).encode("utf-16")


def _delimited(contract: str, rows: Sequence[Row], rng: random.Random, separator: str, headers: dict[str, str]) -> str:
    names, labels = _fields(rows), _labels(contract)
    lines = [separator.join(headers.get(name, labels[name]) for name in names)]
    for row in rows:
        cells = (_french(_spoken(contract, name, row.get(name), rng), rng) for name in names)
        lines.append(separator.join(f'"{c}"' if separator in c else c for c in cells))
    return "\r\n".join(lines) + "\r\n"


def _several_sheets(contract: str, rows: Sequence[Row], title: str, rng: random.Random) -> tuple[str, bytes]:
    """One sheet a commune or group of schools, a read-me sheet first, a hidden one last; UAI in lower case with a space."""
    names, labels = _fields(rows), _labels(contract)
    schools = sorted({row["uai"] for row in rows})
    halves = (set(schools[: len(schools) // 2]), set(schools[len(schools) // 2 :]))
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "default_date_format": "dd/mm/yyyy"})
    book.add_worksheet("Lisez-moi").write(0, 0, "Une feuille par secteur. Merci de ne pas modifier les colonnes.")
    for number, members in enumerate(halves, start=1):
        sheet = book.add_worksheet(f"Secteur {number}")
        for column, name in enumerate(names):
            sheet.write(0, column, LONG.get(name, labels[name]))
        for index, row in enumerate((r for r in rows if r["uai"] in members), start=1):
            for column, name in enumerate(names):
                value = _spoken(contract, name, row.get(name), rng)
                _put(sheet, index, column, ("oui" if value else "non") if isinstance(value, bool) else value)
    hidden = book.add_worksheet("listes")
    hidden.write_column(0, 0, ["oui", "non"])
    hidden.hide()
    book.close()
    return f"{title}.xlsx", stream.getvalue()


def _zipped(contract: str, rows: Sequence[Row], title: str, rng: random.Random) -> tuple[str, bytes]:
    """A zip with one UTF-8 file, as e-mailed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{title}.csv", _delimited(contract, rows, rng, ";", LONG).encode("utf-8-sig"))
    return f"{title}.zip", stream.getvalue()


def _open_document(contract: str, rows: Sequence[Row], title: str, rng: random.Random) -> tuple[str, bytes]:
    """A LibreOffice workbook."""
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    names, labels = _fields(rows), _labels(contract)
    document = OpenDocumentSpreadsheet()
    table = Table(name="Feuille1")

    def add(cells: Sequence[Any]) -> None:
        line = TableRow()
        for value in cells:
            cell = TableCell()
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                cell = TableCell(valuetype="float", value=value)
            elif isinstance(value, date):
                cell = TableCell(valuetype="date", datevalue=value.isoformat())
            elif value is not None:
                cell = TableCell(valuetype="string")
            cell.addElement(P(text="" if value is None else (("oui" if value else "non") if isinstance(value, bool) else str(value))))
            line.addElement(cell)
        table.addElement(line)

    add([LONG.get(name, labels[name]) for name in names])
    for row in rows:
        add([_spoken(contract, name, row.get(name), rng) for name in names])
    document.spreadsheet.addElement(table)
    stream = io.BytesIO()
    document.write(stream)
    return f"{title}.ods", stream.getvalue()


LAYOUTS: tuple[Layout, ...] = (
    Layout("modèle", _plain_workbook),
    Layout("titres et totaux", _titled_workbook),
    Layout("texte Windows", _text_file),
    Layout("plusieurs feuilles", _several_sheets),
    Layout("archive", _zipped),
    Layout("LibreOffice", _open_document),
    Layout("texte Unicode", _unicode_tabs),
)
