"""A ledger, files and figures of their own for tests that hand files in."""

from __future__ import annotations

from pathlib import Path

import pytest

from essaim.evaluation.reads import STORE
from essaim.evaluation.reads.figures import ANSWERS, PAST


@pytest.fixture
def stores(own_stores: Path, settings) -> Path:
    """Stores of this test only, nothing remembered of another."""
    settings.ESSAIM_CACHE_DIR = own_stores / "cache"
    forget()
    return own_stores


def forget() -> None:
    """Empties every memory, as a new process does."""
    STORE._held.clear()
    ANSWERS.clear()
    PAST.clear()
