"""Run the reading of a hostile file in a process of its own: bounded memory, bounded time, killed without remains."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ..tables import FileRefused, Limits
from .exchange import load_result, store
from .here import run_here
from .warm import Unavailable, borrow, close_all, give_back

__all__ = ["close_all", "contained"]

Result = TypeVar("Result")
_ENTRY = "essaim.engines.intake.contain.cell"


def contained(
    function: Callable[..., Result], *args: Any, limits: Limits | None = None, warm: bool = True, here: bool = False, **named: Any
) -> Result:
    """``function(*args, **named)`` computed in a separate process within ``limits`` (memory_bytes, seconds).

    ``function`` must be importable by name and live in ``essaim``; frames come back through Arrow files, and only
    plain values, frames and ``essaim`` dataclasses are accepted back. FileRefused raised inside is raised here; a
    crash, an excess of memory or of time becomes FileRefused ``contained_crash``, ``too_much_memory`` or
    ``too_much_time``. The process and all it started are gone when this returns: with ``warm`` it is forked from a process
    kept ready, which has everything imported and never reads a file itself; memory counts from there. With ``here`` it is
    forked from this one, unless threads run in it: only for a program that holds no secret. Safe under threads and after a fork
    of the server; ``close_all`` ends what is kept ready, as does the end of the interpreter."""
    limits = limits or Limits()
    folder = Path(tempfile.mkdtemp(prefix="essaim-cell-"))
    try:
        store(folder, "request", (function.__module__, function.__qualname__, args, named, limits))
        returncode = _run_warm(folder, limits, here) if warm or here else _run(folder, limits)
        outcome = _outcome(folder)
        if outcome is None:
            raise _died(returncode)
        kind, value = outcome
        if kind == "refused":
            raise FileRefused(*value)
        return value  # type: ignore[no-any-return]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _outcome(folder: Path) -> tuple[str, Any] | None:
    try:
        return load_result(folder)
    except Exception:  # a damaged or forged result is no result
        return None


def _run_warm(folder: Path, limits: Limits, here: bool) -> int:
    deadline = time.monotonic() + limits.seconds

    def check(call: int, ready: int) -> None:
        if time.monotonic() >= deadline:
            raise _too_long(limits)
        if _resident(call) > limits.memory_bytes + _resident(ready):
            raise _too_big()

    if here:
        try:
            return run_here(folder, _KEPT, check, _POLL)
        except Unavailable:
            pass
    try:
        hatch = borrow(_environment() | {"PYTHONPATH": _python_path()})
    except (Unavailable, OSError):
        return _run(folder, limits)
    try:
        return hatch.run(folder, check, _POLL)
    except Unavailable:
        return _run(folder, limits)
    finally:
        give_back(hatch)


def _python_path() -> str:
    return os.pathsep.join(path for path in sys.path if path)


def _environment() -> dict[str, str]:
    """What a contained process may know of the server: no secret, no setting."""
    kept = {key: value for key, value in os.environ.items() if key in _KEPT}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    threads["_RJEM_MALLOC_CONF"] = "background_thread:false"  # nothing but its own thread in a process that forks
    return kept | threads | {"POLARS_MAX_THREADS": str(min(4, os.cpu_count() or 1)), "PYTHONDONTWRITEBYTECODE": "1"}


def _run(folder: Path, limits: Limits) -> int:
    environment = _environment() | {"PYTHONPATH": _python_path(), "TMPDIR": str(folder)}
    process = subprocess.Popen(
        [sys.executable, "-m", _ENTRY, str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=folder,
        start_new_session=True,
        close_fds=True,
    )
    try:
        return _watch(process, limits)
    finally:
        _end(process)


def _watch(process: subprocess.Popen[bytes], limits: Limits) -> int:
    """Wait for the end, the deadline, or resident memory above the limit, whichever comes first."""
    deadline = time.monotonic() + limits.seconds
    while True:
        try:
            return process.wait(timeout=max(0.001, min(_POLL, deadline - time.monotonic())))
        except subprocess.TimeoutExpired:
            if time.monotonic() >= deadline:
                raise _too_long(limits) from None
            if _resident(process.pid) > limits.memory_bytes:
                raise _too_big() from None


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0


_POLL = 0.02
_PAGE = os.sysconf("SC_PAGE_SIZE")


_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the whole session of the process, then reap it."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.wait()


def _too_long(limits: Limits) -> FileRefused:
    return FileRefused(
        "too_much_time",
        f"La lecture du fichier a dépassé {limits.seconds:g} secondes : simplifiez-le ou découpez-le, puis recommencez.",
    )


def _too_big() -> FileRefused:
    return FileRefused(
        "too_much_memory",
        "La lecture du fichier demande trop de mémoire : retirez les feuilles et les colonnes inutiles, ou découpez-le.",
    )


def _died(returncode: int) -> FileRefused:
    if returncode in (-signal.SIGABRT, -signal.SIGKILL, -signal.SIGSEGV, -signal.SIGBUS, 101):
        return _too_big()
    if returncode in (-signal.SIGXCPU, -signal.SIGALRM):
        return FileRefused("too_much_time", "La lecture du fichier demande trop de calcul : découpez-le, puis recommencez.")
    return FileRefused(
        "contained_crash",
        "Le fichier n'a pas pu être lu : il est sans doute endommagé. Enregistrez-le de nouveau, puis renvoyez-le.",
    )
