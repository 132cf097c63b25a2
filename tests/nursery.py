"""A process that has loaded the libraries of the site and knows no installation: programs of the tests begin as children of it,
in a third of the time that a new process takes. Run as a program.

``nursery.py SOCKET``: a message is a program, its words, its environment and the three files it reads and writes; the answer is
the number of its process, in a group of its own. A message that is a number waits for that process; the answer is its exit code.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest

# What takes long and reads no setting. The models and the rest of the site come after the fork, with the settings of the installation.
LIBRARIES = (
    "click", "deltalake", "django.contrib.staticfiles.storage", "django.core.management", "django.db.models", "django.forms",
    "django.test.client", "django.views.generic", "duckdb", "essaim.engines.intake", "essaim.engines.ledger", "essaim.engines.measures",
    "polars", "pyarrow.compute", "pydantic_settings", "rapidfuzz", "rich.progress", "structlog", "xlsxwriter",
)  # fmt: skip


class Nursery:
    """The side of the tests."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen([sys.executable, __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()])

    def start(self, program: Path, *words: str, environment: dict[str, str]) -> Started:
        """Begins a program."""
        (stdin, commands), (answers, stdout) = os.pipe(), os.pipe()
        errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed with the rest)
        told = json.dumps([str(program), words, environment]).encode()
        socket.send_fds(self._socket, [told], [stdin, stdout, errors.fileno()])
        os.close(stdin)
        os.close(stdout)
        return Started(self, int(self._socket.recv(32)), commands, answers, errors)

    def wait(self, pid: int) -> int:
        """How a process ended, as ``subprocess`` tells it."""
        self._socket.send(json.dumps(pid).encode())
        return int(self._socket.recv(32))

    def close(self) -> None:
        self._socket.close()
        self._process.wait(20)


class Started:
    """A program begun, what it reads and what it writes."""

    def __init__(self, nursery: Nursery, pid: int, stdin: int, stdout: int, errors: tempfile._TemporaryFileWrapper[str]) -> None:
        self._nursery, self.pid, self._errors = nursery, pid, errors
        self.stdin, self.stdout = os.fdopen(stdin, "w"), os.fdopen(stdout)

    def errors(self) -> str:
        """What it wrote of its errors until now."""
        self._errors.seek(0)
        return self._errors.read()

    def communicate(self) -> tuple[int, str, str]:
        """Waits for the end: exit code, output, errors."""
        self.stdin.close()
        out = self.stdout.read()
        told = self._nursery.wait(self.pid), out, self.errors()
        self.stdout.close()
        self._errors.close()
        return told

    def end(self) -> None:
        """Ends it and all that it began, at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.communicate()


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """What the site is made of, loaded once for all the installations of a process."""
    made = Nursery()
    yield made
    made.close()


def main(door: socket.socket) -> None:
    for name in LIBRARIES:
        import_module(name)
    while True:
        message, ends, _, _ = socket.recv_fds(door, 1 << 18, 3)
        if not message:
            return
        asked = json.loads(message)
        if isinstance(asked, int):
            door.send(str(os.waitstatus_to_exitcode(os.waitpid(asked, 0)[1])).encode())
            continue
        child = os.fork()
        if child == 0:
            door.close()
            _become(*asked, *ends)
        door.send(str(child).encode())
        for end in ends:
            os.close(end)


def _become(program: str, words: list[str], environment: dict[str, str], *ends: int) -> None:
    os.setsid()
    for place, end in enumerate(ends):
        os.dup2(end, place)
        os.close(end)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [program, *words]
    code = 1
    try:
        runpy.run_path(program, run_name="__main__")
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
