"""Comments of the cells of an xlsx sheet, as their authors wrote them; what an annotated workbook of ours says is no comment of theirs."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Mapping

from ..grid import index_of
from ..tables import Limits
from .package import member_bytes
from .styles import local, parse_xml, part_path

OUR_AUTHOR = "Essaim"
BEFORE_THEIRS = "\n\n— Commentaire d'origine —\n"
MOST, LONGEST = 5_000, 500
_THREAD = ("[Threaded comment]", "[Commentaire à thread", "[Conversation")


def read_comments(archive: zipfile.ZipFile, member: str, limits: Limits) -> Mapping[tuple[int, int], str]:
    """(1-based row, 0-based column) → what is said of the cell of the sheet in ``member``."""
    folder, name = posixpath.split(member)
    relations = member_bytes(archive, f"{folder}/_rels/{name}.rels", limits)
    targets = (e.get("Target", "") for e in parse_xml(relations) if e.get("Type", "").endswith("/comments")) if relations else ()
    found: dict[tuple[int, int], str] = {}
    for target in targets:
        content = member_bytes(archive, part_path(folder, target), limits)
        parts = {local(part.tag): part for part in parse_xml(content)} if content else {}
        authors = {str(place): author.text or "" for place, author in enumerate(parts.get("authors", ()))}
        for comment in parts.get("commentList", ()):
            letters, row = _split(comment.get("ref", ""))
            text = theirs("".join(e.text or "" for e in comment.iter() if local(e.tag) == "t"), authors.get(comment.get("authorId", ""), ""))
            if text and row and len(found) < MOST:
                found[row, index_of(letters)] = text
    return found


def theirs(text: str, author: str = "") -> str:
    """What the sender said in a comment, without our words above, the name that spreadsheets put first nor the notice of a thread."""
    ours, between, own = text.partition(BEFORE_THEIRS)
    if not between and author == OUR_AUTHOR:
        return ""
    text = own if between else ours
    if text.startswith(_THREAD):
        text = text.rpartition(":\n")[2]
    return " ".join(text.removeprefix(f"{author}:").removeprefix(f"{author} :").split())[:LONGEST]


def _split(reference: str) -> tuple[str, int]:
    letters = reference.rstrip("0123456789")
    digits = reference[len(letters) :]
    return (letters, int(digits)) if letters.isalpha() and letters.isascii() and letters.isupper() and len(letters) <= 3 and digits else ("", 0)
