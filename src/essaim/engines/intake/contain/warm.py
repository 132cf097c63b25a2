"""The server's side of the processes kept ready (see ``hatch``): lent to one call at a time, replaced when they fail."""

from __future__ import annotations

import atexit
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

_ENTRY = "essaim.engines.intake.contain.hatch"
_KEPT_READY = 2
_START = 30.0
_PATIENCE = 2.0


class Unavailable(Exception):
    """No process could be kept ready: the call must start its own."""


class Hatch:
    """One process kept ready. Not shared between threads: ``borrow`` lends it to one call."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", _ENTRY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd="/",
            start_new_session=True,
            close_fds=True,
            bufsize=0,
        )
        self._heard = b""
        if self._line(_START) != "ready":
            self.close()
            raise Unavailable

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        """Whether the process can take a call."""
        return self._process.poll() is None

    def run(self, folder: Path, each: Callable[[int, int], None], poll: float) -> int:
        """Run the request of ``folder``; the return code of the call. ``each(pid, pid kept ready)`` is called every
        ``poll`` seconds and ends the call by raising; the process is unusable after Unavailable."""
        self._tell(f"run {folder}")
        verb, _, number = (self._line(_PATIENCE * 5) or "").partition(" ")
        if verb != "started":
            self.close()
            raise Unavailable
        try:
            return self._follow(int(number), each, poll)
        except BaseException:
            self._stop()
            raise

    def _follow(self, call: int, each: Callable[[int, int], None], poll: float) -> int:
        while (line := self._line(poll)) is None:
            each(call, self.pid)
        if line.startswith("ended "):
            return int(line.split()[1])
        self.close()
        return -signal.SIGKILL

    def _stop(self) -> None:
        """Have the call killed and reaped; the process kept ready dies with it if it does not answer."""
        try:
            self._tell("kill")
            if (self._line(_PATIENCE) or "").startswith("ended "):
                return
        except Unavailable:
            pass
        self.close()

    def _tell(self, text: str) -> None:
        try:
            os.write(self._input(), f"{text}\n".encode())
        except OSError:
            self.close()
            raise Unavailable from None

    def _input(self) -> int:
        stream = self._process.stdin
        if stream is None or stream.closed:
            raise OSError("closed")
        return stream.fileno()

    def _line(self, seconds: float) -> str | None:
        """The next line heard within ``seconds``; None when nothing came, empty when the process has gone."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self._heard:
            stream = self._process.stdout
            if stream is None or stream.closed:
                return ""
            ready, _, _ = select.select([stream], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                return None
            piece = os.read(stream.fileno(), 4096)
            if not piece:
                return ""
            self._heard += piece
        line, _, self._heard = self._heard.partition(b"\n")
        return line.decode()

    def close(self) -> None:
        """End the process and what it runs, and reap it."""
        self.forget()
        if self._process.poll() is None:
            try:
                self._process.wait(timeout=_PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()

    def forget(self) -> None:
        """Close our ends of the conversation."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def disown(self) -> None:
        """In a copy of the server made by fork: let go of a process that is not ours."""
        self.forget()
        self._process.returncode = 0


_idle: list[Hatch] = []
_lock = threading.Lock()


def borrow(environment: dict[str, str]) -> Hatch:
    """A process ready for one call; started when none is idle."""
    while True:
        with _lock:
            hatch = _idle.pop() if _idle else None
        if hatch is None:
            return Hatch(environment)
        if hatch.alive():
            return hatch
        hatch.close()


def give_back(hatch: Hatch) -> None:
    """Keep a process for the next call, unless it has failed or enough are kept."""
    with _lock:
        if hatch.alive() and len(_idle) < _KEPT_READY:
            _idle.append(hatch)
            return
    hatch.close()


def close_all() -> None:
    """End every idle process; the next call starts a new one."""
    with _lock:
        hatches, _idle[:] = list(_idle), []
    for hatch in hatches:
        hatch.close()


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()
    for hatch in _idle:
        hatch.disown()
    _idle.clear()


atexit.register(close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
