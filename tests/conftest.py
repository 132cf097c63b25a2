"""Shared by every test: visible skips when public data are absent."""

import os
from pathlib import Path

import pytest

from chromium import browser, chromium_path  # noqa: F401 (fixtures)
from databases import let_tests_empty_the_journal


@pytest.fixture(scope="session", autouse=True)
def _journal_can_be_emptied() -> None:
    """The journal refuses to be emptied; transactional tests need it between two tests."""
    let_tests_empty_the_journal()


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
