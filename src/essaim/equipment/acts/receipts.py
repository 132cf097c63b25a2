"""A school confirms what it received: a small submission, received, checked and accepted like any file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from essaim.equipment.contracts import ACKNOWLEDGEMENTS
from essaim.equipment.reads.receptions import Parcel, confirmations, parcel, schools_directed
from essaim.foundation import acts, clock
from essaim.foundation.acts import ActForbidden, ActRefused
from essaim.foundation.models import Account, State, Submission

LARGEST = 100_000


@dataclass(frozen=True, slots=True)
class Received:
    """What the school says of one category: units received, whether they work, a remark (never a person's name)."""

    quantity: int
    is_working: bool = True
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The confirmation kept. ``submission`` is None and ``was_known`` true when it had been confirmed already."""

    submission: Submission | None
    was_known: bool
    units: int


def confirm_receipt(
    *, uai: str, delivery_ref: str, by: Account, received: Mapping[str, Received] | None = None, received_on: date | None = None
) -> Receipt:
    """Confirm the parcel ``delivery_ref`` of school ``uai``: everything there and working, or ``received`` by category.

    Confirmed already (double tap, stale tab): nothing is posted again. Refuses a school not directed by ``by``, a parcel never
    announced, a category that is not in it, impossible quantities, a day before the delivery or after today. Not inside a
    transaction."""
    if uai not in schools_directed(by):
        raise ActForbidden("Seule la direction de l'établissement confirme ce qu'il a reçu.")
    waiting = parcel(uai, delivery_ref)
    if waiting is None:
        known = [item for item in confirmations([uai], limit=10_000) if item.delivery_ref == delivery_ref]
        if not known:
            raise ActRefused("Aucune livraison de ce numéro n'attend de confirmation : rechargez la page.")
        return Receipt(None, True, sum(item.quantity for item in known))
    day = received_on or clock.today()
    if not waiting.last_on <= day <= clock.today():
        raise ActRefused(f"La date de réception va du jour de la livraison ({waiting.last_on:%d/%m/%Y}) à aujourd'hui.")
    lines = _lines(waiting, received, day)
    submission = _posted(uai, lines, day, by)
    return Receipt(submission, False, sum(int(line["quantity"] or 0) for line in lines))


def _lines(waiting: Parcel, received: Mapping[str, Received] | None, day: date) -> list[dict[str, str | None]]:
    whole = {item.category: Received(item.quantity) for item in waiting.items}
    said = whole if received is None else dict(received)
    strangers = sorted(set(said) - set(whole))
    if strangers:
        raise ActRefused(f"Cette livraison n'annonce pas : {', '.join(strangers)}.")
    if not said:
        raise ActRefused("Indiquez ce que vous avez reçu.")
    return [_line(waiting, category, said[category], day) for category in sorted(said)]


def _line(waiting: Parcel, category: str, said: Received, day: date) -> dict[str, str | None]:
    if not 0 <= said.quantity <= LARGEST:
        raise ActRefused(f"La quantité reçue doit être comprise entre 0 et {LARGEST}.")
    if len(said.comment) > 2000:
        raise ActRefused("Les observations dépassent 2 000 caractères : raccourcissez-les.")
    return {
        "uai": waiting.uai,
        "category": category,
        "delivery_ref": waiting.delivery_ref or None,
        "quantity": str(said.quantity),
        "received_on": day.isoformat(),
        "working": "oui" if said.is_working else "non",
        "comment": said.comment.strip() or None,
    }


def _posted(uai: str, lines: list[dict[str, str | None]], day: date, by: Account) -> Submission:
    content = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\n"
    submission = acts.receive(
        content=content.encode(), filename=f"reception-{uai}-{day.isoformat()}.jsonl", contract=ACKNOWLEDGEMENTS, sender=uai, by=by
    )
    try:
        if submission.state == State.RECEIVED:
            submission = acts.check(submission=submission, by=by, contain=False)
        _refuse_misread(submission, len(lines), by)
        if submission.state == State.CHECKED:
            submission = acts.accept(submission=submission, by=by)
    except ActRefused:
        submission.refresh_from_db()
        if submission.state not in (State.CHECKING, State.ACCEPTING, State.ACCEPTED):
            raise  # otherwise another tap is doing the very same thing
    return submission


def _refuse_misread(submission: Submission, wanted: int, by: Account) -> None:
    """The confirmation must be understood whole, or not be kept."""
    if submission.state == State.REFUSED:
        raise ActRefused(f"La confirmation n'a pas été acceptée. {submission.reason}")
    if submission.state == State.CHECKED and submission.rows_accepted != wanted:
        told = " ".join(str(item.get("message", "")) for item in submission.report.get("summary", ()))
        reason = told or "Une ligne n'a pas été comprise."
        acts.refuse(submission=submission, reason=reason, by=by)
        raise ActRefused(f"La confirmation n'a pas été acceptée. {reason}")
