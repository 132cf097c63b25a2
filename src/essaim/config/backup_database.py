"""The database side of backups: a copy at one instant, setting aside what is there, putting a copy back."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

ASIDE = "avant_restauration_"


class BackupRefused(Exception):
    """A backup that cannot be made or restored; ``args[0]`` is the French message: what, why, what to do."""


@dataclass(frozen=True, slots=True)
class Instant:
    """The database as frozen at one instant: its last number, and the files that it speaks of."""

    number: int
    sha256: frozenset[str]
    checks: frozenset[str]
    migrations: tuple[str, ...]
    snapshot: str = ""


@contextmanager
def instant(folder: Path) -> Iterator[Instant]:
    """Freezes the database. SQLite is copied there and then; PostgreSQL keeps its snapshot until ``copy_instant``."""
    if connection.vendor == "sqlite":
        target = folder / "essaim.sqlite3"
        _copy_sqlite(Path(settings.DATABASES["default"]["NAME"]), target)
        copied = sqlite3.connect(target)
        try:
            yield _told(copied.cursor())
        finally:
            copied.close()
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        (snapshot,) = cursor.fetchone()
        yield _told(cursor, snapshot)


def copy_instant(folder: Path, frozen: Instant) -> None:
    """Writes the frozen database into ``folder`` (PostgreSQL; SQLite is already there)."""
    if connection.vendor != "sqlite":
        arguments = ("--format=custom", "--no-owner", "--no-privileges", f"--exclude-schema={ASIDE}*", f"--snapshot={frozen.snapshot}")
        _postgres("pg_dump", *arguments, f"--file={folder / 'essaim.dump'}")


def _told(cursor: Any, snapshot: str = "") -> Instant:
    def column(query: str) -> list[Any]:
        cursor.execute(query)
        return [row[0] for row in cursor.fetchall()]

    return Instant(
        number=int(column("SELECT coalesce(max(number), 0) FROM foundation_posting")[0]),
        sha256=frozenset(column("SELECT sha256 FROM foundation_submission")),
        checks=frozenset(column("SELECT checked_key FROM foundation_submission WHERE checked_key <> ''")),
        migrations=tuple(column("SELECT app || '.' || name FROM django_migrations ORDER BY id")),
        snapshot=snapshot,
    )


def _copy_sqlite(source: Path, target: Path) -> None:
    """A whole copy through SQLite's own backup: writers go on, the copy is one instant."""
    reading, writing = sqlite3.connect(source, timeout=30), sqlite3.connect(target)
    try:
        reading.backup(writing)
        writing.execute("PRAGMA journal_mode=DELETE")
    finally:
        writing.close()
        reading.close()


def is_in_use_elsewhere() -> bool:
    """Whether another process is connected to the PostgreSQL database."""
    if connection.vendor == "sqlite":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        return bool(cursor.fetchone()[0])


def set_aside(aside: Path, stamp: str) -> None:
    """Moves the database out of the way, whole: SQLite files to ``aside``, PostgreSQL's schema under another name."""
    if connection.vendor == "sqlite":
        connection.close()
        database = Path(settings.DATABASES["default"]["NAME"])
        for path in database.parent.glob(f"{database.name}*"):
            aside.mkdir(parents=True, exist_ok=True)
            shutil.move(path, aside / path.name)
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f'ALTER SCHEMA public RENAME TO "{ASIDE}{stamp}"')
        cursor.execute("CREATE SCHEMA public")
    connection.close()


def bring_back(aside: Path, stamp: str) -> None:
    """Undoes ``set_aside`` after a restore that failed."""
    connection.close()
    if connection.vendor == "sqlite":
        database = Path(settings.DATABASES["default"]["NAME"])
        for path in database.parent.glob(f"{database.name}*"):
            path.unlink()
        for path in aside.glob(f"{database.name}*"):
            shutil.move(path, database.parent / path.name)
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE")
        cursor.execute(f'ALTER SCHEMA "{ASIDE}{stamp}" RENAME TO public')


def put_back(folder: Path) -> None:
    """Writes the copy of ``folder`` where the database was, once it has been set aside."""
    if connection.vendor == "sqlite":
        database = Path(settings.DATABASES["default"]["NAME"])
        database.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / "essaim.sqlite3", database)
        return
    name = settings.DATABASES["default"]["NAME"]
    arguments = ("--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", f"--dbname={name}")
    _postgres("pg_restore", *arguments, str(folder / "essaim.dump"))


def _postgres(program: str, *arguments: str) -> None:
    """Runs a PostgreSQL program on the configured database; the password goes by the environment, never the command line."""
    found = settings.DATABASES["default"]
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    options = {"PGSSLMODE": "sslmode", "PGSSLROOTCERT": "sslrootcert", "PGSSLCERT": "sslcert", "PGSSLKEY": "sslkey"}
    given = found.get("OPTIONS", {})
    environment = {**os.environ, **{key: str(found[name]) for key, name in names.items() if found.get(name)}}
    environment |= {key: str(given[name]) for key, name in options.items() if name in given}
    if shutil.which(program) is None:
        raise BackupRefused(f"Le programme {program} est introuvable : installez le client PostgreSQL (paquet postgresql-client).")
    done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        told = done.stderr.strip().splitlines()
        raise BackupRefused(f"{program} a échoué : {told[-1] if told else done.returncode}")
