"""Cells of a worksheet restyled where they stand in its XML: a parser tells the places, every other byte stays."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from ..grid import index_of, letter_of, place_of
from ..reading.sniff import truncated

MAX_ROW, MAX_COLUMN = 1_048_576, 16_384
# What may stand before the reference to the drawing of the comments, from the cells on (ECMA-376, 18.3.1.99).
_BEFORE_COMMENTS = {
    "sheetData", "sheetCalcPr", "sheetProtection", "protectedRanges", "scenarios", "autoFilter", "sortState", "dataConsolidate",
    "customSheetViews", "mergeCells", "phoneticPr", "conditionalFormatting", "dataValidations", "hyperlinks", "printOptions",
    "pageMargins", "pageSetup", "headerFooter", "rowBreaks", "colBreaks", "customProperties", "cellWatches", "ignoredErrors",
    "smartTags", "drawing",
}  # fmt: skip
_DECLARED = re.compile(rb'^(?:\xef\xbb\xbf)?<\?xml[^>]*?\sencoding\s*=\s*["\']([\w.-]+)["\'][^>]*\?>')
_TAG = re.compile(rb"<([^\s/>]+)(?:\s+[^\s=/>]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*\s*/?>")
_HEAD = re.compile(rb"<[^\s/>]+(?:\s+r\s*=\s*(?:\"[^\"]*\"|'[^']*'))?")  # the reference stays first, as all write it
_PREFIX = re.compile(rb"<([^\s/>:]+:)?")
_PIECE = 1 << 20
_WIDTH = 64  # pixels of an ordinary column

Place = tuple[int, int]
Restyle = Callable[[int, str | None], int]


@dataclass(slots=True)
class Wanted:
    """What the cells of a sheet become: ``colours`` gives, by row and 0-based column, a severity or None to take ours away."""

    colours: dict[int, dict[int, str | None]] = field(default_factory=dict)

    def put(self, place: Place, severity: str | None) -> None:
        self.colours.setdefault(place[0], {})[place[1]] = severity


@dataclass(slots=True)
class Sheet:
    """A worksheet being changed: ``changes`` are (from, to, bytes instead); ``comments_at``: where a reference to the drawing of
    its comments belongs; ``drawing``: the one it has; ``widths``: (first, last, pixels) of its columns, 1-based."""

    changes: list[tuple[int, int, bytes]] = field(default_factory=list)
    comments_at: int = 0
    drawing: str | None = None
    prefix: bytes = b""
    widths: list[tuple[int, int, int]] = field(default_factory=list)
    height: float = 15.0

    def refer_to_comments(self, kind: str, identifier: str) -> None:
        """Add the reference to the drawing of the comments."""
        told = f' xmlns:r="{kind}" r:id="{identifier}"/>'.encode()
        self.changes.append((self.comments_at, self.comments_at, b"<" + self.prefix + b"legacyDrawing" + told))

    def across(self, column: int, pixels: int) -> tuple[int, int]:
        """The 0-based column that is ``pixels`` further, and what is left of them there."""
        while column < MAX_COLUMN - 1:
            wide = next((wide for first, last, wide in self.widths if first <= column + 1 <= last), _WIDTH)
            if pixels < wide:
                break
            column, pixels = column + 1, pixels - wide
        return column, pixels

    def pieces(self, xml: bytes) -> Iterator[bytes]:
        """The whole of ``xml``, changed."""
        held: list[bytes] = []
        place = size = 0
        for start, stop, new in sorted(self.changes, key=lambda change: change[:2]):
            held += (xml[place:start], new)
            size += start - place + len(new)
            place = stop
            if size > _PIECE:
                yield b"".join(held)
                held, size = [], 0
        held.append(xml[place:])
        yield b"".join(held)


def utf8(xml: bytes) -> bytes:
    """The same XML in UTF-8, in which places are counted."""
    if xml[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _declared_utf8(xml.decode("utf-16"))
    declared = _DECLARED.match(xml)
    encoding = declared.group(1).decode() if declared else "utf-8"
    if encoding.lower() in ("utf-8", "utf8", "us-ascii", "ascii"):
        return xml
    try:
        return _declared_utf8(xml.decode(encoding))
    except (LookupError, UnicodeDecodeError):
        raise truncated() from None


def _declared_utf8(text: str) -> bytes:
    return re.sub(r'^(<\?xml[^>]*?\sencoding\s*=\s*["\'])[\w.-]+', r"\1UTF-8", text.lstrip("\ufeff")).encode()


def restyled(xml: bytes, wanted: Wanted, restyle: Restyle) -> Sheet:
    """Change the styles of cells of a sheet (in UTF-8), making those that are not there, and no longer have it selected."""
    scan = _Scan(xml, wanted, restyle)
    scan.run(whole=True)
    scan.extend()
    return scan.sheet


def deselected(head: bytes) -> Sheet:
    """No longer have a sheet selected; ``head`` may be no more than what stands before its cells."""
    scan = _Scan(head, Wanted(), lambda style, _: style)
    scan.run(whole=False)
    return scan.sheet


class _Scan:
    """One pass over a worksheet. Names come as « namespace name »."""

    def __init__(self, xml: bytes, wanted: Wanted, restyle: Restyle) -> None:
        self.sheet = Sheet()
        self._xml, self._wanted, self._restyle = xml, wanted.colours, restyle
        self._awaited = sorted(row for row, cells in self._wanted.items() if any(cells.values()))
        self._next = 0  # of the rows awaited
        self._column_styles: list[tuple[int, int, int]] = []
        self._dimension: tuple[int, str] | None = None
        self._made: list[Place] = []
        self._depth = 0
        self._last_known = False
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self._outside()

    def run(self, *, whole: bool) -> None:
        """Read the XML; FileRefused when it is broken."""
        try:
            self.parser.Parse(self._xml, whole)
        except expat.ExpatError:
            raise truncated() from None

    # -- around the cells --------------------------------------------------------------------------------------

    def _outside(self) -> None:
        self.parser.StartElementHandler, self.parser.EndElementHandler = self._opened, self._closed

    def _opened(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        word = name.rsplit(" ", 1)[-1]
        if self._depth == 2:
            self._child(word, attributes)
        elif word == "sheetView" and "tabSelected" in attributes:
            self._change_tag(self.parser.CurrentByteIndex, tabSelected=None)
        elif word == "col":
            self._columns(attributes)
        if self._depth == 2 and word == "sheetData":
            self._rows(name[: -len(word)])

    def _child(self, word: str, attributes: Mapping[str, str]) -> None:
        here = self.parser.CurrentByteIndex
        if self._last_known and word not in _BEFORE_COMMENTS:
            self.sheet.comments_at = here
        self._last_known = word in _BEFORE_COMMENTS
        if word == "dimension":
            self._dimension = (here, attributes.get("ref", ""))
        elif word == "sheetFormatPr":
            self.sheet.height = _number(attributes.get("defaultRowHeight")) or self.sheet.height
        elif word == "legacyDrawing":
            self.sheet.drawing = next((value for key, value in attributes.items() if key.endswith(" id")), None)

    def _closed(self, name: str) -> None:
        self._depth -= 1
        if self._depth == 0 and self._last_known:
            self.sheet.comments_at = self.parser.CurrentByteIndex

    def _columns(self, attributes: Mapping[str, str]) -> None:
        first, last = int(attributes.get("min", 0)), int(attributes.get("max", 0))
        if "style" in attributes:
            self._column_styles.append((first, last, int(attributes["style"])))
        width = _number(attributes.get("width"))
        if attributes.get("hidden") in ("1", "true"):
            self.sheet.widths.append((first, last, 0))
        elif width is not None:
            self.sheet.widths.append((first, last, round(width * 7 + 5)))

    # -- the cells ---------------------------------------------------------------------------------------------

    def _rows(self, namespace: str) -> None:
        """Handlers for what ``sheetData`` holds: the inner loop, an element at a time."""
        parser, wanted = self.parser, self._wanted
        columns: dict[str, int] = {}
        data, a_row, a_cell = (f"{namespace}{word}" for word in ("sheetData", "row", "c"))
        opening = parser.CurrentByteIndex
        prefix = _PREFIX.match(self._xml, opening)
        self.sheet.prefix = prefix.group(1) or b"" if prefix else b""
        row, column = 0, -1
        here: dict[int, str | None] | None = None
        cells: list[tuple[int, int, int]] = []
        start, look = 0, ""

        def opened(name: str, attributes: Mapping[str, str]) -> None:
            nonlocal row, column, here, start, look
            if name == a_cell:
                if here is not None:
                    letters = attributes.get("r", "").rstrip("0123456789")
                    if letters and letters not in columns:
                        columns[letters] = index_of(letters.upper())
                    column = columns[letters] if letters else column + 1
                    cells.append((column, parser.CurrentByteIndex, int(attributes.get("s") or 0)))
            elif name == a_row:
                number = attributes.get("r")
                row, column = int(number) if number else row + 1, -1
                here = wanted.get(row)
                if self._next < len(self._awaited) and self._awaited[self._next] <= row:
                    self._missing_rows(row, parser.CurrentByteIndex)
                if here is not None:
                    start = parser.CurrentByteIndex
                    look = attributes.get("s", "") if attributes.get("customFormat") in ("1", "true") else ""

        def closed(name: str) -> None:
            nonlocal here
            if name == a_row:
                if here is not None:
                    self._row(row, here, cells, (start, parser.CurrentByteIndex), look)
                    cells.clear()
                    here = None
            elif name == data:
                self._end_of_cells(opening, parser.CurrentByteIndex)
                self._depth -= 1
                self._outside()

        parser.StartElementHandler, parser.EndElementHandler = opened, closed

    def _row(
        self, row: int, wanted: dict[int, str | None], cells: list[tuple[int, int, int]], span: tuple[int, int], look: str
    ) -> None:
        made: list[tuple[int, bytes]] = []
        found = {column: (place, style) for column, place, style in cells}
        for column, severity in sorted(wanted.items()):
            if column in found:
                place, style = found[column]
                new = self._restyle(style, severity)
                if new != style:
                    self._change_tag(place, s=new)
            elif severity is not None:
                after = next((place for other, place, _ in cells if other > column), span[1])
                made.append((after, self._cell(row, column, look, severity)))
        if not made:
            return
        tag = _tag(self._xml, span[0])
        if tag.group().endswith(b"/>"):
            self._fill(tag, b"".join(cell for _, cell in made))
            return
        self._change_tag(span[0], spans=None)
        self.sheet.changes += [(place, place, cell) for place, cell in made]

    def _fill(self, tag: re.Match[bytes], content: bytes) -> None:
        """Open an element that was empty, for what it now holds."""
        opened = _with(tag.group(), spans=None)[:-2].rstrip() + b">"
        self.sheet.changes.append((tag.start(), tag.end(), opened + content + b"</" + tag.group(1) + b">"))

    def _cell(self, row: int, column: int, look: str, severity: str) -> bytes:
        """A cell of nothing but its colour, over the style of its row, else of its column, as spreadsheets do."""
        style = int(look) if look else next((s for first, last, s in self._column_styles if first <= column + 1 <= last), 0)
        self._made.append((row, column))
        return f'<{self.sheet.prefix.decode()}c r="{letter_of(column)}{row}" s="{self._restyle(style, severity)}"/>'.encode()

    def _missing_rows(self, row: int, place: int) -> None:
        """Rows awaited before this one, that are not there."""
        made = []
        while self._next < len(self._awaited) and self._awaited[self._next] < row:
            made.append(self._made_row(self._awaited[self._next]))
            self._next += 1
        if self._next < len(self._awaited) and self._awaited[self._next] == row:
            self._next += 1
        if made:
            self.sheet.changes.append((place, place, b"".join(made)))

    def _made_row(self, row: int) -> bytes:
        prefix = self.sheet.prefix.decode()
        cells = b"".join(self._cell(row, column, "", severity) for column, severity in sorted(self._wanted[row].items()) if severity)
        return f'<{prefix}row r="{row}">'.encode() + cells + f"</{prefix}row>".encode()

    def _end_of_cells(self, start: int, stop: int) -> None:
        made = b"".join(map(self._made_row, self._awaited[self._next :]))
        tag = _tag(self._xml, start)
        if made and tag.group().endswith(b"/>"):
            self._fill(tag, made)
        elif made:
            self.sheet.changes.append((stop, stop, made))

    def extend(self) -> None:
        """Have the range the sheet says it covers hold the cells made."""
        if self._dimension is None or not self._made:
            return
        place, ref = self._dimension
        first, _, last = ref.partition(":")
        corners = [*filter(None, (place_of(first), place_of(last))), *self._made]
        rows, columns = zip(*corners, strict=True)
        told = f"{letter_of(min(columns))}{min(rows)}:{letter_of(max(columns))}{max(rows)}"
        self._change_tag(place, ref=told)

    def _change_tag(self, place: int, **attributes: Any) -> None:
        tag = _tag(self._xml, place)
        new = _with(tag.group(), **attributes)
        if new != tag.group():
            self.sheet.changes.append((place, tag.end(), new))


def _tag(xml: bytes, place: int) -> re.Match[bytes]:
    tag = _TAG.match(xml, place)
    if tag is None:
        raise truncated()
    return tag


def _with(tag: bytes, **attributes: Any) -> bytes:
    """A tag with attributes changed, or taken away when None."""
    for name, value in attributes.items():
        new = b"" if value is None else f' {name}="{value}"'.encode()
        tag, known = re.subn(rb"\s" + name.encode() + rb"\s*=\s*(?:\"[^\"]*\"|'[^']*')", new, tag, count=1)
        if not known and new:
            head = _HEAD.match(tag)
            assert head is not None
            tag = head.group() + new + tag[head.end() :]
    return tag


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None

