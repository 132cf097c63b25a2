"""Styles added to those of a workbook: each is the cell's own with our colour, so that formats, fonts and borders stay."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from lxml import etree

from ..reading.styles import local
from .sheet import COLOURS

# Order of the sections of a style sheet (ECMA-376, 18.8.39), and what those we rely on hold at least.
_SECTIONS = ("numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs", "tableStyles", "colors", "extLst")
_LEAST = {
    "fonts": '<font><sz val="11"/><name val="Calibri"/><family val="2"/></font>',
    "fills": '<fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>',
    "borders": "<border><left/><right/><top/><bottom/><diagonal/></border>",
    "cellStyleXfs": '<xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>',
    "cellXfs": '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>',
}
_TOP, _WRAPPED = '<alignment vertical="top"/>', '<alignment vertical="top" wrapText="1"/>'
# Font, colour and alignment of each style of the sheet of anomalies; the face of its letters is the workbook's.
_NAMED: dict[str, tuple[str, str, str]] = {
    "title": ('<b/><sz val="14"/>', "", ""),
    "mark": ('<sz val="1"/><color rgb="FFFFFFFF"/>', "", ""),
    "head": ('<b/><sz val="11"/><color rgb="FFFFFFFF"/>', "FF000091", ""),
    "link": ('<u/><sz val="11"/><color rgb="FF0563C1"/>', "", _TOP),
    "top": ("", "", _TOP),
    "wrap": ("", "", _WRAPPED),
    **{severity: ("", colour, _TOP) for severity, colour in COLOURS.items()},
}
_FACE = ("name", "family", "charset", "scheme")
_MOST = 64_000  # spreadsheets refuse a workbook with more styles of cells


class Styles:
    """The style sheet at ``root``, being added to. Styles of cells are numbers, as in the ``s`` of a cell."""

    def __init__(self, root: Any) -> None:
        self._root, self._namespace = root, etree.QName(root).namespace
        sections = {name: self._section(name) for name in _LEAST}
        self._fonts, self._fills, self._formats = (_Numbered(sections[name]) for name in ("fonts", "fills", "cellXfs"))
        self._ours = {str(number) for number, fill in enumerate(self._fills.section) if _is_ours(fill)}
        self._derived: dict[tuple[int, str | None], int] = {}

    def marked(self, style: int, severity: str | None) -> int:
        """The style of a cell with the colour of a severity instead of its own; without ours for None."""
        if (style, severity) not in self._derived:
            self._derived[style, severity] = self._painted(style, severity)
        return self._derived[style, severity]

    def _painted(self, style: int, severity: str | None) -> int:
        section = self._formats.section
        found = copy.deepcopy(section[style if style < len(section) else 0])
        if severity is not None:
            found.set("fillId", self._fill(COLOURS.get(severity, COLOURS["notice"])))
            found.set("applyFill", "1")
        elif found.get("fillId") in self._ours:
            found.set("fillId", "0")
            found.attrib.pop("applyFill", None)
        else:
            return style
        return self._formats.number(found) if len(section) < _MOST else style

    def named(self) -> Mapping[str, int]:
        """Number of each style of the sheet of anomalies."""
        numbers = {}
        for name, (font, colour, alignment) in _NAMED.items():
            style = self._element(f'<xf numFmtId="0" borderId="0" xfId="0" applyFont="1">{alignment}</xf>')
            style.set("fontId", self._font(font))
            style.set("fillId", self._fill(colour) if colour else "0")
            if colour:
                style.set("applyFill", "1")
            if alignment:
                style.set("applyAlignment", "1")
            numbers[name] = self._formats.number(style)
        return numbers

    def _font(self, look: str) -> str:
        if not look:
            return str(self._formats.section[0].get("fontId") or 0)
        made = self._element(f"<font>{look}</font>")
        made.extend(copy.deepcopy(child) for child in self._fonts.section[0] if local(child.tag) in _FACE)
        return str(self._fonts.number(made))

    def _fill(self, colour: str) -> str:
        made = f'<fill><patternFill patternType="solid"><fgColor rgb="{colour}"/><bgColor indexed="64"/></patternFill></fill>'
        return str(self._fills.number(self._element(made)))

    def _section(self, name: str) -> Any:
        """A section of the sheet, made at its place when absent or empty."""
        found = next((child for child in self._root if local(child.tag) == name), None)
        if found is None:
            found = self._element(f"<{name}/>")
            later = _SECTIONS[_SECTIONS.index(name) + 1 :]
            place = next((i for i, child in enumerate(self._root) if local(child.tag) in later), len(self._root))
            self._root.insert(place, found)
        if not len(found):
            found.extend(list(self._element(f"<all>{_LEAST[name]}</all>")))
            found.set("count", str(len(found)))
        return found

    def _element(self, text: str) -> Any:
        return etree.fromstring(f'<x xmlns="{self._namespace}">{text}</x>')[0]


class _Numbered:
    """Children of a section, known by their number; one that is already there is not added again."""

    def __init__(self, section: Any) -> None:
        self.section = section
        self._known = {_key(element): number for number, element in reversed(list(enumerate(section)))}

    def number(self, element: Any) -> int:
        """The number of an element like this one."""
        key = _key(element)
        if key not in self._known:
            self._known[key] = len(self.section)
            self.section.append(element)
            self.section.set("count", str(len(self.section)))
        return self._known[key]


def _key(element: Any) -> Any:
    return element.tag, tuple(sorted(element.attrib.items())), tuple(map(_key, element))


def _is_ours(fill: Any) -> bool:
    pattern = next(iter(fill), None)
    if pattern is None or pattern.get("patternType") != "solid":
        return False
    return any(local(child.tag) == "fgColor" and child.get("rgb", "").upper() in COLOURS.values() for child in pattern)
