"""Who is running on this home: each process of the site and each worker holds a lock that its death releases.

A restore refuses to start under their feet; a worker that starts knows at once which others died.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_held: dict[Path, int] = {}


def hold_home(home: Path) -> None:
    """Says, until this process ends, that it works on ``home``. Nothing the second time."""
    path = home / "running.lock"
    if path not in _held:
        home.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        fcntl.flock(handle, fcntl.LOCK_SH)
        _held[path] = handle


@contextmanager
def home_alone(home: Path) -> Iterator[bool]:
    """Whether nobody works on ``home``; nobody starts to inside."""
    home.mkdir(parents=True, exist_ok=True)
    handle = os.open(home / "running.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def hold_worker(home: Path, name: str) -> None:
    """Says, until this process ends, that the worker ``name`` is alive."""
    folder = home / "workers"
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    fcntl.flock(handle, fcntl.LOCK_EX)
    _held[folder / name] = handle


def is_dead(home: Path, name: str) -> bool:
    """Whether the worker ``name`` of this home has died. A worker of another home is not known, hence not dead."""
    path = home / "workers" / name
    if not path.exists() or path in _held:
        return False
    handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


def forget_dead(home: Path, keep: set[str]) -> None:
    """Removes the marks of dead workers that no task names any more."""
    for path in (home / "workers").glob("*"):
        if path.name not in keep and is_dead(home, path.name):
            path.unlink(missing_ok=True)
