"""A process kept ready: everything imported, nothing ever read. Each call is forked from it and dies with its file.

Speaks with the server through its standard input and output, one call at a time: ``run FOLDER`` → ``started PID``, then
``ended CODE``; ``kill`` ends the call at once. The forked process holds neither end of that conversation. Run as
``python -m …contain.hatch``."""

from __future__ import annotations

import gc
import importlib
import os
import select
import signal
import sys
import tempfile
from pathlib import Path

_PRELOADED = (
    "essaim.engines.intake.reading",
    "essaim.engines.intake.annotate.original",
    "essaim.engines.intake.annotate.rebuilt",
    "essaim.engines.intake.reading.legacy",
    "essaim.engines.intake.reading.markup",
    "essaim.engines.intake.reading.ods",
    "essaim.engines.intake.reading.workbook",
    "essaim.engines.intake.checking",
    "essaim.engines.intake.contain.cell",
    "essaim.engines.intake.contain.exchange",
    "openpyxl",
    "xlsxwriter",
)


def main() -> int:
    """Serve calls until the server closes the conversation."""
    for module in _PRELOADED:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    _say("ready")
    while line := _hear():
        verb, _, folder = line.partition(" ")
        if verb == "run" and not _serve(folder):
            return 0
    return 0


def _say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def _hear() -> str:
    """The next line of the server, without its end; empty when it has gone."""
    heard = b""
    while not heard.endswith(b"\n"):
        piece = os.read(0, 1)
        if not piece:
            return ""
        heard += piece
    return heard[:-1].decode()


def _serve(folder: str) -> bool:
    """One call, from fork to reaping; False when the server went away meanwhile."""
    pid = os.fork()
    if pid == 0:
        call(folder)
    try:
        os.setpgid(pid, pid)
    except OSError:
        pass  # the call has set it itself, or is already over
    _say(f"started {pid}")
    watched, present = os.pidfd_open(pid), True
    while True:
        ready, _, _ = select.select([watched, 0], [], [])
        if watched in ready:
            break
        present = bool(_hear())
        os.kill(pid, signal.SIGKILL)
        if not present:
            break
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    try:
        os.killpg(pid, signal.SIGKILL)  # whatever the call had started; its number is still ours
    except (ProcessLookupError, PermissionError):
        pass
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(watched)
    if present:
        _say(f"ended {code}")
    return present


def call(folder: str) -> None:
    """The forked side: leaves the conversation, computes within its limits, never returns."""
    code = 1
    try:
        os.setpgid(0, 0)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        os.chdir(folder)
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        cell = sys.modules["essaim.engines.intake.contain.cell"]
        code = cell.main(Path(folder))
    except BaseException:
        code = 1
    finally:
        os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
