"""Intake: any sender's file → understood tables → typed rows, every issue at once. See README.md."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .annotate.neutralise import neutralise
    from .check_annotated import annotated_workbook
    from .check_json import to_json
    from .checking import CheckInputs, check, check_many, check_read, fingerprint
    from .contain import contained
    from .contract import Contract
    from .mapping import layout_of
    from .mapping_names import vocabulary
    from .reading import read_file
    from .report import Check, Mapping, Question, TableReading
    from .schema import contract_markdown, table_schema
    from .tables import FileRefused, Limits, RawTable, ReadFile

__all__ = [
    "Check", "CheckInputs", "Contract", "FileRefused", "Limits", "Mapping", "Question", "RawTable", "ReadFile", "TableReading",
    "annotated_workbook", "check", "check_many", "check_read", "contained", "contract_markdown", "fingerprint", "layout_of", "neutralise", "read_file",
    "table_schema", "to_json", "vocabulary",
]  # fmt: skip

_DOORS = {
    "neutralise": "annotate.neutralise", "annotated_workbook": "check_annotated", "to_json": "check_json", "contained": "contain", "Contract": "contract",
    **dict.fromkeys(("CheckInputs", "check", "check_many", "check_read", "fingerprint"), "checking"), "layout_of": "mapping", "vocabulary": "mapping_names",
    "read_file": "reading", **dict.fromkeys(("Check", "Mapping", "Question", "TableReading"), "report"),
    **dict.fromkeys(("contract_markdown", "table_schema"), "schema"), **dict.fromkeys(("FileRefused", "Limits", "RawTable", "ReadFile"), "tables"),
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Each door loads when asked for: a contract needs none of the libraries that read and check files."""
    if name not in _DOORS:
        raise AttributeError(name)
    found = globals()[name] = getattr(import_module(f"{__name__}.{_DOORS[name]}"), name)
    return found
