"""The real site in a real browser: `essaim run` (web server and worker) on a small demonstration, Chromium in front of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from journeys.people import Site, Visitor
from journeys.workbooks import School

HERE = Path(__file__).parent
ESSAIM = Path(sys.executable).with_name("essaim")
DEMO_SECONDS, START_SECONDS, STOP_SECONDS = 240, 90, 15


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def site(chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demonstration on an invented register, then the site; both with nothing of the tests' own settings."""
    home = tmp_path_factory.mktemp("site")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ESSAIM_") and name != "DJANGO_SETTINGS_MODULE"}
    base = [str(ESSAIM), "--home", str(home)]
    subprocess.run([*base, "demo", "--quick"], env=kept, check=True, timeout=DEMO_SECONDS, capture_output=True)
    port = _free_port()
    log = (home / "site.log").open("wb")
    servers: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        for server in servers:
            _stop(server)
        command = [*base, "run", "--no-demo", "--port", str(port), "--workers", "1"]
        servers[:] = [subprocess.Popen(command, env={**kept, "ESSAIM_DEMO": "1"}, stdout=log, stderr=log, start_new_session=True)]
        _wait_for(made, servers[0])

    made = Site(home, f"http://127.0.0.1:{port}", kept, restart=start)
    try:
        start()
        (made.sender,) = made.ask("SELECT organisation FROM foundation_mandate WHERE scope LIKE 'owner/organisation/%'")[0]
        rows = made.ask(
            "SELECT uai, name, commune_name FROM territories_establishment WHERE owner_code = ? AND level = 'ecole' ORDER BY uai", made.sender
        )
        made.schools = [School(*row) for row in rows]
        yield made
    finally:
        for server in servers:
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
def signed_in() -> dict[str, Any]:
    """Cookies of each account already signed in, so that each signs in once."""
    return {}


@pytest.fixture(scope="session")
def resting() -> dict[tuple[Any, ...], Any]:
    """Browsers of people already signed in, with what they keep of the site: a new one reads and compiles everything again."""
    return {}


@pytest.fixture
def visit(site: Site, browser: Any, signed_in: dict[str, Any], resting: dict[tuple[Any, ...], Any]) -> Iterator[Callable[..., Visitor]]:
    """Opens browsers: ``visit("collectivite.aisne", width=360)``, in which nobody was yet when ``fresh``. A browser that complained
    fails the test."""
    made: list[tuple[Visitor, tuple[Any, ...] | None]] = []

    def open_browser(account: str | None = None, *, width: int = 1280, height: int = 900, fresh: bool = False, **options: Any) -> Visitor:
        shared = None if fresh or account is None else (account, width, height, *sorted(options.items()))
        state = None if shared is None else signed_in.get(str(account))
        context = resting.pop(shared, None) if shared else None
        is_new = context is None
        if is_new:
            context = browser.new_context(viewport={"width": width, "height": height}, locale="fr-FR", storage_state=state, **options)
        visitor = Visitor(site, context)
        made.append((visitor, shared))
        if is_new and account and state is None:
            visitor.sign_in(account)
            if not fresh:
                signed_in[account] = context.storage_state()
        return visitor

    yield open_browser
    complaints = [text for visitor, _ in made for text in visitor.complaints]
    for visitor, shared in made:
        if shared is None or shared in resting or complaints:
            visitor.context.close()
            continue
        for page in visitor.context.pages:
            page.close()
        resting[shared] = visitor.context
    assert complaints == []
