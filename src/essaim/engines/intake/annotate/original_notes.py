"""Comments of a worksheet: ours put above the sender's own, or taken away, with the boxes in which they are shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree

from ..grid import letter_of, place_of
from ..reading.comments import (
    BEFORE_THEIRS,
    OUR_AUTHOR,
    OUR_BEGINNINGS,
    written,
)
from ..reading.styles import local
from .markup import as_stored
from .original_cells import MAX_COLUMN, Place, Sheet
from .original_parts import Parts

_LONGEST = 8_000
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
_DRAWING_KIND = "application/vnd.openxmlformats-officedocument.vmlDrawing"
_LOOK = '<rPr><sz val="9"/><color indexed="81"/><rFont val="Tahoma"/><family val="2"/></rPr>'
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"


class Notes:
    """The comments of the sheet in ``part``; ``kind`` gives the types of relationships of the workbook."""

    def __init__(self, parts: Parts, part: str, namespace: str, kind: Any) -> None:
        self._parts, self._part, self._namespace, self._kind = parts, part, namespace, kind
        self._reference, self._name = next(
            ((identifier, name) for identifier, word, name in parts.related(part) if word == "comments" and name in parts), ("", "")
        )
        self._root: Any = parts.tree(self._name) if self._name else None
        self._changed = False

    def are_ours(self) -> bool:
        """Whether an earlier annotation left a comment here."""
        return any(self._is_ours(comment, set()) for comment in self._comments())

    def erase(self, told: set[Place]) -> set[Place]:
        """Take away what an earlier annotation wrote; the cells it wrote on. ``told``: those of its list."""
        erased: set[Place] = set()
        for comment in [comment for comment in self._comments() if self._is_ours(comment, told)]:
            text, place = _text(comment), place_of(comment.get("ref", ""))
            if own := text.partition(BEFORE_THEIRS)[2]:
                _cut(comment, len(text) - len(own))
            else:
                comment.getparent().remove(comment)
            erased.update({place} if place else ())
        self._changed = self._changed or bool(erased)
        return erased

    def _is_ours(self, comment: Any, told: set[Place]) -> bool:
        """By its author; a spreadsheet that forgets authors leaves its first words, on a cell that was told of."""
        text = _text(comment)
        if self._author(comment) == OUR_AUTHOR or BEFORE_THEIRS in text:
            return True
        return place_of(comment.get("ref", "")) in told and text.startswith(OUR_BEGINNINGS)

    def write(self, texts: Mapping[Place, list[str]]) -> None:
        """Put a comment on each of these cells."""
        if not texts:
            return
        self._changed = True
        self._root = self._root if self._root is not None else self._made()
        known = {place_of(comment.get("ref", "")): comment for comment in self._comments()}
        author, section = self._ours(), self._section("commentList")
        for place, told in texts.items():
            own = known.get(place)
            text = "\n\n".join(told[:10])
            if own is None:
                section.append(self._comment(place, author, text[:_LONGEST]))
            else:
                kept = len(_text(own)) + len(BEFORE_THEIRS)
                self._above(own, self._run(text[: max(0, _LONGEST - kept)] + BEFORE_THEIRS))

    def save(self, sheet: Sheet, heights: Mapping[Place, int], blocks: Blocks) -> None:
        """Write the comments, and the boxes they lack; nothing is left of comments that are all gone."""
        if not self._changed:
            return
        drawing = {identifier: name for identifier, _, name in self._parts.related(self._part)}.get(sheet.drawing or "")
        boxes = Boxes(self._parts.read(drawing) if drawing else b"")
        places = {place for comment in self._comments() if (place := place_of(comment.get("ref", ""))) is not None}
        boxes.keep(places, heights, sheet)
        boxes.add({place: heights.get(place, _HIGH) for place in sorted(places)}, sheet, blocks)
        if places:
            self._parts.edited(self._name)
        elif self._name:
            self._parts.unrelate(self._part, self._reference)
        if not (drawing or places):
            return
        name = drawing or self._parts.free("xl/drawings/vmlDrawing{}.vml")
        self._parts.declare_all("vml", _DRAWING_KIND, name)
        self._parts.put(name, [boxes.content])
        if not drawing:
            sheet.refer_to_comments(self._kind("").rstrip("/"), self._parts.relate(self._part, self._kind("vmlDrawing"), name))

    # -- the part ----------------------------------------------------------------------------------------------

    def _made(self) -> Any:
        self._name = self._parts.free("xl/comments{}.xml")
        self._parts.declare(self._name, _KIND)
        self._parts.relate(self._part, self._kind("comments"), self._name)
        return self._parts.edited(self._name, f'<comments xmlns="{self._namespace}"><authors/><commentList/></comments>')

    def _section(self, name: str) -> Any:
        return next(child for child in self._root if local(child.tag) == name)

    def _comments(self) -> Any:
        return () if self._root is None else self._section("commentList")

    def _author(self, comment: Any) -> str:
        authors, number = self._section("authors"), int(comment.get("authorId") or 0)
        return authors[number].text or "" if number < len(authors) else ""

    def _ours(self) -> int:
        authors = self._section("authors")
        for number, author in enumerate(authors):
            if author.text == OUR_AUTHOR:
                return number
        etree.SubElement(authors, f"{{{self._namespace}}}author").text = OUR_AUTHOR
        return len(authors) - 1

    def _comment(self, place: Place, author: int, text: str) -> Any:
        comment = etree.Element(f"{{{self._namespace}}}comment", ref=f"{letter_of(place[1])}{place[0]}", authorId=str(author))
        etree.SubElement(comment, f"{{{self._namespace}}}text").append(self._run(text))
        return comment

    def _above(self, comment: Any, run: Any) -> None:
        """A text that is no run becomes one: it would have to come first."""
        section = next(child for child in comment if local(child.tag) == "text")
        for plain in [child for child in section if local(child.tag) == "t"]:
            place = section.index(plain)
            section.insert(place, etree.Element(f"{{{self._namespace}}}r"))
            section[place].append(plain)
        section.insert(0, run)

    def _run(self, text: str) -> Any:
        run = etree.fromstring(f'<r xmlns="{self._namespace}">{_LOOK}<t/></r>')
        run[1].set(_SPACE, "preserve")
        run[1].text = as_stored(text)
        return run


def _text(comment: Any) -> str:
    return "".join(element.text or "" for element in written(comment))


def _cut(comment: Any, length: int) -> None:
    """Take the first characters of a comment away, with the runs they fill."""
    for element in list(written(comment)):
        text = element.text or ""
        element.text, cut = text[length:], min(length, len(text))
        length -= cut
        run = element.getparent()
        if cut and not element.text and local(run.tag) == "r":
            run.getparent().remove(run)
        if not length:
            return


# -- the boxes -------------------------------------------------------------------------------------------------------

_SPACES = {"v": "urn:schemas-microsoft-com:vml", "o": "urn:schemas-microsoft-com:office:office", "x": "urn:schemas-microsoft-com:office:excel"}
_NEW = b'<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:x="urn:schemas-microsoft-com:office:excel"></xml>'
_SHAPE = re.compile(rb"<((?:[\w.-]+:)?)shape\b.*?</\1shape\s*>\s*", re.DOTALL)
_NOTE = re.compile(rb"ObjectType\s*=\s*[\"']Note[\"']")
_ROW, _COLUMN = (re.compile(rb"<(?:[\w.-]+:)?" + word + rb"\s*>\s*(\d+)\s*<") for word in (b"Row", b"Column"))
_ANCHOR = re.compile(rb"(<(?:[\w.-]+:)?Anchor\s*>)([\s\d,]+)")
_IDENTIFIERS = re.compile(rb"<(?:[\w.-]+:)?idmap\b[^>]*?\bdata\s*=\s*[\"']([\d,\s]+)[\"']")
_NUMBERED = re.compile(rb"\bid\s*=\s*[\"']_x0000_s(\d+)[\"']")
_HAS_TYPE = re.compile(rb"<(?:[\w.-]+:)?shapetype\b[^>]*\bid\s*=\s*[\"']_x0000_t202[\"']")
_BLOCK = 1_024  # identifiers of shapes go by blocks, each for one drawing
_TYPE = (
    '<v:shapetype id="{}" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe"><v:stroke joinstyle="miter"/>'
    '<v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)
_BOX = (
    '<v:shape id="_x0000_s{id}" type="#{type}" style="position:absolute;margin-left:59.25pt;margin-top:1.5pt;width:240pt;'
    'height:{height}pt;z-index:{order};visibility:hidden" fillcolor="#ffffe1" o:insetmode="auto"><v:fill color2="#ffffe1"/>'
    '<v:shadow on="t" color="black" obscured="t"/><v:path o:connecttype="none"/><v:textbox style="mso-direction-alt:auto">'
    '<div style="text-align:left"></div></v:textbox><x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/>'
    "<x:Anchor>{anchor}</x:Anchor><x:AutoFill>False</x:AutoFill><x:Row>{row}</x:Row><x:Column>{column}</x:Column>"
    "</x:ClientData></v:shape>"
)
_WIDE, _HIGH, _GAP = 320, 90, 10  # pixels
_TYPE_ID = "_x0000_t202"


class Blocks:
    """Blocks of identifiers of shapes that no drawing of the workbook uses, whether it says so or not."""

    def __init__(self, drawings: Iterator[bytes]) -> None:
        self._last = 0
        for content in drawings:
            told = (int(number) for found in _IDENTIFIERS.findall(content) for number in re.findall(rb"\d+", found))
            used = (int(number) // _BLOCK for number in _NUMBERED.findall(content))
            self._last = max([self._last, *told, *used])

    def next(self) -> int:
        """The number of the next free block."""
        self._last += 1
        return self._last


class Boxes:
    """A legacy drawing: bytes, since what spreadsheets write there is not always XML."""

    def __init__(self, content: bytes) -> None:
        self.content = content or _NEW

    def keep(self, places: set[Place], heights: Mapping[Place, int], sheet: Sheet) -> None:
        """Take away the boxes of comments that are gone; those in which more is now written grow."""

        def kept(shape: re.Match[bytes]) -> bytes:
            place = _noted(shape.group())
            if place is not None and place in heights:
                return _stretched(shape.group(), _anchor(place, heights[place], sheet))
            return shape.group() if place is None or place in places else b""

        self.content = _SHAPE.sub(kept, self.content)

    def add(self, heights: Mapping[Place, int], sheet: Sheet, blocks: Blocks) -> None:
        """Give a box to each of these places that has none, ``heights`` in pixels."""
        known = {_noted(shape.group()) for shape in _SHAPE.finditer(self.content)}
        wanted = [place for place in heights if place not in known]
        if not wanted:
            return
        made, used = [], []
        if not _HAS_TYPE.search(self.content):
            made.append(_TYPE.format(_TYPE_ID))
        for order, place in enumerate(wanted):
            if order % (_BLOCK - 1) == 0:
                used.append(blocks.next())
            made.append(_box(place, heights[place], used[-1] * _BLOCK + 1 + order % (_BLOCK - 1), order + 1, sheet))
        self._declare()
        self._number(used)
        before, closing, after = self.content.rpartition(b"</xml")
        if closing:
            self.content = before + "".join(made).encode() + closing + after

    def _declare(self) -> None:
        """The prefixes of our shapes, on the root when it does not declare them."""
        root = re.search(rb"<xml\b[^>]*", self.content)
        if root:
            lacking = [f' xmlns:{prefix}="{space}"' for prefix, space in _SPACES.items() if f"xmlns:{prefix}=".encode() not in root.group()]
            self.content = self.content[: root.end()] + "".join(lacking).encode() + self.content[root.end() :]

    def _number(self, used: list[int]) -> None:
        """Say which blocks of identifiers the drawing uses."""
        told = ",".join(map(str, used)).encode()
        known = _IDENTIFIERS.search(self.content)
        if known:
            self.content = self.content[: known.end(1)] + b"," + told + self.content[known.end(1) :]
            return
        layout = b'<o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="' + told + b'"/></o:shapelayout>'
        self.content = re.sub(rb"<xml\b[^>]*>", lambda root: root.group() + layout, self.content, count=1)


def _noted(shape: bytes) -> Place | None:
    """The cell a shape is the comment of."""
    row, column = _ROW.search(shape), _COLUMN.search(shape)
    return (int(row.group(1)) + 1, int(column.group(1))) if _NOTE.search(shape) and row and column else None


def _anchor(place: Place, height: int, sheet: Sheet) -> list[int]:
    """Both corners of a box beside its cell: column, pixels, row, pixels."""
    left, top = min(place[1] + 1, MAX_COLUMN - 1), max(0, place[0] - 2)
    down, rest = divmod(_GAP + height, max(1, round(sheet.height * 4 / 3)))
    return [left, _GAP, top, _GAP, *sheet.across(left, _GAP + _WIDE), top + down, rest]


def _stretched(shape: bytes, anchor: list[int]) -> bytes:
    """The same box, its right and lower sides as far at least."""

    def moved(found: re.Match[bytes]) -> bytes:
        own = [int(number) for number in found.group(2).split(b",")]
        if len(own) != len(anchor):
            return found.group()
        far = [*own[:4], *max(own[4:6], anchor[4:6]), *max(own[6:], anchor[6:])]
        return found.group(1) + ", ".join(map(str, far)).encode()

    return _ANCHOR.sub(moved, shape)


def _box(place: Place, height: int, identifier: int, order: int, sheet: Sheet) -> str:
    """A hidden box beside its cell."""
    anchor = ", ".join(map(str, _anchor(place, height, sheet)))
    return _BOX.format(
        id=identifier, type=_TYPE_ID, height=height * 3 / 4, order=order, anchor=anchor, row=place[0] - 1, column=place[1]
    )  # fmt: skip
