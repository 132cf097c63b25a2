"""One acceptance at a time in the whole installation, across processes and machines; a dead holder lets go."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

_ACCEPT, _JOURNAL = 0x657373, 0x657374


@contextmanager
def accept_lock() -> Iterator[None]:
    """Hold the right to number and post. PostgreSQL: an advisory lock of the session (needs a direct connection or
    session pooling); SQLite: a lock on a file of ESSAIM_HOME. Not reentrant."""
    if connection.vendor == "postgresql":
        with _advisory_lock(_ACCEPT):
            yield
    else:
        with _file_lock(Path(settings.HOME) / "accept.lock"):
            yield


@contextmanager
def _advisory_lock(key: int) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [key])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def lock_journal() -> None:
    """Until the end of the transaction, nobody else adds to the journal (SQLite transactions exclude one another)."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_JOURNAL])
