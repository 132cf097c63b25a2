"""A backup made while people work gives back, elsewhere, every figure and every act as they stood at its number."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("small_home.py")
ESSAIM = Path(sys.executable).with_name("essaim")


@pytest.fixture
def source(home, built):
    """A small home with files accepted."""
    return home("source", built)


def test_a_backup_under_load_gives_back_every_figure(source, home, tmp_path, until):
    """Two processes hand files in while the backup is made; the home restored elsewhere tells the same figures, rows, files
    and journal as the first one knew at the number of the backup, and goes on working."""
    pouring = [source.start(sys.executable, PROGRAM, "pour", "300") for _ in range(2)]
    for child in pouring:
        assert child.stdout.readline() == "poured\n"
    told = source.run(ESSAIM, "backup", tmp_path / "copy")
    manifest = json.loads((tmp_path / "copy" / "sauvegarde.json").read_text())
    until(lambda: source.told("number")["number"] > manifest["number"])  # people go on after the copy
    for child in pouring:
        child.terminate()
        child.wait(30)
    assert f"n° {manifest['number']}" in told
    elsewhere = home("elsewhere")
    elsewhere.run(ESSAIM, "restore", tmp_path / "copy")
    before, after = source.told(known_at=manifest["number"]), elsewhere.told()
    assert after["number"] == manifest["number"] > 20
    assert len(after["figures"]) > 1000 and any(row[3] for row in after["figures"])
    assert _values(after) == _values(before)
    for name in ("states", "postings", "posted", "files", "schools"):
        assert after[name] == before[name], name
    # What was begun at the instant of the copy is given back: it may add acts of its own, never change one.
    copied = list(zip(after["journal"], before["journal"], strict=False))
    assert len(copied) > 60 and all(left == right for left, right in copied)
    assert after["breaks"] == [] and after["problems"] == []
    assert all(kept == sha256 for sha256, kept in after["files"].items())
    assert "poured" in elsewhere.does("pour", "0")
    assert elsewhere.told("problems")["problems"] == []
    assert elsewhere.told("figures", known_at=manifest["number"])["figures"] == before["figures"], "empreintes"


@pytest.mark.parametrize("reached", ["", "ledger", "ledger/manifest.json"], ids=["start", "ledger", "end"])
def test_a_backup_killed_on_the_way_is_no_backup_and_harms_nothing(source, home, tmp_path, until, reached):
    """kill -9 once a part of the copy is there: what is left is refused, the site goes on accepting, the next backup is whole."""
    copy = tmp_path / "copy"
    child = source.start(ESSAIM, "backup", copy)
    until(lambda: (copy / reached).exists() or child.poll() is not None, 60)
    child.kill()
    child.wait(30)
    before = source.told("number", "states")
    if not (copy / "sauvegarde.json").exists():
        assert "pas une sauvegarde complète" in home("target").essaim("restore", copy, code=4)
    assert "poured" in source.does("pour", "0"), "un verrou est resté"
    assert source.told("problems") == {"problems": []}
    assert source.told("states", known_at=before["number"])["states"] == before["states"]
    source.essaim("backup", tmp_path / "second")
    again = home("again")
    again.essaim("restore", tmp_path / "second")
    assert again.told("states") == source.told("states")


def test_a_damaged_backup_is_refused_and_nothing_moves(source, home, tmp_path):
    """One changed byte, a missing file, an unreadable or absent manifest, a newer version: refused before anything is touched."""
    copy = tmp_path / "copy"
    source.essaim("backup", copy)
    target = home("target")
    assert "n'est pas vide" in source.essaim("backup", copy, code=4)
    manifest = (copy / "sauvegarde.json").read_text()
    victim = next(path for path in sorted((copy / "ledger").rglob("*.parquet")))
    whole = victim.read_bytes()
    victim.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    assert "abîmée" in target.essaim("restore", copy, code=4)
    victim.unlink()
    assert "abîmée" in target.essaim("restore", copy, code=4)
    victim.write_bytes(whole)
    newer = json.loads(manifest) | {"migrations": ["foundation.9999_later"]}
    for text, words in ((json.dumps(newer), "plus récente"), ("{", "abîmée"), (json.dumps({"files": {"../x": ""}}), "abîmée")):
        (copy / "sauvegarde.json").write_text(text)
        assert words in target.essaim("restore", copy, code=4)
    (copy / "sauvegarde.json").unlink()
    assert "pas une sauvegarde complète" in target.essaim("restore", copy, code=4)
    assert not (target.folder / "ledger").exists() and not (target.folder / "files").exists()
    (copy / "sauvegarde.json").write_text(manifest)
    target.essaim("restore", copy)


def test_a_home_in_use_is_set_aside_only_when_asked(source, built, home, tmp_path):
    """Data are never replaced unasked, never deleted, and never while a worker is running."""
    copy = tmp_path / "copy"
    source.essaim("backup", copy)
    target = home("target", built)
    target.does("pour", "0")
    before = target.told("journal")
    assert "--replace" in target.essaim("restore", copy, code=4)
    worker = target.worker()
    _wait_for_worker(target, worker)
    assert "arrêtez-les" in target.essaim("restore", copy, "--replace", code=4)
    worker.terminate()
    worker.wait(30)
    assert target.told("journal")["journal"][: len(before["journal"])] == before["journal"]
    target.essaim("restore", copy, "--replace")
    assert target.told("postings") == source.told("postings")
    (aside,) = target.folder.glob("avant-restauration-*")
    assert {path.name.split("-", 1)[-1] for path in aside.iterdir()} >= {"ledger", "files"}
    if not target.env.get("ESSAIM_DATABASE_URL"):
        assert (aside / "essaim.sqlite3").exists()
    else:
        assert _schemas(target.env["ESSAIM_DATABASE_URL"])
    second = tmp_path / "second"
    target.essaim("backup", second)
    home("third").essaim("restore", second)


def test_a_restore_that_fails_brings_back_what_was_there(source, home, tmp_path):
    """A copy whose ledger does not open, with a manifest that vouches for it: the home is as it was."""
    import hashlib

    copy = tmp_path / "copy"
    source.essaim("backup", copy)
    told = json.loads((copy / "sauvegarde.json").read_text())
    for name in [name for name in told["files"] if name.startswith("ledger/") and "_delta_log" in name]:
        (copy / name).write_text("{}")
        told["files"][name] = hashlib.sha256(b"{}").hexdigest()
    (copy / "sauvegarde.json").write_text(json.dumps(told))
    before = source.told()
    child = source.start(ESSAIM, "restore", copy, "--replace")
    child.communicate(timeout=120)
    assert child.returncode not in (0, None)
    after = source.told()
    assert [pair for pair in zip(after["figures"], before["figures"], strict=True) if pair[0] != pair[1]] == []
    assert after == before


def test_files_received_survive_the_loss_of_the_cache(source):
    """The cache holds nothing of its own: without it, the same figures."""
    before = source.told("figures", "schools")
    shutil.rmtree(source.folder / "cache")
    assert source.told("figures", "schools") == before


def _values(told: dict) -> list:
    """Figures without their fingerprints, which tell the present from the same number looked back at."""
    return [row[:-1] for row in told["figures"]]


def _wait_for_worker(target, worker) -> None:
    import time

    for _ in range(300):
        if any((target.folder / "workers").glob("*")):
            return
        assert worker.poll() is None, worker.communicate()
        time.sleep(0.1)
    raise AssertionError("l'ouvrier n'a pas démarré")


def _schemas(url: str) -> list[str]:
    import psycopg

    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'avant_restauration_%'").fetchall()
    return [row[0] for row in rows]
