"""Cells of the present, kept in memory and on disk, brought up to date by adding what was accepted since."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import threading
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import polars as pl
import pyarrow as pa
from django.conf import settings

from essaim.engines import measures
from essaim.engines.measures import Cells, Indicator
from essaim.evaluation.reads.catalogue import derived_facts, indicators
from essaim.evaluation.reads.facts import derived_change, entries, fact_names, facts_for, signed, within
from essaim.foundation.contracts import contract
from essaim.foundation.reads.facts import ledger, table_spec

# Says how establishments are written: files written otherwise are other files.
_FORMAT = "coded|"
# Files of another version of the program are left this long to its processes, which write them again while they are at work.
_STALE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Held:
    """Cells, the submission number they stand at and the derived tables they came from."""

    cells: Cells
    number: int
    derived: Mapping[str, pa.Table]


class CellStore:
    """Cells of every indicator of the catalogue, one set per group of fact columns kept apart. A cache: memory and disk can
    be dropped at any time; files are written whole, so that several processes share them."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, tuple[str, ...]], Held] = {}
        self._lock = threading.Lock()

    def current(self, by: tuple[str, ...], number: int) -> Held:
        """Cells that count every submission up to ``number``, the last one accepted."""
        with self._lock:
            return self._current(by, number)

    def _current(self, by: tuple[str, ...], number: int) -> Held:
        key = (str(settings.ESSAIM_LEDGER_URL), by)
        held = self._held.get(key)
        if held is not None and held.number > number:
            held = None
        if held is None or held.number < number:
            stored = read(by, number) if held is None or stored_number(by) > held.number else None
            held = stored or held or self._made(by, number)
        else:
            stored = None
        if held.number < number:
            held = moved(held, by, number)
            if stored is not None:
                # A process that starts behind writes where it got to, so that the next one does not start behind.
                write(held, by)
        self._held[key] = held
        return held

    def _made(self, by: tuple[str, ...], number: int) -> Held:
        base = self._current((), number) if by else None
        held = computed(by, number, base.derived if base else {})
        write(held, by)
        return held

    def keep(self, by: tuple[str, ...], number: int) -> Held:
        """The same, written down for other processes."""
        held = self.current(by, number)
        if stored_number(by) < held.number:
            write(held, by)
        return held

    def release(self) -> None:
        """Forgets what is in memory; what was written down stays, and is read again when asked."""
        with self._lock:
            self._held.clear()

    def clear(self) -> None:
        """Forgets everything, files too (used after a restore)."""
        with self._lock:
            self._held.clear()
            shutil.rmtree(folder(), ignore_errors=True)


STORE = CellStore()


def engine() -> str:
    """The engine of the settings."""
    return f"spark:{settings.ESSAIM_SPARK_MASTER}" if settings.ESSAIM_ENGINE == "spark" else "duckdb"


def concerned(by: tuple[str, ...]) -> tuple[Indicator, ...]:
    """The indicators of the catalogue that may be broken down by all of ``by``."""
    return tuple(item for item in indicators() if set(by) <= set(item.breakdowns)) if by else indicators()


def fact_breakdowns() -> tuple[tuple[str, ...], ...]:
    """The breakdowns of the catalogue that only the facts can tell, one at a time."""
    from essaim.territories.reads import profile_frame

    known = set(profile_frame().columns)
    names = {name for item in indicators() for name in item.breakdowns if name not in known}
    return tuple((name,) for name in sorted(names))


def computed(by: tuple[str, ...], number: int, derived: Mapping[str, pa.Table]) -> Held:
    """Cells from all the facts known at ``number``."""
    asked = concerned(by)
    missing = [name for name in fact_names(asked) if name in derived_facts() and name not in derived]
    made = {**derived, **facts_for(asked, known_at=number, names=missing)}
    far = settings.ESSAIM_ENGINE == "spark"
    facts = {name: made[name] if name in derived_facts() else entries(name, in_place=far) for name in fact_names(asked)}
    cells = measures.cells(asked, facts, by=by, known_at=number, engine=engine())
    kept = {name: facts[name] for name in facts if name in derived_facts()}
    return Held(replace(cells, known_at=None), number, kept)


