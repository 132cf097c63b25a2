"""Which tables a ledger holds, and where; itself a small Delta table, since object stores list poorly."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import TableNotFoundError

_SCHEMA = pa.schema([("name", pa.string())])


class Catalogue:
    """Names of the tables of the ledger at ``url``. A name is written before its table is created, so that a crash in
    between leaves a name without table, which is not shown."""

    def __init__(self, url: str, options: Mapping[str, str]) -> None:
        self.url = url
        self.options = dict(options)

    def location(self, name: str) -> str:
        """Address of the table ``name``."""
        return f"{self.url}/{name}"

    def add(self, name: str) -> None:
        """Remember ``name``; nothing when it is known."""
        if name in self._names():
            return
        write_deltalake(
            self.location("_catalogue"),
            pa.table({"name": [name]}, schema=_SCHEMA),
            mode="append",
            storage_options=self.options or None,
        )

    def names(self) -> tuple[str, ...]:
        """Names of the tables that exist, sorted."""
        existing = (
            name
            for name in self._names()
            if DeltaTable.is_deltatable(self.location(name), storage_options=self.options or None)
        )
        return tuple(sorted(existing))

    def _names(self) -> set[str]:
        try:
            table = DeltaTable(self.location("_catalogue"), storage_options=self.options or None)
        except TableNotFoundError:
            return set()
        return {name for batch in table.scan() for name in batch["name"].to_pylist()}
