"""Whatever the history, the ledger says at every number what a naive replay says."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from essaim.engines.ledger import Ledger, TableSpec

from .replaying import BY_FILE, BY_KEY, EVERY_KIND, Naive, rows

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

row = st.fixed_dictionaries(
    {
        "order_number": st.sampled_from(["C1", "C2", "C3", "C4", None]),
        "uai": st.sampled_from(["0020001A", "0950002B", None]),
        "quantity": st.sampled_from([1, 2, None]),
        "price_eur": st.sampled_from([0.1 + 0.2, 0.3, float("inf"), None]),
        "delivered_on": st.sampled_from([date(2021, 9, 1), None]),
        "departement": st.sampled_from(["02", "95", None]),
    }
)
submission = st.tuples(
    st.just("post"),
    st.sampled_from(["laon", "cergy"]),
    st.lists(row, max_size=5, unique_by=lambda item: item["order_number"]),
)
withdrawal = st.tuples(st.just("withdraw"), st.integers(0, 5))
again = st.tuples(st.just("again"), st.integers(0, 5))
compaction = st.tuples(st.just("compact"))
history = st.lists(st.one_of(submission, submission, submission, withdrawal, again, compaction), max_size=9)


def play(ledger: Ledger, spec: TableSpec, naive: Naive, steps: list) -> None:
    """Play the steps on both ledgers, numbers growing by two."""
    number = 1
    for step in steps:
        gone = {act[1] for act in naive.acts.values() if act[0] == "withdraw"}
        posts = [n for n, act in naive.acts.items() if act[0] == "post"]
        stand = [n for n in posts if n not in gone]
        if step[0] == "compact":
            ledger.compact(spec)
            continue
        if step[0] == "withdraw" and stand:
            target = stand[step[1] % len(stand)]
            ledger.withdraw(spec, target=target, submission=number, posted_at=NOW)
            naive.acts[number] = ("withdraw", target)
        elif step[0] == "again" and posts:
            _, sender, frame = naive.acts[posts[step[1] % len(posts)]]
            ledger.post(spec, frame, submission=number, sender=sender, posted_at=NOW)
            naive.acts[number] = ("post", sender, frame)
        elif step[0] == "post":
            frame = rows(*step[2])
            ledger.post(spec, frame.to_arrow(), submission=number, sender=step[1], posted_at=NOW)
            naive.acts[number] = ("post", step[1], frame)
        number += 2


@pytest.mark.parametrize(
    "spec", EVERY_KIND, ids=lambda spec: f"{spec.replaces}-{'-'.join(spec.key)}-{spec.name}"
)
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=history)
def test_state_at_every_number_is_a_naive_replay(spec: TableSpec, steps: list) -> None:
    """Any sequence of submissions, corrections, withdrawals and compactions, known at any number."""
    with tempfile.TemporaryDirectory() as folder:
        ledger, naive = Ledger(folder), Naive(spec)
        play(ledger, spec, naive, steps)
        for number in range(2 * len(steps) + 2):
            assert naive.seen(ledger.state(spec, known_at=number)) == naive.state(number)
        assert naive.seen(ledger.state(spec)) == naive.state()
        assert ledger.verify(spec, journal=naive.acts).problems == ()


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=history, seed=st.integers(0, 99))
def test_order_of_rows_and_totals(steps: list, seed: int) -> None:
    """Shuffling the rows of a submission changes nothing, and the signed sum is the sum of what stands."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        naive = Naive(BY_FILE)
        play(Ledger(one), BY_FILE, naive, steps)
        for number, act in naive.acts.items():
            if act[0] == "withdraw":
                Ledger(two).withdraw(BY_FILE, target=act[1], submission=number, posted_at=NOW)
            else:
                mixed = act[2].sample(fraction=1.0, shuffle=True, seed=seed)
                Ledger(two).post(BY_FILE, mixed, submission=number, sender=act[1], posted_at=NOW)
        assert naive.seen(Ledger(two).state(BY_FILE)) == naive.seen(Ledger(one).state(BY_FILE))
        entries = pl.DataFrame(Ledger(one).entries(BY_FILE))
        total = (entries["sign"] * entries["quantity"]).sum()
        assert total == (pl.DataFrame(Ledger(one).state(BY_FILE))["quantity"].sum() or 0)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=history)
def test_changes_add_up(steps: list) -> None:
    """Entries of (a, b] added to what was known at a give what is known at b."""
    with tempfile.TemporaryDirectory() as folder:
        ledger, naive = Ledger(folder), Naive(BY_KEY)
        play(ledger, BY_KEY, naive, steps)
        numbers = [0, *naive.acts]
        for first, then in pairwise(numbers):
            delta = pl.DataFrame(ledger.changes(BY_KEY, after=first, upto=then))
            known = [ledger.state(BY_KEY, known_at=n).to_pylist() for n in (first, then)]
            before, after = (sum(item["quantity"] or 0 for item in rows_) for rows_ in known)
            assert before + ((delta["sign"] * delta["quantity"]).sum() or 0) == after
