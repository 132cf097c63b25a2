"""The queue of contradictions: who follows what, what each source says, what settles it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from essaim.equipment import acts
from essaim.equipment.models import WAITING, Contradiction, Status
from essaim.equipment.reads import contradictions as reads
from essaim.equipment.reads.lines import places_of
from essaim.equipment.reads.naming import sender_labels
from essaim.equipment.reads.receptions import school_titles
from essaim.equipment.tasks import enqueue_refresh
from essaim.foundation.acts import ActRefused
from essaim.foundation.models import Account
from essaim.foundation.reads import scope_of, visible_to
from essaim.kernel.departements import name_of
from essaim.kernel.french import folded

PAGE = 25
STATUSES = (("attente", "Qui attendent"), *Status.choices, ("toutes", "Toutes"))


@login_required
@require_GET
def contradiction_list(request: HttpRequest) -> HttpResponse:
    """Contradictions that the reader may see; those that wait first, the oldest first."""
    mine = reads.visible_contradictions(request.user)
    asked = {name: request.GET.get(name, "").replace("\x00", "").strip()[:200] for name in ("etat", "nature", "categorie", "departement", "suivi", "q")}
    asked["etat"] = asked["etat"] or "attente"
    found = _narrowed(mine, asked, request.user)
    page = Paginator(_ordered(found), PAGE).get_page(request.GET.get("page"))
    titles = school_titles({item.uai for item in page})
    for item in page:
        item.words, item.school = reads.words(item), titles[item.uai]
    scope = scope_of(request.user)
    waiting = enqueue_refresh(places_of(scope))
    held = {name: sorted(set(mine.order_by().values_list(name, flat=True))) for name in ("kind", "category", "departement")}
    context = {
        "page": page, "asked": asked, "statuses": STATUSES, "refreshing": bool(waiting), "any": any(held.values()),
        "kinds": [(code, reads.KINDS.get(code, code)) for code in held["kind"]],
        "categories": [(code, reads.LABELS.get(code, code)) for code in held["category"]],
        "departements": [(code, name_of(code) or code) for code in held["departement"]],
    }  # fmt: skip
    return render(request, "portal/equipment/contradictions.html", context)


def _narrowed(found: QuerySet[Contradiction], asked: dict[str, str], account: Account) -> QuerySet[Contradiction]:
    for name, column in (("nature", "kind"), ("categorie", "category"), ("departement", "departement")):
        if asked[name]:
            found = found.filter(**{column: asked[name]})
    if asked["etat"] == "attente":
        found = found.filter(status__in=WAITING)
    elif asked["etat"] != "toutes":
        found = found.filter(status=asked["etat"])
    if asked["suivi"] == "moi":
        found = found.filter(owner=account)
    elif asked["suivi"] == "personne":
        found = found.filter(owner__isnull=True)
    if asked["q"]:
        found = found.filter(uai__in=_schools_like(found, asked["q"]))
    return found


def _schools_like(found: QuerySet[Contradiction], text: str) -> list[str]:
    """Schools of ``found`` whose identifier, name or commune holds every word."""
    words = folded(text).split()
    titles = school_titles(set(found.order_by().values_list("uai", flat=True)))
    return [uai for uai, title in titles.items() if all(word in folded(f"{uai} {title}") for word in words)]


def _ordered(found: QuerySet[Contradiction]) -> QuerySet[Contradiction]:
    waits = Case(When(status__in=WAITING, then=Value(0)), default=Value(1), output_field=IntegerField())
    return found.select_related("owner").order_by(waits, "since", "uai", "category", "kind")


def _visible(request: HttpRequest, pk: int) -> Contradiction:
    return get_object_or_404(reads.visible_contradictions(request.user).select_related("owner"), pk=pk)


@login_required
@require_GET
def contradiction_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One contradiction: the facts of every source with the cells they come from, what would settle it, its history."""
    return _detail(request, _visible(request, pk))


def _detail(request: HttpRequest, item: Contradiction, *, typed: dict[str, str] | None = None, status: int = 200) -> HttpResponse:
    sources = reads.sources(item)
    numbers = {row["submission"] for source in sources for row in source.rows}
    readable = set(visible_to(request.user).filter(number__in=numbers).values_list("number", flat=True))
    may_settle = reads.mandate_to_settle(request.user, item) is not None
    senders = {row["sender"] for source in sources for row in source.rows if row["sender"]}
    context = {
        "item": item, "words": reads.words(item), "school": school_titles({item.uai})[item.uai], "sources": sources, "readable": readable,
        "names": sender_labels(senders), "notes": item.notes.select_related("account"), "may_settle": may_settle, "typed": typed or {},
        "candidates": reads.candidates(item) if may_settle else [], "place": name_of(item.departement) or item.departement,
    }  # fmt: skip
    return render(request, "portal/equipment/contradiction.html", context, status=status)


@login_required
@require_POST
def contradiction_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Follows, gives, comments, explains, settles or opens again. Refused because somebody acted meanwhile: 409, nothing
    saved, what was typed is kept on the page."""
    item = _visible(request, pk)
    text = request.POST.get("texte", "")
    try:
        said = _act(request, item, act, text)
    except ActRefused as refusal:
        messages.error(request, str(refusal))
        stale = isinstance(refusal, acts.StaleVersion)
        return _detail(request, _visible(request, pk), typed={act: text}, status=409 if stale else 400)
    messages.success(request, said)
    return redirect("contradiction", pk=pk)


def _act(request: HttpRequest, item: Contradiction, act: str, text: str) -> str:
    by = request.user
    if act == "commenter":
        acts.comment(contradiction=item, text=text, by=by)
        return "Commentaire ajouté."
    version = request.POST.get("version", "")
    if not version.isdecimal():
        raise ActRefused("Le formulaire est incomplet : rechargez la page.")
    shared: dict[str, Any] = {"contradiction": item, "version": int(version), "by": by}
    if act == "suivre":
        acts.assign(owner=by, **shared)
        return "Vous suivez cette contradiction."
    if act == "confier":
        owner = _chosen(request, item)
        acts.assign(owner=owner, **shared)
        return f"Contradiction confiée à {owner.name}."
    if act == "rendre":
        acts.release(**shared)
        return "La contradiction est de nouveau à traiter."
    if act == "expliquer":
        acts.explain(reason=text, **shared)
        return "Explication enregistrée."
    if act == "regler":
        acts.settle(settles=text, **shared)
        return "La contradiction est réglée. Elle se rouvrira si les fichiers ne suivent pas."
    if act == "rouvrir":
        acts.reopen(reason=text, **shared)
        return "La contradiction est rouverte."
    raise Http404


def _chosen(request: HttpRequest, item: Contradiction) -> Account:
    wanted = request.POST.get("compte", "")
    chosen = next((account for account in reads.candidates(item) if str(account.pk) == wanted), None)
    if chosen is None:
        raise ActRefused("Choisissez à qui confier cette contradiction.")
    return chosen
