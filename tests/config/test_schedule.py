"""What the worker asks for by itself, and how often."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from essaim.config import schedule as module
from essaim.config.schedule import Schedule


@pytest.fixture
def asked(monkeypatch):
    """The regular requests made, without a queue: names in order; the clock at 08:00 in Paris, ledger number 3."""
    made: list[str] = []

    class Asking:
        def __init__(self, name: str) -> None:
            self.name = name

        def enqueue(self, **_: object) -> None:
            made.append(self.name)

    import essaim.equipment.tasks as equipment
    import essaim.evaluation.tasks as evaluation
    import essaim.foundation.reads.facts as facts
    import essaim.foundation.tasks as foundation

    monkeypatch.setattr(equipment, "enqueue_refresh", lambda: made.append("contradictions"))
    monkeypatch.setattr(equipment, "send_digests", Asking("digests"))
    monkeypatch.setattr(evaluation, "refresh_figures", Asking("figures"))
    monkeypatch.setattr(foundation, "tend_ledger", Asking("ledger"))
    monkeypatch.setattr(facts, "number_known_at", lambda _moment: 3)
    monkeypatch.setattr(module.timezone, "localtime", lambda: datetime(2026, 1, 5, 8, tzinfo=UTC))
    return made


def test_everything_due_is_asked_once_then_left_alone(asked):
    """A second look, a moment later with nothing new accepted, asks for nothing."""
    schedule = Schedule()
    schedule.tick()
    assert sorted(asked) == ["contradictions", "digests", "figures", "ledger"]
    schedule.tick()
    assert sorted(asked) == ["contradictions", "digests", "figures", "ledger"]


def test_figures_and_ledger_follow_an_acceptance(asked, monkeypatch):
    """A new number in the ledger is what makes figures stale, and files many."""
    import essaim.foundation.reads.facts as facts

    schedule = Schedule()
    schedule.tick()
    monkeypatch.setattr(facts, "number_known_at", lambda _moment: 4)
    schedule.tick()
    assert asked.count("figures") == asked.count("ledger") == 2
    assert asked.count("contradictions") == 1


def test_nobody_is_written_to_before_the_morning(asked, monkeypatch):
    """The digest waits for seven o'clock."""
    monkeypatch.setattr(module.timezone, "localtime", lambda: datetime(2026, 1, 5, 6, 59, tzinfo=UTC))
    Schedule().tick()
    assert "digests" not in asked
