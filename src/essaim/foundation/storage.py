"""Bytes received, kept once under their SHA-256, and the outcome of each check beside them. Written whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import polars as pl
from django.conf import settings

from essaim.engines.intake.report import LINES_SCHEMA

PARTS = ("rows", "refused", "issues", "summary", "missing_why", "lines")
_CHUNK = 2**20


class TooLarge(ValueError):
    """The file exceeds ESSAIM_UPLOAD_MAX_MB."""


def _folder(name: str) -> Path:
    folder = Path(settings.ESSAIM_FILES_DIR) / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def bytes_path(sha256: str) -> Path:
    """Where the bytes with this hash are kept."""
    return _folder("bytes") / sha256[:2] / sha256


def keep(source: bytes | IO[bytes] | Path) -> tuple[str, int]:
    """Keep the bytes; their SHA-256 and size. Safe under interruption and concurrency; TooLarge past the limit."""
    limit = settings.ESSAIM_UPLOAD_MAX_MB * 2**20
    handle, name = tempfile.mkstemp(dir=_folder("incoming"))
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as target:
            sha256, size = _copy(source, target, limit)
            target.flush()
            os.fsync(target.fileno())
        final = bytes_path(sha256)
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(final)
        sync_folder(final.parent)
    finally:
        temporary.unlink(missing_ok=True)
    return sha256, size


def _copy(source: bytes | IO[bytes] | Path, target: IO[bytes], limit: int) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for chunk in _chunks(source):
        size += len(chunk)
        if size > limit:
            raise TooLarge(
                f"Le fichier dépasse {settings.ESSAIM_UPLOAD_MAX_MB} Mo : envoyez-le en plusieurs fois ou compressé."
            )
        digest.update(chunk)
        target.write(chunk)
    return digest.hexdigest(), size


def _chunks(source: bytes | IO[bytes] | Path):
    if isinstance(source, bytes):
        yield source
    elif isinstance(source, Path):
        with source.open("rb") as opened:
            yield from iter(lambda: opened.read(_CHUNK), b"")
    else:
        yield from iter(lambda: source.read(_CHUNK), b"")


def upload_path(key: str) -> Path:
    """Where the bytes received of a file on its way are kept."""
    return _folder("uploads") / key


@contextmanager
def upload_held(key: str) -> Iterator[IO[bytes]]:
    """The bytes received so far, opened for writing, for one process at a time; those who ask meanwhile wait."""
    handle = os.open(upload_path(key), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "r+b") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield opened


def write_part(opened: IO[bytes], offset: int, content: bytes) -> None:
    """Writes ``content`` at ``offset``, durably: what is said to be received survives a crash."""
    opened.seek(offset)
    opened.write(content)
    opened.flush()
    os.fsync(opened.fileno())


def sync_folder(folder: Path) -> None:
    """Make renames inside ``folder`` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def check_folder(key: str) -> Path:
    """Where the outcome of a check is kept."""
    return _folder("checks") / key[:2] / key


def keep_check(frames: dict[str, pl.DataFrame]) -> str:
    """Keep the frames of a check as Parquet; the key under which to find them."""
    key = uuid.uuid4().hex
    temporary = Path(tempfile.mkdtemp(dir=_folder("incoming")))
    try:
        for name in PARTS:
            with (temporary / f"{name}.parquet").open("wb") as target:
                frames[name].write_parquet(target, compression="zstd")
                target.flush()
                os.fsync(target.fileno())
        final = check_folder(key)
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary.rename(final)
        sync_folder(final.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return key


def part(key: str, name: str) -> pl.LazyFrame:
    """One frame of a kept check: ``rows``, ``refused``, ``issues``, ``summary``, ``missing_why`` or ``lines`` (none in checks kept before
    lines were added up)."""
    path = check_folder(key) / f"{name}.parquet"
    return pl.LazyFrame(schema=LINES_SCHEMA) if name == "lines" and not path.exists() else pl.scan_parquet(path, glob=False)


def forget_check(key: str) -> None:
    """Drop the outcome of a check that another has replaced."""
    if key:
        shutil.rmtree(check_folder(key), ignore_errors=True)
