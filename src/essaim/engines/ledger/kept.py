"""Tables kept open between two askings: opening one reads its log from the last checkpoint, bringing one up to date only what was
committed since.

A table at rest is lent to one asking at a time, so that nobody's snapshot moves under them. Local folders only: there, a folder
removed, or filled again by a restoration, is told from the one that was read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

Identity: TypeAlias = tuple[int, int, int | None]
# A table brought up to date more often than this lists its files more slowly than one just opened.
_PATIENCE = 8


class Kept:
    """At most one table at rest for each location. Taking and giving back are single operations on a dictionary: no lock, which a
    snapshot collected in the midst of another's opening would wait for."""

    def __init__(self) -> None:
        self._at_rest: dict[str, tuple[Identity, int, DeltaTable]] = {}

    def take(self, location: str, identity: Identity | None) -> tuple[DeltaTable, int] | None:
        """The table at rest for a folder that is still the same, at its newest version and nobody else's until given back, with the
        version it was opened at."""
        found = self._at_rest.pop(location, None)
        if found is None or found[0] != identity:
            return None
        _, opened, table = found
        try:
            table.update_incremental()
        except (DeltaError, OSError):  # opened again, the table says what is wrong
            return None
        return (table, opened) if table.version() - opened <= _PATIENCE else None

    def give_back(self, location: str, identity: Identity, opened: int, table: DeltaTable) -> None:
        """Puts a table at rest; of two, the last given back stays."""
        self._at_rest[location] = identity, opened, table


def identity_of(location: str) -> Identity | None:
    """What tells the table of a folder from another written there later; None far away, or where there is no table."""
    if "://" in location:
        return None
    log = Path(location) / "_delta_log"
    try:
        folder = os.stat(log)
    except OSError:
        return None
    try:
        first: int | None = os.stat(log / f"{0:020}.json").st_ctime_ns  # which no copy keeps, as it may the day of the content
    except OSError:  # an old log forgets its beginning
        first = None
    return folder.st_dev, folder.st_ino, first


KEPT = Kept()
