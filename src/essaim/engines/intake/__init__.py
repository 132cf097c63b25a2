"""Intake: any sender's file → understood tables → typed rows, every issue at once. See README.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .check_annotated import annotated_workbook
from .check_json import to_json
from .checking import CheckInputs, check, check_many, check_read, fingerprint
from .contract import Contract
from .mapping import layout_of, vocabulary
from .report import Check, Mapping, Question, TableReading
from .schema import contract_markdown, table_schema
from .tables import FileRefused, Limits, RawTable, ReadFile

if TYPE_CHECKING:
    from .annotate.neutralise import neutralise
    from .contain import contained
    from .reading import read_file

__all__ = [
    "Check", "CheckInputs", "Contract", "FileRefused", "Limits", "Mapping", "Question", "RawTable", "ReadFile", "TableReading",
    "annotated_workbook", "check", "check_many", "check_read", "contained", "contract_markdown", "fingerprint", "layout_of", "neutralise", "read_file",
    "table_schema", "to_json", "vocabulary",
]  # fmt: skip

_LATER = {"contained": "contain", "neutralise": "annotate.neutralise", "read_file": "reading"}


def __getattr__(name: str) -> Any:
    """Reading and annotation load only when asked for: they bring spreadsheet libraries with them."""
    if name in _LATER:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    raise AttributeError(name)
