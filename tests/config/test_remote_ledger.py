"""A whole installation whose ledger is in an S3-compatible store: the same figures, the same safety, the same commands."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

PROGRAM = Path(__file__).with_name("small_home.py")
ESSAIM = Path(sys.executable).with_name("essaim")


def test_an_installation_on_an_object_store(built, home, bucket, tmp_path):
    """Restored onto a store, a home tells what it told on a disk; it goes on accepting while a process is killed, proves itself,
    compacts, and its backup is put back on a disk."""
    source = home("source", built)
    source.essaim("backup", tmp_path / "copy")
    remote = home("remote", ESSAIM_LEDGER_URL=bucket)
    remote.essaim("restore", tmp_path / "copy")
    before, after = source.told(), remote.told()
    assert len(after["figures"]) > 1000 and after["figures"] == before["figures"]
    assert after["states"] == before["states"] and after["problems"] == []
    assert not (remote.folder / "ledger").exists()

    pouring = remote.start(sys.executable, PROGRAM, "pour", "60")
    for _ in range(3):
        assert pouring.stdout.readline() == "poured\n"
    pouring.send_signal(signal.SIGKILL)
    pouring.wait(30)
    assert "poured" in remote.does("pour", "0")
    more = remote.told()
    assert more["number"] >= before["number"] + 4 and more["problems"] == [] and more["breaks"] == []
    assert remote.told("states", known_at=before["number"])["states"] == before["states"]

    remote.essaim("verify")
    remote.essaim("compact")
    assert remote.told() == more
    row = json.loads(remote.essaim("figures", "equipment.devices_per_100_pupils", "--level", "departement", "--period", "2025-12", "--format", "json"))
    assert row["rows"] and any(item["value"] for item in row["rows"])
    assert "nouvelle" in remote.essaim("restore", tmp_path / "copy", "--replace", code=4), "un registre lointain en usage"
    remote.essaim("backup", tmp_path / "second")
    again = home("again")
    again.essaim("restore", tmp_path / "second")
    assert again.told("figures")["figures"] == more["figures"]
