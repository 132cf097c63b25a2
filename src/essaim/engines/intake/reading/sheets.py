"""From bytes to sheets: the reader of each format, and the archives that hold several files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..grid import Grid
from ..repetition import is_spelt_out
from ..tables import FileRefused, Limits
from .aligned import NOTICE, SAMPLE, read_aligned, seems_aligned
from .columnar import read_json, read_parquet
from .delimited import NotUtf8, read_delimited
from .encoding import decode, seems_utf8
from .package import gunzip, inner_files, open_package
from .sniff import sniff

SHORT = 1 << 20
_GLANCED = 4_096


@dataclass(frozen=True, slots=True)
class Sheets:
    """The sheets of a file, before any table is located. ``spelt_out``: see RawTable."""

    format: str
    grids: tuple[Grid, ...]
    notices: tuple[tuple[str, str], ...] = ()
    encoding: str | None = None
    separator: str | None = None
    spelt_out: bool = False

    def with_notice(self, notice: tuple[str, str] | None) -> Sheets:
        return replace(self, notices=(*self.notices, notice)) if notice else self


def read_sheets(content: bytes, name: str, limits: Limits, vocabulary: frozenset[str], depth: int = 0) -> Sheets:
    """The sheets of ``content``, whatever its name says; archives are opened one level deep."""
    kind = sniff(content)
    if kind == "zip":
        return _read_zip(content, limits, vocabulary, depth)
    if kind == "gzip":
        if depth > 1:
            raise _nested()
        inner = read_sheets(gunzip(content, limits), name.removesuffix(".gz"), limits, vocabulary, depth + 1)
        return replace(inner, format=f"{inner.format}.gz" if inner.format == "csv" else inner.format)
    if kind == "csv":
        return _read_text(content, name, limits, vocabulary)
    if kind == "json":
        text, encoding, notices = decode(content)
        grid, kind = read_json(text, stem(name), limits)
        return Sheets(kind, (grid,), notices, encoding)
    return _READERS[kind](content, name, kind, limits)


def _read_text(content: bytes, name: str, limits: Limits, vocabulary: frozenset[str]) -> Sheets:
    if b"   " in content[:_GLANCED] and seems_aligned(decode(content[:SAMPLE])[0]):
        text, encoding, notices = decode(content)
        return Sheets("txt", (read_aligned(text, stem(name), limits),), (*notices, NOTICE), encoding)
    if len(content) > SHORT and seems_utf8(content):
        try:
            grid, separator, more = read_delimited(content, stem(name), limits, vocabulary, checked=False)
            return Sheets("csv", (grid,), more, "utf-8", separator)
        except NotUtf8:
            pass
    text, encoding, notices = decode(content)
    grid, separator, more = read_delimited(text, stem(name), limits, vocabulary)
    return Sheets("csv", (grid,), (*notices, *more), encoding, separator, len(text) <= SHORT and is_spelt_out(text))


def _workbook(content: bytes, name: str, kind: str, limits: Limits) -> Sheets:
    from .workbook import read_xlsx

    grids, notices = read_xlsx(content, limits)
    if kind == "xlsm":
        notices.append(("macros", "Le classeur contient des macros : elles n'ont pas été exécutées, seules les données sont lues."))
    return Sheets(kind, tuple(grids), tuple(notices))


def _legacy(content: bytes, name: str, kind: str, limits: Limits) -> Sheets:
    from .legacy import read_xls

    grids, notices = read_xls(content, limits)
    return Sheets(kind, tuple(grids), tuple(notices))


def _open_document(content: bytes, name: str, kind: str, limits: Limits) -> Sheets:
    from .ods import read_flat_ods, read_ods

    return Sheets(kind, tuple((read_ods if kind == "ods" else read_flat_ods)(content, limits)))


def _markup(content: bytes, name: str, kind: str, limits: Limits) -> Sheets:
    from .markup import read_html, read_xmlss

    return Sheets(kind, tuple((read_html if kind == "html" else read_xmlss)(content, limits)))


# Each loads the library of its format when a file asks for it: most files are text.
_READERS: dict[str, Callable[[bytes, str, str, Limits], Sheets]] = {
    "xlsx": _workbook,
    "xlsm": _workbook,
    "xls": _legacy,
    "ods": _open_document,
    "fods": _open_document,
    "html": _markup,
    "xmlss": _markup,
    "parquet": lambda content, name, kind, limits: Sheets(kind, (read_parquet(content, stem(name), limits),)),
}


def stem(name: str) -> str:
    """What the sheet of a file that has only one is called."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return last.removesuffix(".gz").rsplit(".", 1)[0] or last or "Feuille"


def _nested() -> FileRefused:
    return FileRefused("nested_archive", "Une archive en contient une autre : déposez directement les fichiers.")


def _read_zip(content: bytes, limits: Limits, vocabulary: frozenset[str], depth: int) -> Sheets:
    if depth:
        raise _nested()
    grids: list[Grid] = []
    notices: list[tuple[str, str]] = []
    for name, inner in inner_files(open_package(content, limits), limits):
        try:
            sheets = read_sheets(inner, name, limits, vocabulary, depth + 1)
        except FileRefused as refusal:
            if refusal.code in ("zip_bomb", "nested_archive", "xml_entities"):
                raise
            notices.append((refusal.code, f"« {name} » : {refusal.args[0]}"))
            continue
        alone = len(sheets.grids) == 1 and not sheets.format.startswith(("xls", "ods"))
        grids.extend(replace(grid, sheet=name if alone else f"{name}/{grid.sheet}") for grid in sheets.grids)
        notices.extend((code, f"« {name} » : {message}") for code, message in sheets.notices)
    if not grids:
        raise FileRefused("empty_archive", "L'archive ne contient aucun fichier de données lisible (.xlsx, .ods, .csv…).")
    return Sheets("zip", tuple(grids), tuple(notices))
