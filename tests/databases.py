"""The database of a test run: SQLite, or with ``ESSAIM_TEST_DATABASE=postgres`` a PostgreSQL server of its own."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

_OWNERS = ("postgres", "nobody")


class NoPostgreSQL(Exception):
    """PostgreSQL cannot be started here; ``args[0]`` says why."""


def _programs() -> Path:
    """Folder of the newest PostgreSQL installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda item: float(item.parent.name))
    if found and (found[-1] / "initdb").exists():
        return found[-1]
    named = shutil.which("initdb")
    if named:
        return Path(named).parent
    raise NoPostgreSQL("PostgreSQL n'est pas installé (paquet postgresql)")


def _owner() -> tuple[int, int] | None:
    """Who runs the server: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    for name in _OWNERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise NoPostgreSQL("aucun compte sans privilège pour lancer PostgreSQL")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster:
    """A PostgreSQL server on a loopback port, in a folder of its own, gone when stopped. ``url`` names its database."""

    def __init__(self) -> None:
        self._bin = _programs()
        self._owner = _owner()
        self.folder = Path(tempfile.mkdtemp(prefix="essaim-pg-", dir="/tmp"))
        self.port = _free_port()
        if self._owner:
            os.chown(self.folder, *self._owner)
        data = str(self.folder / "data")
        self._run("initdb", "-D", data, "-U", "essaim", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} "
            "-c jit=off -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=60 -c shared_buffers=64MB"
        )
        self._run("pg_ctl", "-D", data, "-w", "-l", str(self.folder / "log"), "-o", options, "start")
        self._data = data
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "essaim", "essaim")
        atexit.register(self.stop)

    @property
    def url(self) -> str:
        return f"postgresql://essaim@127.0.0.1:{self.port}/essaim"

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        if self.folder.exists():
            self._run("pg_ctl", "-D", self._data, "-m", "immediate", "stop", check=False)
            shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        who = {"user": self._owner[0], "group": self._owner[1], "extra_groups": []} if self._owner else {}
        done = subprocess.run(
            [str(self._bin / program), *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT if program != "pg_ctl" else subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            timeout=90,
            check=False,
            **who,
        )
        if check and done.returncode:
            raise NoPostgreSQL(f"{program} a échoué : {(done.stdout or b'').decode(errors='replace')[-500:]}")


def prepare_database() -> None:
    """Read ESSAIM_TEST_DATABASE (``sqlite``, ``postgres`` or a postgresql:// address) and set ESSAIM_DATABASE_URL.

    Child processes of the tests inherit the address, and so the same server."""
    wish = os.environ.get("ESSAIM_TEST_DATABASE", "sqlite")
    if wish.startswith("postgresql://"):
        os.environ["ESSAIM_DATABASE_URL"] = wish
    elif wish == "postgres":
        os.environ["ESSAIM_DATABASE_URL"] = os.environ["ESSAIM_TEST_DATABASE"] = Cluster().url
    elif wish == "sqlite":
        os.environ["ESSAIM_DATABASE_URL"] = ""
    else:
        raise ValueError(f"ESSAIM_TEST_DATABASE: {wish}")


def let_tests_empty_the_journal() -> None:
    """Transactional tests empty every table; the triggers that protect the journal step aside for that moment only."""
    from django.db import connections
    from django.db.backends.base.operations import BaseDatabaseOperations

    from essaim.foundation.guard import protect_journal, release_journal

    flush = BaseDatabaseOperations.execute_sql_flush

    def execute_sql_flush(self, sql_list):
        connection = connections[self.connection.alias]
        journal = "foundation_act" in connection.introspection.table_names()
        if journal:
            release_journal(connection)
        flush(self, sql_list)
        if journal:
            protect_journal(connection)

    BaseDatabaseOperations.execute_sql_flush = execute_sql_flush
