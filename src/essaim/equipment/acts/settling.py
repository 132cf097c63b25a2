"""Following a contradiction to its end. Two people at once: the second is told, nothing is overwritten."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F

from essaim.equipment.models import Contradiction, Note, Status
from essaim.equipment.reads.contradictions import mandate_to_settle
from essaim.foundation import clock
from essaim.foundation.acts import ActForbidden, ActRefused
from essaim.foundation.acts.journal import record
from essaim.foundation.models import Account, Mandate

LONGEST = 4000


class StaleVersion(ActRefused):
    """Somebody changed the contradiction since the page was shown. ``args[0]`` is the French message."""


def assign(*, contradiction: Contradiction, owner: Account, version: int, by: Account) -> Contradiction:
    """Give the contradiction to ``owner`` (oneself included), who must be entitled to settle it; it is then in progress."""
    mandate = _entitled(by, contradiction)
    if owner.pk != by.pk and (not owner.is_active or mandate_to_settle(owner, contradiction) is None):
        raise ActRefused(f"« {owner.name} » n'a pas de mandat sur cet établissement : choisissez quelqu'un d'autre.")
    text = "" if owner.pk == by.pk else f"Confiée à {owner.name}."
    return _change(contradiction, Status.IN_PROGRESS, Note.Kind.ASSIGNED, text, version, by, mandate, owner=owner)


def release(*, contradiction: Contradiction, version: int, by: Account) -> Contradiction:
    """Give the contradiction back: nobody follows it any more."""
    mandate = _entitled(by, contradiction)
    return _change(contradiction, Status.OPEN, Note.Kind.RELEASED, "", version, by, mandate, owner=None)


def explain(*, contradiction: Contradiction, reason: str, version: int, by: Account) -> Contradiction:
    """Say why both sources may differ for good; it holds until the facts change. Refuses an empty reason."""
    mandate = _entitled(by, contradiction)
    text = _said(reason, "Dites ce qui explique cet écart.")
    return _change(contradiction, Status.EXPLAINED, Note.Kind.EXPLAINED, text, version, by, mandate, settles=text)


def settle(*, contradiction: Contradiction, settles: str, version: int, by: Account) -> Contradiction:
    """Say what settles it (a file sent, a repair). If the facts still contradict a month later, or contradict otherwise, it
    opens again. Refuses an empty text."""
    mandate = _entitled(by, contradiction)
    text = _said(settles, "Dites ce qui règle cette contradiction.")
    return _change(contradiction, Status.SETTLED, Note.Kind.SETTLED, text, version, by, mandate, settles=text)


def reopen(*, contradiction: Contradiction, reason: str, version: int, by: Account) -> Contradiction:
    """Open again what was explained or settled while the facts still contradict. Refuses an empty reason."""
    mandate = _entitled(by, contradiction)
    text = _said(reason, "Dites pourquoi vous la rouvrez.")
    if not contradiction.stands:
        raise ActRefused("Les sources concordent désormais : il n'y a plus rien à rouvrir.")
    again = {"settles": "", "settled_by_facts": False, "owner": None, "times_reopened": F("times_reopened") + 1}
    return _change(contradiction, Status.OPEN, Note.Kind.REOPENED, text, version, by, mandate, **again)


def comment(*, contradiction: Contradiction, text: str, by: Account) -> Note:
    """Add a comment; comments are never edited, so that two people never conflict. The same comment sent twice in a row by the
    same person is the same comment. Refuses an empty text."""
    mandate = _entitled(by, contradiction)
    said = _said(text, "Écrivez votre commentaire.")
    with transaction.atomic():
        Contradiction.objects.select_for_update().get(pk=contradiction.pk)
        last = contradiction.notes.filter(account=by).last()
        if last and (last.kind, last.text) == (Note.Kind.COMMENT, said):
            return last
        note = _noted(contradiction, Note.Kind.COMMENT, said, by)
        record("comment_contradiction", contradiction, by=by, mandate=mandate, note=note.pk)
    return note


def _entitled(by: Account, contradiction: Contradiction) -> Mandate:
    mandate = mandate_to_settle(by, contradiction)
    if mandate is None:
        raise ActForbidden(f"Le compte « {by.name} » n'a pas de mandat pour traiter cette contradiction.")
    return mandate


def _said(text: str, otherwise: str) -> str:
    said = text.replace("\x00", "").strip()
    if not said:
        raise ActRefused(otherwise)
    if len(said) > LONGEST:
        raise ActRefused(f"Ce texte dépasse {LONGEST} caractères : raccourcissez-le.")
    return said


def _noted(contradiction: Contradiction, kind: str, text: str, by: Account | None) -> Note:
    return Note.objects.create(contradiction=contradiction, at=clock.now(), account=by, kind=kind, text=text)


def _change(
    contradiction: Contradiction, to: Status, kind: Note.Kind, text: str, version: int, by: Account, mandate: Mandate, **changes: Any
) -> Contradiction:
    """Moves the contradiction along its table of transitions, unless its version is no longer the one shown. The very same
    act done twice (double click) is done once."""
    with transaction.atomic():
        current = Contradiction.objects.select_for_update().get(pk=contradiction.pk)
        if current.version != version:
            if _already(current, to, kind, text, version, by):
                return current
            raise StaleVersion(_told(current))
        if not current.may_become(to):
            raise ActRefused(f"Une contradiction « {current.get_status_display().lower()} » ne peut pas devenir « {to.label.lower()} ».")
        now = clock.now()
        changes |= {"status": to, "status_at": now, "version": version + 1}
        Contradiction.objects.filter(pk=current.pk).update(**changes)
        _noted(current, kind, text, by)
        record(f"{kind}_contradiction", current, by=by, mandate=mandate, version=version + 1, text=text)
    return Contradiction.objects.get(pk=current.pk)


def _already(current: Contradiction, to: Status, kind: str, text: str, version: int, by: Account) -> bool:
    last = current.notes.exclude(kind=Note.Kind.COMMENT).last()
    same = last is not None and (last.kind, last.text, last.account_id) == (kind, text, by.pk)
    return current.version == version + 1 and current.status == to and same


def _told(current: Contradiction) -> str:
    last = current.notes.exclude(kind=Note.Kind.COMMENT).select_related("account").last()
    who = last.account.name if last and last.account else "Une mise à jour des fichiers"
    return (
        f"{who} a modifié cette contradiction depuis que vous avez ouvert la page : elle est maintenant "
        f"« {current.get_status_display().lower()} ». Rien n'a été enregistré ; relisez-la, puis recommencez si besoin."
    )
