"""The parts of a workbook: those that change are written anew, all others are copied as they were compressed."""

from __future__ import annotations

import copy
import io
import posixpath
from collections.abc import Iterable, Iterator
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from lxml import etree

from ..reading.package import check_parts, checked_xml, member_bytes, open_package
from ..reading.sniff import truncated
from ..reading.styles import part_path
from ..tables import Limits

_TYPES = "[Content_Types].xml"
_CONTENT = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_LEVEL = 4  # of compression: half the time of the usual one for a tenth more bytes
_HEADER = 30


class Parts:
    """A package being changed. Parts are named as in the archive; XML that declares entities, or is broken, is refused."""

    def __init__(self, content: bytes, limits: Limits) -> None:
        self.archive = open_package(content, limits)
        check_parts(self.archive)
        self.limits = limits
        self._trees: dict[str, Any] = {}
        self._changed: dict[str, Iterable[bytes] | None] = {}
        self._names = {name.casefold() for name in self.archive.namelist()}

    def __contains__(self, name: str) -> bool:
        return self._changed[name] is not None if name in self._changed else name in self.archive.NameToInfo

    def read(self, name: str) -> bytes:
        """The bytes of a part as it came, checked when they are XML; empty when absent."""
        return checked_xml(member_bytes(self.archive, name, self.limits))

    def head(self, name: str, end: bytes) -> bytes:
        """The beginning of a part, as far as a block that holds ``end``; blocks double, to be read once each."""
        found = b""
        with self.archive.open(name) as stream:
            while end not in found and (block := stream.read(max(1 << 16, len(found)))):
                found += block
        return checked_xml(found)

    def tree(self, name: str, empty: str = "") -> Any:
        """The root of a small part, shared by all who ask; ``empty`` is what it holds when absent."""
        if name not in self._trees:
            content = self.read(name) or empty.encode()
            parser = etree.XMLParser(
                resolve_entities=False, no_network=True, huge_tree=True, remove_comments=True, remove_pis=True
            )
            try:
                self._trees[name] = etree.fromstring(content, parser)
            except etree.XMLSyntaxError:
                raise truncated() from None
        return self._trees[name]

    def edited(self, name: str, empty: str = "") -> Any:
        """The root of a part that is about to change."""
        root = self.tree(name, empty)
        self.put(name, _written(root))
        return root

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        """Replace or add a part; its pieces are asked for at the end."""
        self._changed[name] = pieces
        self._names.add(name.casefold())

    def drop(self, name: str) -> None:
        """Leave a part out, with what it says of others and what is said of the types of both."""
        for left in (name, relations_of(name)):
            self._changed[left] = None
            for override in self._overrides(left):
                override.getparent().remove(override)

    def free(self, model: str) -> str:
        """The first name like ``model`` (``xl/comments{}.xml``) that no part has."""
        number = 1
        while model.format(number).casefold() in self._names:
            number += 1
        return model.format(number)

    # -- types -------------------------------------------------------------------------------------------------

    def declare(self, name: str, kind: str) -> None:
        """State the content type of a part."""
        for override in self._overrides(name):
            override.set("ContentType", kind)
            return
        etree.SubElement(self.edited(_TYPES), f"{{{_CONTENT}}}Override", PartName=f"/{name}", ContentType=kind)

    def declare_all(self, extension: str, kind: str, name: str) -> None:
        """State the content type of parts with an extension; of ``name`` alone when others already have another."""
        for default in self.tree(_TYPES).iter(f"{{{_CONTENT}}}Default"):
            if default.get("Extension", "").casefold() == extension:
                if default.get("ContentType") != kind:
                    self.declare(name, kind)
                return
        self.edited(_TYPES).insert(0, etree.Element(f"{{{_CONTENT}}}Default", Extension=extension, ContentType=kind))

    def _overrides(self, name: str) -> list[Any]:
        return [
            override
            for override in self.edited(_TYPES).iter(f"{{{_CONTENT}}}Override")
            if override.get("PartName", "").casefold() == f"/{name}".casefold()
        ]

    # -- relationships -----------------------------------------------------------------------------------------

    def related(self, name: str) -> list[tuple[str, str, str]]:
        """What a part refers to inside the package: identifier, kind (last word of the type), part."""
        if relations_of(name) not in self:
            return []
        return [
            (element.get("Id", ""), element.get("Type", "").rsplit("/", 1)[-1], part_path(posixpath.dirname(name), element.get("Target", "")))
            for element in self.tree(relations_of(name)).iter(f"{{{_RELATIONS}}}Relationship")
            if element.get("TargetMode") != "External"
        ]  # fmt: skip

    def relate(self, name: str, kind: str, target: str) -> str:
        """Have a part refer to another; the identifier it may use. ``kind`` is the whole type."""
        root = self.edited(relations_of(name), f'<Relationships xmlns="{_RELATIONS}"/>')
        taken = {element.get("Id") for element in root}
        number = len(root) + 1
        while f"rId{number}" in taken:
            number += 1
        etree.SubElement(root, f"{{{_RELATIONS}}}Relationship", Id=f"rId{number}", Type=kind, Target=f"/{target}")
        return f"rId{number}"

    def unrelate(self, name: str, identifier: str) -> None:
        """Take a reference away, and leave out the part it led to."""
        for other, _, target in self.related(name):
            if other == identifier:
                self.drop(target)
        root = self.edited(relations_of(name))
        for element in [element for element in root if element.get("Id") == identifier]:
            root.remove(element)

    # -- the end -----------------------------------------------------------------------------------------------

    def save(self) -> bytes:
        """The package: its parts in their order, then the new ones."""
        output = io.BytesIO()
        with ZipFile(output, "w", ZIP_DEFLATED, compresslevel=_LEVEL) as target:
            for member in self.archive.infolist():
                if member.filename not in self._changed:
                    _copy(self.archive, member, target)
                else:
                    self._write(member.filename, target)
            for name in self._changed:
                if name not in self.archive.NameToInfo:
                    self._write(name, target)
        return output.getvalue()

    def _write(self, name: str, target: ZipFile) -> None:
        pieces = self._changed[name]
        if pieces is not None:
            with target.open(name, "w") as stream:
                for piece in pieces:
                    stream.write(piece)


def relations_of(name: str) -> str:
    """The part that says what another refers to."""
    folder, last = posixpath.split(name)
    return posixpath.join(folder, "_rels", f"{last}.rels")


def _written(root: Any) -> Iterator[bytes]:
    """Asked for at the end, when all changes are made."""
    yield etree.tostring(root.getroottree(), xml_declaration=True, encoding="UTF-8", standalone=True)


def _copy(source: ZipFile, member: ZipInfo, target: ZipFile) -> None:
    """Copy a member without unpacking it. Only its name, sizes, sum and date are kept of what the archive says of it."""
    stream: Any = source.fp
    stream.seek(member.header_offset)
    header = stream.read(_HEADER)
    if len(header) < _HEADER:
        raise truncated()
    stream.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), io.SEEK_CUR)
    packed = stream.read(member.compress_size)
    if len(packed) < member.compress_size:
        raise truncated()
    kept, out = copy.copy(member), target.fp
    assert out is not None
    kept.flag_bits &= ~0x08  # sizes are in the header, not after the content
    kept.extra, kept.comment, kept.header_offset = b"", b"", target.start_dir
    out.seek(target.start_dir)
    out.write(kept.FileHeader(zip64=False))
    out.write(packed)
    target.start_dir = out.tell()
    target.filelist.append(kept)
    target.NameToInfo[kept.filename] = kept
