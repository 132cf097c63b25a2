"""Copies beside the reader of the Parquet files of a ledger kept far away.

Files of a Delta table are never rewritten, so a copy is right for ever: it is made once, whole, and dropped when the table
no longer lists the file."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deltalake.fs import DeltaStorageHandler

_BLOCK = 8 << 20
# A reader that listed files before a compaction may still be about to open their copies.
_KEPT_SECONDS = 3600.0


class Nearby:
    """Copies, under ``folder``, of files of the ledger at ``url``. Several processes may share the folder."""

    def __init__(self, url: str, options: Mapping[str, str], folder: Path) -> None:
        self.url = url
        self.folder = folder / hashlib.sha256(url.encode()).hexdigest()[:16]
        self._options = dict(options)

    def paths(self, addresses: Sequence[str]) -> tuple[str, ...]:
        """Local paths of the files at ``addresses``, fetched when missing. FileNotFoundError when one is no longer there."""
        wanted = [self._path(address) for address in addresses]
        missing = [path for path in wanted if not path.exists()]
        if missing:
            handler = DeltaStorageHandler(self.url, self._options or None)
            with ThreadPoolExecutor(min(8, len(missing))) as pool:
                list(pool.map(lambda path: self._fetch(handler, path), missing))
        return tuple(map(str, wanted))

    def drop(self, table: str, listed: Iterable[str]) -> None:
        """Delete the copies of files of ``table`` that are not ``listed`` any more, once old enough."""
        kept = {self._path(address) for address in listed}
        oldest = time.time() - _KEPT_SECONDS
        for path in (self.folder / table).rglob("*.parquet"):
            if path not in kept and path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)

    def _path(self, address: str) -> Path:
        return self.folder / address.removeprefix(self.url).lstrip("/")

    def _fetch(self, handler: DeltaStorageHandler, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
        try:
            with handler.open_input_stream(str(path.relative_to(self.folder))) as stream, partial.open("wb") as target:
                shutil.copyfileobj(stream, target, _BLOCK)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
