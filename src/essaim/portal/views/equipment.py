"""Tracking of orders, deliveries, installation and use; the queue of contradictions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from essaim.equipment import acts
from essaim.equipment.reads import lists
from essaim.equipment.reads.lines import line_numbers
from essaim.foundation.acts import ActRefused
from essaim.foundation.reads import scope_of, visible_to
from essaim.foundation.reads.facts import number_known_at
from essaim.portal.exports import FORMATS, exported

PAGE = 50
# Writing more rows than this in the OpenDocument format takes minutes.
MOST_ODS = 20_000
# Parameter of the address → field of ``Wanted``.
PARAMETERS = {
    "departement": "departement", "commune": "commune", "categorie": "category", "expediteur": "sender", "financement": "funding",
    "etat": "state", "retard": "late", "q": "text", "tri": "sort",
}  # fmt: skip
# Columns of the list: key of SORTS, heading, whether a number.
COLUMNS = (
    ("etablissement", "Établissement", False), ("materiel", "Matériel", False), ("commande", "Commande", False),
    ("quantite", "Commandé", True), ("livre", "Livré", True), ("installe", "Installé", True), ("utilise", "Utilisé", True),
    ("prevu", "Prévu", False), ("revise", "Révisé", False), ("solde", "Soldé", False),
)  # fmt: skip
ALSO = (("commune", "Commune"), ("expediteur", "Expéditeur"), ("commande_le", "Date de commande"), ("retard_prevu", "Retard sur la date prévue"), ("retard_revise", "Retard sur la date révisée"))


def _asked(request: HttpRequest) -> tuple[lists.Wanted, date | None, str]:
    """What is wanted, the day of knowledge (None: today), and a remark when it made no sense."""
    given = {name: request.GET.get(name, "").replace("\x00", "").strip()[:200] for name in (*PARAMETERS, "connu")}
    known, remark = None, ""
    if given["connu"]:
        try:
            known = date.fromisoformat(given["connu"])
        except ValueError:
            remark = f"La date « {given['connu']} » n'existe pas : voici ce qui est connu aujourd'hui."
    if known is not None and known >= timezone.localdate():
        known = None
    values = {field: given[name] for name, field in PARAMETERS.items()}
    if values["sort"].removeprefix("-") not in lists.SORTS:
        values["sort"] = "prevu"
    return lists.Wanted(**values), known, remark


def _query(wanted: lists.Wanted, known: date | None, **changes: str) -> str:
    """The address that asks for this: only what says something, always in the same order."""
    values = {name: getattr(wanted, field) for name, field in PARAMETERS.items()}
    values["connu"] = known.isoformat() if known else ""
    values |= changes
    if values["tri"] == "prevu":
        values["tri"] = ""
    return urlencode({name: value for name, value in values.items() if value})


@login_required
@require_GET
def tracking(request: HttpRequest) -> HttpResponse:
    """Order lines of the reader's scope, from order to use."""
    wanted, known, remark = _asked(request)
    scope = scope_of(request.user)
    number = number_known_at(known) if known else None
    on = known or timezone.localdate()
    found = lists.followed(scope, wanted, on=on, known_at=number)
    page = Paginator(range(found.total), PAGE).get_page(request.GET.get("page"))
    lines = found.page(page.number, PAGE)
    readable = set(visible_to(request.user).filter(number__in=line_numbers(lines)).values_list("number", flat=True))
    context = {
        "found": found, "page": page, "lines": lines, "readable": readable, "wanted": wanted, "known": known, "on": on, "remark": remark,
        "choices": lists.choices(scope, known_at=number), "states": lists.STATES, "late": lists.LATE, "query": _query(wanted, known),
        "columns": _columns(wanted, known), "orders": [(code, label) for code, label, _n in COLUMNS] + list(ALSO),
        "views": lists.saved_views(request.user), "fundings": lists.FUNDING_WORDS, "formats": FORMATS,
        "narrowed": bool(_query(wanted, None, tri="")),
    }  # fmt: skip
    return render(request, "portal/equipment/tracking.html", context)


def _columns(wanted: lists.Wanted, known: date | None) -> list[dict[str, Any]]:
    """Headings with the address that sorts by them; a second click turns the order round."""
    found = []
    for code, label, is_number in COLUMNS:
        current = wanted.sort.removeprefix("-") == code
        turned = current and not wanted.sort.startswith("-")
        direction = ("descending" if wanted.sort.startswith("-") else "ascending") if current else ""
        query = _query(wanted, known, tri=f"-{code}" if turned else code)
        found.append({"label": label, "is_number": is_number, "query": query, "direction": direction})
    return found


@login_required
@require_GET
def tracking_export(request: HttpRequest, form: str) -> HttpResponse:
    """The lines of the page, all of them, as a spreadsheet."""
    if form not in FORMATS:
        raise Http404
    wanted, known, _remark = _asked(request)
    on = known or timezone.localdate()
    found = lists.followed(scope_of(request.user), wanted, on=on, known_at=number_known_at(known) if known else None)
    if form == "ods" and found.total > MOST_ODS:
        messages.error(request, f"Plus de {MOST_ODS} lignes : choisissez xlsx ou csv, ou filtrez davantage.")
        return redirect(f"{_address()}?{_query(wanted, known)}")
    headings, rows = lists.table_of(found)
    response = HttpResponse(exported(form, "Suivi", headings, rows), content_type=FORMATS[form])
    response["Content-Disposition"] = f'attachment; filename="suivi-equipement-{on.isoformat()}.{form}"'
    return response


def _address() -> str:
    return reverse("equipement-suivi")


def _done(request: HttpRequest, act: Callable[[], Any], success: str) -> bool:
    """Does the act; says it was done, or why it was not."""
    try:
        act()
    except ActRefused as refusal:
        messages.error(request, str(refusal))
        return False
    messages.success(request, success)
    return True


@login_required
@require_POST
def view_save(request: HttpRequest) -> HttpResponse:
    """Keeps the current filters under a name."""
    name, query = request.POST.get("nom", ""), _safe(request.POST.get("filtres", ""))
    _done(request, lambda: acts.save_view(name=name, query=query, by=request.user), "Vue enregistrée.")
    return redirect(f"{_address()}?{query}")


@login_required
@require_POST
def view_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Renames or deletes one of the reader's own views."""
    view = lists.saved_view(request.user, pk)
    if view is None:
        raise Http404
    if request.POST.get("acte") == "supprimer":
        _done(request, lambda: acts.delete_view(view=view, by=request.user), "Vue supprimée.")
        return redirect("equipement-suivi")
    name = request.POST.get("nom", "")
    _done(request, lambda: acts.rename_view(view=view, name=name, by=request.user), "Vue renommée.")
    return redirect(f"{_address()}?{_safe(view.query)}")


def _safe(query: str) -> str:
    """The query without anything but the page's own parameters."""
    return urlencode([(name, value) for name, value in parse_qsl(query) if name in PARAMETERS or name == "connu"])
