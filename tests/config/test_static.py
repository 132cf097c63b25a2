"""Addresses of static files: worked out once a manifest, right after another one."""

from __future__ import annotations

import json

import pytest

from essaim.config.static import StaticStorage


@pytest.fixture
def storage(tmp_path, settings):
    """A folder of gathered files whose manifest names one file."""
    settings.DEBUG, settings.STATIC_URL = False, "/static/"

    def gathered(name: str) -> StaticStorage | None:
        told = {"version": "1.1", "paths": {"portal/a.css": name}, "hash": "x"}
        (tmp_path / "staticfiles.json").write_text(json.dumps(told))
        return None

    gathered("portal/a.111111111111.css")
    made = StaticStorage(location=str(tmp_path))
    made.gathered = gathered
    return made


def test_an_address_is_worked_out_once(storage, monkeypatch):
    """Asked again, the storage does not look for it."""
    first = storage.url("portal/a.css")
    monkeypatch.setattr(StaticStorage, "stored_name", lambda self, name: pytest.fail(name))
    assert storage.url("portal/a.css") == first == "/static/portal/a.111111111111.css"


def test_another_manifest_gives_other_addresses(storage):
    """What was worked out from a manifest does not outlive it; a file that it does not name keeps its plain name."""
    assert storage.url("portal/a.css").endswith("111111111111.css")
    storage.gathered("portal/a.222222222222.css")
    storage.hashed_files, storage.manifest_hash = storage.load_manifest()
    assert storage.url("portal/a.css").endswith("222222222222.css")
    assert storage.url("portal/b.css") == "/static/portal/b.css"
