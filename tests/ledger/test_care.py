"""A damaged table is told, and a copy gives back the same ledger."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from essaim.engines.ledger import Ledger, LedgerRefused

from .child import plan
from .replaying import BY_FILE, BY_KEY, rows

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def filled(folder: Path) -> Ledger:
    ledger = Ledger(folder)
    for number, act in plan(30).items():
        if act[0] == "withdraw":
            ledger.withdraw(BY_FILE, target=act[1], submission=number, posted_at=NOW)
        else:
            ledger.post(BY_FILE, act[2], submission=number, sender=act[1], posted_at=NOW)
    return ledger


def tamper(ledger: Ledger, **changes: pl.Expr) -> None:
    """Write one entry behind the ledger's back."""
    table = DeltaTable(f"{ledger.url}/{BY_FILE.name}")
    entry = pl.DataFrame(table.scan(predicate="part = 'entries' AND sign = 1")).sort("submission").tail(1)
    write_deltalake(table, entry.with_columns(**changes).to_arrow().cast(_schema(table)), mode="append")


def _schema(table: DeltaTable):
    return pl.DataFrame(table.scan()).clear().to_arrow(compat_level=pl.CompatLevel.oldest()).schema


def test_a_sound_table_is_proved(tmp_path: Path) -> None:
    """Counts given, no problem; the journal is compared both ways."""
    ledger = filled(tmp_path)
    proof = ledger.verify(BY_FILE, journal=[1, 2, 4, 5, 9])
    assert proof.ok and proof.submissions == 5 and proof.entries == ledger.entries(BY_FILE).num_rows
    assert (
        "au registre mais pas au journal : n° 9" in ledger.verify(BY_FILE, journal=[1, 2, 4, 5]).problems[0]
    )
    assert (
        "au journal mais pas au registre : n° 10"
        in ledger.verify(BY_FILE, journal=[1, 2, 4, 5, 9, 10]).problems[0]
    )
    assert ledger.verify(BY_KEY, journal=[]).ok


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "solde sort de 0 ou 1"),
        ({"sign": pl.lit(-1, pl.Int8), "quantity": pl.lit(77, pl.Int64)}, "annulation"),
        ({"submission": pl.lit(8, pl.Int64), "order_number": pl.lit("Z")}, "inconnu"),
        ({"order_number": pl.lit("Z")}, "annonce"),
        ({"order_number": pl.lit("Z"), "origin": pl.lit(1, pl.Int64)}, "diffère du rejeu"),
        ({"order_number": pl.lit("Z")}, "conservée"),
    ],
    ids=["doubled", "unmatched", "unknown act", "counts", "state", "claims"],
)
def test_a_damaged_table_is_told(tmp_path: Path, changes: dict, told: str) -> None:
    """Each kind of damage has its sentence."""
    ledger = filled(tmp_path)
    tamper(ledger, **changes)
    proof = ledger.verify(BY_FILE)
    assert not proof.ok and any(told in problem for problem in proof.problems), proof.problems


def test_copy_and_restore_give_the_same_ledger(tmp_path: Path) -> None:
    """All tables, every state, outcomes and last numbers; the copy goes on as a ledger."""
    ledger = filled(tmp_path / "a")
    ledger.post(
        BY_KEY, rows({"order_number": "C1", "departement": None}), submission=3, sender="x", posted_at=NOW
    )
    copied = ledger.copy_to(tmp_path / "copy")
    again = Ledger(tmp_path / "b")
    assert again.restore(tmp_path / "copy") == copied
    assert again.tables() == ledger.tables() == (BY_KEY.name, BY_FILE.name)
    for number in range(10):
        one, two = (
            pl.DataFrame(each.state(BY_FILE, known_at=number)).sort("order_number")
            for each in (ledger, again)
        )
        assert one.equals(two)
    assert again.last(BY_FILE) == 9 and again.verify(BY_FILE, journal=plan(30)).ok
    assert (
        again.post(BY_FILE, rows({"order_number": "new"}), submission=10, sender="x", posted_at=NOW).new == 1
    )
    assert again.verify(BY_FILE, journal=[*plan(30), 10]).problems == (), "une copie qui a continué"
    again.copy_to(tmp_path / "second")
    third = Ledger(tmp_path / "c")
    third.restore(tmp_path / "second")
    third.post(BY_FILE, rows({"order_number": "newer"}), submission=11, sender="x", posted_at=NOW)
    assert third.verify(BY_FILE, journal=[*plan(30), 10, 11]).problems == ()


def test_a_copy_is_of_one_instant(tmp_path: Path) -> None:
    """What others post while files are being copied is not in the copy."""
    filled(tmp_path / "a")

    def meanwhile(point: str) -> None:
        if point == "versions fixed":
            writer = threading.Thread(
                target=lambda: Ledger(tmp_path / "a").post(
                    BY_FILE, rows({"order_number": "late"}), submission=20, sender="late", posted_at=NOW
                )
            )
            writer.start()
            writer.join()

    ledger = Ledger(tmp_path / "a", probe=meanwhile)
    [copied] = ledger.copy_to(tmp_path / "copy")
    assert copied.last == 9 and ledger.last(BY_FILE) == 20
    assert Ledger(tmp_path / "copy").verify(BY_FILE, journal=plan(30)).ok


def test_copies_that_cannot_be_trusted_are_refused(tmp_path: Path) -> None:
    """A folder in use, a copy cut short, a ledger in use, counts that differ."""
    ledger = filled(tmp_path / "a")
    ledger.copy_to(tmp_path / "copy")
    for attempt, told in (
        (lambda: ledger.copy_to(tmp_path / "copy"), "pas vide"),
        (lambda: ledger.restore(tmp_path / "copy"), "pas vide"),
        (lambda: Ledger(tmp_path / "b").restore(tmp_path), "complète"),
    ):
        with pytest.raises(LedgerRefused, match=told):
            attempt()
    manifest = tmp_path / "copy" / "manifest.json"
    told = json.loads(manifest.read_text())
    told["tables"][0]["rows"] += 1
    manifest.write_text(json.dumps(told))
    with pytest.raises(LedgerRefused, match="abîmée"):
        Ledger(tmp_path / "c").restore(tmp_path / "copy")
