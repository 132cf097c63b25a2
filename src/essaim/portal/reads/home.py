"""What the home page and the sheets tell: main figures, what awaits the reader, alerts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from essaim.equipment.models import WAITING
from essaim.equipment.reads.contradictions import visible_contradictions
from essaim.equipment.reads.receptions import awaiting as receipts_awaited
from essaim.equipment.reads.receptions import schools_directed
from essaim.foundation.models import Account, Posting, State
from essaim.foundation.permissions import rights_of
from essaim.foundation.reads import active_mandates
from essaim.foundation.reads.submissions import visible_to
from essaim.portal.reads.figures import figure_rows
from essaim.portal.reads.sheets import Asked
from essaim.territories.reads import profile_frame


@dataclass(frozen=True, slots=True)
class Task:
    """Something that awaits the reader, with where to do it."""

    label: str
    url_name: str
    query: str
    count: int


def last_acceptance() -> Any:
    """When a file was last accepted, None before the first."""
    return Posting.objects.filter(status=Posting.Status.DONE).order_by("-number").values_list("at", flat=True).first()


def awaiting(account: Account) -> list[Task]:
    """What the reader may do next, by role: files to settle, receipts to confirm, contradictions to settle."""
    mandates = active_mandates(account)
    if not mandates:
        return []
    tasks = []
    if any(rights_of(item).submits for item in mandates):
        mine = visible_to(account)
        tasks += [
            Task("dépôts vérifiés qui attendent votre accord", "depots", "etat=checked", mine.filter(state=State.CHECKED, rows_accepted__gt=0).count()),
            Task("dépôts avec des lignes à corriger", "depots", "etat=accepted", mine.filter(state=State.ACCEPTED, rows_refused__gt=0).count()),
            Task("dépôts refusés à renvoyer", "depots", "etat=refused", mine.filter(state=State.REFUSED).count()),
        ]
        open_ones = visible_contradictions(account).filter(status__in=WAITING)
        tasks.append(Task("contradictions entre sources à régler", "contradictions", "", open_ones.count()))
    if schools := schools_directed(account):
        tasks.insert(0, Task("livraisons à confirmer pour votre établissement", "reception", "", len(receipts_awaited(schools))))
    return [task for task in tasks if task.count]


def alerts(departement: str, wanted: Asked) -> list[dict[str, Any]]:
    """What is going wrong in a territory: late lines and open contradictions, by category."""
    from essaim.portal.reads.equipment import contradiction_counts

    found = figure_rows(
        ["equipment.late_orders"], level="departement", units=[departement], period=wanted.period, by="category", known_at=wanted.known_at
    )
    late = [{"kind": "late", "what": row["breakdown"], "count": row["value"]} for row in found if row["breakdown"] and row["value"]]
    late.sort(key=lambda row: -row["count"])
    return late[:5] + contradiction_counts(departement)


def profile(uai: str) -> dict[str, Any]:
    """The latest school-year profile of a school, empty when none is loaded."""
    given = profile_frame()
    frame = given if isinstance(given, pl.DataFrame) else pl.from_arrow(given)
    assert isinstance(frame, pl.DataFrame)
    rows = frame.filter(pl.col("uai") == uai).sort("school_year").to_dicts()
    return rows[-1] if rows else {}
