"""A call forked from this very process: for a short-lived program that holds no secret and has everything imported already."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Collection
from importlib import import_module
from pathlib import Path

from .warm import Unavailable

# Started by the import of polars: waits for spilled files to remove, and holds nothing meanwhile.
_AT_REST = frozenset(("polars-ooc-clea",))


def _other_threads() -> list[str]:
    tasks = Path("/proc/self/task")
    return [(task / "comm").read_text().strip() for task in tasks.iterdir() if task.name != str(os.getpid())]


def run_here(folder: Path, known: Collection[str], check: Callable[[int, int], None], poll: float) -> int:
    """Run the request of ``folder`` in a fork of this process; the return code of the call, which knows of the environment what
    is ``known``. ``check(pid, own pid)`` is called every ``poll`` seconds and ends the call by raising. Refuses with Unavailable a
    process in which threads work: what they hold would stay held in the fork."""
    if any(name not in _AT_REST for name in _other_threads()):
        raise Unavailable
    hatch = import_module(f"{__package__}.hatch")
    import_module(f"{__package__}.cell")
    pid = os.fork()
    if pid == 0:
        for name in [name for name in os.environ if name not in known]:
            del os.environ[name]
        hatch.call(str(folder))
    watched = os.pidfd_open(pid)
    try:
        while not select.select([watched], [], [], poll)[0]:
            check(pid, os.getpid())
    finally:
        code = _ended(pid)
        os.close(watched)
    return code


def _ended(pid: int) -> int:
    """Kill the call if it still runs, and whatever it had started; reap it."""
    for end in (os.killpg, os.kill):  # it may not lead its group yet
        try:
            end(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
