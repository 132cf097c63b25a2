"""Files as they are received: read, contained or not, with the fingerprint of their bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from .tables import FileRefused, Limits, ReadFile

Content = bytes | Path
# Where a file is read: in this process, in one forked from a process kept ready, or in one forked from this process.
Contain = bool | Literal["here"]
Received = tuple[ReadFile | FileRefused, str]
_WORTH_A_THREAD = 4 * 2**20
_TOGETHER = 64


def fingerprint(content: Content) -> str:
    """SHA-256 of the bytes received, in hexadecimal."""
    if isinstance(content, Path):
        with content.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, slots=True)
class Reader:
    """How the files of one contract are read: header words to expect, what a file may cost, and where."""

    vocabulary: frozenset[str]
    limits: Limits
    contain: Contain

    def receive(self, content: Content, filename: str) -> Received:
        """The file read, or why it cannot be, and the SHA-256 of its bytes, computed beside the reading when they are many."""
        size = _size(content)
        if isinstance(content, Path):
            content = content.absolute() if self.contain or size > self.limits.file_bytes else content.read_bytes()
        if size < _WORTH_A_THREAD or self.contain == "here":  # a process that forks runs no thread
            return self._read(content, filename), fingerprint(content)
        with ThreadPoolExecutor(max_workers=1) as beside:
            sha256 = beside.submit(fingerprint, content)
            return self._read(content, filename), sha256.result()

    def receive_all(self, files: Sequence[tuple[Content, str]]) -> Iterator[Received]:
        """Files in order; contained ones share their process, and those of a group in which one breaks it are read apart."""
        waiting = iter([(content.absolute() if self.contain and isinstance(content, Path) else content, filename) for content, filename in files])
        while group := list(islice(waiting, _TOGETHER)):
            yield from (self._together(group) or [self.receive(*item) for item in group]) if self.contain else self._in_place(group)

    def _in_place(self, group: list[tuple[Content, str]]) -> Iterator[Received]:
        from .reading.alike import read_alike
        from .reading.sheets import SHORT

        group = [(content.read_bytes() if isinstance(content, Path) and 0 < _size(content) <= SHORT else content, name) for content, name in group]
        short = {number: content for number, (content, _) in enumerate(group) if isinstance(content, bytes) and len(content) <= SHORT}
        if len(group) == 1 or sum(map(len, short.values())) < _WORTH_A_THREAD:
            alike, prints = read_alike(group, self.limits, self.vocabulary), map(fingerprint, short.values())
        else:
            with ThreadPoolExecutor(max_workers=1) as beside:
                prints = beside.map(fingerprint, short.values())  # type: ignore[assignment]
                alike = read_alike(group, self.limits, self.vocabulary)
        printed = dict(zip(short, prints, strict=True))
        for number, (content, filename) in enumerate(group):
            if number in printed:
                yield alike.get(number) or self._read(content, filename), printed[number]
            else:
                yield self.receive(content, filename)

    def _together(self, group: list[tuple[Content, str]]) -> list[Received]:
        """None when they must be read one by one."""
        from .contain import contained
        from .reading.several import read_files

        if len(group) == 1 or sum(_size(content) for content, _ in group) > self.limits.file_bytes:
            return []
        try:
            found = contained(read_files, group, limits=self.limits, vocabulary=self.vocabulary, here=self.contain == "here")
        except FileRefused:
            return []
        reads = (item if isinstance(item, ReadFile) else FileRefused(*item) for item in found)
        return [(read, fingerprint(content)) for read, (content, _) in zip(reads, group, strict=True)]

    def _read(self, content: Content, filename: str) -> ReadFile | FileRefused:
        from .reading import read_file

        try:
            if self.contain:
                from .contain import contained

                return contained(read_file, content, filename, limits=self.limits, vocabulary=self.vocabulary, here=self.contain == "here")
            return read_file(content, filename, limits=self.limits, vocabulary=self.vocabulary)
        except FileRefused as refusal:
            return refusal


def _size(content: Content) -> int:
    return content.stat().st_size if isinstance(content, Path) else len(content)
