"""Shared by every test: visible skips when public data are absent."""

import os
import sys
from pathlib import Path

import pytest

from chromium import browser, chromium_path  # noqa: F401 (fixtures)
from databases import let_tests_empty_the_journal
from spark_session import spark  # noqa: F401 (fixture)

# Files of a minute or more: begun first, so that none is left alone on one processor at the end.
LONG = (
    "config/test_backups.py", "journeys/test_hands_and_eyes.py", "config/test_worker.py", "journeys/test_roles.py", "config/test_remote_ledger.py", "portal/test_rights.py",
    "evaluation/test_catalogue_conformance.py", "foundation/test_processes_killed_and_competing.py", "journeys/test_uploads_cut.py", "config/test_lightness.py", "ledger/test_crash_and_crowd.py",
    "cli/test_newcomer.py", "impact_study/test_study_run.py", "journeys/test_crowd.py", "journeys/test_main_job.py", "ledger/test_remote.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first; the suite runs file by file (``--dist loadfile --no-loadscope-reorder``)."""
    rank = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(item.path.relative_to(Path(__file__).parent).as_posix(), len(LONG)))


@pytest.fixture(scope="session", autouse=True)
def _journal_can_be_emptied() -> None:
    """The journal refuses to be emptied; transactional tests need it between two tests."""
    let_tests_empty_the_journal()


@pytest.fixture(autouse=True)
def _no_page_kept() -> None:
    """Pages kept for visitors belong to one database; each test has its own."""
    if (kept := sys.modules.get("essaim.portal.kept")) is not None:
        kept.forget()


@pytest.fixture
def own_stores(settings, tmp_path: Path) -> Path:
    """A ledger and a folder of files for one test only: numbers start again with each test's database."""
    settings.HOME = tmp_path
    settings.ESSAIM_LEDGER_URL = str(tmp_path / "ledger")
    settings.ESSAIM_FILES_DIR = tmp_path / "files"
    return tmp_path


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of public data files; the test is skipped, visibly, without it."""
    folder = os.environ.get("ESSAIM_DATA_DIR", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("ESSAIM_DATA_DIR n'est pas défini : fichiers publics absents")
    return Path(folder)
