"""Tables kept open between two askings never show less than a table just opened."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
from deltalake import DeltaTable

from essaim.engines.ledger import Ledger, store
from essaim.engines.ledger.kept import Kept, identity_of

from .child import NOW, batch
from .replaying import BY_KEY, rows


def post(ledger: Ledger, number: int, shift: int = 0) -> None:
    ledger.post(BY_KEY, batch(shift, 6), submission=number, sender="laon", posted_at=NOW)


def orders(ledger: Ledger) -> set[str]:
    return set(ledger.state(BY_KEY, columns=["order_number"])["order_number"].to_pylist())


def test_a_table_is_opened_once_then_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over ten acts a table is opened twice, not at each of thirty askings; what each finds is what was last posted."""
    ledger, opened = Ledger(tmp_path / "ledger"), []
    post(ledger, 1)
    shutil.copytree(tmp_path / "ledger", tmp_path / "other")
    monkeypatch.setattr(store, "DeltaTable", lambda *given, **named: opened.append(given) or DeltaTable(*given, **named))
    other = Ledger(tmp_path / "other")
    for number in range(2, 12):
        post(other, number, number)
        assert other.last(BY_KEY) == number and f"C{number * 2:07d}" in orders(other)
    assert len(opened) == 2, "une fois au début, une fois quand le journal a grandi"


def test_what_another_wrote_is_seen(tmp_path: Path) -> None:
    """A table at rest here while somebody else commits, merges its files and writes a checkpoint is read as they left it."""
    ledger = Ledger(tmp_path / "ledger")
    post(ledger, 1)
    location = str(tmp_path / "ledger" / BY_KEY.name)
    at_rest = store.KEPT.take(location, identity_of(location))
    assert at_rest is not None
    for number in range(2, 6):
        post(ledger, number, number)
    ledger.compact(BY_KEY, keep_hours=0)
    identity = identity_of(location)
    assert identity is not None
    store.KEPT.give_back(location, identity, at_rest[1], at_rest[0])
    assert (ledger.last(BY_KEY), orders(ledger)) == (5, {f"C{n:07d}" for n in (*range(6), *range(4, 16))})


def test_a_snapshot_in_use_never_moves(tmp_path: Path) -> None:
    """Two snapshots held at once have a table each: what one commits leaves the other at its version."""
    ledger = Ledger(tmp_path / "ledger")
    post(ledger, 1)
    before = ledger._open(BY_KEY)
    version = before.version
    post(ledger, 2, 5)
    after = ledger._open(BY_KEY)
    assert before.delta is not after.delta
    assert (before.version, before.last, after.last) == (version, 1, 2)


@pytest.mark.parametrize("acts", [0, 1, 3])
def test_a_folder_filled_again_is_read_again(tmp_path: Path, acts: int) -> None:
    """After a restoration in place, whatever number of acts it holds, nothing of the former table is left."""
    place, ledger = tmp_path / "ledger", Ledger(tmp_path / "ledger")
    post(ledger, 1)
    post(ledger, 2, 9)
    shutil.rmtree(place)
    other = Ledger(tmp_path / "other")
    for number in range(1, acts + 1):
        other.post(BY_KEY, rows({"order_number": f"R{number}", "departement": "02"}), submission=number, sender="laon", posted_at=NOW)
    if acts:
        shutil.copytree(tmp_path / "other", place, copy_function=shutil.copy2)
    assert ledger.last(BY_KEY) == acts
    assert orders(ledger) == {f"R{number}" for number in range(1, acts + 1)}


def test_a_folder_put_back_as_it_was_is_read_again(tmp_path: Path) -> None:
    """A copy made earlier with its dates, put back in place: what was posted since is gone."""
    place, ledger = tmp_path / "ledger", Ledger(tmp_path / "ledger")
    post(ledger, 1)
    shutil.copytree(place, tmp_path / "copy")
    post(ledger, 2, 9)
    shutil.rmtree(place)
    shutil.copytree(tmp_path / "copy", place)
    assert ledger.last(BY_KEY) == 1


def test_a_table_that_cannot_be_brought_up_to_date_is_opened_again(tmp_path: Path) -> None:
    """A commit that cannot be read is told by the opening, as it always was, not by the table at rest."""
    kept, location = Kept(), str(tmp_path / "ledger" / BY_KEY.name)
    post(Ledger(tmp_path / "ledger"), 1)
    identity = identity_of(location)
    assert identity is not None
    kept.give_back(location, identity, 0, DeltaTable(location))
    (Path(location) / "_delta_log" / f"{2:020}.json").write_text("{")
    assert kept.take(location, identity) is None


def test_threads_that_ask_at_once_each_have_their_table(tmp_path: Path) -> None:
    """Eight threads reading while one posts: every answer is one that stood, none goes back."""
    ledger, faults, done = Ledger(tmp_path / "ledger"), [], threading.Event()
    post(ledger, 1)

    def read() -> None:
        seen = 0
        while not done.is_set():
            last = ledger.last(BY_KEY)
            if last < seen:
                faults.append((seen, last))
            seen = last

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for number in range(2, 8):
        post(ledger, number, number)
    done.set()
    for thread in threads:
        thread.join()
    assert not faults and ledger.last(BY_KEY) == 7 and ledger.verify(BY_KEY, journal=range(1, 8)).problems == ()
