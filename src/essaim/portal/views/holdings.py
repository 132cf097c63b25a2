"""The schools that a reader answers for: where each stands, and what to do next."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from essaim.equipment.reads import holdings as reads
from essaim.equipment.reads.receptions import schools_directed
from essaim.foundation.permissions import rights_of
from essaim.foundation.reads import active_mandates
from essaim.portal.exports import FORMATS, attached, exported
from essaim.portal.views.equipment import MOST_ODS

PAGE = 50
# Parameter of the address → field of ``Wanted``.
PARAMETERS = {"q": "text", "situation": "situation", "type": "level", "departement": "departement", "tri": "sort"}
COLUMNS = (
    ("etablissement", "Établissement", False), ("commune", "Commune", False), ("eleves", "Élèves", True), ("livraison", "Dernière livraison", False),
    ("inventaire", "Dernier inventaire", False), ("situation", "Situation", False),
)  # fmt: skip


def _asked(request: HttpRequest) -> reads.Wanted:
    given = {field: request.GET.get(name, "").replace("\x00", "").strip()[:200] for name, field in PARAMETERS.items()}
    if given["sort"].removeprefix("-") not in reads.SORTS:
        given["sort"] = "situation"
    return reads.Wanted(**given)


def _query(wanted: reads.Wanted, **changes: str) -> str:
    """The address that asks for this: only what says something, always in the same order."""
    values = {name: getattr(wanted, field) for name, field in PARAMETERS.items()} | changes
    if values["tri"] == "situation":
        values["tri"] = ""
    return urlencode({name: value for name, value in values.items() if value})


@login_required
@require_GET
def holding_list(request: HttpRequest) -> HttpResponse:
    """Schools of the reader's scope, the most pressing first."""
    wanted = _asked(request)
    found = reads.holdings(request.user, wanted, on=timezone.localdate())
    page = Paginator(range(found.schools.height), PAGE).get_page(request.GET.get("page"))
    directed = set(schools_directed(request.user))
    sends = any(rights_of(item).may_submit("equipment.deliveries") for item in active_mandates(request.user))
    context = {
        "found": found, "page": page, "rows": [row | _next(row, sends, row["uai"] in directed) for row in found.page(page.number, PAGE)], "orders": COLUMNS, "wanted": wanted, "query": _query(wanted),
        "columns": _columns(wanted), "levels": reads.LEVELS, "narrowed": bool(_query(wanted, tri="")), "formats": FORMATS,
        "situations": [(code, label, found.counts[code], _query(wanted, situation=code)) for code, (label, _) in reads.SITUATIONS.items()],
    }  # fmt: skip
    return render(request, "portal/equipment/holdings.html", context)


def _columns(wanted: reads.Wanted) -> list[dict[str, Any]]:
    """Headings with the address that sorts by them; a second click turns the order round."""
    found = []
    for code, label, is_number in COLUMNS:
        current, down = wanted.sort.removeprefix("-") == code, wanted.sort.startswith("-")
        direction = ("descending" if down else "ascending") if current else ""
        query = _query(wanted, tri=f"-{code}" if current and not down else code)
        found.append({"label": label, "is_number": is_number, "query": query, "direction": direction})
    return found


def _next(row: dict[str, Any], sends: bool, directs: bool) -> dict[str, str]:
    """What is said of a school, what to do about it, and where; ``sends``: the reader hands deliveries in; ``directs``: the school is theirs."""
    label, todo = reads.SITUATIONS[row["situation"]]
    uai = row["uai"]
    where = {
        "contradiction": f"{reverse('contradictions')}?q={uai}", "retard": f"{reverse('equipement-suivi')}?etat=retard&q={uai}",
        "confirmer": reverse("etablissement", args=[uai]), "sans_livraison": f"{reverse('depot-nouveau')}?contrat=equipment.deliveries" if sends else "",
        "sans_inventaire": reverse("contrat", args=["equipment.inventory"]),
    }  # fmt: skip
    if directs and row["situation"] == "confirmer":
        return {"says": label, "todo": "Confirmer ce qui est arrivé", "url": reverse("reception")}
    return {"says": label, "todo": todo, "url": where.get(row["situation"], "")}


@login_required
@require_GET
def holding_export(request: HttpRequest, form: str) -> HttpResponse:
    """The schools of the page, all of them, as a spreadsheet."""
    if form not in FORMATS:
        raise Http404
    wanted = _asked(request)
    on = timezone.localdate()
    found = reads.holdings(request.user, wanted, on=on)
    if form == "ods" and found.schools.height > MOST_ODS:
        messages.error(request, f"Plus de {MOST_ODS} lignes : choisissez xlsx ou csv, ou filtrez davantage.")
        return redirect(f"{reverse('etablissements-suivis')}?{_query(wanted)}")
    return attached(exported(form, "Établissements", reads.HEADINGS, reads.table_of(found)), form, f"etablissements-{on.isoformat()}")
