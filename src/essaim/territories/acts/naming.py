"""An administrator says what an organisation is called: a small submission, received, checked and accepted like any file."""

from __future__ import annotations

import json

from essaim.foundation import acts
from essaim.foundation.acts import ActForbidden, ActRefused
from essaim.foundation.models import Account, State, Submission
from essaim.foundation.permissions import mandate_to_send
from essaim.kernel.organisations import check_siren

from ..contracts import ORGANISATIONS

SENDER = "organismes"


def may_name(account: Account) -> bool:
    """Whether ``account`` may say what organisations are called."""
    return mandate_to_send(account, ORGANISATIONS.code, SENDER) is not None


def name_organisation(*, siren: str, name: str, by: Account, kind: str = "") -> Submission:
    """The organisation ``siren`` is called ``name`` from now on; the last name given wins. The name it has already changes nothing.

    Refuses who may not name, a SIREN that is none, an empty or endless name, an unknown kind. Not inside a transaction."""
    if not may_name(by):
        raise ActForbidden("Seule l'administration donne un nom aux organismes.")
    number = check_siren(siren)
    if number.value is None:
        raise ActRefused(f"« {siren} » n'est pas un SIREN : neuf chiffres, dont le dernier est une clé.")
    name = " ".join(name.split())
    if not 2 <= len(name) <= 255:
        raise ActRefused("Écrivez le nom de l'organisme, en 255 caractères au plus.")
    line = {"siren": number.value, "name": name, "kind": kind or None}
    return _posted(line, by)


def _posted(line: dict[str, str | None], by: Account) -> Submission:
    content = json.dumps(line, ensure_ascii=False) + "\n"
    filename = f"organisme-{line['siren']}.jsonl"
    submission = acts.receive(content=content.encode(), filename=filename, contract=ORGANISATIONS, sender=SENDER, by=by)
    if submission.state == State.RECEIVED:
        submission = acts.check(submission=submission, by=by, contain=False)
    if submission.state == State.CHECKED and submission.rows_accepted == 1:
        return acts.accept(submission=submission, by=by)
    if submission.state == State.ACCEPTED:
        return submission
    told = " ".join(str(item.get("message", "")) for item in submission.report.get("summary", ())) or submission.reason
    if submission.state == State.CHECKED:
        acts.refuse(submission=submission, reason=told or "Nom non compris.", by=by)
    raise ActRefused(f"Le nom n'a pas été enregistré. {told}".strip())
