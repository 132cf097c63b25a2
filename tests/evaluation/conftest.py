"""A ledger, files and figures of their own for tests that hand files in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.test import override_settings

from essaim.evaluation.reads import STORE
from essaim.evaluation.reads.figures import ANSWERS, PAST
from essaim.foundation import acts
from essaim.foundation.models import Account
from essaim.territories.acts import load_synthetic_register
from portal_world import stores_in, undone


@pytest.fixture
def stores(own_stores: Path, settings) -> Path:
    """Stores of this test only, nothing remembered of another."""
    settings.ESSAIM_CACHE_DIR = own_stores / "cache"
    forget()
    return own_stores


@dataclass(frozen=True, slots=True)
class Registered:
    """Where two départements are registered, and who hands files in."""

    home: Path
    admin: Account


@pytest.fixture(scope="module")
def registered(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[Registered]:
    """A register loaded once a module, in a transaction undone at the end."""
    home = tmp_path_factory.mktemp("registered")
    with django_db_blocker.unblock(), override_settings(**stores_in(home)), undone():
        admin = acts.local_administrator()
        load_synthetic_register(by=admin, departements=("02", "95"), schools=8)
        yield Registered(home, admin)


@pytest.fixture
def admin(registered: Registered, db: None, tmp_path: Path) -> Iterator[Account]:
    """Who hands files in, on a copy of what was registered that is thrown away, nothing remembered of another test."""
    home = tmp_path / "home"
    shutil.copytree(registered.home, home)
    forget()
    with override_settings(**stores_in(home)):
        yield registered.admin


def forget() -> None:
    """Empties every memory, as a new process does."""
    STORE._held.clear()
    ANSWERS.clear()
    PAST.clear()