def moved(held: Held, by: tuple[str, ...], number: int, departements: Sequence[str] | None = None) -> Held:
    """The cells as known at ``number``, later or earlier: entries posted in between are added, or taken away; derived tables
    are made again for the départements touched only. ``departements``: the others may be left as they are."""
    low, high = sorted((held.number, number))
    changed: dict[str, pa.Table] = {}
    derived = dict(held.derived)
    for name in fact_names(concerned(by)):
        if name in derived:
            difference, derived[name] = derived_change(name, derived[name], low, high, known_at=number, only=departements)
        else:
            difference = ledger().changes(table_spec(contract(name)), after=low, upto=high)
            difference = signed(within(difference, departements), -1 if number < held.number else 1)
        if difference.num_rows:
            changed[name] = difference
    return Held(measures.refresh(held.cells, changed) if changed else held.cells, number, derived)


def folder() -> Path:
    """Where cells are written."""
    return Path(settings.ESSAIM_CACHE_DIR) / "figures"


def _generation() -> str:
    """What cells depend on besides the facts: how they are written, and what the catalogue declares."""
    text = _FORMAT + repr([(item.code, item.version, item.measures) for item in indicators()])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _path(by: tuple[str, ...]) -> Path:
    """One file a breakdown: another form or another catalogue is another file."""
    return folder() / f"cells-{_generation()}-{hashlib.sha256('|'.join(by).encode()).hexdigest()[:8]}.zip"


def stored_number(by: tuple[str, ...]) -> int:
    """The number that the cells on disk stand at; −1 when there are none."""
    try:
        with zipfile.ZipFile(_path(by)) as archive:
            return int(json.loads(archive.read("number")))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return -1


def write(held: Held, by: tuple[str, ...]) -> None:
    """Writes cells and derived tables in one file, put in place at once."""
    path = _path(by)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("number", json.dumps(held.number))
        for index, measure in enumerate(_order(by)):
            for layer, frame in enumerate(held.cells.frames[measure]):
                archive.writestr(f"cells/{index}/{layer}", packed(frame))
        for name, table in held.derived.items():
            frame = pl.from_arrow(table)
            assert isinstance(frame, pl.DataFrame)
            archive.writestr(f"derived/{name}", packed(frame))
    partial.replace(path)


def read(by: tuple[str, ...], upto: int) -> Held | None:
    """The cells on disk; None when there are none, or when they know more than ``upto``."""
    try:
        with zipfile.ZipFile(_path(by)) as archive:
            number = int(json.loads(archive.read("number")))
            if number > upto:
                return None
            order = _order(by)
            frames: dict[measures.Measure, list[pl.DataFrame]] = {item: [] for item in order}
            derived: dict[str, pa.Table] = {}
            for entry in archive.namelist():
                kind, _, rest = entry.partition("/")
                if kind == "cells":
                    frames[order[int(rest.partition("/")[0])]].append(pl.read_ipc(io.BytesIO(archive.read(entry))).rechunk())
                elif kind == "derived":
                    derived[rest] = pl.read_ipc(io.BytesIO(archive.read(entry))).to_arrow()
    except (OSError, KeyError, ValueError, IndexError, zipfile.BadZipFile, pl.exceptions.PolarsError):
        return None
    kept = {item: tuple(layers) for item, layers in frames.items()}
    return Held(Cells(kept, by, None, measures.quantile_measures(concerned(by))), number, derived)


def _order(by: tuple[str, ...]) -> list[measures.Measure]:
    return list(dict.fromkeys(part for item in concerned(by) for part in item.measures))


def packed(frame: pl.DataFrame, compression: Literal["uncompressed", "zstd"] = "uncompressed") -> bytes:
    """A frame as it is written in a file."""
    stream = io.BytesIO()
    frame.write_ipc(stream, compression=compression)
    return stream.getvalue()


def brought_up_to_date(number: int) -> Sequence[tuple[str, ...]]:
    """Every set of cells that pages ask, brought to ``number`` and written down; what they keep apart."""
    found = ((), *fact_breakdowns())
    for by in found:
        STORE.keep(by, number)
    drop_stale()
    return found


def drop_stale() -> None:
    """Removes the files of other versions of the program, and what killed processes were writing, once nobody has touched them
    for a while. A file being read stays whole for its reader."""
    before, current = time.time() - _STALE_SECONDS, f"cells-{_generation()}-"
    for path in (*folder().glob("cells-*.zip"), *folder().glob(".cells-*")):
        try:
            if not path.name.startswith(current) and path.stat().st_mtime < before:
                path.unlink()
        except OSError:  # another process was quicker
            continue
