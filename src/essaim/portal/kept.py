"""Pages given to visitors without account nor cookie, kept by each process as long as their tag says them unchanged."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from django.http import HttpRequest, HttpResponse

from .typography import typeset

ROOM = 8 * 2**20  # bytes kept by a process
_LARGEST = ROOM // 16
Key = tuple[str, str, str]

_pages: OrderedDict[Key, bytes] = OrderedDict()
_lock = Lock()


def found(request: HttpRequest, tag: str) -> HttpResponse | None:
    """The page kept under ``tag`` (see ``freshness``) for a visitor, None when there is none or the reader is known."""
    if not _from_a_visitor(request):
        return None
    with _lock:
        key = _key(request, tag)
        page = _pages.get(key)
        if page is None:
            return None
        _pages.move_to_end(key)
    response = HttpResponse(page)
    response.is_typeset = True  # type: ignore[attr-defined]
    return response


def keep(request: HttpRequest, tag: str, response: HttpResponse) -> None:
    """Keeps a page of HTML, without any header of its own, that holds nothing of its reader; those asked longest ago make room."""
    plain = dict(response.headers) == {"Content-Type": "text/html; charset=utf-8"} and not response.streaming and not response.cookies
    if not (plain and _from_a_visitor(request)) or "CSRF_COOKIE" in request.META or len(response.content) > _LARGEST:
        return
    page = typeset(response.content)
    with _lock:
        _pages[_key(request, tag)] = page
        while sum(map(len, _pages.values())) > ROOM:
            _pages.popitem(last=False)


def forget() -> None:
    """Keeps nothing any more."""
    with _lock:
        _pages.clear()


def _from_a_visitor(request: HttpRequest) -> bool:
    return request.method == "GET" and not request.COOKIES and not request.user.is_authenticated


def _key(request: HttpRequest, tag: str) -> Key:
    return tag, request.get_host(), request.scheme or ""
