"""The ledger on an S3-compatible store: same meaning, same safety, no lock but the store's conditional writes."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import duckdb
import polars as pl
import pytest

from essaim.engines.ledger import Ledger, LedgerRefused
from object_store import asked

from .child import NOW, batch, plan
from .replaying import BY_FILE, BY_KEY, Naive, rows
from .test_crash_and_crowd import assert_whole, run


def played(ledger: Ledger) -> Naive:
    """The plan, posted; and what a naive replay makes of it."""
    for number, act in plan(30).items():
        if act[0] == "withdraw":
            ledger.withdraw(BY_FILE, target=act[1], submission=number, posted_at=NOW)
        else:
            ledger.post(BY_FILE, act[2], submission=number, sender=act[1], posted_at=NOW)
    return Naive(BY_FILE, plan(30))


def test_every_state_is_that_of_a_replay(bucket: str) -> None:
    """Posts, changes, a replacement and a withdrawal: each past number reads as a naive replay, before and after compaction."""
    ledger = Ledger(bucket)
    naive = played(ledger)
    assert not ledger.is_local and ledger.tables() == (BY_FILE.name,)
    for _ in range(2):
        for number in plan(30):
            assert naive.seen(ledger.state(BY_FILE, known_at=number)) == naive.state(number)
        assert ledger.verify(BY_FILE, journal=plan(30)).problems == ()
        ledger.compact(BY_FILE)
    again = ledger.post(BY_FILE, plan(30)[9][2], submission=9, sender="cergy", posted_at=NOW)
    assert again.submission == 9 and ledger.last(BY_FILE) == 9, "le même acte, repris, ne fait rien"


def test_the_store_alone_keeps_two_writers_apart(bucket: str) -> None:
    """Two processes post at once without any lock: the store refuses the second writer of a version; every act once, in order."""
    names = ("a", "bb")
    children = {name: run("compete", bucket, name, 3, "optimistic") for name in names}
    acts: dict[int, tuple] = {}
    for name, child in children.items():
        output, errors = child.communicate(timeout=180)
        assert child.returncode == 0, errors
        for number, turn in json.loads(output):
            assert number not in acts
            frame = batch(turn, 30)
            acts[number] = ("post", name, frame.with_columns(frame["quantity"] + len(name)))
    naive, ledger = Naive(BY_KEY, acts), Ledger(bucket)
    assert sorted(acts) == list(range(1, 7))
    assert ledger.verify(BY_KEY, journal=acts).problems == ()
    for number in acts:
        assert naive.seen(ledger.state(BY_KEY, known_at=number)) == naive.state(number)


def test_killed_on_the_way(bucket: str) -> None:
    """A process killed between its steps leaves whole acts only; the next one takes them up."""
    for step in (4, 5, 3, 4):
        child = run("resume", bucket, step, 30)
        _, errors = child.communicate(timeout=120)
        assert child.returncode == -signal.SIGKILL, errors
        assert_whole(bucket, 30)
    child = run("resume", bucket, 0, 30)
    assert child.communicate(timeout=120)[0].endswith("done\n")
    assert_whole(bucket, 30)
    assert Ledger(bucket).last(BY_FILE) == max(plan(30))


def test_a_commit_whose_answer_is_lost_counts_once(bucket: str, s3_server: str) -> None:
    """The store did write, the network lost its answer: the act is found again, neither lost nor doubled."""
    ledger = Ledger(bucket)
    ledger.post(BY_KEY, rows({"order_number": "C1", "quantity": 4}), submission=1, sender="x", posted_at=NOW)
    asked("POST", f"{s3_server}/_lose/1")
    posted = ledger.post(
        BY_KEY, rows({"order_number": "C2", "quantity": 5}), submission=2, sender="x", posted_at=NOW
    )
    assert asked("POST", f"{s3_server}/_lose/0") == "0", "aucune réponse n'a été perdue"
    assert posted.submission == 2 and posted.entries == 1
    assert pl.DataFrame(ledger.state(BY_KEY))["quantity"].sum() == 9
    assert ledger.verify(BY_KEY, journal=[1, 2]).problems == ()


def test_duckdb_reads_copies_kept_beside_it(bucket: str, tmp_path: Path) -> None:
    """With a cache, files are local copies that any engine reads; without one they are addresses."""
    ledger = Ledger(bucket, cache=tmp_path)
    assert ledger.files(BY_FILE) == () and ledger.addresses(BY_FILE) == ()
    played(ledger)
    assert all(name.startswith("s3://") for name in Ledger(bucket).files(BY_FILE))
    assert [Path(name).name for name in ledger.files(BY_FILE)] == [
        name.rsplit("/", 1)[1] for name in ledger.addresses(BY_FILE)
    ]
    query = "SELECT departement, CAST(sum(sign * quantity) AS BIGINT) FROM {} GROUP BY 1 ORDER BY 1"
    for number in (4, 9):
        state = pl.DataFrame(ledger.state(BY_FILE, known_at=number))
        expected = state.group_by("departement").agg(pl.col("quantity").sum()).sort("departement").rows()
        with duckdb.connect() as sql:
            assert sql.execute(query.format(ledger.duckdb_source(BY_FILE, known_at=number))).fetchall() == expected


def test_copies_are_made_once_and_dropped_when_stale(bucket: str, tmp_path: Path) -> None:
    """A file is fetched once; after a compaction the copy it replaced goes, but not under a reader that just listed it."""
    ledger = Ledger(bucket, cache=tmp_path)
    played(ledger)
    before = [Path(name) for name in ledger.files(BY_FILE)]
    stamps = [path.stat().st_mtime_ns for path in before]
    assert [Path(name).stat().st_mtime_ns for name in ledger.files(BY_FILE)] == stamps
    ledger.compact(BY_FILE)
    after = {Path(name) for name in ledger.files(BY_FILE)}
    stale = set(before) - after
    assert stale and all(path.exists() for path in stale)
    long_ago = time.time() - 7200
    for path in before:
        os.utime(path, (long_ago, long_ago))
    ledger.files(BY_FILE)
    assert not any(path.exists() for path in stale) and all(path.exists() for path in after)
    assert not list(tmp_path.rglob(".*")), "aucun morceau de fichier ne traîne"


def test_copied_out_and_back(bucket: str, tmp_path: Path) -> None:
    """A backup of a remote ledger is a folder; it is put back into an empty place of the store, and refused in a used one."""
    ledger = Ledger(bucket)
    naive = played(ledger)
    copied = ledger.copy_to(tmp_path / "copy")
    assert Ledger(tmp_path / "copy").verify(BY_FILE, journal=plan(30)).ok
    other = Ledger(f"{bucket}-bis")
    assert other.restore(tmp_path / "copy") == copied
    for number in plan(30):
        assert naive.seen(other.state(BY_FILE, known_at=number)) == naive.state(number)
    with pytest.raises(LedgerRefused, match="pas vide"):
        ledger.restore(tmp_path / "copy")
