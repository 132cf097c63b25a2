"""Figures protected for the public, written down: secrecy compares every unit of a level, and is worked out once for all pages
and all processes.

One file a question. A file says what its answer was made from; once that has moved, the answer is made again: by the page that
asks, or, for questions asked lately, by the worker before any page does. Files are a cache, and may be deleted.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from essaim.engines import measures
from essaim.engines.measures import Figures
from essaim.evaluation.reads.keeping import folder, packed

# Questions kept; how many are answered ahead after an acceptance, and how long after they were last asked.
_QUESTIONS, _AHEAD = 128, 12
_ASKED_SECONDS = 3 * 86_400
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Question:
    """Figures asked for every unit of a level, as they are known now."""

    codes: tuple[str, ...]
    level: str
    hierarchy: str | None
    periods: tuple[str, ...]
    by: tuple[str, ...]


def kept(question: Question, made_from: tuple[Any, ...], make: Callable[[], Figures]) -> Figures:
    """The answer written down when it was made from the same things, or what ``make`` answers, which is written down."""
    path, stamp = _path(question), _stamp(made_from)
    frame = _read(path, stamp)
    if frame is not None:
        _marked_asked(path)
        return Figures(frame, question.level, question.by, None)
    found = make()
    _write(path, question, stamp, found.frame)
    return found


def asked_lately() -> Iterator[Question]:
    """The few questions asked last, in the last days; answering them meanwhile does not count as asking."""
    before = time.time() - _ASKED_SECONDS
    for path in _latest_first()[:_AHEAD]:
        try:
            asked = path.stat().st_mtime
            if asked < before:
                return
            with zipfile.ZipFile(path) as archive:
                told: dict[str, Any] = json.loads(archive.read("question"))
            yield Question(tuple(told["codes"]), told["level"], told["hierarchy"], tuple(told["periods"]), tuple(told["by"]))
            os.utime(path, (asked, asked))
        except (OSError, KeyError, TypeError, ValueError, zipfile.BadZipFile):
            continue


def _path(question: Question) -> Path:
    return folder() / "public" / (hashlib.sha256(json.dumps(asdict(question)).encode()).hexdigest()[:32] + ".zip")


def _stamp(made_from: tuple[Any, ...]) -> str:
    return hashlib.sha256((_code() + repr(made_from)).encode()).hexdigest()


@cache
def _code() -> str:
    """What works figures out: an answer of other code is another answer."""
    held = hashlib.sha256()
    for path in sorted(Path(measures.__file__).parent.glob("*.py")):
        held.update(path.read_bytes())
    return held.hexdigest()


def _read(path: Path, stamp: str) -> pl.DataFrame | None:
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.read("stamp").decode() != stamp:
                return None
            return pl.read_ipc(io.BytesIO(archive.read("figures")))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, pl.exceptions.PolarsError):
        return None


def _write(path: Path, question: Question, stamp: str, frame: pl.DataFrame) -> None:
    """Put in place at once: a reader finds the file before or the file after."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("stamp", stamp)
            archive.writestr("question", json.dumps(asdict(question)))
            archive.writestr("figures", packed(frame, "zstd"))
        partial.replace(path)
        for old in _latest_first()[_QUESTIONS:]:
            old.unlink(missing_ok=True)
    except OSError:  # a full or read-only disk: the page is answered all the same
        partial.unlink(missing_ok=True)


def _latest_first() -> list[Path]:
    found = []
    for path in (folder() / "public").glob("*.zip"):
        try:
            found.append((path.stat().st_mtime, path))
        except OSError:  # another process was quicker
            continue
    return [path for _, path in sorted(found, reverse=True)]


def _marked_asked(path: Path) -> None:
    """Notes that a page asked, once a day."""
    try:
        if path.stat().st_mtime < time.time() - _DAY_SECONDS:
            os.utime(path)
    except OSError:  # another process was quicker
        return
