"""The register as files: written whole at each projection, read in milliseconds, without Django when need be."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import polars as pl

PARTS = ("establishments", "communes", "former", "organisations", "affiliations", "profile")
_POINTER = "register.json"
# Changes with the columns of the parts: a snapshot written otherwise is made again from the ledger.
_FORMAT = 3


def write_snapshot(cache: Path, frames: Mapping[str, pl.DataFrame], stamp: str) -> None:
    """Write the frames (PARTS) and point to them; readers see the old register or the new one, never a mixture."""
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"register-{uuid.uuid4().hex[:12]}"
    folder.mkdir()
    for name in PARTS:
        frames[name].write_parquet(folder / f"{name}.parquet", compression="zstd")
    pointer = cache / f".{_POINTER}.{os.getpid()}"
    pointer.write_text(json.dumps({"folder": folder.name, "stamp": stamp, "format": _FORMAT}))
    before = pointed(cache)
    pointer.replace(cache / _POINTER)
    for old in cache.glob("register-*"):
        # The folder just replaced stays for readers that hold its name; older ones go.
        if old.name not in (folder.name, before[0] if before else ""):
            shutil.rmtree(old, ignore_errors=True)


def pointed(cache: Path) -> tuple[str, str] | None:
    """Folder name and stamp of the current register; None when nothing was ever projected here, or in another format."""
    path = cache / _POINTER
    try:
        seen = os.stat(path)
        return _pointed(str(path), (seen.st_mtime_ns, seen.st_ino, seen.st_size))
    except (FileNotFoundError, NotADirectoryError):
        return None


@lru_cache(maxsize=16)
def _pointed(path: str, version: tuple[int, ...]) -> tuple[str, str] | None:
    """What a pointer says, read once for each of its versions: each page asks."""
    told = json.loads(Path(path).read_text())
    return (told["folder"], told["stamp"]) if told.get("format") == _FORMAT else None


def part(cache: Path, name: str) -> pl.DataFrame | None:
    """One frame of the current register, kept in memory until the register changes; None when there is none."""
    told = pointed(cache)
    return _read(str(cache), told[0], name) if told else None


@lru_cache(maxsize=16)
def _read(cache: str, folder: str, name: str) -> pl.DataFrame:
    return pl.read_parquet(Path(cache) / folder / f"{name}.parquet", glob=False)
