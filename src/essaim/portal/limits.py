"""What one client may ask of the site: how large a request, how often."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

_OVERHEAD = 2**20
WINDOW_SECONDS = 60


def client_address(request: HttpRequest) -> str:
    """The address of the client: of the connection, or the one that the ESSAIM_TRUSTED_PROXIES proxies in front of the site
    wrote down. What the client itself claims is never believed."""
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    proxies = settings.ESSAIM_TRUSTED_PROXIES
    if proxies and len(forwarded) >= proxies:
        return forwarded[-proxies]
    return request.META.get("REMOTE_ADDR", "")


def largest_request() -> int:
    """Bytes that a request may hold: the largest file allowed, and what goes around it."""
    return settings.ESSAIM_UPLOAD_MAX_MB * 2**20 + _OVERHEAD


def is_oversized(request: HttpRequest) -> bool:
    """Whether the request announces more than may be sent; its body has not been read yet."""
    announced = request.META.get("CONTENT_LENGTH") or "0"
    return announced.isdecimal() and int(announced) > largest_request()


def within_rate(name: str, most: int, *, now: float | None = None) -> bool:
    """Counts one more request of ``name`` in this minute; False past ``most``. Counted in the cache of the site: by process
    with the embedded cache, for all of them with a shared one."""
    minute = int((time.time() if now is None else now) // WINDOW_SECONDS)
    key = f"rate:{name}:{minute}"
    cache.add(key, 0, 2 * WINDOW_SECONDS)
    try:
        return cache.incr(key) <= most
    except ValueError:  # evicted between the two
        return True


def seconds_left(now: float | None = None) -> int:
    """Seconds until the counts start again."""
    return WINDOW_SECONDS - int(time.time() if now is None else now) % WINDOW_SECONDS


class RefuseOversized:
    """Middleware: a request too large is refused before its body is read or written anywhere."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_oversized(request):
            return self.get_response(request)
        if request.path.startswith("/api/"):
            from essaim.portal.api.problems import problem

            return problem(413, too_large())
        return render(request, "portal/api/too_large.html", {"most": settings.ESSAIM_UPLOAD_MAX_MB}, status=413)


def too_large() -> str:
    """What to tell who sends too much."""
    return f"L'envoi dépasse {settings.ESSAIM_UPLOAD_MAX_MB} Mo : envoyez le fichier compressé ou en plusieurs parties."
