"""Zip packages opened without trust: real sizes, ratio, names and XML declarations are checked before any reader."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator

from ..tables import FileRefused, Limits
from .scan import holds
from .sniff import encrypted, truncated

_ENTRIES = 10_000
_CHUNK = 1 << 20
_DECLARATION = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


def bomb() -> FileRefused:
    """The refusal of an archive that unpacks to far more than it should."""
    return FileRefused(
        "zip_bomb",
        "Le fichier compressé se déploie de façon démesurée : il est refusé par sécurité. Enregistrez-le de nouveau.",
    )


def open_package(content: bytes, limits: Limits) -> zipfile.ZipFile:
    """An archive whose declared sizes fit ``limits``; refuses encrypted members, overlaps and absurd ratios."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except Exception:
        raise truncated() from None
    members = archive.infolist()
    total = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if any(member.flag_bits & 1 for member in members):
        raise encrypted()
    if len(members) > _ENTRIES or total > limits.unpacked_bytes or packed > 2 * len(content):
        raise bomb()
    for member in members:
        if member.file_size > 10 * 2**20 and member.file_size > limits.compression_ratio * max(1, member.compress_size):
            raise bomb()
    return archive


def check_parts(archive: zipfile.ZipFile) -> None:
    """Refuse a workbook that holds a part twice: readers would not agree on which one counts."""
    names = archive.namelist()
    if len(set(names)) < len(names):
        raise FileRefused("duplicate_parts", "Le classeur contient deux fois la même partie : ouvrez-le dans un tableur et enregistrez-le de nouveau.")


def member_bytes(archive: zipfile.ZipFile, name: str, limits: Limits) -> bytes:
    """The content of one member, never more than it declares nor than ``limits`` allow; empty when absent."""
    try:
        member = archive.getinfo(name)
    except KeyError:
        return b""
    return _content(archive, member, limits)


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limits: Limits) -> bytes:
    allowed = min(member.file_size, limits.unpacked_bytes)
    try:
        with archive.open(member) as stream:
            content = stream.read(allowed + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError):
        raise truncated() from None
    if len(content) > allowed:
        raise bomb()
    return content


def checked_xml(content: bytes) -> bytes:
    """XML without document type nor entity declaration; anything else is refused, whatever its encoding."""
    head = content
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in content[:64]:
        head = content.replace(b"\x00", b"")
    if holds(head, b"<!", b"!") and _DECLARATION.search(head):
        raise FileRefused(
            "xml_entities",
            "Le fichier déclare des entités XML, que les tableurs n'utilisent pas : il est refusé par sécurité.",
        )
    return content


def inner_files(archive: zipfile.ZipFile, limits: Limits) -> Iterator[tuple[str, bytes]]:
    """The table files of a zip, by safe display name; folders, hidden files and system files are left out."""
    spent = 0
    for member in archive.infolist():
        parts = [part for part in re.split(r"[\\/]+", member.filename) if part not in ("", ".", "..")]
        if member.is_dir() or not parts or parts[0] == "__MACOSX" or parts[-1].startswith((".", "~$")):
            continue
        content = _content(archive, member, limits)
        spent += len(content)
        if spent > limits.unpacked_bytes:
            raise bomb()
        yield "/".join(parts).replace(":", "_"), content


def gunzip(content: bytes, limits: Limits) -> bytes:
    """The bytes of a gzip file within ``limits``; refuses bombs and truncated files."""
    parts: list[bytes] = []
    size, rest = 0, content
    while rest:
        engine = zlib.decompressobj(wbits=31)
        try:
            pending = rest
            while not engine.eof:
                part = engine.decompress(pending, _CHUNK * 16)
                size += len(part)
                parts.append(part)
                if size > limits.unpacked_bytes or size > max(10 * 2**20, limits.compression_ratio * len(content)):
                    raise bomb()
                pending = engine.unconsumed_tail
                if not part and not pending:
                    break
        except zlib.error:
            raise truncated() from None
        if not engine.eof:
            raise truncated()
        rest = engine.unused_data.lstrip(b"\x00")
    return b"".join(parts)
