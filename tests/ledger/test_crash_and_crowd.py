"""Killed at any moment, or crowded by other writers, the ledger loses nothing and doubles nothing."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from essaim.engines.ledger import Ledger

from .child import NOW, batch, plan
from .replaying import BY_FILE, BY_KEY, Naive

CHILD = Path(__file__).with_name("child.py")


def run(*arguments: object) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, str(CHILD), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def assert_whole(folder: Path, scale: int) -> None:
    """What the ledger holds is exactly the plan up to its last number."""
    ledger, last = Ledger(folder), Ledger(folder).last(BY_FILE)
    acts = {number: act for number, act in plan(scale).items() if number <= last}
    naive = Naive(BY_FILE, acts)
    assert ledger.verify(BY_FILE, journal=acts).problems == ()
    for number in acts:
        assert naive.seen(ledger.state(BY_FILE, known_at=number)) == naive.state(number)


def test_killed_at_each_step_in_turn(tmp_path: Path) -> None:
    """A process dies one step further each time; whatever it left is whole, and the next one takes it up."""
    # An act passes four steps (six when it creates the table); the last act, repeated, passes one.
    for step in (2, 3, 4, 3, 4, 4, 5, 5, 3, 4, 5):
        child = run("resume", tmp_path, step, 30)
        _, errors = child.communicate(timeout=60)
        assert child.returncode == -signal.SIGKILL, errors
        assert_whole(tmp_path, 30)
    child = run("resume", tmp_path, 0, 30)
    assert child.communicate(timeout=60)[0].endswith("done\n")
    assert_whole(tmp_path, 30)
    assert Ledger(tmp_path).last(BY_FILE) == max(plan(30))


def kill_at_random(folder: Path, times: int, scale: int, seed: int) -> None:
    """Kill children after random delays, wherever they are (also inside the Delta Lake writer)."""
    draw = random.Random(seed)
    for _ in range(times):
        child = run("resume", folder, 0, scale)
        assert child.stdout is not None and child.stdout.readline() == "ready\n"
        time.sleep(draw.uniform(0.0, 0.35))
        child.kill()
        child.communicate(timeout=60)
        assert_whole(folder, scale)
    child = run("resume", folder, 0, scale)
    child.communicate(timeout=120)
    assert_whole(folder, scale)
    assert Ledger(folder).last(BY_FILE) == max(plan(scale))


def test_killed_at_random(tmp_path: Path) -> None:
    """A few kills at random instants."""
    kill_at_random(tmp_path, 2, 2000, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_killed_at_random_many_times(tmp_path: Path, seed: int) -> None:
    """Many kills at random instants."""
    kill_at_random(tmp_path, 12, 6000, seed)


@pytest.mark.parametrize("locked", ["locked", "optimistic"])
def test_crowd_of_processes(tmp_path: Path, locked: str) -> None:
    """Processes that post at once, with the file lock or with Delta Lake's conflicts alone: every act once, in order."""
    names = ("a", "bb")
    children = {name: run("compete", tmp_path, name, 6, locked) for name in names}
    acts: dict[int, tuple] = {}
    for name, child in children.items():
        output, errors = child.communicate(timeout=120)
        assert child.returncode == 0, errors
        for number, turn in json.loads(output):
            assert number not in acts
            frame = batch(turn, 30)
            acts[number] = ("post", name, frame.with_columns(frame["quantity"] + len(name)))
    naive, ledger = Naive(BY_KEY, acts), Ledger(tmp_path)
    assert sorted(acts) == list(range(1, 13))
    assert ledger.verify(BY_KEY, journal=acts).problems == ()
    for number in acts:
        assert naive.seen(ledger.state(BY_KEY, known_at=number)) == naive.state(number)


def test_killed_while_compacting(tmp_path: Path) -> None:
    """A compaction killed at random instants changes no row at any number, and the next one ends its work."""
    draw = random.Random(5)
    source = tmp_path / "source"
    run("resume", source, 0, 300).communicate(timeout=120)
    for turn in range(4):
        folder = tmp_path / str(turn)
        shutil.copytree(source, folder)
        child = run("tidy", folder)
        assert child.stdout is not None and child.stdout.readline() == "ready\n"
        time.sleep(draw.uniform(0.0, 0.12))
        child.kill()
        child.communicate(timeout=60)
        assert_whole(folder, 300)
        merged = Ledger(folder).compact(BY_FILE)
        assert merged.after <= merged.before
        assert_whole(folder, 300)
        assert Ledger(folder).last(BY_FILE) == max(plan(300))


@pytest.mark.parametrize("locked", ["locked", "optimistic"])
def test_compacting_while_others_post(tmp_path: Path, locked: str) -> None:
    """Files are merged without rest while two processes post: every act is there once, in order, whatever the lock."""
    names = ("a", "bb")
    children = {name: run("compete", tmp_path, name, 5, locked) for name in names}
    tidy = run("tidy", tmp_path)
    acts: dict[int, tuple] = {}
    for name, child in children.items():
        output, errors = child.communicate(timeout=180)
        assert child.returncode == 0, errors
        for number, turn in json.loads(output):
            assert number not in acts
            frame = batch(turn, 30)
            acts[number] = ("post", name, frame.with_columns(frame["quantity"] + len(name)))
    assert tidy.poll() is None, tidy.stderr.read() if tidy.stderr else ""
    tidy.kill()
    tidy.communicate(timeout=60)
    naive, ledger = Naive(BY_KEY, acts), Ledger(tmp_path)
    assert sorted(acts) == list(range(1, 11))
    assert ledger.verify(BY_KEY, journal=acts).problems == ()
    for number in acts:
        assert naive.seen(ledger.state(BY_KEY, known_at=number)) == naive.state(number)


def test_readers_see_whole_acts_only(tmp_path: Path) -> None:
    """Reading while another thread posts gives the state at some number, never a half of one."""
    acts = plan(300)
    naive, sizes, stop = Naive(BY_FILE, acts), set(), threading.Event()
    expected = {len(naive.state(number)) for number in (0, *acts)}
    failures: list[BaseException] = []

    def read() -> None:
        try:
            while not stop.is_set():
                sizes.add(len(naive.seen(Ledger(tmp_path).state(BY_FILE))))
        except BaseException as error:
            failures.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for number, act in acts.items():
        if act[0] == "withdraw":
            Ledger(tmp_path).withdraw(BY_FILE, target=act[1], submission=number, posted_at=NOW)
        else:
            Ledger(tmp_path).post(BY_FILE, act[2], submission=number, sender=act[1], posted_at=NOW)
    stop.set()
    reader.join(timeout=30)
    assert not failures and sizes <= expected
