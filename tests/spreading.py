"""In which order the files of the suite run, which of them share a process, and which tests ask the database something.

With ``--dist loadfile`` a process runs whole units: a file, or files that share what is long to make.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

HERE = Path(__file__).parent
# Files that share one demonstration site and browser, one small home, one Java machine.
TOGETHER = {
    "journeys": ("journeys/",),
    "homes": ("config/test_backups.py", "config/test_worker.py", "config/test_remote_ledger.py"),
    "spark": ("evaluation/test_catalogue_conformance.py", "measures/test_conformance.py"),
}
# Units of half a minute or more: begun first, so that none is left alone on one processor at the end.
LONG = (
    "journeys", "homes", "portal/test_rights.py", "spark", "evaluation/test_figures_follow_acts.py", "impact_study/test_study_run.py",
    "portal/test_equipment_pages.py", "foundation/test_processes_killed_and_competing.py", "ledger/test_crash_and_crowd.py",
    "territories/test_loading.py", "evaluation/test_demonstration_truth.py", "cli/test_newcomer.py", "ledger/test_remote.py",
)  # fmt: skip
# Whether the file of a test uses the small country (`portal_world`): in other files, what it leaves in the database would be seen.
IN_THE_COUNTRY = pytest.StashKey[bool]()
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup"}


def unit_of(file: str) -> str:
    """The unit of a file named from the folder of the tests."""
    return next((name for name, starts in TOGETHER.items() if file.startswith(starts)), file)


class Spreading(LoadFileScheduling):
    """Whole units to each process."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(super()._split_scope(nodeid).removeprefix("tests/"))


def put_in_order(items: list[pytest.Item]) -> None:
    """The long units first, each in one piece."""
    rank = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(unit_of(item.path.relative_to(HERE).as_posix()), len(LONG)))


def mark_those_of_the_database(items: list[pytest.Item]) -> None:
    """``database``: what runs again on PostgreSQL. Tests whose processes have a database of their own carry the mark themselves."""
    for item in items:
        names: Any = getattr(item, "fixturenames", ())
        asks = item.get_closest_marker("django_db") or DATABASE_FIXTURES & set(names)
        if asks and not item.get_closest_marker("once"):
            item.add_marker("database")


def tell_apart_those_of_the_country(items: list[pytest.Item]) -> None:
    """Remembers, for each test, whether its file uses the small country."""
    files = {item.path for item in items if "small_country" in getattr(item, "fixturenames", ())}
    for item in items:
        item.stash[IN_THE_COUNTRY] = item.path in files
