"""One writer at a time for a ledger kept in a local folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

Lock = Callable[[str], AbstractContextManager[object]]


def folder_lock(folder: Path) -> Lock:
    """A lock per table name, held by an open file under ``folder``.

    The system frees it when its process dies, whatever the way; threads and processes alike wait their turn."""

    @contextmanager
    def hold(name: str) -> Iterator[None]:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    return hold
