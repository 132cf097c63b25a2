"""Several files read in one call, so that they cost one contained process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..tables import FileRefused, Limits, ReadFile
from . import read_file
from .alike import read_alike

Refusal = tuple[str, str]


def read_files(
    files: Sequence[tuple[bytes | Path, str]], *, limits: Limits | None = None, vocabulary: frozenset[str] = frozenset()
) -> list[ReadFile | Refusal]:
    """Each file as ``read_file`` gives it, or the code and the message of its refusal; in order."""
    alike = read_alike(files, limits or Limits(), vocabulary)
    return [alike[number] if number in alike else _one(content, filename, limits, vocabulary) for number, (content, filename) in enumerate(files)]


def _one(content: bytes | Path, filename: str, limits: Limits | None, vocabulary: frozenset[str]) -> ReadFile | Refusal:
    try:
        return read_file(content, filename, limits=limits, vocabulary=vocabulary)
    except FileRefused as refusal:
        return refusal.code, str(refusal)
