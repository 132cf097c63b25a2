"""Figures protected for the public are worked out once for all processes, and never after they have moved."""

from __future__ import annotations

import os
import random

import pytest

from equipment_files import hand_in
from essaim.engines.measures import secrecy
from essaim.evaluation.reads import figures, published
from essaim.evaluation.reads.keeping import folder
from essaim.evaluation.tasks import refresh_figures

from .conftest import forget
from .test_figures_follow_acts import CODES, PERIODS, rows_of

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def registered(registered):
    """Two files are accepted there too."""
    hand_in("deliveries", *rows_of("deliveries", random.Random(1), 0), by=registered.admin)
    hand_in("orders", *rows_of("orders", random.Random(4), 0), by=registered.admin)
    return registered


@pytest.fixture
def worked(monkeypatch) -> list[int]:
    """How many times secrecy was worked out."""
    found: list[int] = []
    own = secrecy.protected
    monkeypatch.setattr(secrecy, "protected", lambda *given: (found.append(1), own(*given))[1])
    return found


def asked(**more):
    return figures(CODES, level="departement", period=PERIODS, public=True, **more).rows()


def files() -> list:
    return sorted((folder() / "public").glob("*"))


def test_another_process_reads_the_protected_figures_that_one_worked_out(admin, worked) -> None:
    """The first process works secrecy out; the next ones read the same rows, for one unit as for all, until something is accepted."""
    before = asked()
    assert len(worked) == 1 and any(row["suppressed"] for row in before)
    forget()
    assert asked() == before and asked(units=["02"]) == [row for row in before if row["unit"] == "02"] and len(worked) == 1
    hand_in("deliveries", *rows_of("deliveries", random.Random(2), 0), by=admin, sender="210204086")
    after = asked()
    assert len(worked) == 2 and after != before
    for path in files():
        path.unlink()
    forget()
    assert asked() == after


def test_the_worker_answers_before_a_page_asks(admin, worked) -> None:
    """After an acceptance the questions asked lately are answered by the task that refreshes figures; those that nobody asks any
    more are not."""
    asked()
    hand_in("deliveries", *rows_of("deliveries", random.Random(2), 0), by=admin, sender="210204086")
    refresh_figures.func()
    assert len(worked) == 2
    forget()
    after = asked()
    assert len(worked) == 2
    forget()
    (path,) = files()
    path.unlink()
    assert asked() == after
    os.utime(path := files()[0], (0, 0))
    refresh_figures.func()
    assert len(worked) == 3, path


def test_answering_ahead_does_not_count_as_asking(admin, worked) -> None:
    """The worker does not keep a question alive by answering it."""
    asked()
    (path,) = files()
    os.utime(path, (day := path.stat().st_mtime - 2 * 86_400, day))
    hand_in("deliveries", *rows_of("deliveries", random.Random(2), 0), by=admin, sender="210204086")
    refresh_figures.func()
    assert len(worked) == 2 and abs(path.stat().st_mtime - day) < 2
    forget()
    asked()
    assert len(worked) == 2 and path.stat().st_mtime > day + 86_400


@pytest.mark.parametrize("hurt", ["cut", "threshold", "code"])
def test_an_answer_made_from_anything_else_is_made_again(admin, worked, monkeypatch, settings, hurt: str) -> None:
    """A damaged file, another threshold or another version of the code never answers."""
    before = asked()
    (path,) = files()
    if hurt == "cut":
        path.write_bytes(path.read_bytes()[:200])
    elif hurt == "threshold":
        settings.ESSAIM_SECRECY_THRESHOLD = 500
    else:
        monkeypatch.setattr(published, "_code", lambda: "another")
    forget()
    assert (asked() == before) == (hurt != "threshold") and len(worked) == 2


def test_the_past_is_not_written_down_and_files_stay_few(admin, monkeypatch) -> None:
    """What was known at a past number is not kept, and the least recently asked questions leave when there are too many."""
    asked(known_at=1)
    assert files() == []
    monkeypatch.setattr(published, "_QUESTIONS", 2)
    for month in ("2025-11", "2025-12", "2026-01", "2026-02"):
        figures(CODES, level="departement", period=month, public=True)
    assert len(files()) == 2


def test_only_the_questions_asked_last_are_answered_ahead(admin, worked, monkeypatch) -> None:
    """Whoever walks through years of public figures does not keep the worker busy after each acceptance."""
    monkeypatch.setattr(published, "_AHEAD", 2)
    for month in ("2025-11", "2025-12", "2026-01", "2026-02"):
        figures(CODES, level="departement", period=month, public=True)
    hand_in("deliveries", *rows_of("deliveries", random.Random(2), 0), by=admin, sender="210204086")
    refresh_figures.func()
    assert len(worked) == 4 + 2


def test_a_disk_that_refuses_takes_no_page_down(admin, worked, monkeypatch) -> None:
    """Without room to write, figures are answered all the same, and nothing half written stays."""
    monkeypatch.setattr(published, "packed", lambda *given: (_ for _ in ()).throw(OSError("plein")))
    assert asked() and files() == []
