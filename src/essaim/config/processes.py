"""Child processes that never outlive their parent, and that the keyboard does not reach behind its back."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def start(command: Sequence[str | Path]) -> subprocess.Popen[bytes]:
    """Starts ``command`` in a group of its own: Ctrl+C reaches the parent, which stops its children in order. On Linux the
    child is asked to stop when its parent dies, even killed."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def follow() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return subprocess.Popen(list(command), process_group=0, preexec_fn=follow)


def stop(children: Sequence[subprocess.Popen[bytes]], *, seconds: float = 10.0) -> None:
    """Asks every child to stop, waits for all of them together, kills those that did not."""
    import time

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
