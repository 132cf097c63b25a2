"""Home, territories, schools, search."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from essaim.equipment.categories import CATEGORIES
from essaim.equipment.reads import CONTRADICTIONS, reconciled
from essaim.equipment.reads.lines import line_numbers, lines_of_school
from essaim.evaluation.reads import indicator
from essaim.foundation.reads import last_posted_at, scope_of, visible_to
from essaim.foundation.reads.facts import number_known_at
from essaim.kernel.departements import particularity_of
from essaim.portal.drawing import Point, local_map
from essaim.portal.exports import FORMATS, attached, exported
from essaim.portal.freshness import fresh
from essaim.portal.reads import home as home_reads
from essaim.portal.reads.evolution import HEADINGS, MONTHS, evolution, evolution_lines, rooms_with_figures
from essaim.portal.reads.places import (
    SHOWN,
    local_shapes,
    map_of_territories,
    programme,
    school,
    schools_of,
    territory,
    territory_name,
)
from essaim.portal.reads.sheets import asked, cards, is_public
from essaim.portal.templatetags.essaim import ROOMS
from essaim.territories.reads import search

CATEGORY_LABELS = {item.code: item.label for item in CATEGORIES}
MAIN_ROOM = "equipment"
MOST_FOUND = 50
KINDS = (("", "Tous"), ("ecole", "Écoles"), ("college", "Collèges"), ("lycee", "Lycées"))


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The territories, their map, and for those who are signed in what awaits them."""
    wanted, remark = asked(request.GET.dict())
    found = programme(period=wanted.period, known_at=wanted.known_at)
    context: dict[str, Any] = {
        "territories": found,
        "map": map_of_territories(),
        "shown": [indicator(code) for code in SHOWN],
        "last": last_posted_at(),
        "wanted": wanted, "remark": remark, "query": request.GET.urlencode(),
    }
    if request.user.is_authenticated:
        context["desk"] = home_reads.desk(request.user)
    return render(request, "portal/places/home.html", context)


@require_GET
@fresh(shows_work=True)
def territory_detail(request: HttpRequest, code: str) -> HttpResponse:
    """One territory: its figures, its map, its schools, its alerts."""
    found = territory(code)
    if found is None:
        raise Http404
    wanted, remark = asked(request.GET.dict())
    public = is_public(request.user, code)
    shown = cards("departement", code, wanted, public=public)
    rooms: dict[str, dict[str, list[Any]]] = {}
    for card in shown:
        place = "told" if card.value is not None or card.is_suppressed else "silent"
        rooms.setdefault(card.room, {"told": [], "silent": []})[place].append(card)
    context: dict[str, Any] = {
        "territory": found, "rooms": rooms, "wanted": wanted, "remark": remark, "public": public,
        "level": "departement", "unit": code, "query": request.GET.urlencode(),
    }
    if not public:
        context["alerts"] = home_reads.alerts(code, wanted)
    return render(request, "portal/places/territory.html", context)


@require_GET
@fresh()
def territory_evolution(request: HttpRequest, code: str) -> HttpResponse:
    """One territory month after month: every figure of a room over three years, with exports."""
    label = territory_name(code)
    if not label:
        raise Http404
    wanted, remark = asked(request.GET.dict())
    rooms = rooms_with_figures()
    room = request.GET.get("domaine", "")
    room = room if room in rooms else MAIN_ROOM
    public = is_public(request.user, code)
    form = request.GET.get("format", "")
    if form in FORMATS:
        lines = evolution_lines(code, room, wanted, public=public)
        return attached(exported(form, f"{label}, évolution", HEADINGS, lines), form, f"{code}-{room}-{wanted.period}")
    context = {
        "label": label, "code": code, "wanted": wanted, "remark": remark, "public": public, "room": room, "months": MONTHS,
        "choices": [(name, ROOMS.get(name, name)) for name in rooms], "evolution": evolution(code, room, wanted, public=public),
    }  # fmt: skip
    return render(request, "portal/places/evolution.html", context)


