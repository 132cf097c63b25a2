"""People in front of browsers, and what they do on the site."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from essaim.kernel.french import format_number
from essaim.portal.reads.accounts import PASSWORD
from journeys.workbooks import School

WAIT_MS = 60_000
AUTHORITY, LEAD = "collectivite.aisne", "pilotage.aisne"
CODE = "equipment.devices_per_100_pupils"
FIGURE = f"/chiffres/departement/02/{CODE}/"
LABEL = "Terminaux installés pour 100 élèves"


@dataclass
class Site:
    """A running site. ``schools``: of the authority ``collectivite.aisne``; ``twins``: two of them that share name and commune;
    ``restart()`` stops web server and worker, and starts both again at the same address."""

    home: Path
    address: str
    environment: dict[str, str]
    restart: Callable[[], None]
    sender: str = ""
    schools: list[School] = field(default_factory=list)

    @property
    def twins(self) -> list[School]:
        seen: dict[tuple[str, str], School] = {}
        for item in self.schools:
            other = seen.setdefault((item.name, item.commune), item)
            if other is not item:
                return [other, item]
        raise AssertionError("aucune homonyme parmi les écoles de la démonstration")

    @property
    def distinct(self) -> list[School]:
        """Schools that share their name with no other."""
        names = [(item.name, item.commune) for item in self.schools]
        return [item for item in self.schools if names.count((item.name, item.commune)) == 1]

    def kill_worker(self) -> None:
        """SIGKILL to the worker of this home, found by the folder that its environment names."""
        wanted = f"ESSAIM_HOME={self.home}".encode()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command, environment = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
            except OSError:
                continue
            if b"essaim.config.worker" in command and wanted in environment.split(b"\0"):
                os.kill(int(folder.name), signal.SIGKILL)
                return
        raise AssertionError("aucun ouvrier à tuer")

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the database of the site says, read only."""
        with closing(sqlite3.connect(f"file:{self.home}/essaim.sqlite3?mode=ro", uri=True, timeout=20)) as base:
            return base.execute(query, values).fetchall()


class Visitor:
    """A person in front of a browser of their own; what the browser complains about is kept in ``complaints``."""

    def __init__(self, site: Site, context: Any) -> None:
        self.site, self.context, self.complaints = site, context, []
        self.page = self.tab()

    def tab(self) -> Any:
        """One more tab of the same browser."""
        page = self.context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("console", lambda message: self.complaints.append(f"{page.url}: {message.text}") if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        self.page = page
        return page

    def go(self, path: str) -> Any:
        answer = self.page.goto(self.site.address + path)
        assert answer is not None and answer.status < 500, path
        return self.page

    def sign_in(self, account: str) -> None:
        self.go("/connexion/")
        self.page.fill("input[name=username]", account)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("main button[type=submit]")
        self.page.wait_for_selector("text=Se déconnecter", state="attached")

    def upload(self, content: bytes, name: str, contract: str = "equipment.deliveries") -> str:
        """Hands a file in and waits until it has been read; the path of its page."""
        self.go("/depots/nouveau/")
        self.page.select_option("select[name=contract]", contract)
        self.page.set_input_files("input[type=file]", {"name": name, "mimeType": "application/octet-stream", "buffer": content})
        self.page.click("text=Envoyer et vérifier")
        self.page.wait_for_selector("#resultat, .fr-alert--error")
        return self.page.url.removeprefix(self.site.address)

    def download(self, text: str) -> tuple[str, bytes]:
        with self.page.expect_download() as held:
            self.page.click(f"text={text}")
        return held.value.suggested_filename, Path(held.value.path()).read_bytes()


def number(text: str) -> float:
    """A number as written in French."""
    return float(re.sub(r"[^\d,]", "", text).replace(",", "."))


def parts(visitor: Visitor, query: str = "") -> tuple[float, float]:
    """Numerator and denominator of the figure, as its page shows them."""
    page = visitor.go(FIGURE + query)
    above, below = page.inner_text(".essaim-figure :text('÷')").split("÷")
    return number(above), number(below)


def on_territory(visitor: Visitor, query: str = "") -> str:
    """The value of the figure on the territory page, as written."""
    page = visitor.go("/territoires/02/" + query)
    return page.inner_text(f".essaim-figure:has-text('{LABEL}') .essaim-value")


def written(numerator: float, denominator: float) -> str:
    """A ratio for a hundred as cards write it."""
    value = 100 * numerator / denominator
    return format_number(value, 1 if value >= 1 else 2)


def accept(visitor: Visitor) -> None:
    """Accepts the deposit shown."""
    visitor.page.click("button:has-text('Accepter')")
    visitor.page.wait_for_selector(".fr-badge--success")


def withdraw(visitor: Visitor, reason: str = "Essai") -> None:
    """Withdraws the deposit shown."""
    visitor.page.click("summary:has-text('Retirer ce dépôt')")
    visitor.page.fill("#motif", reason)
    visitor.page.click("button:text-is('Retirer')")
    visitor.page.wait_for_selector(".fr-badge:has-text('Retiré')")


def yesterday() -> str:
    """As a form sends it."""
    return (datetime.now(ZoneInfo("Europe/Paris")) - timedelta(days=1)).date().isoformat()
