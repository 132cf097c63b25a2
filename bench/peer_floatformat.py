"""The peer of the page bench: 36 months × 12 indicators in a Django template, each number formatted by ``floatformat``."""

from __future__ import annotations

import os
import random
from datetime import date
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "essaim.config.settings")

from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse

application = get_wsgi_application()

TEMPLATE = """{% load humanize %}<!DOCTYPE html><html lang="fr"><head><title>Territoire</title></head><body><h1>Territoire</h1>
<table><thead><tr><th>Mois</th>{% for name in names %}<th scope="col">{{ name }}</th>{% endfor %}</tr></thead><tbody>
{% for month in months %}<tr><th scope="row">{{ month.day|date:"F Y" }}</th>{% for cell in month.cells %}<td>{% if cell.value is None %}—{% else %}{{ cell.value|floatformat:"1g" }} {{ cell.unit }}{% endif %}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></body></html>"""


def _months() -> list[dict[str, Any]]:
    draw = random.Random(2020)
    return [
        {"day": date(2023 + n // 12, n % 12 + 1, 1), "cells": [{"value": draw.random() * 5000 if draw.random() > 0.05 else None, "unit": "%"} for _ in range(12)]}
        for n in range(36)
    ]


MONTHS = _months()
NAMES = [f"Indicateur {n}" for n in range(1, 13)]


def table(request: HttpRequest) -> HttpResponse:
    """The table, its numbers formatted by the template."""
    return HttpResponse(_template().render(_context()))


def _template() -> Any:
    from django.template import engines

    global _COMPILED
    if _COMPILED is None:
        _COMPILED = engines["django"].from_string(TEMPLATE.replace("{% load humanize %}", ""))
    return _COMPILED


def _context() -> dict[str, Any]:
    return {"months": MONTHS, "names": NAMES}


_COMPILED: Any = None


def _install() -> None:
    """The peer answers its own two addresses, through the same middleware as the site."""
    from django.conf import settings
    from django.urls import clear_url_caches, path, set_urlconf

    class Addresses:
        urlpatterns = [path("table", table), path("ping", lambda request: HttpResponse("ok"))]

    settings.ROOT_URLCONF = Addresses
    clear_url_caches()
    set_urlconf(None)


_install()

from essaim.config.door import Door  # noqa: E402

application = Door(application, lambda: 2**20)
