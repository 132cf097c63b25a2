"""Workbooks and texts built for the reading tests."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import Any

import openpyxl
import polars as pl

ISSUES = {
    "code": pl.String,
    "severity": pl.String,
    "sheet": pl.String,
    "row": pl.UInt32,
    "column": pl.String,
    "field": pl.String,
    "value": pl.String,
    "expected": pl.String,
    "suggestion": pl.String,
    "message": pl.String,
}
SUMMARY = {"code": pl.String, "severity": pl.String, "field": pl.String, "count": pl.UInt32, "message": pl.String}
HEADER = ("UAI", "Établissement", "Matériel", "Quantité", "Date de livraison")
LINES = (
    ("0350001A", "École Jean Moulin", "VPI", 2, "2022-03-01"),
    ("0350002B", "Collège Total", "Tablette", 30, "2022-03-02"),
    ("0350003C", "Lycée Simone Veil", "ENI", 4, "2022-03-05"),
)


def workbook(*sheets: tuple[str, Sequence[Sequence[Any]]], merges: Sequence[str] = (), prepare: Any = None) -> bytes:
    """An xlsx of the given (name, rows) sheets; ``merges`` apply to the first one; ``prepare(book)`` may alter it."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    for area in merges:
        book.worksheets[0].merge_cells(area)
    if prepare:
        prepare(book)
    output = io.BytesIO()
    book.save(output)
    return output.getvalue()


def package(content: bytes, **replaced: bytes | None) -> bytes:
    """The same zip package with members replaced; ``__`` stands for ``/`` and a trailing ``_xml`` for ``.xml``."""
    names = {key.replace("__", "/").removesuffix("_xml") + (".xml" if key.endswith("_xml") else ""): value for key, value in replaced.items()}
    output = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, names.pop(member, None) or old.read(member))
        for name, value in names.items():
            new.writestr(name, value or b"")
    return output.getvalue()


def sheet_xml(rows: str, dimension: str = "A1") -> bytes:
    """A worksheet part around the given row elements."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'<dimension ref="{dimension}"/><sheetData>{rows}</sheetData></worksheet>'
    ).encode()


def issues(*rows: tuple[Any, ...]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=ISSUES, orient="row")


def values(table: Any) -> list[tuple[Any, ...]]:
    """The cells of a table without row numbers."""
    return table.frame.drop("row").rows()
