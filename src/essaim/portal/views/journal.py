"""The journal of acts, searchable: who did what, when, on what, under which mandate."""

from __future__ import annotations

from datetime import date

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from essaim.equipment.reads.naming import sender_labels
from essaim.foundation.reads.journal_search import found_acts
from essaim.portal.reads.wording import LABELS, mandate_words, told


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
    mandates = mandate_words(act.mandate for act in page if act.mandate)
    senders = sender_labels({str(act.details.get("sender") or "") for act in page} - {""})
    for act in page:
        act.label, act.said, act.under = LABELS.get(act.name, act.name), told(act, senders), mandates.get(act.mandate_id, "")
    context = {"page": page, "wish": wish, "narrowed": any(wish.values()), "labels": sorted(LABELS.items(), key=lambda item: item[1])}
    return render(request, "portal/pages/journal.html", context)
