"""A quick look at the XML of a worksheet for what the fast reader leaves out: errors, displayed codes and percents,
hidden rows, formulas without a stored value, and how far the cells really spread."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ..grid import index_of
from .scan import holds
from .values import displayed

_ROW = re.compile(rb"<row\b[^>]*?\br=\"(\d+)\"")
_HIDDEN_ROW = re.compile(rb"<row\b[^>]*\bhidden=\"(?:1|true)\"[^>]*>")
_HIDDEN_COLUMN = re.compile(rb"<col\b[^>]*\bhidden=\"(?:1|true)\"[^>]*>")
_ERROR = re.compile(rb"<c\b(?=[^>]*\bt=\"e\")[^>]*?\br=\"([A-Z]+)(\d+)\"[^>]*>(?:<f\b[^>]*/>|<f\b[^>]*>[^<]*</f>)?<v>([^<]*)</v>")
_NO_VALUE = re.compile(rb"(?:</f>|<f\b[^>]*/>)\s*(?:<v>\s*</v>|<v\s*/>)?\s*</c>")
_REFERENCE = re.compile(rb"<c\b[^>]*?\br=\"([A-Z]+)(\d+)\"")
_BEYOND = re.compile(rb' r="[A-Z](?:[A-Z]|\d{7})')
_DENSE_CELLS = 20_000_000
_MOST_SET_IN = 20_000

Overlay = dict[int, tuple[list[int], list[str]]]


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """``overlay``: column → rows and texts replacing what the fast reader gives."""

    overlay: Overlay = field(default_factory=dict)
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    struck_rows: frozenset[int] = frozenset()
    indents: Mapping[tuple[int, int], int] = field(default_factory=dict)
    formulas: bool = False
    valueless: int = 0


def is_dense(xml: bytes) -> bool:
    """Whether the XML is in its usual form and its bounding rectangle costs little more than the cells present."""
    return b"<sheetData" in xml and _usual(xml) and not _too_sparse(xml)


def look(
    xml: bytes, formats: Mapping[int, str], struck: frozenset[int] = frozenset(), indents: Mapping[int, int] = MappingProxyType({})
) -> SheetFacts:
    """Collect the facts of one dense worksheet part. ``formats`` gives the styles whose display matters, ``struck`` those that
    strike text through, ``indents`` those that set it in."""
    formulas = holds(xml, b"<f", b"f") and (b"<f>" in xml or b"<f " in xml or b"<f/>" in xml)
    overlay: Overlay = {}
    if b't="e"' in xml:
        _errors(xml, overlay)
    if formats:
        _shown(xml, formats, overlay)
    hidden = holds(xml, b"hidden=", b"h")
    return SheetFacts(
        overlay,
        _hidden_rows(xml) if hidden else frozenset(),
        hidden_columns(xml) if hidden else frozenset(),
        _struck_rows(xml, struck) if struck else frozenset(),
        _set_in(xml, indents) if indents else {},
        formulas,
        sum(1 for _ in _NO_VALUE.finditer(xml)) if formulas else 0,
    )


def _usual(xml: bytes) -> bool:
    return b"<c>" not in xml and (b'<c r="' in xml or b" r=" in xml or b"<c " not in xml)


def _too_sparse(xml: bytes) -> bool:
    rows = max(map(int, _ROW.findall(xml)), default=1)
    wide, far = 26, None
    if _BEYOND.search(xml):
        wide = 16_384 if re.search(rb' r="[A-Z]{3}\d', xml) else 702
        far = re.search(rb' r="[A-Z]{1,3}\d{7,}"', xml)
    if rows * wide <= _DENSE_CELLS and not far:
        return False
    references = _REFERENCE.findall(xml)
    columns = {letters for letters, _ in references}
    width = max((index_of(letters.decode()) + 1 for letters in columns), default=1)
    height = max((int(row) for _, row in references), default=1)
    return width > 16_384 or height > 1_048_576 or width * height > max(_DENSE_CELLS, 8 * (xml.count(b"<c ") + 1))


def _errors(xml: bytes, overlay: Overlay) -> None:
    for letters, row, value in _ERROR.findall(xml):
        rows, texts = overlay.setdefault(index_of(letters.decode()), ([], []))
        rows.append(int(row))
        texts.append(value.decode("utf-8", "replace"))


def _shown(xml: bytes, formats: Mapping[int, str], overlay: Overlay) -> None:
    styles = b"|".join(str(style).encode() for style in sorted(formats))
    pattern = re.compile(
        rb'<c r="([A-Z]+)(\d+)" s="(' + styles + rb')"(?: t="n")?>(?:<f\b[^>]*/>|<f\b[^>]*>[^<]*</f>)?<v>([^<]*)</v>'
    )
    memo: dict[tuple[bytes, bytes], str | None] = {}
    places: dict[bytes, tuple[list[int], list[str]]] = {}
    for letters, row, style, value in pattern.findall(xml):
        key = (style, value)
        if key not in memo:
            memo[key] = displayed(value.decode(), formats[int(style)])
        text = memo[key]
        if text is not None:
            if letters not in places:
                places[letters] = overlay.setdefault(index_of(letters.decode()), ([], []))
            rows, texts = places[letters]
            rows.append(int(row))
            texts.append(text)


def _struck_rows(xml: bytes, struck: frozenset[int]) -> frozenset[int]:
    """Rows with a cell that holds something and is struck through."""
    styles = b"|".join(str(style).encode() for style in sorted(struck))
    pattern = re.compile(rb'<c\b(?=[^>]*\bs="(?:' + styles + rb')")[^>]*?\br="[A-Z]+(\d+)"[^>/]*>(?!</c>)')
    return frozenset(map(int, pattern.findall(xml)))


def _set_in(xml: bytes, indents: Mapping[int, int]) -> dict[tuple[int, int], int]:
    """(row, column) of the first cells set in, and by how much."""
    styles = b"|".join(str(style).encode() for style in sorted(indents))
    pattern = re.compile(rb'<c\b(?=[^>]*\bs="(' + styles + rb')")[^>]*?\br="([A-Z]+)(\d+)"[^>/]*>(?!</c>)')
    found = itertools.islice(pattern.finditer(xml), _MOST_SET_IN)
    return {(int(cell[3]), index_of(cell[2].decode())): indents[int(cell[1])] for cell in found}


def _hidden_rows(xml: bytes) -> frozenset[int]:
    rows = (re.search(rb'\br="(\d+)"', found) for found in _HIDDEN_ROW.findall(xml))
    return frozenset(int(row.group(1)) for row in rows if row)


def hidden_columns(xml: bytes) -> frozenset[int]:
    """0-based hidden columns."""
    hidden: set[int] = set()
    for found in _HIDDEN_COLUMN.findall(xml):
        first, last = re.search(rb'\bmin="(\d+)"', found), re.search(rb'\bmax="(\d+)"', found)
        if first and last:
            hidden.update(range(int(first.group(1)) - 1, min(int(last.group(1)), 16_384)))
    return frozenset(hidden)
