"""Fetching: a local server answers as the portal does, interruptions, refusals and silence included."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from essaim.territories import acts
from essaim.territories.models import Establishment

from .files import DIRECTORY_TECHNICAL, POSITION_SCHOOLS

ONE = ("fr-en-annuaire-education",)


class Portal:
    """What the server holds and how it behaves. ``cuts``: bytes after which the next answers break off; ``answers``: statuses
    given before the content; ``is_silent``: it does not announce the length; ``asked``: the requests received."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.etags: dict[str, str] = {}
        self.cuts: list[int] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.is_silent = False
        self.asked: list[tuple[str, dict[str, str]]] = []


@pytest.fixture
def portal() -> Iterator[tuple[Portal, str]]:
    told = Portal()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_args) -> None:
            return

        def do_GET(self) -> None:
            dataset = self.path.split("/datasets/")[1].split("/")[0]
            told.asked.append((dataset, dict(self.headers)))
            if told.answers:
                return self._short(*told.answers.pop(0))
            if dataset not in told.contents:
                return self._short(404, {})
            if self.headers.get("If-None-Match") == told.etags[dataset]:
                return self._short(304, {"ETag": told.etags[dataset]})
            return self._content(dataset)

        def _short(self, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _content(self, dataset: str) -> None:
            content, start = told.contents[dataset], 0
            asked = self.headers.get("Range")
            if asked and self.headers.get("If-Range") == told.etags[dataset]:
                start = int(asked.removeprefix("bytes=").rstrip("-"))
            body = content[start:]
            self.send_response(206 if start else 200)
            self.send_header("ETag", told.etags[dataset])
            if not told.is_silent:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if told.cuts:
                self.wfile.write(body[: told.cuts.pop(0)])
                self.wfile.flush()
                self.connection.close()
            else:
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    told.contents = {"fr-en-annuaire-education": DIRECTORY_TECHNICAL.encode(), "fr-en-ips-ecoles-ap2022": POSITION_SCHOOLS.encode()}
    told.etags = dict.fromkeys(told.contents, '"v1"')
    yield told, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def fetch(admin, portal, tmp_path):
    _told, address = portal

    def fetched(datasets=ONE, *, then_load: bool = False, waits: list[float] | None = None):
        return acts.fetch_register(
            by=admin, into=tmp_path / "register", base_url=address, then_load=then_load, datasets=datasets,
            sleep=(waits if waits is not None else []).append,
        )  # fmt: skip

    return fetched


def test_data_sets_are_downloaded_and_loaded(fetch, portal):
    """From the public address to the register, with the exports of the API asked in technical headers."""
    outcome = fetch((*ONE, "fr-en-ips-ecoles-ap2022"), then_load=True)
    assert outcome.is_clean and Establishment.objects.filter(uai="0020011B").exists()
    assert any("téléchargé" in line for line in outcome.lines())


def test_an_interrupted_transfer_goes_on_where_it_stopped(fetch, portal, tmp_path):
    """Cut twice in the middle of the file, it is whole at the end, and no byte was asked twice."""
    told, _address = portal
    told.cuts = [100, 250]
    fetch()
    assert (tmp_path / "register" / f"{ONE[0]}.csv").read_bytes() == told.contents[ONE[0]]
    ranges = [headers.get("Range") for _dataset, headers in told.asked]
    assert ranges == [None, "bytes=100-", "bytes=350-"]


def test_a_content_that_changed_meanwhile_is_taken_from_the_start(fetch, portal, tmp_path):
    """The half received of an older edition is never glued to the newer one."""
    told, _address = portal
    told.cuts = [100] * 5
    told.contents[ONE[0]] = DIRECTORY_TECHNICAL.encode()
    with pytest.raises(acts.RegisterRefused):
        told.cuts = [100, 0, 0, 0, 0]
        fetch()
    told.cuts = []
    told.contents[ONE[0]], told.etags[ONE[0]] = b"uai;nom\n0020011B;Autre\n", '"v2"'
    fetch()
    assert (tmp_path / "register" / f"{ONE[0]}.csv").read_bytes() == b"uai;nom\n0020011B;Autre\n"


def test_what_has_not_changed_is_not_downloaded_again(fetch, portal, tmp_path):
    """The second time the server is asked whether anything changed (304); a new edition replaces the file."""
    told, _address = portal
    fetch()
    outcome = fetch()
    assert any("inchangé" in line for line in outcome.lines())
    assert told.asked[-1][1]["If-None-Match"] == '"v1"'
    told.contents[ONE[0]], told.etags[ONE[0]] = b"nouveau", '"v2"'
    fetch()
    assert (tmp_path / "register" / f"{ONE[0]}.csv").read_bytes() == b"nouveau"


def test_a_busy_server_is_waited_for_as_long_as_it_asks(fetch, portal):
    """429 with Retry-After, then 503: waits as told, then doubles, then succeeds."""
    told, _address = portal
    told.answers = [(429, {"Retry-After": "7"}), (503, {})]
    waits: list[float] = []
    fetch(waits=waits)
    assert waits == [7.0, 2.0]


def test_a_withdrawn_data_set_is_told_and_the_others_kept(fetch, portal):
    """A 404 does not stop the rest."""
    outcome = fetch(("fr-en-disparu", *ONE))
    assert [(item.file, "404" in item.problem) for item in outcome.files] == [("fr-en-disparu", True)]
    assert not outcome.is_clean and any("annuaire" in line for line in outcome.notes)


def test_a_refusal_of_the_portal_is_not_insisted_upon(fetch, portal):
    """403 is told at once."""
    told, _address = portal
    told.answers = [(403, {})]
    with pytest.raises(acts.RegisterRefused, match="403"):
        fetch()
    assert len(told.asked) == 1


def test_without_network_the_message_says_what_to_do(admin, tmp_path):
    """Offline: a French message that names the host and the other way; nothing half-written is taken for a file."""
    with pytest.raises(acts.RegisterRefused, match=r"injoignable.*essaim register load"):
        acts.fetch_register(by=admin, into=tmp_path, base_url="http://127.0.0.1:9", datasets=ONE, sleep=lambda _s: None)
    assert list(tmp_path.glob("*.csv")) == []


@pytest.mark.parametrize(("body", "said"), [(b"<!DOCTYPE html><html><body>Connexion au Wi-Fi</body></html>", "page web"), (b'\xef\xbb\xbf\n {"error_code": "Maintenance"}', "message"),
                                            (b"", "fichier vide")])  # fmt: skip
def test_a_page_under_a_status_of_success_replaces_nothing(fetch, portal, tmp_path, body, said):
    """What a captive network or a portal in trouble answers with 200 is told for what it is; the file of before stays, and comes
    back up to date once the portal does."""
    told, _address = portal
    fetch()
    told.contents[ONE[0]], told.etags[ONE[0]] = body, '"v2"'
    with pytest.raises(acts.RegisterRefused, match=said):
        fetch()
    assert (tmp_path / "register" / f"{ONE[0]}.csv").read_bytes() == DIRECTORY_TECHNICAL.encode()
    assert not list((tmp_path / "register").glob("*.part"))
    told.contents[ONE[0]], told.etags[ONE[0]] = b"uai;nom\n0020011B;Autre\n", '"v3"'
    fetch()
    assert (tmp_path / "register" / f"{ONE[0]}.csv").read_bytes() == b"uai;nom\n0020011B;Autre\n"


def test_half_a_file_whose_length_nothing_announced_is_taken_again(fetch, portal, tmp_path):
    """A connection closed in the middle of a line is an interruption, even without a length."""
    told, _address = portal
    told.is_silent, told.cuts = True, [100]
    fetch()
    assert (tmp_path / "register" / f"{ONE[0]}.csv").read_bytes() == told.contents[ONE[0]]
    assert len(told.asked) == 2
