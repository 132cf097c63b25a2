"""Real workers, killed and stopped at the worst moments: nothing is lost, nothing is done twice, nobody is left behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ESSAIM = Path(sys.executable).with_name("essaim")
SLOW_CHECK = """
import os, signal, sys, time
import django
django.setup()
from essaim.foundation.acts import accepting, checking
real, write = checking._understood, accepting._write
def slow(*arguments, **named):
    open(os.environ["ESSAIM_MARK"], "a").write("checking\\n")
    time.sleep(float(os.environ["ESSAIM_SLOW"]))
    return real(*arguments, **named)
def slow_write(*arguments, **named):
    posted = write(*arguments, **named)
    open(os.environ["ESSAIM_MARK"], "a").write("written\\n")
    time.sleep(float(os.environ["ESSAIM_SLOW"]))
    return posted
checking._understood = slow
accepting._write = slow_write
from essaim.config import worker
worker.main()
"""


@pytest.fixture
def working(home, built, tmp_path):
    """A home with a register, and a way to start a worker whose work lasts ``slow`` seconds longer."""
    made = home("working", built)
    mark = tmp_path / "mark"

    def start(slow: float):
        return made.start(sys.executable, "-c", SLOW_CHECK, ESSAIM_SLOW=str(slow), ESSAIM_MARK=str(mark))

    made.slow_worker, made.mark = start, mark
    return made


def _marks(mark: Path, word: str) -> int:
    return mark.read_text().count(word) if mark.exists() else 0


def test_a_worker_killed_in_the_middle_of_a_check_is_replaced_at_once(working, until):
    """kill -9 while a file is being understood: the next worker does it, without waiting for any delay."""
    pk = working.does("enqueue", "equipment.deliveries", "30").strip()
    first = working.slow_worker(60)
    until(lambda: _marks(working.mark, "checking"))
    assert working.state(pk)["state"] == "checking"
    first.kill()
    first.wait(10)
    started = time.monotonic()
    second = working.slow_worker(0)
    until(lambda: working.state(pk)["state"] == "checked", 90)
    told = until(lambda: (found := working.state(pk))["tasks"] == ["SUCCESSFUL"] and found, 30)
    assert told["accepted"] == 30 and told["deaths"] == [2] and working.proof(pk)["breaks"] == []
    assert time.monotonic() - started < 90
    second.terminate()
    assert second.wait(20) == 0


def test_a_worker_killed_once_the_ledger_is_written_posts_once(working, until):
    """kill -9 between the ledger and the database: the next worker finishes the same number, the rows are there once."""
    pk = working.does("enqueue", "equipment.deliveries", "30").strip()
    patient = working.slow_worker(0)
    until(lambda: working.state(pk)["state"] == "checked", 90)
    patient.terminate()
    patient.wait(20)
    working.does("enqueue-acceptance", pk)
    first = working.slow_worker(60)
    until(lambda: _marks(working.mark, "written"))
    first.kill()
    first.wait(10)
    assert working.state(pk)["state"] == "accepting"
    second = working.slow_worker(0)
    until(lambda: (found := working.state(pk))["state"] == "accepted" and found["tasks"][-1] == "SUCCESSFUL", 90)
    assert working.proof(pk) == {"problems": [], "entries": 30, "breaks": []}
    second.terminate()
    assert second.wait(20) == 0


def test_a_worker_asked_to_stop_finishes_what_it_can(working, until):
    """A task that ends within the grace is finished; the worker then leaves."""
    pk = working.does("enqueue", "equipment.deliveries", "30").strip()
    worker = working.slow_worker(1)
    until(lambda: _marks(working.mark, "checking"))
    worker.terminate()
    assert worker.wait(20) == 0
    told = working.state(pk)
    assert (told["state"], told["tasks"]) == ("checked", ["SUCCESSFUL"])


def test_a_worker_asked_to_stop_gives_back_what_it_cannot_finish(working, until):
    """A task that would outlast the grace goes back to the queue, its submission to where it was; insisting changes nothing."""
    pk = working.does("enqueue", "equipment.deliveries", "30").strip()
    worker = working.slow_worker(60)
    until(lambda: _marks(working.mark, "checking"))
    started = time.monotonic()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        worker.send_signal(number)
        time.sleep(0.2)
    assert worker.wait(20) == 0 and time.monotonic() - started < 45  # far less than the minute the task would take
    told = working.state(pk)
    assert (told["state"], told["tasks"]) == ("received", ["READY"])
    second = working.slow_worker(0)
    until(lambda: working.state(pk)["state"] == "checked", 90)
    second.terminate()


def test_a_file_that_keeps_killing_its_worker_is_refused(working, until):
    """Three workers die on the same file: it is refused with its reason, and the others go on."""
    pk = working.does("enqueue", "equipment.deliveries", "30").strip()
    for death in range(1, 4):
        worker = working.slow_worker(60)
        until(lambda death=death: _marks(working.mark, "checking") == death, 90)
        worker.kill()
        worker.wait(10)
    survivor = working.slow_worker(0)
    told = until(lambda: (found := working.state(pk))["state"] == "refused" and found, 60)
    assert told["tasks"] == ["FAILED"] and "interrompue trois fois" in told["reason"]
    assert survivor.poll() is None
    survivor.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answer(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
            return answer.read() == b"ok"
    except OSError:
        return False


def _descendants(pid: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            parent = re.search(r"^PPid:\s+(\d+)", status.read_text(), re.M)
        except OSError:
            continue
        if parent and int(parent[1]) == pid:
            child = int(status.parent.name)
            found += [child, *_descendants(child)]
    return found


def _alive(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


@pytest.mark.parametrize("how", ["keyboard", "terminate", "kill"])
def test_run_leaves_no_one_behind(home, built, until, how):
    """Ctrl+C in a terminal (the whole group), SIGTERM, even kill -9 of the parent: site and worker end, the port is free."""
    running = home("running", built)
    port = _free_port()
    parent = running.start(ESSAIM, "run", "--no-demo", "--port", str(port), "--workers", "2" if how == "kill" else "1")
    told = next(line for line in parent.stdout if "est prêt" in line)
    assert f"http://127.0.0.1:{port}" in told and _answer(port), "prêt : le site répond à l'adresse annoncée"
    family = _descendants(parent.pid)
    assert len(family) >= 3
    if how == "keyboard":
        os.killpg(parent.pid, signal.SIGINT)
    else:
        parent.send_signal(signal.SIGTERM if how == "terminate" else signal.SIGKILL)
    try:
        parent.wait(20)
    except subprocess.TimeoutExpired:
        raise AssertionError("essaim run ne s'arrête pas") from None
    until(lambda: not any(_alive(pid) for pid in family), 20)
    assert how == "kill" or parent.returncode == 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


def test_run_never_shares_its_address(home, built):
    """A port where another site listens, even one that shares it, is refused with what to do: visitors would see both in turn."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        told = home("second", built).run(ESSAIM, "run", "--no-demo", "--port", str(port), code=4)
    assert f"127.0.0.1:{port}" in told and f"--port {port + 1}" in told
