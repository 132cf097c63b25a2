"""Small text files of one layout read together: authorities that fill in the same model send the same columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from ..locate.body import MARKED
from ..locate.plain import plain_tables
from ..repetition import PIECE
from ..tables import FileRefused, Limits, ReadFile
from . import wrong_extension
from .delimited import Notices, find_separator, has_sep_line, has_short_lines, read_records
from .encoding import decode
from .scan import count_lines
from .sheets import SHORT, stem
from .sniff import sniff

_SET_APART = "Anomalies"  # the sheets ``annotate`` adds are looked at alone


@dataclass(frozen=True, slots=True)
class _Records:
    """A file of plain UTF-8 records, one a line: its place among the files, its name, its bytes and number of lines."""

    number: int
    name: str
    content: bytes
    lines: int
    notices: Notices
    spelt_out: bool = False

    @property
    def header(self) -> bytes:
        return self.content[: self.content.index(b"\n")]


def read_alike(files: Sequence[tuple[bytes | Path, str]], limits: Limits, vocabulary: frozenset[str]) -> dict[int, ReadFile]:
    """What ``read_file`` gives of each file that shares its header with another and holds nothing but data under it; the others
    (their place is not in the answer) are to be read alone."""
    groups: dict[tuple[bytes, str], list[_Records]] = {}
    for number, (content, name) in enumerate(files if len(files) > 1 else ()):
        records = _records(number, content, name, limits)
        separator = find_separator(records.content, vocabulary) if records else ""
        if records is not None and not _shielded(records.content, separator.encode()):
            groups.setdefault((records.header, separator), []).append(records)
    found: dict[int, ReadFile] = {}
    for (header, separator), group in groups.items():
        width = header.count(separator.encode()) + 1
        group = _without_totals(group)
        if len(group) > 1 and width <= limits.columns:
            found |= _together(group, separator, width, vocabulary)
    return found


def _records(number: int, content: bytes | Path, name: str, limits: Limits) -> _Records | None:
    size = content.stat().st_size if isinstance(content, Path) else len(content)
    if not 0 < size <= min(SHORT, limits.file_bytes) or stem(name).startswith(_SET_APART):
        return None
    data = content.read_bytes() if isinstance(content, Path) else content
    try:
        text, encoding, notices = decode(data) if sniff(data) == "csv" else (b"", "", ())
    except FileRefused:
        return None
    if encoding != "utf-8" or b'"' in text or b"\n" not in text:
        return None
    if b"\r" in text and text.count(b"\r") != text.count(b"\r\n"):
        return None
    lines = count_lines(text)
    if lines > limits.rows or has_sep_line(text) or not has_short_lines(text, limits.cell_characters):
        return None
    return _Records(number, name, text, lines, notices)


def _shielded(text: bytes, separator: bytes) -> bool:
    """Whether a cell begins with an apostrophe, by which spreadsheets mark a text."""
    return b"'" in text and (text.startswith(b"'") or b"\n'" in text or separator + b"'" in text)


def _without_totals(group: Sequence[_Records]) -> list[_Records]:
    """Files of which no line under the first holds a word of total, those without any mark of repetition known as such."""
    bodies = pl.Series([item.content[len(item.header) :] for item in group], dtype=pl.Binary).cast(pl.String)
    suspects = bodies.str.contains(f"{MARKED}|{PIECE}")  # most have neither
    looked = bodies.filter(suspects)
    told = iter(zip(looked.str.contains(MARKED), looked.str.contains(PIECE), strict=True))
    answers = [next(told) if suspect else (False, False) for suspect in suspects]
    return [replace(item, spelt_out=not repeats) for item, (marked, repeats) in zip(group, answers, strict=True) if not marked]


def _together(group: Sequence[_Records], separator: str, width: int, vocabulary: frozenset[str]) -> dict[int, ReadFile]:
    joined = b"".join(piece for item in group for piece in (item.content, b"" if item.content.endswith(b"\n") else b"\n"))
    total = sum(item.lines for item in group)
    frame = read_records(joined, separator, width, total + 1)
    if frame is None or frame.height != total:
        return {}
    tables = plain_tables([stem(item.name) for item in group], frame, [item.lines for item in group], vocabulary)
    found = {}
    for item, table in zip(group, tables, strict=True):
        if table is not None:
            notice = wrong_extension(item.name, "csv")
            notices = (*item.notices, notice) if notice else item.notices
            table = replace(table, spelt_out=item.spelt_out)
            found[item.number] = ReadFile(item.name, "csv", (table,), notices, "utf-8", separator)
    return found
