"""Homes of their own for tests that start, kill and restore real processes, on the database system under test."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nursery import Nursery, Started
from object_store import bucket, s3_server

__all__ = ["bucket", "built", "home", "s3_server", "until"]

PROGRAM, END = Path(__file__).with_name("small_home.py"), "=="


class Home:
    """An installation in a folder: its processes see this home and its database, nothing of the tests' own."""

    def __init__(self, nursery: Nursery, folder: Path, like: Home | None = None, **more: str) -> None:
        self.nursery, self.folder = nursery, folder
        if like is not None:
            shutil.copytree(like.folder, folder, ignore=shutil.ignore_patterns("metrics", "workers", "running.lock"))
        folder.mkdir(parents=True, exist_ok=True)
        self.env = {**os.environ, "DJANGO_SETTINGS_MODULE": "essaim.config.settings", "ESSAIM_HOME": str(folder)}
        for name in ("ESSAIM_LEDGER_URL", "ESSAIM_FILES_URL", "PROMETHEUS_MULTIPROC_DIR", "ESSAIM_DEMO"):
            self.env.pop(name, None)
        self.env.update(more)
        server = os.environ.get("ESSAIM_DATABASE_URL", "")
        if server:
            self.env["ESSAIM_DATABASE_URL"] = _new_database(server, like)
        self.children: list[subprocess.Popen[str]] = []
        self.server: Started | None = None

    def start(self, *command: str | Path, **more: str) -> subprocess.Popen[str]:
        """Starts a command of this home; it is killed at the end of the test at the latest."""
        child = subprocess.Popen(
            [str(part) for part in command], env={**self.env, **more}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, start_new_session=True,
        )
        self.children.append(child)
        return child

    def run(self, *command: str | Path, code: int = 0, **more: str) -> str:
        """Output of a command that must end with ``code``; output and errors together when it is not 0."""
        child = self.start(*command, **more)
        out, err = child.communicate(timeout=180)
        assert child.returncode == code, f"{command}: {child.returncode}\n{out[-1500:]}\n{err[-2500:]}"
        return out + err if code else out

    def essaim(self, *words: str | Path, code: int = 0) -> str:
        """What the command line wrote (errors too) in a new process that was loaded beforehand; it must end with ``code``."""
        return self.does("essaim", *(str(word) for word in words), code=code)

    def does(self, *words: str, code: int = 0) -> str:
        """What a verb of ``small_home.py`` wrote, carried out by a new process."""
        if self.server is None:
            self.server = self.nursery.start(PROGRAM, "serve", environment=self.env)
        self.server.stdin.write(json.dumps(words) + "\n")
        self.server.stdin.flush()
        written: list[str] = []
        for line in self.server.stdout:
            if line.startswith(END):
                assert line.split() == [END, str(code)], f"{words}: {line}{''.join(written)[-2500:]}"
                return "".join(written)
            written.append(line)
        raise AssertionError(f"{words}: {self.server.errors()[-2500:]}")

    def told(self, *parts: str, known_at: int | str = "") -> dict:
        """What stands in this home, whole or these parts of it, as known at a number."""
        return json.loads(self.does("told", str(known_at), *parts).splitlines()[-1])

    def worker(self, **more: str) -> subprocess.Popen[str]:
        return self.start(sys.executable, "-m", "essaim.config.worker", **more)

    def state(self, pk: str) -> dict:
        return json.loads(self.does("state", pk).splitlines()[-1])

    def proof(self, pk: str) -> dict:
        return json.loads(self.does("proof", pk).splitlines()[-1])

    def end(self) -> None:
        if self.server is not None:
            self.server.end()
        for child in self.children:
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            # What a child leaves behind holds its output open: said here rather than waited for.
            child.communicate(timeout=60)


def _new_database(server: str, like: Home | None) -> str:
    import psycopg

    name = f"essaim_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        template = f" TEMPLATE {like.env['ESSAIM_DATABASE_URL'].rpartition('/')[2]}" if like is not None else ""
        connection.execute(f"CREATE DATABASE {name}{template}")
    return server.rsplit("/", 1)[0] + f"/{name}"


@pytest.fixture(scope="session")
def built(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A small home with a register and files accepted, made once, to be copied and never touched."""
    made = Home(nursery, tmp_path_factory.mktemp("built") / "home")
    made.does("build")
    made.end()
    return made


@pytest.fixture
def home(nursery: Nursery, tmp_path: Path) -> Iterator[Callable[..., Home]]:
    """Makes homes: ``home("name")``; everything they started is gone after the test."""
    made: list[Home] = []

    def make(name: str = "home", like: Home | None = None, **more: str) -> Home:
        made.append(Home(nursery, tmp_path / name, like, **more))
        return made[-1]

    yield make
    for item in made:
        item.end()


@pytest.fixture
def until() -> Callable[[Callable[[], object], float], object]:
    """Waits for something true, at most so many seconds; fails otherwise."""

    def wait(test: Callable[[], object], seconds: float = 60.0) -> object:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = test()
            if found:
                return found
            time.sleep(0.1)
        raise AssertionError("toujours pas, après le délai")

    return wait
