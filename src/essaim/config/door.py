"""The door of the web server: a request enters the site once it has arrived in full.

The site answers one request at a time in each process, which is fastest; a sender on a slow line, or one who sends a byte a
minute on purpose, would hold it all that while. Here requests are received side by side, within deadlines, kept aside past a
megabyte, and only then handed to the site; answers leave the same way. Speaks RSGI, the native tongue of granian.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from urllib.parse import quote

# Silence between two pieces, and time for the whole; a file sent in parts (a megabyte or two) never comes near.
SILENCE_SECONDS, WHOLE_SECONDS = 20.0, 600.0
_IN_MEMORY = 2**20
_STREAMED = 2**16
_LATE = "La requête n'est pas arrivée à temps : reprenez l'envoi.\n"


class TooSlow(Exception):
    """The client stopped sending."""


class Door:
    """An RSGI application around the WSGI ``application``. ``largest()``: bytes that a request may hold; past them it enters
    without its body, and the site says no."""

    def __init__(
        self, application: Callable[..., Iterable[bytes]], largest: Callable[[], int], *, silence: float = SILENCE_SECONDS, whole: float = WHOLE_SECONDS
    ) -> None:
        self._application, self._largest = application, largest
        self._silence, self._whole = silence, whole
        self._site = ThreadPoolExecutor(1, thread_name_prefix="site")

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The site without its door, for any WSGI server and for tests."""
        return self._application(environ, start_response)

    async def __rsgi__(self, scope: Any, proto: Any) -> None:
        """One request."""
        try:
            body, length = await self._received(scope, proto)
        except TooSlow:
            proto.response_str(408, [("content-type", "text/plain; charset=utf-8"), ("connection", "close")], _LATE)
            return
        with body:
            await self._answered(environ_of(scope, body, length), proto)

    async def _received(self, scope: Any, proto: Any) -> tuple[IO[bytes], int]:
        """The body and its length; what is announced too large is not read."""
        held = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 — closed with the request
        announced = scope.headers.get("content-length") or ""
        chunked = scope.headers.get("transfer-encoding")
        if not chunked and announced in ("", "0"):
            return held, 0
        length, most = 0, self._largest()
        if announced.isdecimal() and int(announced) > most:
            return held, int(announced)
        try:
            async for piece in self._pieces(proto):
                length += len(piece)
                if length > most:
                    held.truncate(0)
                    break
                held.write(piece)
        except BaseException:
            held.close()
            raise
        if announced.isdecimal() and length < int(announced):
            held.close()
            raise TooSlow  # the line was cut: nobody waits for the answer
        held.seek(0)
        return held, length

    async def _pieces(self, proto: Any) -> AsyncIterator[bytes]:
        deadline = time.monotonic() + self._whole
        pieces = aiter(proto)
        while (left := deadline - time.monotonic()) > 0:
            try:
                yield await asyncio.wait_for(anext(pieces), min(self._silence, left))
            except StopAsyncIteration:
                return
            except TimeoutError:
                break
        raise TooSlow

    async def _answered(self, environ: dict[str, Any], proto: Any) -> None:
        inside = asyncio.get_running_loop().run_in_executor
        status, headers, whole, rest = await inside(self._site, self._asked, environ)
        if rest is None:
            proto.response_bytes(status, headers, whole)
            return
        way = proto.response_stream(status, headers)
        try:
            while piece := await inside(self._site, next, rest, b""):
                await way.send_bytes(piece)
        finally:
            await inside(self._site, rest.close)

    def _asked(self, environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes, Any]:
        """In the thread of the site: status, headers, and the body whole, or what is left to send piece by piece."""
        told: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            told[:] = [int(status[:3]), [(name.lower(), value) for name, value in headers]]

        parts = self._application(environ, start_response)
        if getattr(parts, "streaming", False):
            return told[0], told[1], b"", _streamed(parts)
        try:
            return told[0], told[1], b"".join(parts), None
        finally:
            _close(parts)


def _streamed(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces, gathered into larger ones; closing it closes what they come from."""
    gathered, size = [], 0
    try:
        for piece in parts:
            gathered.append(piece)
            size += len(piece)
            if size >= _STREAMED:
                yield b"".join(gathered)
                gathered, size = [], 0
        if size:
            yield b"".join(gathered)
    finally:
        _close(parts)


def _close(parts: Any) -> None:
    with suppress(AttributeError):
        parts.close()


def environ_of(scope: Any, body: IO[bytes], length: int) -> dict[str, Any]:
    """The request as WSGI (PEP 3333) wants it. Headers whose name holds an underscore could pass for others: left out."""
    host, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method, "SCRIPT_NAME": "", "PATH_INFO": scope.path.encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope.query_string, "SERVER_NAME": host.strip("[]"), "SERVER_PORT": port, "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}", "REQUEST_URI": quote(scope.path), "wsgi.version": (1, 0), "wsgi.url_scheme": scope.scheme,
        "wsgi.input": body, "wsgi.errors": sys.stderr, "wsgi.multithread": False, "wsgi.multiprocess": True, "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }  # fmt: skip
    for name, value in scope.headers.items():
        if "_" in name:
            continue
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        separator = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{separator}{value}" if key in environ else value
    if scope.authority and "HTTP_HOST" not in environ:  # HTTP/2
        environ["HTTP_HOST"] = scope.authority
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ["CONTENT_LENGTH"] = str(length) if length else environ.get("CONTENT_LENGTH", "")
    return environ
