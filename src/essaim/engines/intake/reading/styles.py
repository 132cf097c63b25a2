"""What an xlsx package says about itself outside its cells: sheets, number formats, epoch, external links."""

from __future__ import annotations

import posixpath
import zipfile
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from ..tables import FileRefused, Limits
from .package import checked_xml, member_bytes
from .sniff import truncated
from .values import is_code_format, is_percent_format, unit_of_format

_BUILTIN = {9: "0%", 10: "0.00%"}
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_REL_STRICT = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"


@dataclass(frozen=True, slots=True)
class SheetPart:
    """One worksheet of a package: its name, its member and whether it is hidden."""

    name: str
    member: str
    hidden: bool


@dataclass(frozen=True, slots=True)
class Package:
    """Sheets of a workbook and the styles whose display differs from the stored number (style index → format). ``struck``: styles
    that strike their text through; ``indents``: style index → by how much its text is set in."""

    sheets: tuple[SheetPart, ...]
    formats: dict[int, str]
    external_links: int
    epoch_1904: bool = False
    struck: frozenset[int] = frozenset()
    indents: dict[int, int] = field(default_factory=dict)


def local(tag: str) -> str:
    """The name of an XML tag without its namespace."""
    return tag.rsplit("}", 1)[-1]


def parse_xml(content: bytes) -> Element:
    """The root of a small XML part; entities, external references and broken XML are refused."""
    try:
        return ElementTree.fromstring(checked_xml(content), forbid_dtd=True)
    except DefusedXmlException:
        raise FileRefused("xml_entities", "Le fichier déclare des entités XML : il est refusé par sécurité.") from None
    except ParseError:
        raise truncated() from None


def read_package(archive: zipfile.ZipFile, limits: Limits) -> Package:
    """Read the workbook, relationship and style parts."""
    member = workbook_member(archive, limits)
    root = parse_xml(member_bytes(archive, member, limits))
    folder = posixpath.dirname(member)
    targets = {e.get("Id", ""): e.get("Target", "") for e in relations(archive, member, limits)}
    sheets = []
    epoch_1904 = False
    for element in root.iter():
        if local(element.tag) == "workbookPr":
            epoch_1904 = element.get("date1904", "0") in ("1", "true")
        if local(element.tag) == "sheet":
            relation = element.get(_REL) or element.get(_REL_STRICT) or ""
            path = part_path(folder, targets.get(relation, ""))
            sheets.append(SheetPart(element.get("name", ""), path, element.get("state", "visible") != "visible"))
    links = sum(name.startswith("xl/externalLinks/externalLink") for name in archive.namelist())
    formats, struck, indents = _styles(archive, folder, limits)
    return Package(tuple(sheets), formats, links, epoch_1904, struck, indents)


def part_path(folder: str, target: str) -> str:
    """The member a relationship of a part in ``folder`` leads to."""
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))


def workbook_member(archive: zipfile.ZipFile, limits: Limits) -> str:
    """The member that holds the list of sheets."""
    rels = member_bytes(archive, "_rels/.rels", limits)
    if rels:
        for element in parse_xml(rels):
            if element.get("Type", "").endswith("/officeDocument"):
                return element.get("Target", "").lstrip("/")
    return "xl/workbook.xml"


def relations(archive: zipfile.ZipFile, member: str, limits: Limits) -> list[Element]:
    """What a part says of those it needs: ``Id``, ``Type`` and ``Target`` of each."""
    folder, name = posixpath.split(member)
    content = member_bytes(archive, f"{folder}/_rels/{name}.rels", limits)
    return list(parse_xml(content)) if content else []


def _styles(archive: zipfile.ZipFile, folder: str, limits: Limits) -> tuple[dict[int, str], frozenset[int], dict[int, int]]:
    content = member_bytes(archive, f"{folder}/styles.xml", limits)
    if not content:
        return {}, frozenset(), {}
    codes, used, fonts, struck, set_in = dict(_BUILTIN), [], [], set(), []
    for element in parse_xml(content):
        if local(element.tag) == "numFmts":
            codes.update({int(e.get("numFmtId", "0")): e.get("formatCode", "") for e in element})
        elif local(element.tag) == "fonts":
            struck = {number for number, font in enumerate(element) if any(local(e.tag) == "strike" and e.get("val", "1") in ("1", "true") for e in font)}
        elif local(element.tag) == "cellXfs":
            used = [int(e.get("numFmtId", "0") or 0) for e in element]
            fonts = [int(e.get("fontId", "0") or 0) for e in element]
            set_in = [next((int(a.get("indent", "0") or 0) for a in e if local(a.tag) == "alignment"), 0) for e in element]
    shown = ((index, codes.get(code, "")) for index, code in enumerate(used))
    told = {index: code for index, code in shown if is_percent_format(code) or is_code_format(code) or unit_of_format(code)}
    indents = {index: indent for index, indent in enumerate(set_in) if indent}
    return told, frozenset(index for index, font in enumerate(fonts) if font in struck), indents
