"""Addresses of the API, of its reference and of the page of tokens."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView

from essaim.portal.api import reference, token_pages
from essaim.portal.api.application import api
from essaim.portal.api.problems import NOT_FOUND, problem


def _told(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """``view``, whose refusal of a method is a problem too."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if response.status_code != 405:
            return response
        told = problem(405, f"Cette adresse n'accepte pas {request.method} ; méthodes permises : {response.headers['Allow']}.")
        told.headers["Allow"] = response.headers["Allow"]
        return told

    return csrf_exempt(answered)


@csrf_exempt
def unknown(request: HttpRequest) -> HttpResponse:
    """Any other address of the API."""
    return problem(404, NOT_FOUND)


def _patterns() -> tuple[list[Any], str, str]:
    patterns, name, namespace = api.urls
    for item in patterns:
        if isinstance(item, URLPattern):
            item.callback = _told(item.callback)
    return patterns, name, namespace


urlpatterns = [
    path("api/", RedirectView.as_view(pattern_name="api-reference"), name="api"),
    path("api/v1/", RedirectView.as_view(pattern_name="api-reference"), name="api-v1-index"),
    path("api/v1/docs", reference.page, name="api-reference"),
    path("api/v1/", _patterns()),
    re_path(r"^api/", unknown, name="api-unknown"),
    path("mon-compte/jetons/", token_pages.token_list, name="jetons"),
    path("mon-compte/jetons/<int:pk>/revoquer/", token_pages.token_revoke, name="jeton-revoquer"),
]
