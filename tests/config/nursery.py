"""A process that has loaded the libraries of the site and knows no home; each home is served by a child of it. Run as a program.

``nursery.py SOCKET``: each message is the environment of a home, with the two ends it reads and writes; the answer is the number
of the process, in a group of its own, that goes on as ``small_home.py serve``.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

PROGRAM = Path(__file__).with_name("small_home.py")
# What takes long and reads no setting. The models and the rest of the site come after the fork, with the settings of the home.
LIBRARIES = (
    "click", "deltalake", "django.contrib.staticfiles.storage", "django.core.management", "django.db.models", "django.forms",
    "django.test.client", "django.views.generic", "duckdb", "essaim.engines.intake", "essaim.engines.ledger", "essaim.engines.measures",
    "polars", "pyarrow.compute", "pydantic_settings", "rapidfuzz", "rich.progress", "structlog", "xlsxwriter",
)  # fmt: skip


class Served:
    """A home served by a child of the nursery."""

    def __init__(self, pid: int, stdin: int, stdout: int) -> None:
        self.pid, self.stdin, self.stdout = pid, os.fdopen(stdin, "w"), os.fdopen(stdout)

    def end(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.stdin.close()
        self.stdout.close()


class Nursery:
    """The side of the tests."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen([sys.executable, __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()])

    def serve(self, environment: dict[str, str]) -> Served:
        (stdin, commands), (answers, stdout) = os.pipe(), os.pipe()
        socket.send_fds(self._socket, [json.dumps(environment).encode()], [stdin, stdout])
        os.close(stdin)
        os.close(stdout)
        return Served(int(self._socket.recv(32)), commands, answers)

    def close(self) -> None:
        self._socket.close()
        self._process.wait(20)


def main(door: socket.socket) -> None:
    for name in LIBRARIES:
        import_module(name)
    while True:
        message, ends, _, _ = socket.recv_fds(door, 1 << 18, 2)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG if message else 0)[0]:
                pass
        if not message:
            return
        child = os.fork()
        if child == 0:
            door.close()
            _become(json.loads(message), *ends)
        door.send(str(child).encode())
        for end in ends:
            os.close(end)


def _become(environment: dict[str, str], stdin: int, stdout: int) -> None:
    os.setsid()
    os.dup2(stdin, 0)
    os.dup2(stdout, 1)
    os.dup2(stdout, 2)
    os.close(stdin)
    os.close(stdout)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [str(PROGRAM), "serve"]
    try:
        runpy.run_path(str(PROGRAM), run_name="__main__")
    finally:
        os._exit(0)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
