"""Stores of their own for the tests that hand files in."""

from __future__ import annotations

import pytest

from equipment_site import people
from essaim.equipment.reads import lines


@pytest.fixture
def stores(own_stores, settings):
    """A ledger, files and a register cache of this test only, and nothing remembered of another."""
    settings.ESSAIM_CACHE_DIR = own_stores / "cache"
    lines._by_departement.clear()
    lines._by_scope.clear()
    lines._files.cache_clear()
    return own_stores


@pytest.fixture
def crew(db, stores):
    """Accounts of every role concerned."""
    return people()
