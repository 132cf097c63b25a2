"""The real site in a real browser: `essaim run` (web server and worker) on a small demonstration, Chromium in front of it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from essaim.portal.reads.accounts import PASSWORD

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from workbooks import School  # noqa: E402

ESSAIM = Path(sys.executable).with_name("essaim")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
DEMO_SECONDS, START_SECONDS, STOP_SECONDS, WAIT_MS = 240, 90, 15, 60_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass
class Site:
    """A running site. ``schools``: of the authority ``collectivite.aisne``; ``twins``: two of them that share name and commune."""

    home: Path
    address: str
    environment: dict[str, str]
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

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the database of the site says, read only."""
        with closing(sqlite3.connect(f"file:{self.home}/essaim.sqlite3?mode=ro", uri=True, timeout=20)) as base:
            return base.execute(query, values).fetchall()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def chromium_path() -> str:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"aucun navigateur ({', '.join(BROWSERS)}) : apt-get install chromium")
    return found


@pytest.fixture(scope="session")
def site(chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demonstration on an invented register, then the site; both with nothing of the tests' own settings."""
    home = tmp_path_factory.mktemp("site")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ESSAIM_") and name != "DJANGO_SETTINGS_MODULE"}
    base = [str(ESSAIM), "--home", str(home)]
    subprocess.run([*base, "demo", "--quick"], env=kept, check=True, timeout=DEMO_SECONDS, capture_output=True)
    port = _free_port()
    log = (home / "site.log").open("wb")
    server = subprocess.Popen(
        [*base, "run", "--no-demo", "--port", str(port), "--workers", "1"], env={**kept, "ESSAIM_DEMO": "1"}, stdout=log, stderr=log,
        start_new_session=True,
    )  # fmt: skip
    made = Site(home, f"http://127.0.0.1:{port}", kept)
    try:
        _wait_for(made, server)
        (made.sender,) = made.ask("SELECT organisation FROM foundation_mandate WHERE scope LIKE 'owner/organisation/%'")[0]
        rows = made.ask(
            "SELECT uai, name, commune_name FROM territories_establishment WHERE owner_code = ? AND level = 'ecole' ORDER BY uai", made.sender
        )
        made.schools = [School(*row) for row in rows]
        yield made
    finally:
        _stop(server)
        log.close()


def _wait_for(site: Site, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{site.address}/healthz", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"le site n'a pas démarré :\n{(site.home / 'site.log').read_text()[-3000:]}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, number)
            server.wait(timeout=STOP_SECONDS)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright n'est pas installé")
    with sync_api.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
        yield launched
        launched.close()


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


@pytest.fixture(scope="session")
def signed_in() -> dict[str, Any]:
    """Cookies of each account already signed in, so that each signs in once."""
    return {}


@pytest.fixture
def visit(site: Site, browser: Any, signed_in: dict[str, Any]) -> Iterator[Callable[..., Visitor]]:
    """Opens browsers: ``visit("collectivite.aisne", width=360)``. A browser that complained fails the test."""
    made: list[Visitor] = []

    def open_browser(account: str | None = None, *, width: int = 1280, height: int = 900, fresh: bool = False, **options: Any) -> Visitor:
        state = None if fresh or account is None else signed_in.get(account)
        context = browser.new_context(viewport={"width": width, "height": height}, locale="fr-FR", storage_state=state, **options)
        visitor = Visitor(site, context)
        made.append(visitor)
        if account and state is None:
            visitor.sign_in(account)
            if not fresh:
                signed_in[account] = context.storage_state()
        return visitor

    yield open_browser
    complaints = [text for visitor in made for text in visitor.complaints]
    for visitor in made:
        visitor.context.close()
    assert complaints == []
