"""Real processes: several accepting at once, and some killed at every point where it could hurt."""

from __future__ import annotations

import json
import os
import signal
import uuid
from pathlib import Path

import pytest

from nursery import Nursery, Started

PROGRAM = Path(__file__).with_name("installation.py")
pytestmark = pytest.mark.database
POINTS = ("numbered", "locked", "compared", "before commit", "committed", "written", "done")


class Installation:
    """A home of its own, on the database system under test."""

    def __init__(self, nursery: Nursery, home: Path) -> None:
        home.mkdir()
        self.nursery = nursery
        server = os.environ.get("ESSAIM_DATABASE_URL", "")
        self.env = {**os.environ, "DJANGO_SETTINGS_MODULE": "essaim.config.settings", "ESSAIM_HOME": str(home)}
        for name in ("ESSAIM_LEDGER_URL", "ESSAIM_FILES_URL", "ESSAIM_DIES_AT"):
            self.env.pop(name, None)
        if server:
            self.env["ESSAIM_DATABASE_URL"] = self._database(server)

    def _database(self, server: str) -> str:
        import psycopg

        name = f"essaim_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return server.rsplit("/", 1)[0] + f"/{name}"

    def start(self, *words: str, dies_at: str = "") -> Started:
        return self.nursery.start(PROGRAM, *words, environment={**self.env, "ESSAIM_DIES_AT": dies_at})

    def run(self, *words: str, dies_at: str = "") -> str:
        code, out, errors = self.start(*words, dies_at=dies_at).communicate()
        assert code == (-signal.SIGKILL if dies_at else 0), errors[-2000:]
        return out

    def told(self, *words: str, dies_at: str = "") -> dict:
        return json.loads(self.run(*(words or ("told",)), dies_at=dies_at).splitlines()[-1])


@pytest.fixture
def installation(nursery, tmp_path):
    return Installation(nursery, tmp_path / "home")


def test_competing_acceptances_number_in_the_order_of_the_ledger(installation):
    """Three processes accept the same six submissions: each is posted once, the last number wins the shared key."""
    installation.run("prepare", "6")
    rivals = [installation.start("accept") for _ in range(3)]
    for rival in rivals:
        code, _out, errors = rival.communicate()
        assert code == 0, errors[-2000:]
    told = installation.told()
    assert told["states"] == ["accepted"] * 6
    assert told["numbers"] == list(range(1, 7))
    assert len(told["rows"]) == 6 * 3 + 1
    assert told["shared"] == [int(told["last"].removesuffix(".csv"))]
    assert told["clock"] == sorted(told["clock"])
    assert told["proof"] == [True, []] and told["breaks"] == []


def test_killed_at_every_point_of_an_acceptance(installation):
    """Killed once at each point, one life after another: each life finishes what the one before began, exactly once."""
    installation.run("prepare", str(len(POINTS)))
    for lives, point in enumerate(POINTS):
        told = installation.told("live", dies_at=point)
        assert told["states"] == ["accepted"] * lives + ["checked"] * (len(POINTS) - lives)
        assert told["numbers"][:lives] == list(range(1, lives + 1)) or told["numbers"][-lives:] == list(range(1, lives + 1))
        assert len(told["rows"]) == (lives * 3 + 1 if lives else 0)
        assert told["proof"] == [True, []] and told["breaks"] == [], point
    told = installation.told("live", dies_at="committed")
    assert told["states"] == ["accepted"] * len(POINTS)
    told = installation.told()
    assert [status for _number, status in told["postings"]] == ["done"] * len(POINTS) + ["begun"]
    for point in ("numbered", "written"):
        told = installation.told("live", dies_at=point)
    assert told["states"].count("withdrawn") == 2
    assert told["proof"] == [True, []] and told["breaks"] == []
