"""A register of its own for each test; files are checked by the real engine, in the same process to go fast."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from essaim.foundation.acts import checking, local_administrator
from essaim.territories import acts


@pytest.fixture(autouse=True)
def stores(own_stores: Path, settings) -> Path:
    """Its own ledger, files and snapshot."""
    settings.ESSAIM_CACHE_DIR = own_stores / "cache"
    return own_stores


@pytest.fixture(autouse=True)
def same_process(monkeypatch) -> None:
    """Containment has tests of its own: starting a process for each file takes seconds."""
    real = checking.intake.check
    monkeypatch.setattr(checking.intake, "check", lambda *args, **named: real(*args, **{**named, "contain": False}))


@pytest.fixture
def admin(transactional_db):
    return local_administrator()


@pytest.fixture
def load(admin, tmp_path) -> Callable[..., acts.RegisterOutcome]:
    """``load({"name.csv": text})`` writes files and loads them in that order."""

    def loaded(files: dict[str, str | bytes]) -> acts.RegisterOutcome:
        paths = []
        for name, content in files.items():
            path = tmp_path / name
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            paths.append(path)
        return acts.load_register(files=paths, by=admin)

    return loaded
