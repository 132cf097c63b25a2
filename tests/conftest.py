"""Shared by every test: a home of its own for the session, and visible skips when public data are absent."""

import os
import tempfile
from pathlib import Path

import pytest

_HOME = tempfile.mkdtemp(prefix="essaim-tests-")
os.environ["ESSAIM_HOME"] = _HOME
os.environ.setdefault("ESSAIM_SECRET_KEY", "tests-only")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of public data files; the test is skipped, visibly, without it."""
    folder = os.environ.get("ESSAIM_DATA_DIR", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("ESSAIM_DATA_DIR n'est pas défini : fichiers publics absents")
    return Path(folder)
