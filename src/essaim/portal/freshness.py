"""Pages of figures answered without being made again: their ETag says everything that they are made of.

The last number posted, the register, the version of the code and of its look, the day, the address, the reader and what the
reader may see; for pages that also show work in progress, the last act of the journal. Any of them moves, and the page is
made again. No cache shared between people may keep it; the server itself keeps what it gave to visitors without account nor
cookie, whose page is the same for all (``kept``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from essaim import __version__
from essaim.foundation.reads import scope_of
from essaim.territories.reads import register_stamp

from . import kept

View = Callable[..., HttpResponse]
_POLICY = "private, no-cache"


def fresh(*, shows_work: bool = False) -> Callable[[View], View]:
    """Decorates a view whose page depends on figures, register, reader and address only; ``shows_work`` adds what acts
    change between two postings (orders followed up, contradictions, submissions)."""

    def decorate(view: View) -> View:
        @wraps(view)
        def answered(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
            if _has_news(request):
                return view(request, *args, **named)
            tag = etag_of(request, shows_work=shows_work)
            if tag in asked_tags(request):
                return _marked(HttpResponseNotModified(), tag)
            page = kept.found(request, tag)
            if page is not None:
                return _marked(page, tag)
            response = view(request, *args, **named)
            if response.status_code != 200:
                return response
            kept.keep(request, tag, response)
            return _marked(response, tag)

        return answered

    return decorate


def _has_news(request: HttpRequest) -> bool:
    """Whether a message waits for the reader: it must be shown, once."""
    stored = getattr(request, "_messages", None)
    return stored is not None and bool(request.COOKIES.get("messages") or request.session.get("_messages"))


def _marked(response: HttpResponse, tag: str) -> HttpResponse:
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = _POLICY
    patch_vary_headers(response, ("Cookie", "HX-Request"))
    return response


def asked_tags(request: HttpRequest) -> set[str]:
    """The tags that the browser holds; weak ones count (a proxy that compresses weakens them)."""
    given = request.headers.get("If-None-Match", "")
    return {tag.strip().removeprefix("W/") for tag in given.split(",") if tag.strip()}


def etag_of(request: HttpRequest, *, shows_work: bool = False) -> str:
    """The tag of what this reader would get now at this address."""
    parts = (
        _code(), settings.ESSAIM_THEME, settings.ESSAIM_DEMO, settings.ESSAIM_SECRECY_THRESHOLD, timezone.localdate().isoformat(),
        register_stamp(), _last(shows_work), request.get_full_path(),
        request.headers.get("HX-Request", ""), *_reader(request),
    )  # fmt: skip
    return '"' + hashlib.sha256(repr(parts).encode()).hexdigest()[:32] + '"'


def _last(shows_work: bool) -> tuple[Any, ...]:
    """The last number posted and, when asked, the last act: one query."""
    act = ", (SELECT max(id) FROM foundation_act)" if shows_work else ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT (SELECT max(number) FROM foundation_posting WHERE status = 'done'){act}")
        return tuple(cursor.fetchone())


def _reader(request: HttpRequest) -> tuple[str, ...]:
    """Who reads, with what scope; the secret of the forms on the page, which a new sign-in changes."""
    if not request.user.is_authenticated:
        return ("", request.COOKIES.get(settings.CSRF_COOKIE_NAME, ""))
    return (str(request.user.pk), str(request.user.name), scope_of(request.user).cache_key, request.COOKIES.get(settings.CSRF_COOKIE_NAME, ""))


@cache
def _code() -> str:
    """Version of the code, and of templates and styles (which a deployment may change alone)."""
    kinds = ("*.html", "*.py", "*.css", "*.js")
    newest = max(path.stat().st_mtime_ns for kind in kinds for path in Path(settings.BASE_DIR).rglob(kind))
    return f"{__version__}|{newest}"
