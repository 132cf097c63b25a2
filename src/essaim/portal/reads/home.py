"""What the home page and the sheets tell: main figures, what awaits the reader, alerts."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import polars as pl
from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone

from essaim.equipment.models import WAITING
from essaim.equipment.reads.contradictions import may_settle, visible_contradictions
from essaim.equipment.reads.receptions import awaiting as receipts_awaited
from essaim.equipment.reads.receptions import schools_directed
from essaim.foundation.contracts import contracts
from essaim.foundation.models import Account, Mandate, State
from essaim.foundation.permissions import rights_of
from essaim.foundation.reads import Scope, active_mandates, scope_of
from essaim.foundation.reads.submissions import visible_to, with_rows_to_correct
from essaim.portal.reads.figures import figure_rows
from essaim.portal.reads.places import school_names, territory_names
from essaim.portal.reads.sheets import Asked
from essaim.territories.reads import profile_frame

SHORT = 12
RECENT_DAYS = 30
# How the list of submissions calls those accepted with rows still to correct.
TO_CORRECT = "a-corriger"


@dataclass(frozen=True, slots=True)
class Task:
    """Something that awaits the reader, with where to do it."""

    label: str
    url_name: str
    query: str
    count: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A place or a job that the reader comes for, as a link."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Desk:
    """What a reader finds on arriving: what awaits (never what the mandates let it read only), its places, what it may do."""

    tasks: tuple[Task, ...]
    places: tuple[Entry, ...]
    jobs: tuple[Entry, ...]


def desk(account: Account) -> Desk:
    """The desk of ``account``, by its mandates in force; empty without any."""
    mandates = active_mandates(account)
    if not mandates:
        return Desk((), (), ())
    schools = schools_directed(account)
    tasks = [*_receipts(schools), *_deposits(account, mandates)]
    if any(may_settle(item) for item in mandates):
        count = visible_contradictions(account).filter(status__in=WAITING).count()
        tasks.append(_task(count, "contradiction{s} entre sources à régler", "contradictions"))
    scope = scope_of(account)
    several = scope.is_national or bool(scope.departements) or len(scope.uais) > 1
    return Desk(tuple(task for task in tasks if task.count), tuple(_places(scope)), tuple(_jobs(mandates, bool(schools), several)))


def _receipts(schools: Set[str]) -> list[Task]:
    return [_task(len(receipts_awaited(schools)), "livraison{s} à confirmer pour votre établissement", "reception")] if schools else []


def _deposits(account: Account, mandates: Sequence[Mandate]) -> list[Task]:
    """Deposits to accept, to correct or to send again, of the contracts that the mandates hand in."""
    codes = [item.code for item in contracts() if any(rights_of(mandate).may_submit(item.code) for mandate in mandates)]
    if not codes:
        return []
    ours = visible_to(account).filter(contract__in=codes)
    recent = timezone.now() - timedelta(days=RECENT_DAYS)
    counts = ours.aggregate(
        checked=Count("pk", filter=Q(state=State.CHECKED, rows_accepted__gt=0)),
        refused=Count("pk", filter=Q(state=State.REFUSED, state_at__gte=recent)),
    )
    return [
        _task(counts["checked"], "dépôt{s} vérifié{s} qui attend{ent} votre accord", "depots", "etat=checked"),
        _task(with_rows_to_correct(ours).count(), "dépôt{s} avec des lignes à corriger", "depots", f"etat={TO_CORRECT}"),
        _task(counts["refused"], "dépôt{s} refusé{s} ces trente derniers jours, à renvoyer", "depots", "etat=refused"),
    ]


def _task(count: int, label: str, url_name: str, query: str = "") -> Task:
    return Task(label.format(s="" if count == 1 else "s", ent="" if count == 1 else "ent"), url_name, query, count)


def _places(scope: Scope) -> list[Entry]:
    """The territories and schools of the scope, by name: at most SHORT of each, none when it covers them all."""
    if scope.is_national:
        return []
    names = territory_names()
    codes = sorted(scope.departements & set(names))[:SHORT]
    schools = school_names(sorted(scope.uais)) if 0 < len(scope.uais) <= SHORT else {}
    return [
        *(Entry(names[code], reverse("territoire", args=[code])) for code in codes),
        *(Entry(f"{item.name or uai}, {item.commune}", reverse("etablissement", args=[uai])) for uai, item in sorted(schools.items())),
    ]


def _jobs(mandates: Sequence[Mandate], directs: bool, several: bool) -> list[Entry]:
    """What the mandates let do, the most frequent first; ``directs``: a school, ``several``: they cover several."""
    jobs = [Entry("Confirmer une réception", reverse("reception"))] if directs else []
    if any(rights_of(item).submits for item in mandates):
        jobs.append(Entry("Déposer un fichier", reverse("depot-nouveau")))
    if several:
        jobs.append(Entry("Voir mes établissements", reverse("etablissements-suivis")))
    jobs.append(Entry("Suivre l'équipement", reverse("equipement-suivi")))
    if any(rights_of(item).manages for item in mandates):
        jobs.append(Entry("Gérer les comptes et les mandats", reverse("comptes")))
    return jobs


def alerts(departement: str, wanted: Asked) -> list[dict[str, Any]]:
    """What is going wrong in a territory: late lines and open contradictions, by category."""
    from essaim.portal.reads.equipment import contradiction_counts

    found = figure_rows(
        ["equipment.late_orders"], level="departement", units=[departement], period=wanted.period, by="category", known_at=wanted.known_at
    )
    late = [
        {"kind": "late", "what": row["breakdown"], "count": row["value"], "url": _late_lines(departement, str(row["breakdown"]))}
        for row in found if row["breakdown"] and row["value"]
    ]  # fmt: skip
    late.sort(key=lambda row: -row["count"])
    queue = reverse("contradictions")
    waiting = [row | {"url": f"{queue}?{urlencode({'nature': row['kind'], 'departement': departement})}"} for row in contradiction_counts(departement)]
    return late[:5] + waiting


def _late_lines(departement: str, category: str) -> str:
    return f"{reverse('equipement-suivi')}?{urlencode({'etat': 'retard', 'categorie': category, 'departement': departement})}"


def profile(uai: str) -> dict[str, Any]:
    """The latest school-year profile of a school, empty when none is loaded."""
    given = profile_frame()
    frame = given if isinstance(given, pl.DataFrame) else pl.from_arrow(given)
    assert isinstance(frame, pl.DataFrame)
    rows = frame.filter(pl.col("uai") == uai).sort("school_year").to_dicts()
    return rows[-1] if rows else {}
