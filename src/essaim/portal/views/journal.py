"""The journal of acts, searchable: who did what, when, on what, under which mandate."""

from __future__ import annotations

from datetime import date

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from essaim.foundation.reads.journal_search import ACT_LABELS, found_acts


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@login_required
@require_GET
def journal(request: HttpRequest) -> HttpResponse:
    """Acts that the reader may see, newest first, narrowed by words, act, person and days."""
    wish = {name: request.GET.get(name, "").strip() for name in ("q", "acte", "qui", "depuis", "jusqu")}
    found = found_acts(
        request.user, text=wish["q"], name=wish["acte"], person=wish["qui"], since=_day(wish["depuis"]), until=_day(wish["jusqu"])
    )
    page = Paginator(found, 50).get_page(request.GET.get("page"))
    for act in page:
        act.label = ACT_LABELS.get(act.name, act.name)
        act.said = " · ".join(f"{key} : {value}" for key, value in act.details.items() if value not in (None, "", [], {}))
    return render(request, "portal/pages/journal.html", {"page": page, "wish": wish, "labels": sorted(ACT_LABELS.items(), key=lambda item: item[1])})
