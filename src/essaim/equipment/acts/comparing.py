"""Comparing the contradictions that people follow with those that the facts show, and keeping the former true."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import transaction

from essaim.equipment.models import Comparison, Contradiction, Note, Side, Status
from essaim.equipment.reads.contradictions import Facts, computed
from essaim.equipment.reads.lines import last_number
from essaim.foundation import clock
from essaim.foundation.acts.journal import record
from essaim.foundation.models import Account

# A contradiction settled by hand opens again when the facts have not followed after this.
PROMISE = timedelta(days=30)
AGREED = "Les sources concordent désormais."
BACK = "Les sources se contredisent de nouveau."
MOVED = "Les chiffres ont changé : {before} avant, {now} maintenant."
UNKEPT = "Trente jours après, les fichiers ne montrent toujours pas ce qui devait la régler."


@dataclass(frozen=True, slots=True)
class Compared:
    """How many contradictions of a département were opened, opened again, settled by the facts, or changed in figures."""

    departement: str
    opened: int = 0
    reopened: int = 0
    settled: int = 0
    changed: int = 0

    @property
    def is_unchanged(self) -> bool:
        return not (self.opened or self.reopened or self.settled or self.changed)


def refresh_contradictions(
    *, departements: Iterable[str], by: Account | None, number: int | None = None, on: date | None = None
) -> list[Compared]:
    """Compare the facts of ``departements`` known at ledger ``number`` (now when None), on day ``on`` (today), with the
    contradictions stored: open the new ones, settle those on which sources agree, open again those that come back.

    Run twice, changes nothing the second time. A comparison at an older number than the last one does nothing."""
    known, day = last_number() if number is None else number, on or clock.today()
    found = []
    for place in sorted(set(departements)):
        facts = computed([place], number=known, on=day)
        found.append(_compare(place, facts, known, day, by))
    return found


def _compare(place: str, facts: Facts, number: int, day: date, by: Account | None) -> Compared:
    with transaction.atomic():
        Comparison.objects.get_or_create(departement=place)
        last = Comparison.objects.select_for_update().get(departement=place)
        if (number, day) < (last.number, last.day or date.min):
            return Compared(place)
        stored = {(item.uai, item.category, item.kind): item for item in Contradiction.objects.select_for_update().filter(departement=place)}
        fresh = [row for key, row in facts.found.items() if key not in stored]
        outcomes = [_update(item, facts.found.get(key), day) for key, item in stored.items()]
        _open(place, fresh)
        _sides(place, facts)
        done = Compared(place, len(fresh), outcomes.count("reopened"), outcomes.count("settled"), outcomes.count("changed"))
        Comparison.objects.filter(pk=last.pk).update(number=number, day=day, at=clock.now())
        if not done.is_unchanged:
            counts = {"opened": done.opened, "reopened": done.reopened, "settled": done.settled, "changed": done.changed}
            record("refresh_contradictions", last, by=by, departement=place, number=number, **counts)
    return done


def _open(place: str, rows: list[dict[str, Any]]) -> None:
    now = clock.now()
    made = Contradiction.objects.bulk_create(
        Contradiction(
            uai=row["uai"], departement=place, category=row["category"], kind=row["kind"], declared=row["declared"],
            observed=row["observed"], since=row["since"], opened_at=now, status_at=now,
        )
        for row in rows
    )  # fmt: skip
    Note.objects.bulk_create(Note(contradiction=item, at=now, kind=Note.Kind.OPENED) for item in made)


def _sides(place: str, facts: Facts) -> None:
    """Writes who speaks in each contradiction that stands."""
    held = set(Side.objects.filter(contradiction__departement=place).values_list("contradiction_id", "sender"))
    standing = Contradiction.objects.filter(departement=place, stands=True).values_list("pk", "uai", "category")
    wanted = {(pk, sender) for pk, uai, category in standing for sender in facts.senders.get((uai, category), ())}
    Side.objects.bulk_create(Side(contradiction_id=pk, sender=sender) for pk, sender in sorted(wanted - held))


def _update(item: Contradiction, row: dict[str, Any] | None, day: date) -> str:
    """What the facts make of a stored contradiction: ``""`` (nothing), ``settled``, ``reopened`` or ``changed``."""
    if row is None:
        return _settled(item) if item.stands else ""
    before, now = (item.declared, item.observed), (row["declared"], row["observed"])
    facts = {"declared": now[0], "observed": now[1], "since": row["since"], "stands": True}
    if not item.stands:
        return _reopened(item, facts, BACK)
    if before != now:
        text = MOVED.format(before=_pair(before), now=_pair(now))
        return _reopened(item, facts, text) if not item.is_waiting else _changed(item, facts)
    if item.status == Status.SETTLED and item.status_at.date() + PROMISE < day:
        return _reopened(item, facts, UNKEPT)
    return ""


def _pair(numbers: tuple[int | None, int | None]) -> str:
    declared, observed = ("—" if value is None else str(value) for value in numbers)
    return f"{declared} contre {observed}"


def _settled(item: Contradiction) -> str:
    changes: dict[str, Any] = {"stands": False}
    if item.status != Status.SETTLED:
        changes |= {"status": Status.SETTLED, "status_at": clock.now(), "settles": AGREED, "settled_by_facts": True}
        Note.objects.create(contradiction=item, at=clock.now(), kind=Note.Kind.SETTLED, text=AGREED)
    _write(item, changes)
    return "settled"


def _reopened(item: Contradiction, facts: dict[str, Any], text: str) -> str:
    again = {"settles": "", "settled_by_facts": False, "times_reopened": item.times_reopened + 1, "status_at": clock.now()}
    status = Status.IN_PROGRESS if item.owner_id else Status.OPEN
    _write(item, {**facts, **again, "status": status})
    Note.objects.create(contradiction=item, at=clock.now(), kind=Note.Kind.REOPENED, text=text)
    return "reopened"


def _changed(item: Contradiction, facts: dict[str, Any]) -> str:
    _write(item, facts)
    return "changed"


def _write(item: Contradiction, changes: dict[str, Any]) -> None:
    Contradiction.objects.filter(pk=item.pk).update(**changes, version=item.version + 1)
