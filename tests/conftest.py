"""Shared by every test: visible skips when public data are absent."""

import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chromium import browser, chromium_path  # noqa: F401 (fixtures)
from databases import let_tests_empty_the_journal
from nursery import nursery  # noqa: F401 (fixture)
from portal_world import send_away, small_country  # noqa: F401 (fixture)
from spark_session import spark  # noqa: F401 (fixture)
from spreading import (
    IN_THE_COUNTRY,
    Spreading,
    mark_those_of_the_database,
    put_in_order,
    tell_apart_those_of_the_country,
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks and order, before tests are chosen by their marks."""
    mark_those_of_the_database(items)
    tell_apart_those_of_the_country(items)
    if hasattr(config, "workerinput"):  # a process alone keeps the order of the files: those that share something follow one another
        put_in_order(items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """The small country is there for the modules that use it only."""
    if not item.stash[IN_THE_COUNTRY]:
        send_away()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """File by file, and the files that share something long to make on the same process."""
    return Spreading(config, log) if config.getoption("dist") == "loadfile" else None


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
def same_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is counted by the minute is counted in one, however slow the machine."""
    from essaim.portal import limits

    now = time.time()
    monkeypatch.setattr(limits, "time", SimpleNamespace(time=lambda: now))


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
