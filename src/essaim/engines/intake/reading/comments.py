"""Comments of the cells of an xlsx sheet, as their authors wrote them; what an annotated workbook of ours says is no comment of theirs."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

from ..grid import place_of
from ..issues_messages import SEVERITIES
from ..tables import Limits
from .package import member_bytes
from .styles import local, parse_xml, part_path, relations

OUR_AUTHOR = "Essaim"
OUR_BEGINNINGS = tuple(f"{label} : " for label in SEVERITIES.values())
BEFORE_THEIRS = "\n\n— Commentaire d'origine —\n"
MOST, LONGEST = 5_000, 500
_THREAD = ("[Threaded comment]", "[Commentaire à thread", "[Conversation")


def read_comments(archive: zipfile.ZipFile, member: str, limits: Limits) -> Mapping[tuple[int, int], str]:
    """(1-based row, 0-based column) → what is said of the cell of the sheet in ``member``."""
    targets = [e.get("Target", "") for e in relations(archive, member, limits) if e.get("Type", "").endswith("/comments")]
    found: dict[tuple[int, int], str] = {}
    for target in targets:
        content = member_bytes(archive, part_path(posixpath.dirname(member), target), limits)
        parts = {local(part.tag): part for part in parse_xml(content)} if content else {}
        authors = {str(place): author.text or "" for place, author in enumerate(parts.get("authors", ()))}
        for comment in parts.get("commentList", ()):
            place = place_of(comment.get("ref", ""))
            text = theirs("".join(e.text or "" for e in written(comment)), authors.get(comment.get("authorId", ""), ""))
            if text and place and len(found) < MOST:
                found[place] = text
    return found


def written(comment: Any) -> Iterator[Any]:
    """The elements that hold the text of a comment, one a run, without its phonetic transcription."""
    for child in comment:
        if local(child.tag) == "t":
            yield child
        elif local(child.tag) != "rPh":
            yield from written(child)


def theirs(text: str, author: str = "") -> str:
    """What the sender said in a comment, without our words above (a spreadsheet may have forgotten whose they are), the name that
    spreadsheets put first nor the notice of a thread."""
    ours, between, own = text.partition(BEFORE_THEIRS)
    if not between and (author == OUR_AUTHOR or text.startswith(OUR_BEGINNINGS)):
        return ""
    text = own if between else ours
    if text.startswith(_THREAD):
        text = text.rpartition(":\n")[2]
    return " ".join(text.removeprefix(f"{author}:").removeprefix(f"{author} :").split())[:LONGEST]
