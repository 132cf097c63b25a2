"""A process of its own that writes to a ledger, so that tests can kill it or run several at once.

``child.py resume FOLDER DIES_AT SCALE``: play the plan from where the ledger stands; die by SIGKILL at probe DIES_AT (0: never).
``child.py tidy FOLDER``: merge files and delete those replaced, over and over, until killed.
``child.py compete FOLDER NAME COUNT LOCKED``: post COUNT submissions as NAME, numbers drawn from what the ledger holds.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from essaim.engines.ledger import Ledger, OutOfOrder

sys.path.insert(0, str(Path(__file__).parent))
from replaying import BY_FILE, BY_KEY, rows

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def batch(shift: int, scale: int, places: tuple[str, ...] = ("02", "95")) -> pl.DataFrame:
    """``scale`` rows whose keys overlap those of other shifts, values depending on the shift."""
    return rows(
        *(
            {
                "order_number": f"C{number:07d}",
                "quantity": shift if number % 3 else 1,
                "departement": places[number % len(places)],
            }
            for number in range(shift * scale // 3, shift * scale // 3 + scale)
        )
    )


def plan(scale: int) -> dict[int, tuple]:
    """Five acts: posts that add, change, replace; a withdrawal; a new post."""
    return {
        1: ("post", "laon", batch(0, scale)),
        2: ("post", "cergy", batch(1, scale)),
        4: ("post", "laon", batch(2, scale)),
        5: ("withdraw", 2),
        9: ("post", "cergy", batch(1, scale, ("02",))),
    }


def resume(folder: str, dies_at: int, scale: int) -> None:
    """Redo the plan from the last number accepted, included: repeating it must be harmless."""
    met = 0

    def probe(_point: str) -> None:
        nonlocal met
        met += 1
        if met == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    ledger = Ledger(folder, probe=probe)
    acts = plan(scale)
    print("ready", flush=True)
    for number, act in acts.items():
        if number < ledger.last(BY_FILE):
            continue
        if act[0] == "withdraw":
            ledger.withdraw(BY_FILE, target=act[1], submission=number, posted_at=NOW)
        else:
            ledger.post(BY_FILE, act[2], submission=number, sender=act[1], posted_at=NOW)
    print("done", flush=True)


def compete(folder: str, name: str, count: int, locked: bool) -> None:
    """Post ``count`` submissions in competition with others; print the numbers won."""
    ledger = Ledger(folder) if locked else Ledger(folder, lock=lambda _name: nullcontext())
    won = []
    for turn in range(count):
        frame = batch(turn, 30, ("02", "95")).with_columns(pl.col("quantity") + len(name))
        while True:
            number = ledger.last(BY_KEY) + 1
            try:
                ledger.post(BY_KEY, frame, submission=number, sender=name, posted_at=NOW)
            except OutOfOrder:
                continue
            won.append((number, turn))
            break
    print(json.dumps(won), flush=True)


def tidy(folder: str) -> None:
    """Compact every table for as long as one lives."""
    ledger = Ledger(folder)
    print("ready", flush=True)
    while True:
        for spec in (BY_KEY, BY_FILE):
            ledger.compact(spec)


if __name__ == "__main__":
    if sys.argv[1] == "resume":
        resume(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    elif sys.argv[1] == "tidy":
        tidy(sys.argv[2])
    else:
        compete(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5] == "locked")
