"""Copies of a whole ledger at one instant, and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import polars as pl
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from .catalogue import Catalogue
from .lock import Lock
from .shape import PARTITION
from .spec import CopiedTable, LedgerRefused
from .store import APPLICATION

_MANIFEST = "manifest.json"
# Up to this number the acts of a table come from a copy: their versions are those of the table copied.
COPIED = "essaim.copiedThrough"


def copy_to(
    source: Catalogue, lock: Lock, folder: Path, probe: Callable[[str], None]
) -> tuple[CopiedTable, ...]:
    """Fix the versions of all tables while no one writes (an instant), then copy at leisure. The manifest comes last:
    without it a copy is unfinished."""
    if folder.exists() and any(folder.iterdir()):
        raise LedgerRefused(
            f"Le dossier {folder} n'est pas vide : choisissez-en un autre pour la sauvegarde."
        )
    with ExitStack() as held:
        for name in source.names():
            held.enter_context(lock(name))
        tables = [_opened(source, name) for name in source.names()]
    probe("versions fixed")
    folder.mkdir(parents=True, exist_ok=True)
    destination = Catalogue(str(folder.absolute()), {})
    done = tuple(_copied(table, destination) for table in tables)
    manifest = [{"name": item.name, "last": item.last, "rows": item.rows} for item in done]
    (folder / _MANIFEST).write_text(json.dumps({"tables": manifest}, indent=1), encoding="utf-8")
    return done


def restore(destination: Catalogue, lock: Lock, folder: Path) -> tuple[CopiedTable, ...]:
    """Write the tables of ``folder`` into an empty ledger and check their counts against the manifest."""
    path = folder / _MANIFEST
    if not path.is_file():
        raise LedgerRefused(f"{folder} n'est pas une sauvegarde complète du registre ({_MANIFEST} absent).")
    if destination.names():
        raise LedgerRefused("Le registre à restaurer n'est pas vide : rien n'a été écrit.")
    wanted = json.loads(path.read_text(encoding="utf-8"))["tables"]
    source = Catalogue(str(folder.absolute()), {})
    done = []
    for item in wanted:
        with lock(item["name"]):
            copied = _copied(_opened(source, item["name"]), destination)
        if (copied.last, copied.rows) != (item["last"], item["rows"]):
            raise LedgerRefused(
                f"Sauvegarde abîmée : la table {item['name']} compte {copied.rows} lignes au n° {copied.last}, "
                f"{item['rows']} lignes au n° {item['last']} attendues."
            )
        done.append(copied)
    return tuple(done)


def _opened(catalogue: Catalogue, name: str) -> DeltaTable:
    return DeltaTable(catalogue.location(name), storage_options=catalogue.options or None)


def _copied(table: DeltaTable, destination: Catalogue) -> CopiedTable:
    """Stream one table at its version into one commit that keeps its declaration and last number."""
    metadata = table.metadata()
    name = str(metadata.name)
    last = table.transaction_version(APPLICATION) or 0
    destination.add(name)
    target = DeltaTable.create(
        destination.location(name),
        schema=table.schema(),
        mode="error",
        partition_by=list(PARTITION),
        name=name,
        description=metadata.description,
        configuration={**metadata.configuration, COPIED: str(last)},
        raise_if_key_not_exists=False,
        storage_options=destination.options or None,
    )
    transactions = [Transaction(APPLICATION, last)] if last else []
    write_deltalake(
        target, table.scan(), mode="append", commit_properties=CommitProperties(app_transactions=transactions)
    )
    rows = sum(pl.DataFrame(target.get_add_actions())["num_records"])
    return CopiedTable(name, last, rows)
