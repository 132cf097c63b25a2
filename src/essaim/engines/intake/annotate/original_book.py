"""The list of sheets of a workbook: an earlier « Anomalies » taken away, the new one put first and shown."""

from __future__ import annotations

import posixpath
import re
from typing import Any, NamedTuple

from lxml import etree

from ..reading.styles import local, workbook_member
from .original_parts import Parts, relations_of
from .sheet import SHEET

_MAIN = {
    False: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
    True: "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
}
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml.{}+xml"
# What may stand before the names of a workbook (ECMA-376, 18.2.27).
_BEFORE_NAMES = ("sheets", "functionGroups", "externalReferences")
# Marks of what would no longer be true: a signature of other bytes, the history of a shared workbook without our sheet.
_STALE = ("origin", "revisionHeaders", "usernames")
# The order of calculation, which spreadsheets work out anew, may tell of formulas written on a sheet that goes.
_CHAIN = ("calcChain",)


class Listed(NamedTuple):
    """One sheet: its element, its name, its part, whether it holds cells."""

    element: Any
    name: str
    part: str
    cells: bool


class Book:
    """The workbook part, being changed."""

    def __init__(self, parts: Parts, macros: bool) -> None:
        self.parts = parts
        self.member = workbook_member(parts.archive, parts.limits)
        self.root = parts.edited(self.member)
        self.namespace = etree.QName(self.root).namespace
        related = {identifier: (kind, part) for identifier, kind, part in parts.related(self.member)}
        self.sheets = []
        for element in self._child("sheets"):
            kind, part = related.get(_relation(element), ("", ""))
            self.sheets.append(Listed(element, element.get("name", ""), part, kind == "worksheet" and part in parts))
        parts.declare(self.member, _MAIN[macros])
        self._forget(_STALE)

    def kind(self, word: str) -> str:
        """The type of a relationship, in the words of this workbook (transitional or strict)."""
        for element in self.parts.tree(relations_of(self.member)):
            folder, _, last = element.get("Type", "").rpartition("/")
            if last == "worksheet":
                return f"{folder}/{word}"
        return f"http://schemas.openxmlformats.org/officeDocument/2006/relationships/{word}"

    def styles(self) -> Any:
        """The root of the style sheet, made when there is none."""
        found = next((part for _, kind, part in self.parts.related(self.member) if kind == "styles"), None)
        if found is None or found not in self.parts:
            found = posixpath.join(posixpath.dirname(self.member), "styles.xml")
            self.parts.relate(self.member, self.kind("styles"), found)
            self.parts.declare(found, _KIND.format("styles"))
        return self.parts.edited(found, f'<styleSheet xmlns="{self.namespace}"/>')

    def remove(self, sheet: Listed) -> None:
        """Take a sheet away, with the names that belong to it."""
        place = self.sheets.index(sheet)
        for name in self._names():
            where = name.get("localSheetId")
            if where is not None and int(where) == place:
                name.getparent().remove(name)
            elif where is not None and int(where) > place:
                name.set("localSheetId", str(int(where) - 1))
        self.sheets.remove(sheet)
        sheet.element.getparent().remove(sheet.element)
        self.parts.unrelate(self.member, _relation(sheet.element))
        self._forget(_CHAIN)

    def add_first(self, filtered: str) -> tuple[str, str]:
        """Put a sheet first, shown as the workbook opens; its name and its part. ``filtered``: the range of its filter."""
        name, part = self._free_name(), self.parts.free(posixpath.join(posixpath.dirname(self.member), "worksheets/sheet{}.xml"))
        self.parts.declare(part, _KIND.format("worksheet"))
        identifier = self.parts.relate(self.member, self.kind("worksheet"), part)
        place = self._child("sheets")
        number = max((int(sheet.element.get("sheetId", 0)) for sheet in self.sheets), default=0) + 1
        element = etree.Element(f"{{{self.namespace}}}sheet", name=name, sheetId=str(number))
        element.set(f"{{{self.kind('').rstrip('/')}}}id", identifier)
        place.insert(0, element)
        for local_name in self._names():
            if local_name.get("localSheetId") is not None:
                local_name.set("localSheetId", str(int(local_name.get("localSheetId")) + 1))
        first = etree.SubElement(
            self._named_section(), f"{{{self.namespace}}}definedName", name="_xlnm._FilterDatabase", localSheetId="0", hidden="1"
        )
        first.text = f"'{name}'!" + re.sub(r"([A-Z]+)(\d+)", r"$\1$\2", filtered)
        for view in self.root.iter(f"{{{self.namespace}}}workbookView"):
            view.attrib.pop("firstSheet", None)
            view.attrib.pop("activeTab", None)
        return name, part

    def _forget(self, kinds: tuple[str, ...]) -> None:
        for name in ("", self.member):
            for identifier, kind, _ in self.parts.related(name):
                if kind in kinds:
                    self.parts.unrelate(name, identifier)

    def _free_name(self) -> str:
        taken = {sheet.name.casefold() for sheet in self.sheets}
        names = (SHEET, f"{SHEET} Essaim", *(f"{SHEET} Essaim {number}" for number in range(2, len(taken) + 3)))
        return next(name for name in names if name.casefold() not in taken)

    def _child(self, name: str) -> Any:
        found = next((child for child in self.root if local(child.tag) == name), None)
        return () if found is None else found

    def _names(self) -> list[Any]:
        return list(self._child("definedNames"))

    def _named_section(self) -> Any:
        found = self._child("definedNames")
        if found == ():
            found = etree.Element(f"{{{self.namespace}}}definedNames")
            place = max(i for i, child in enumerate(self.root) if local(child.tag) in _BEFORE_NAMES)
            self.root.insert(place + 1, found)
        return found


def _relation(element: Any) -> str:
    return next((value for name, value in element.attrib.items() if name.endswith("}id")), "")
