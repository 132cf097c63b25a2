"""A request enters the site once it has arrived in full: slow, cut and oversized senders hold nobody."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from essaim.config.door import environ_of

APPLICATION = '''
from essaim.config.door import Door

def said(environ, start_response):
    path = environ["PATH_INFO"]
    class Streamed(list):
        streaming = True
    if path == "/long":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Streamed([b"x" * 1000] * 5000)
    body = environ["wsgi.input"].read()
    text = "|".join((path, environ["CONTENT_LENGTH"], str(len(body)), environ.get("HTTP_X_A", ""), environ.get("HTTP_X_UNDER", ""), environ.get("HTTP_COOKIE", "")))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    return [text.encode("latin-1")]

site = Door(said, lambda: 2**21, silence=1.0, whole=4.0)
'''


@pytest.fixture(scope="module")
def port(tmp_path_factory) -> Iterator[int]:
    """A server of one process, whose application answers one request at a time."""
    folder = tmp_path_factory.mktemp("door")
    (folder / "door_application.py").write_text(APPLICATION)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name("granian")), "--interface", "rsgi", "--port", str(number), "--workers", "1", "--no-ws"]
    child = subprocess.Popen([*command, "--log-level", "error", "door_application:site"], cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)})
    try:
        for _ in range(200):
            try:
                _get(number, "/")
                break
            except OSError:
                time.sleep(0.1)
        yield number
    finally:
        child.terminate()
        child.wait(10)


def _get(port: int, path: str, data: bytes | None = None, **headers: str) -> tuple[str, list[tuple[str, str]]]:
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, {name.replace("_", "-"): value for name, value in headers.items()})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return answer.read().decode(), answer.headers.items()


def _raw(port: int, content: bytes) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", port), timeout=10)
    line.sendall(content)
    return line


def test_senders_that_stop_in_the_middle_hold_nobody(port):
    """Thirty connections announce a body and send one byte; readers are answered all the same."""
    slow = [_raw(port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\na") for _ in range(30)]
    try:
        began = time.monotonic()
        assert [_get(port, f"/{n}")[0].split("|")[0] for n in range(5)] == [f"/{n}" for n in range(5)]
        assert time.monotonic() - began < 0.9  # before any of them was given up
    finally:
        for line in slow:
            line.close()


def test_a_silent_sender_is_told_and_let_go(port):
    """After the silence allowed: 408, in French, and the connection ends."""
    line = _raw(port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\na")
    told = line.recv(4096)
    assert told.startswith(b"HTTP/1.1 408") and b"reprenez" in told


def test_a_sender_that_drips_is_let_go_too(port):
    """A byte now and then never exceeds the silence; the time for the whole does."""
    line = _raw(port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
    began = time.monotonic()
    with pytest.raises((ConnectionError, AssertionError)):
        while time.monotonic() - began < 15:
            line.sendall(b"a")
            line.settimeout(0.3)
            try:
                told = line.recv(4096)
                assert not told.startswith(b"HTTP/1.1 408") and told
            except TimeoutError:
                continue
    assert 3 < time.monotonic() - began < 15


def test_what_is_announced_too_large_enters_without_its_body(port):
    """The site refuses by the length announced; nothing of it was read."""
    line = _raw(port, b"POST /gros HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
    assert b"/gros|99999999|0|" in line.recv(4096)


def test_what_is_not_announced_is_counted(port):
    """A body in chunks past the limit enters without its bytes, with their number."""
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    line = _raw(port, b"POST /morceaux HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + piece * 40)
    path, length, read, *_ = line.recv(4096).decode("latin-1").rsplit("\r\n", 1)[-1].split("|")
    assert path.endswith("/morceaux") and int(length) > 2**21 and read == "0"


def test_a_whole_request_arrives_as_it_was_sent(port):
    """Path in any alphabet, body past what memory holds, several headers of a name, several cookies; no header in disguise."""
    content = os.urandom(2**20 + 17)
    text, headers = _get(port, "/%C3%A9t%C3%A9/a%20b", content, X_A="1", Cookie="c=3")
    path, length, read, one, hidden, cookie = text.split("|")
    assert path == "/été/a b"
    assert int(length) == int(read) == len(content) and one == "1" and hidden == "" and cookie == "c=3"
    assert [value for name, value in headers if name.lower() == "set-cookie"] == ["a=1", "b=2"]
    line = _raw(port, b"GET / HTTP/1.1\r\nHost: x\r\nX_Under: 1\r\nX-A: 1\r\nX-A: 2\r\n\r\n")
    assert b"|1,2||" in line.recv(4096)


def test_long_answers_leave_piece_by_piece_while_others_are_answered(port):
    """A reader who takes five megabytes slowly keeps nobody waiting."""
    line = _raw(port, b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
    began = time.monotonic()
    assert _get(port, "/court")[0].startswith("/court|")
    assert time.monotonic() - began < 2
    total = 0
    while total < 5_000_000:
        piece = line.recv(2**16)
        assert piece
        total += len(piece)


def test_two_lengths_never_meet():
    """What the site reads as length is what the door counted."""

    class Scope:
        method, path, query_string, scheme, http_version, authority = "POST", "/", "", "http", "1.1", None
        server, client = "127.0.0.1:80", "[::1]:5000"

        class headers:
            @staticmethod
            def items():
                return [("content-length", "3"), ("transfer-encoding", "chunked"), ("content_length", "9")]

    found = environ_of(Scope, io.BytesIO(b"abcd"), 4)
    assert found["CONTENT_LENGTH"] == "4" and "HTTP_TRANSFER_ENCODING" not in found and found["REMOTE_ADDR"] == "::1"
