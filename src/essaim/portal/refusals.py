"""What a browser gets when a request leads nowhere: a page that says why and where to go, never an empty one.

A session that ends while somebody works is told as such: a page that refreshes itself leads to the sign-in whole, not inside its
own middle, and what was sent in vain is not hidden behind an address that cannot be opened.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

# Told to the sign-in in its address: the cookie of a session that ended is taken away by the answer that leads there.
LOST, ENDED = "perdu", "fin"


def wants_page(request: HttpRequest) -> bool:
    """Whether a person in front of a browser asks, and not a program."""
    return "text/html" in request.headers.get("Accept", "") and not request.path.startswith("/api/")


def page_before(request: HttpRequest) -> str:
    """The page of this site that the request was sent from, as a path; empty when none is known."""
    said = request.headers.get("HX-Current-URL") or request.headers.get("Referer") or ""
    if not url_has_allowed_host_and_scheme(said, {request.get_host()}):
        return ""
    where = urlsplit(said)
    return f"{where.path}?{where.query}" if where.query else where.path


def why_sign_in(request: HttpRequest) -> str:
    """Why a page of work led to the sign-in; empty for who came by themselves."""
    if LOST in request.GET:
        return "Votre session est terminée : ce que vous veniez d'envoyer n'a pas été enregistré. Reconnectez-vous, puis recommencez."
    if "next" not in request.GET:
        return ""
    if ENDED in request.GET:
        return "Votre session est terminée. Reconnectez-vous : vous reviendrez où vous en étiez."
    return "Cette page est réservée : connectez-vous pour l'ouvrir."


class LeadOn:
    """Middleware: refusals that Django leaves without a page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content and wants_page(request):
            page = render(request, "portal/errors/405.html", {"before": page_before(request)}, status=405)
            page.headers["Allow"] = response.headers["Allow"]
            return page
        if isinstance(response, HttpResponseRedirect) and response.url.partition("?")[0] == resolve_url(settings.LOGIN_URL):
            return _to_sign_in(request, response)
        return response


def _to_sign_in(request: HttpRequest, response: HttpResponseRedirect) -> HttpResponse:
    part, sent = "HX-Request" in request.headers, request.method not in ("GET", "HEAD")
    back = page_before(request) or resolve_url(settings.LOGIN_REDIRECT_URL) if part or sent else request.get_full_path()
    asked = {"next": back}
    if sent:
        asked[LOST] = "1"
    elif settings.SESSION_COOKIE_NAME in request.COOKIES:
        asked[ENDED] = "1"
    address = f"{resolve_url(settings.LOGIN_URL)}?{urlencode(asked, safe='/')}"
    if part:
        return HttpResponse(headers={"HX-Redirect": address})
    response.headers["Location"] = address
    return response