def _text(request: HttpRequest) -> str:
    """What is searched, within reason."""
    return request.GET.get("q", "").replace("\x00", "").strip()[:200]


@require_GET
def territory_schools(request: HttpRequest, code: str) -> HttpResponse:
    """The schools of a territory, on a map and in a list."""
    found = territory(code)
    if found is None:
        raise Http404
    text, kind = _text(request), request.GET.get("type", "").replace("\x00", "")[:40]
    schools = schools_of(code, text=text, kind=kind)
    points = [
        Point(s.latitude, s.longitude, f"{s.name or s.uai}, {s.commune_name}")
        for s in schools
        if s.latitude is not None and s.longitude is not None
    ]
    context = {
        "territory": found, "page": Paginator(schools, 50).get_page(request.GET.get("page")), "text": text, "kind": kind, "kinds": KINDS,
        "map": local_map(local_shapes(code), points, title=f"Établissements de {found.label}"),
    }
    return render(request, "portal/places/schools.html", context)


@require_GET
@fresh(shows_work=True)
def school_detail(request: HttpRequest, uai: str) -> HttpResponse:
    """One school: who it is, its figures, what each source says of its equipment, its orders."""
    found = school(uai)
    if found is None:
        raise Http404
    uai = found.uai
    wanted, remark = asked(request.GET.dict())
    scope = scope_of(request.user)
    inside = scope.covers(departement=found.departement, uai=uai, organisation=found.owner_code or None)
    context: dict[str, Any] = {
        "school": found, "wanted": wanted, "remark": remark, "public": not inside, "level": "establishment", "unit": uai,
        "territory": territory_name(found.departement), "particularity": _particularity(found), "profile": home_reads.profile(uai), "query": request.GET.urlencode(),
    }
    if inside:
        context |= _equipment(found, wanted)
        numbers = line_numbers(context["lines"])
        context["readable"] = set(visible_to(request.user).filter(number__in=numbers).values_list("number", flat=True))
        context["told"] = [card for card in cards("establishment", uai, wanted, public=False) if card.value is not None]
    return render(request, "portal/places/school.html", context)


def _particularity(found: Any) -> str:
    """What is particular to its place in the academic hierarchy: an island under Guadeloupe is told by its commune."""
    return particularity_of(found.departement) or particularity_of(found.commune_code[:3])


def _equipment(found: Any, wanted: Any) -> dict[str, Any]:
    number = number_known_at(wanted.known_at) if wanted.known_at else None
    year, month = int(wanted.period[:4]), int(wanted.period[5:7])
    end = date(year + month // 12, month % 12 + 1, 1)
    on = min(timezone.localdate(), date.fromordinal(end.toordinal() - 1))
    facts = reconciled(on=on, known_at=number, departements=[found.departement], uai=found.uai)
    lines = lines_of_school(found.uai, found.departement, known_at=number)
    for row in lines:
        due, done = row["due_on"], row["completed_on"]
        row["is_late"] = bool(due and due < on and (done is None or done > on))  # type: ignore[operator]
    return {
        "situations": [row | {"label": CATEGORY_LABELS.get(row["category"], row["category"])} for row in facts.situations.to_pylist()],
        "contradictions": [
            row | {"label": CATEGORY_LABELS.get(row["category"], row["category"]), "says": CONTRADICTIONS[row["kind"]]}
            for row in facts.contradictions.to_pylist()
        ],
        "lines": lines,
        "labels": CATEGORY_LABELS,
        "on": on,
    }


@require_GET
def search_page(request: HttpRequest) -> HttpResponse:
    """Schools by name, commune or UAI; accents and case ignored."""
    text = _text(request)
    found = list(search(text, limit=MOST_FOUND)) if len(text) >= 2 else []
    template = "portal/places/_results.html" if request.htmx else "portal/places/search.html"
    return render(request, template, {"text": text, "found": found, "more": len(found) == MOST_FOUND})
