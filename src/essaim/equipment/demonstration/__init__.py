"""The demonstration of the equipment lever: a known truth, and the messy files that tell it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from essaim.equipment.demonstration.layouts import LAYOUTS
from essaim.equipment.demonstration.truth import END, School, Sender, SenderTruth, senders, truth_of

__all__ = ["END", "DemoFile", "School", "Sender", "SenderTruth", "files_of", "senders", "truth_of"]

ROUNDS = (date(2025, 3, 31), date(2025, 9, 30), date(2026, 3, 31), date(2026, 10, 31))
DATED_BY = {
    "orders": "ordered_on",
    "deliveries": "delivered_on",
    "acknowledgements": "received_on",
    "inventory": "counted_on",
}


@dataclass(frozen=True, slots=True)
class DemoFile:
    """One file handed in. ``rows`` is what a perfect reader gets; ``faults`` the number of rows that must be refused."""

    filename: str
    content: bytes
    contract: str
    sender: Sender
    sent_on: date
    rows: tuple[dict[str, Any], ...]
    faults: int


def files_of(truth: SenderTruth, *, seed: int = 2020, layouts: Sequence[Any] = LAYOUTS) -> Iterator[DemoFile]:
    """The files of one sender, oldest first: at each round, everything that happened since the last one."""
    sender = truth.sender
    layout = layouts[sender.style % len(layouts)]
    before = date.min
    for until in ROUNDS:
        for kind, dated_by in DATED_BY.items():
            rows = tuple(row for row in getattr(truth, kind) if before < row[dated_by] <= until)
            if not rows:
                continue
            rng = random.Random(f"{seed}/{sender.code}/{kind}/{until}")
            written, faults = _with_faults(rows, sender, rng)
            title = f"{_slug(kind)}_{sender.code}_{until:%Y-%m}"
            filename, content = layout.write(f"equipment.{kind}", written, title, rng)
            yield DemoFile(filename, content, f"equipment.{kind}", sender, until + timedelta(days=6), rows, faults)
        before = until


def _slug(kind: str) -> str:
    return {"orders": "commandes", "deliveries": "livraisons", "acknowledgements": "receptions", "inventory": "inventaire"}[kind]


def _with_faults(rows: tuple[dict[str, Any], ...], sender: Sender, rng: random.Random) -> tuple[list[dict[str, Any]], int]:
    """One sender in three also writes rows that cannot be accepted: an UAI with the wrong letter, a negative quantity."""
    written = list(rows)
    if sender.style % 3 != 1:
        return written, 0
    wrong = dict(rng.choice(rows))
    wrong["uai"] = wrong["uai"][:-1] + ("A" if wrong["uai"][-1] != "A" else "B")
    absurd = dict(rng.choice(rows))
    absurd["quantity"] = -5
    if "counted_on" in absurd:
        # Of another day: it must not contradict the good row it was copied from.
        absurd["counted_on"] -= timedelta(days=1)
    for fault in (wrong, absurd):
        for name in ("order_ref", "delivery_ref"):
            if fault.get(name):
                fault[name] = f"{fault[name]}-bis"
        written.insert(rng.randrange(1, len(written) + 1), fault)
    return written, 2
