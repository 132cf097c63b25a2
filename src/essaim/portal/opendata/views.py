"""Open data: the list of public data sets, and their files."""

from __future__ import annotations

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from essaim.portal.limits import client_address, seconds_left, within_rate
from essaim.portal.opendata.datasets import (
    LICENCE,
    LICENCE_ADDRESS,
    MONTHS,
    TYPES,
    dataset,
    datasets,
    file_of,
)
from essaim.portal.refusals import wants_page

KINDS = {"indicateurs": "Chiffres par indicateur", "contrats": "Données publiques reprises"}


@require_GET
def dataset_list(request: HttpRequest) -> HttpResponse:
    """Every public data set, with its formats and licence."""
    groups = {label: [item for item in datasets() if item.kind == kind] for kind, label in KINDS.items()}
    context = {
        "groups": groups, "licence": LICENCE, "licence_address": LICENCE_ADDRESS, "months": MONTHS,
        "threshold": settings.ESSAIM_SECRECY_THRESHOLD,
    }  # fmt: skip
    return render(request, "portal/opendata/list.html", context)


def _too_often(request: HttpRequest) -> HttpResponse:
    """A page for a person, a sentence for a program; both say when to come back."""
    seconds = seconds_left()
    if wants_page(request):
        response = render(request, "portal/errors/429.html", {"seconds": seconds}, status=429)
    else:
        text = "Trop de téléchargements en une minute : attendez un instant."
        response = HttpResponse(text, status=429, content_type="text/plain; charset=utf-8")
    response.headers["Retry-After"] = str(seconds)
    return response


@require_GET
def dataset_file(request: HttpRequest, kind: str, code: str, form: str) -> HttpResponse | FileResponse:
    """One data set in one format; 404 for what is not public."""
    item = dataset(kind, code)
    if item is None or form not in TYPES:
        raise Http404
    if not within_rate(f"opendata:{client_address(request)}", settings.ESSAIM_API_PUBLIC_PER_MINUTE):
        return _too_often(request)
    response = FileResponse(file_of(item, form).open("rb"), content_type=TYPES[form], filename=f"{code}.{form}", as_attachment=True)
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Link"] = '<https://www.etalab.gouv.fr/licence-ouverte-open-licence/>; rel="license"'
    return response
