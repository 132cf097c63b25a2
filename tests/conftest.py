"""Shared by every test: visible skips when public data are absent."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of public data files; the test is skipped, visibly, without it."""
    folder = os.environ.get("ESSAIM_DATA_DIR", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("ESSAIM_DATA_DIR n'est pas défini : fichiers publics absents")
    return Path(folder)
