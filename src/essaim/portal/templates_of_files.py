"""Workbooks ready to be filled, made from contracts."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from essaim.engines.intake.contract import Contract, FieldType

if TYPE_CHECKING:
    import xlsxwriter

ROWS = 2000


def template_workbook(contract: Contract) -> bytes:
    """A workbook with the contract's columns, their help as comments, lists of codes and dates to choose from, and a sheet
    that explains each column."""
    import xlsxwriter  # loaded by who asks for a workbook

    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "default_date_format": "dd/mm/yyyy"})
    sheet = book.add_worksheet("Données")
    required = book.add_format({"bold": True, "bg_color": "#14556B", "font_color": "#FFFFFF", "border": 1, "text_wrap": True, "valign": "top"})
    optional = book.add_format({"bold": True, "bg_color": "#DDE7EB", "border": 1, "text_wrap": True, "valign": "top"})
    formats = {FieldType.DATE: book.add_format({"num_format": "dd/mm/yyyy"}), FieldType.MONEY: book.add_format({"num_format": "#,##0.00"})}
    text = book.add_format({"num_format": "@"})
    sheet.freeze_panes(1, 0)
    for column, field in enumerate(contract.fields):
        sheet.set_column(column, column, max(14, min(34, len(field.label) + 4)), formats.get(field.type, None if field.type in _NUMBERS else text))
        sheet.write_string(0, column, field.label, required if field.required else optional)
        if field.description:
            sheet.write_comment(0, column, field.description)
        if field.codes:
            _offer_codes(sheet, column, [code.label for code in field.codes])
    _explanations(book, contract)
    book.close()
    return stream.getvalue()


_NUMBERS = {FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY, FieldType.PERCENT}


def _offer_codes(sheet: xlsxwriter.worksheet.Worksheet, column: int, labels: list[str]) -> None:
    """A drop-down list, when a spreadsheet can hold it in a cell (255 characters)."""
    if len(",".join(labels)) <= 255 and not any("," in label for label in labels):
        sheet.data_validation(1, column, ROWS, column, {"validate": "list", "source": labels, "error_type": "information"})


def _explanations(book: xlsxwriter.Workbook, contract: Contract) -> None:
    sheet = book.add_worksheet("Mode d'emploi")
    bold = book.add_format({"bold": True})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.write_string(0, 0, contract.title, bold)
    sheet.write_string(1, 0, contract.description)
    for column, (heading, width) in enumerate((("Colonne", 28), ("Obligatoire", 12), ("Ce qu'on y écrit", 60), ("Valeurs admises", 60), ("Exemple", 24))):
        sheet.set_column(column, column, width)
        sheet.write_string(3, column, heading, bold)
    for row, field in enumerate(contract.fields, start=4):
        values = " ; ".join(code.label for code in field.codes)
        cells = (field.label, "oui" if field.required else "", field.description, values, field.examples[0] if field.examples else "")
        for column, value in enumerate(cells):
            sheet.write_string(row, column, value, wrap)
