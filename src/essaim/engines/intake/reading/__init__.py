"""Read any sender's file without trust: bytes → sheets of text → located tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

from ..grid import Grid
from ..locate import is_annotation, locate_tables
from ..tables import FileRefused, Limits, ReadFile
from .sheets import Sheets, read_sheets
from .sniff import EXTENSIONS

__all__ = ["Grid", "Sheets", "read_file", "read_grids"]


def read_file(
    content: bytes | Path, filename: str, *, limits: Limits | None = None, vocabulary: frozenset[str] = frozenset()
) -> ReadFile:
    """Read a file whose format is found from its bytes and locate its tables.

    ``vocabulary``: normalised header words expected (lower case, single spaces), which help to find header rows.
    Refuses with FileRefused what cannot or must not be read (see ``Limits``); never follows links nor runs macros.
    Sheets added by ``annotate`` are ignored, so that a repaired annotated workbook reads like the original."""
    sheets = read_grids(content, filename, limits=limits, vocabulary=vocabulary)
    notices = list(sheets.notices)
    tables = []
    for grid in sheets.grids:
        if not is_annotation(grid):
            found = locate_tables(grid, vocabulary)
            tables += [replace(table, spelt_out=True) for table in found] if sheets.spelt_out else found
            notices.extend(_hidden(grid))
    if not tables:
        raise FileRefused("no_table", "Aucun tableau n'a été trouvé dans le fichier : il faut au moins une ligne d'en-tête.")
    return ReadFile(filename, sheets.format, tuple(tables), tuple(notices), sheets.encoding, sheets.separator)


def read_grids(
    content: bytes | Path, filename: str, *, limits: Limits | None = None, vocabulary: frozenset[str] = frozenset()
) -> Sheets:
    """The sheets of a file as the sender sees them, before any table is located."""
    limits = limits or Limits()
    size = content.stat().st_size if isinstance(content, Path) else len(content)
    if size > limits.file_bytes:
        raise FileRefused(
            "file_too_large",
            f"Le fichier pèse {size // 2**20} Mo, au-delà du maximum de {limits.file_bytes // 2**20} Mo : découpez-le.",
        )
    data = content.read_bytes() if isinstance(content, Path) else content
    sheets = read_sheets(data, filename, limits, vocabulary)
    return sheets.with_notice(wrong_extension(filename, sheets.format))


def wrong_extension(filename: str, kind: str) -> tuple[str, str] | None:
    """The notice that a name says another format than the bytes, if it does."""
    name = PurePosixPath(filename.replace("\\", "/")).name.lower()
    if kind in ("json", "jsonl"):
        name = name.removesuffix(".gz")
    suffix = name[name.rfind(".") :] if "." in name else ""
    if not suffix or name.endswith(EXTENSIONS.get(kind, (suffix,))) or kind.endswith(".gz"):
        return None
    return ("wrong_extension", f"Le fichier s'appelle « {suffix} » mais son contenu est au format {kind} : il a été lu ainsi.")


def _hidden(grid: Grid) -> list[tuple[str, str]]:
    told = []
    if grid.hidden and grid.height:
        told.append(("hidden_sheet", f"La feuille « {grid.sheet} » est masquée : elle a été lue comme les autres."))
    rows = len(grid.hidden_rows & set(grid.rows.to_list())) if grid.hidden_rows else 0
    if rows:
        told.append(("hidden_rows", f"Feuille « {grid.sheet} » : {rows} ligne(s) masquée(s) ont été lues comme les autres."))
    if grid.hidden_columns & set(grid.columns):
        columns = len(grid.hidden_columns & set(grid.columns))
        told.append(("hidden_columns", f"Feuille « {grid.sheet} » : {columns} colonne(s) masquée(s) ont été lues."))
    return told
