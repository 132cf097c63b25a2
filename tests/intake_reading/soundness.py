"""What a spreadsheet demands of a workbook before it opens it without offering to repair it."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from lxml import etree

# The sequence of CT_Worksheet (ECMA-376, 18.3.1.99).
WORKSHEET = [
    "sheetPr", "dimension", "sheetViews", "sheetFormatPr", "cols", "sheetData", "sheetCalcPr", "sheetProtection",
    "protectedRanges", "scenarios", "autoFilter", "sortState", "dataConsolidate", "customSheetViews", "mergeCells",
    "phoneticPr", "conditionalFormatting", "dataValidations", "hyperlinks", "printOptions", "pageMargins", "pageSetup",
    "headerFooter", "rowBreaks", "colBreaks", "customProperties", "cellWatches", "ignoredErrors", "smartTags", "drawing",
    "legacyDrawing", "legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls", "webPublishItems", "tableParts",
    "extLst",
]  # fmt: skip
WORKBOOK = [
    "fileVersion", "fileSharing", "workbookPr", "workbookProtection", "bookViews", "sheets", "functionGroups",
    "externalReferences", "definedNames", "calcPr", "oleSize", "customWorkbookViews", "pivotCaches", "smartTagPr",
    "smartTagTypes", "webPublishing", "fileRecoveryPr", "webPublishObjects", "extLst",
]  # fmt: skip
STYLES = [
    "numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs", "tableStyles", "colors",
    "extLst",
]  # fmt: skip

# End of the content type of a part, by the kind of relationship that leads to it.
KINDS = {"worksheet": ".worksheet+xml", "comments": ".comments+xml", "styles": ".styles+xml", "vmlDrawing": ".vmlDrawing"}


def local(element: Any) -> str:
    return etree.QName(element).localname


def part(archive: zipfile.ZipFile, name: str) -> Any:
    """The root of an XML part."""
    return etree.fromstring(archive.read(name))


def relations(archive: zipfile.ZipFile, name: str) -> dict[str, tuple[str, str]]:
    """Identifier → (kind, part) of what a part refers to; an empty part for what is outside of the package."""
    folder, last = posixpath.split(name)
    try:
        root = part(archive, posixpath.join(folder, "_rels", f"{last}.rels"))
    except KeyError:
        return {}
    found = {}
    for element in root:
        target = element.get("Target")
        path = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
        assert element.get("Id") not in found
        outside = element.get("TargetMode") == "External"
        found[element.get("Id")] = (element.get("Type").rsplit("/", 1)[-1], "" if outside else path)
    return found


def faults(content: bytes) -> list[str]:
    """Everything a spreadsheet would want repaired."""
    archive = zipfile.ZipFile(io.BytesIO(content))
    return [*_of_archive(archive, content), *_of_types(archive), *_of_styles(archive), *_of_workbook(archive)]


def _of_archive(archive: zipfile.ZipFile, content: bytes) -> Iterator[str]:
    if (bad := archive.testzip()) is not None:
        yield f"{bad} is damaged"
    names = [name.casefold() for name in archive.namelist()]
    if len(names) > len(set(names)):
        yield "two parts have the same name"
    for member in archive.infolist():
        header = content[member.header_offset : member.header_offset + 30]
        if int.from_bytes(header[4:6], "little") > 20 or member.flag_bits & 8:
            yield f"{member.filename} is written for large archives, or as a stream"


def _of_types(archive: zipfile.ZipFile) -> Iterator[str]:
    root, names = part(archive, "[Content_Types].xml"), set(archive.namelist())
    defaults = {element.get("Extension").casefold(): element.get("ContentType") for element in root if local(element) == "Default"}
    own = {element.get("PartName").lstrip("/"): element.get("ContentType") for element in root if local(element) == "Override"}
    told = [element.get("PartName").lstrip("/") for element in root if local(element) == "Override"]
    if len(told) > len(set(told)):
        yield "a part has two types"
    yield from (f"{name} has a type and is not there" for name in told if name not in names)
    for name in names - set(told) - {"[Content_Types].xml"}:
        if name.rsplit(".", 1)[-1].casefold() not in defaults:
            yield f"{name} has no type"
    for name in names:
        if name.endswith((".xml", ".rels", ".vml")):
            part(archive, name)
    for name in names:
        for kind, target in relations(archive, name).values():
            if target and target not in names:
                yield f"{name} refers to {target} ({kind}), which is not there"
            stated = own.get(target) or defaults.get(target.rsplit(".", 1)[-1].casefold(), "")
            if kind in KINDS and not stated.endswith(KINDS[kind]):
                yield f"{target} has the type {stated}"


def _out_of_order(root: Any, order: list[str], whose: str) -> Iterator[str]:
    places = [order.index(local(child)) for child in root if local(child) in order]
    if places != sorted(places):
        yield f"{whose}: {[local(child) for child in root]} are out of order"


def _of_styles(archive: zipfile.ZipFile) -> Iterator[str]:
    root = part(archive, "xl/styles.xml")
    yield from _out_of_order(root, STYLES, "styles")
    sections = {local(child): child for child in root}
    for name, section in sections.items():
        if section.get("count") not in (None, str(len(section))):
            yield f"{name} holds {len(section)} and says {section.get('count')}"
    for style in sections["cellXfs"]:
        for attribute, section in (("fontId", "fonts"), ("fillId", "fills"), ("borderId", "borders"), ("xfId", "cellStyleXfs")):
            if int(style.get(attribute, 0)) >= len(sections[section]):
                yield f"a style has no {attribute}"


def _of_workbook(archive: zipfile.ZipFile) -> Iterator[str]:
    root, related = part(archive, "xl/workbook.xml"), relations(archive, "xl/workbook.xml")
    yield from _out_of_order(root, WORKBOOK, "workbook")
    sheets = next(child for child in root if local(child) == "sheets")
    names = [sheet.get("name").casefold() for sheet in sheets]
    if len(names) > len(set(names)) or any(len(name) > 31 for name in names):
        yield "names of sheets are taken or too long"
    if len({sheet.get("sheetId") for sheet in sheets}) < len(sheets):
        yield "two sheets have the same number"
    for name in root.iter("{*}definedName"):
        if int(name.get("localSheetId", 0)) >= len(sheets):
            yield f"{name.get('name')} belongs to no sheet"
    styles = len(next(child for child in part(archive, "xl/styles.xml") if local(child) == "cellXfs"))
    selected = 0
    for sheet in sheets:
        identifier = next(value for key, value in sheet.attrib.items() if key.endswith("}id"))
        kind, name = related[identifier]
        found = part(archive, name)
        selected += any(view.get("tabSelected") in ("1", "true") for view in found.iter("{*}sheetView"))
        if kind == "worksheet":
            yield from _of_sheet(archive, name, found, styles)
    if selected > 1:
        yield f"{selected} sheets are selected together"


def _of_sheet(archive: zipfile.ZipFile, name: str, root: Any, styles: int) -> Iterator[str]:
    yield from _out_of_order(root, WORKSHEET, name)
    rows, places = [], []
    for row in root.iter("{*}row"):
        rows.append(int(row.get("r", (rows or [0])[-1] + 1)))
        columns: list[int] = []
        for cell in row.iterchildren("{*}c"):
            columns.append(_column(cell.get("r")) if cell.get("r") else (columns or [0])[-1] + 1)
            if int(cell.get("s", 0)) >= styles:
                yield f"{name}: {cell.get('r')} has no style"
        if columns != sorted(set(columns)):
            yield f"{name}: cells of row {rows[-1]} are out of order"
        places += columns
    if rows != sorted(set(rows)):
        yield f"{name}: rows are out of order"
    related = relations(archive, name)
    used = [value for element in root.iter() for key, value in element.attrib.items() if key.endswith("relationships}id")]
    yield from (f"{name} uses {identifier}, which leads nowhere" for identifier in used if identifier not in related)
    yield from _of_comments(archive, name, root, related)


def _of_comments(archive: zipfile.ZipFile, name: str, root: Any, related: dict[str, tuple[str, str]]) -> Iterator[str]:
    found = [target for kind, target in related.values() if kind == "comments"]
    if len(found) > 1:
        yield f"{name} has two lists of comments"
    drawing = next((value for e in root.iterchildren("{*}legacyDrawing") for value in e.values()), None)
    boxes = archive.read(related[drawing][1]).decode() if drawing else ""
    shapes = re.findall(r'<(?:\w+:)?shape [^>]*?\bid="([^"]+)"', boxes)
    if len(shapes) > len(set(shapes)) and "shape_0" not in shapes:  # LibreOffice calls them all alike
        yield f"{name}: two boxes have the same identifier"
    noted = sorted((int(r), int(c)) for r, c in re.findall(r"<(?:\w+:)?Row>(\d+)</(?:\w+:)?Row>\s*<(?:\w+:)?Column>(\d+)<", boxes))
    for target in found:
        comments = part(archive, target)
        authors = len(next(child for child in comments if local(child) == "authors"))
        listed = list(comments.iter("{*}comment"))
        if any(int(comment.get("authorId")) >= authors for comment in listed):
            yield f"{target}: a comment has no author"
        places = sorted((int(re.sub(r"\D", "", c.get("ref"))) - 1, _column(c.get("ref")) - 1) for c in listed)
        if places != noted:
            yield f"{target}: comments {places} and boxes {noted} are not the same"


def _column(reference: str) -> int:
    number = 0
    for letter in re.sub(r"\d", "", reference):
        number = number * 26 + ord(letter) - 64
    return number
