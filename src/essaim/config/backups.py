"""Copying a whole installation while people work, and putting it back.

The database is copied first, at one instant; the ledger and the files received only grow, so a later copy of them holds
everything that the database speaks of. Restoring finishes what was begun, exactly as after a crash.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connection

MANIFEST = "sauvegarde.json"


class BackupRefused(Exception):
    """A backup that cannot be made or restored; ``args[0]`` is the French message: what, why, what to do."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds: number of files, bytes, last number posted when it was made."""

    files: int
    bytes: int
    number: int


def make_backup(folder: Path) -> Backup:
    """Writes database, ledger, received files and a manifest of SHA-256 into the empty ``folder``."""
    from essaim.foundation.reads.facts import ledger

    if folder.exists() and any(folder.iterdir()):
        raise BackupRefused(f"Le dossier {folder} n'est pas vide : choisissez-en un nouveau pour cette sauvegarde.")
    folder.mkdir(parents=True, exist_ok=True)
    number = _copy_database(folder)
    ledger().copy_to(folder / "ledger")
    _copy_files(folder / "files")
    manifest = {str(path.relative_to(folder)): _digest(path) for path in _files(folder)}
    size = sum(path.stat().st_size for path in _files(folder))
    told = {"made_at": datetime.now(UTC).isoformat(), "engine": connection.vendor, "number": number, "files": manifest}
    (folder / MANIFEST).write_text(json.dumps(told, indent=1), encoding="utf-8")
    return Backup(len(manifest), size, number)


def restore_backup(folder: Path, *, replace: bool = False) -> Backup:
    """Puts back the backup ``folder``. Refuses a damaged backup, another kind of database, and an installation already in
    use unless ``replace`` (it is then set aside, never deleted)."""
    told = _checked(folder)
    if told["engine"] != connection.vendor:
        raise BackupRefused(f"Cette sauvegarde vient d'une base {told['engine']} ; cette installation utilise {connection.vendor}.")
    _make_room(replace)
    _restore_database(folder)
    from django.core.management import call_command

    from essaim.foundation import acts
    from essaim.foundation.reads.facts import ledger

    if (folder / "ledger").exists():
        ledger().restore(folder / "ledger")
    if (folder / "files").exists():
        shutil.copytree(folder / "files", settings.ESSAIM_FILES_DIR, dirs_exist_ok=True)
    call_command("migrate", verbosity=0, interactive=False)
    acts.recover()
    _forget_caches()
    return Backup(len(told["files"]), 0, told["number"])


def _copy_database(folder: Path) -> int:
    """Copies the database at one instant; the last number it knows."""
    from essaim.foundation.models import Posting

    if connection.vendor == "sqlite":
        source = sqlite3.connect(settings.DATABASES["default"]["NAME"])
        target = sqlite3.connect(folder / "essaim.sqlite3")
        try:
            source.backup(target)
            (number,) = target.execute("SELECT coalesce(max(number), 0) FROM foundation_posting").fetchone()
        finally:
            source.close()
            target.close()
        return int(number)
    number = Posting.objects.order_by("-number").values_list("number", flat=True).first() or 0
    _postgres("pg_dump", "--format=custom", "--no-owner", f"--file={folder / 'essaim.dump'}")
    return number


def _postgres(program: str, *arguments: str) -> None:
    """Runs a PostgreSQL program on the configured database; the password goes by the environment, never the command line."""
    found = settings.DATABASES["default"]
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    environment = {**os.environ, **{key: str(found[name]) for key, name in names.items() if found.get(name)}}
    if shutil.which(program) is None:
        raise BackupRefused(f"Le programme {program} est introuvable : installez le client PostgreSQL.")
    done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupRefused(f"{program} a échoué : {done.stderr.strip().splitlines()[-1] if done.stderr else done.returncode}")


def _copy_files(target: Path) -> None:
    source = Path(settings.ESSAIM_FILES_DIR)
    if source.exists():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.tmp", ".*"))


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MANIFEST)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _checked(folder: Path) -> dict:  # type: ignore[type-arg]
    path = folder / MANIFEST
    if not path.exists():
        raise BackupRefused(f"{folder} n'est pas une sauvegarde complète : {MANIFEST} manque.")
    told = json.loads(path.read_text(encoding="utf-8"))
    for name, digest in told["files"].items():
        if not (folder / name).exists() or _digest(folder / name) != digest:
            raise BackupRefused(f"Sauvegarde abîmée : {name} manque ou a changé. Utilisez une autre sauvegarde ; rien n'a été touché.")
    return told


def _make_room(replace: bool) -> None:
    """Sets aside what is there; refuses when it holds data and ``replace`` was not asked."""
    from essaim.foundation.models import Posting

    ledger_dir, home = Path(str(settings.ESSAIM_LEDGER_URL)), Path(settings.HOME)
    tables = connection.introspection.table_names()
    in_use = "foundation_posting" in tables and Posting.objects.exists()
    if (in_use or (ledger_dir.exists() and any(ledger_dir.iterdir()))) and not replace:
        raise BackupRefused("Cette installation contient déjà des données. Ajoutez --replace pour la mettre de côté et rétablir la sauvegarde.")
    aside = home / f"avant-restauration-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    connection.close()
    for path in (ledger_dir, Path(settings.ESSAIM_FILES_DIR), *home.glob("essaim.sqlite3*")):
        if path.exists():
            aside.mkdir(parents=True, exist_ok=True)
            shutil.move(str(path), str(aside / path.name))


def _restore_database(folder: Path) -> None:
    if connection.vendor == "sqlite":
        Path(settings.HOME).mkdir(parents=True, exist_ok=True)
        shutil.copy2(folder / "essaim.sqlite3", settings.DATABASES["default"]["NAME"])
    else:
        _postgres("pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", f"--dbname={settings.DATABASES['default']['NAME']}", str(folder / "essaim.dump"))


def _forget_caches() -> None:
    """Everything derived is made again: register snapshot, cells."""
    from essaim.evaluation.reads import STORE

    STORE.clear()
    shutil.rmtree(settings.ESSAIM_CACHE_DIR, ignore_errors=True)
