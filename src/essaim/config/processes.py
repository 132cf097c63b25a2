"""``python -m essaim.config.processes HOST PORT WORKERS``: web server and worker, started and stopped together.

Children never outlive their parent, and the keyboard does not reach them behind its back. Loads nothing of the site: a
supervisor that waits all day should weigh nothing."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
# A worker asked to stop while it starts may miss the signal: its server waits for it this long, within the deadline of ``stop``.
KILL_SECONDS = "8"
_BACKGROUND = 5
DEATHS = 5
# Freed memory returns to the machine within a second, and threads share two heaps; read by polars (jemalloc), Arrow (mimalloc) and
# the C library when they are loaded, hence set before. The services of deploy/ and the image say the same.
ALLOCATORS = {
    "_RJEM_MALLOC_CONF": "background_thread:true,dirty_decay_ms:500,muzzy_decay_ms:0",
    "MIMALLOC_PURGE_DELAY": "500",
    "MALLOC_ARENA_MAX": "2",
}


def start(command: Sequence[str | Path], *, background: bool = False) -> subprocess.Popen[bytes]:
    """Starts ``command`` in a group of its own: Ctrl+C reaches the parent, which stops its children in order. On Linux the
    child is asked to stop when its parent dies, even killed. In the ``background``, it lets readers go first."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def follow() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if background:
            os.nice(_BACKGROUND)

    return subprocess.Popen(list(command), process_group=0, preexec_fn=follow)


def stop(children: Sequence[subprocess.Popen[bytes]], *, seconds: float = 10.0) -> None:
    """Asks every child to stop, waits for all of them together, kills those that did not."""
    for child in children:
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + seconds
    for child in children:
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            # The whole group: a server killed alone would leave its own workers behind.
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def supervise(host: str, port: str, workers: str) -> int:
    """Runs web server and worker until the server ends or a signal comes, then stops both with a deadline. A worker that dies
    is replaced, and takes up what it held; DEATHS of them within a minute end everything. The address is told once the site
    answers there. The exit code: 0 when asked to stop."""
    for name, value in ALLOCATORS.items():
        os.environ.setdefault(name, value)
    binary = Path(sys.executable).parent
    web = start(
        [binary / "granian", "--interface", "rsgi", "--host", host, "--port", port, "--workers", workers,
         "--no-ws", "--workers-kill-timeout", KILL_SECONDS, "--log-level", "warning",
         "essaim.config.wsgi:application"]
    )  # fmt: skip
    children = [web, _worker()]
    asked: list[int] = []

    def ask(signum: int, frame: object) -> None:
        asked.append(signum)
        for child in children:
            child.terminate()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    deaths: list[float] = []
    ready = False
    while not asked and web.poll() is None:
        if not ready and (ready := _listens(host, port)):
            print(f"\n  Essaim est prêt : http://{host}:{port}\n\n  Ctrl+C pour arrêter.", flush=True)
        if children[1].poll() is not None:
            deaths = [moment for moment in deaths if moment > time.monotonic() - 60] + [time.monotonic()]
            if len(deaths) >= DEATHS:
                break
            children[1] = _worker()
        time.sleep(0.3)
    stop(children)
    # Stopping when asked is no fault, even by force; ending by oneself is.
    return 0 if asked else 1


def _listens(host: str, port: str) -> bool:
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def _worker() -> subprocess.Popen[bytes]:
    return start([sys.executable, "-m", "essaim.config.worker"], background=True)


if __name__ == "__main__":
    sys.exit(supervise(*sys.argv[1:4]))
