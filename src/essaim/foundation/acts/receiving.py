"""Receiving a file, refusing it, repairing its refused rows on screen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from django.db import transaction

from essaim.engines.intake.contract import Contract

from .. import clock, storage
from ..contracts import UnknownContract
from ..contracts import contract as contract_named
from ..models import Account, Mandate, State, Submission
from ..permissions import default_sender, mandate_to_send
from .journal import move, record
from .refusals import ActForbidden, ActRefused

_ENDED = (State.REFUSED, State.WITHDRAWN)


def sending(by: Account, contract: str, sender: str) -> Mandate:
    """The mandate under which ``by`` sends; ActForbidden without one."""
    mandate = mandate_to_send(by, contract, sender)
    if mandate is None:
        raise ActForbidden(
            f"Le compte « {by.name} » n'a pas de mandat pour déposer « {contract} » au nom de « {sender} »."
        )
    return mandate


def receive(
    *,
    filename: str,
    contract: str | Contract,
    by: Account,
    sender: str | None = None,
    content: bytes | None = None,
    file: IO[bytes] | Path | None = None,
    replaces: Submission | None = None,
    corrects: Submission | None = None,
) -> Submission:
    """Keep the bytes of a file handed in for ``contract`` in the name of ``sender`` (by default the account's own).

    The same bytes from the same sender for the same contract give the submission that already holds them, with
    ``is_known`` true; unless it was refused or withdrawn, or other files of that sender were accepted since.
    Refuses an empty or oversized file, an unknown contract, a sender outside the mandates of ``by``."""
    declared = declared_contract(contract)
    name = sender or default_sender(by)
    mandate = sending(by, declared.code, name)
    try:
        sha256, size = storage.keep(content if content is not None else file)
    except storage.TooLarge as error:
        raise ActRefused(str(error)) from error
    if not size:
        raise ActRefused("Le fichier est vide : vérifiez qu'il a bien été enregistré avant l'envoi.")
    with transaction.atomic():
        known = _same(sha256, declared.code, name, corrects)
        if known is not None:
            known.is_known = True
            record("receive_again", known, by=by, mandate=mandate, filename=safe_name(filename))
            return known
        now = clock.now()
        submission = Submission.objects.create(
            contract=declared.code,
            contract_version=declared.version,
            filename=safe_name(filename),
            sha256=sha256,
            size=size,
            sender=name,
            received_by=by,
            received_at=now,
            state_at=now,
            replaces=replaces,
            corrects=corrects,
        )
        told = {"sha256": sha256, "contract": declared.code, "sender": name, "filename": submission.filename}
        record("receive", submission, by=by, mandate=mandate, **told)
    submission.is_known = False
    return submission


def declared_contract(contract: str | Contract) -> Contract:
    """The contract, by its code; ActRefused when nobody declared it."""
    try:
        return contract_named(contract if isinstance(contract, str) else contract.code)
    except UnknownContract as error:
        raise ActRefused(str(error)) from error


def _same(sha256: str, contract: str, sender: str, corrects: Submission | None) -> Submission | None:
    """The living submission of the same content; None when a later acceptance makes handing it in again meaningful."""
    mine = Submission.objects.filter(contract=contract, sender=sender)
    found = mine.filter(sha256=sha256, corrects=corrects).exclude(state__in=_ENDED).first()
    if found is not None and found.state == State.ACCEPTED:
        later = mine.filter(number__gt=found.number, state__in=(State.ACCEPTED, State.WITHDRAWN))
        withdrawn = mine.filter(postings__kind="withdrawal", postings__number__gt=found.number)
        if later.exists() or withdrawn.exists():
            return None
    return found


def safe_name(filename: str) -> str:
    """The last part of the name, without control characters, at most 255 characters."""
    last = filename.replace("\\", "/").rsplit("/", 1)[-1]
    clean = "".join(char for char in last if char.isprintable()).strip() or "fichier"
    return clean if len(clean) <= 255 else clean[:200] + clean[-55:]


def refuse(*, submission: Submission, reason: str, by: Account) -> Submission:
    """Refuse a submission before it is accepted, for a reason told to its sender."""
    mandate = sending(by, submission.contract, submission.sender)
    if not reason.strip():
        raise ActRefused("Dites pourquoi ce dépôt est refusé.")
    with transaction.atomic():
        move(submission, State.REFUSED, reason=reason.strip())
        record("refuse", submission, by=by, mandate=mandate, reason=reason.strip())
    return submission


def correct_rows(
    *, submission: Submission, rows: Sequence[Mapping[str, Any]], by: Account
) -> Submission:
    """Hand in repaired rows of ``submission`` as a small submission of its own, to be checked and accepted like any other.

    Each row is ``source_sheet``, ``source_row`` of the refused row and the contract's fields as text. Refuses a row that
    was not refused, a field the contract does not have, and an empty list."""
    declared = contract_named(submission.contract)
    if not rows:
        raise ActRefused("Aucune ligne corrigée.")
    if submission.report.get("extra", {}).get("added"):
        raise ActRefused(
            "Ce fichier compte une ligne par appareil : une ligne corrigée seule remplacerait le total de son établissement. Corrigez-la dans le fichier, puis déposez-le de nouveau en entier."
        )
    refused = _refused_positions(submission)
    lines = []
    for row in rows:
        position = (row.get("source_sheet"), int(row.get("source_row") or 0))
        if position not in refused:
            raise ActRefused(f"La ligne {position[1]} de « {position[0]} » n'est pas une ligne refusée de ce dépôt.")
        unknown = sorted(set(row) - set(declared.field_names) - {"source_sheet", "source_row"})
        if unknown:
            raise ActRefused(f"Champs inconnus du contrat {declared.code} : {', '.join(unknown)}.")
        lines.append({name: str(row[name]) if row.get(name) not in (None, "") else None for name in declared.field_names})
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\n"
    return receive(
        content=text.encode(),
        filename=f"corrections-{submission.pk}.jsonl",
        contract=declared,
        sender=submission.sender,
        by=by,
        corrects=submission,
    )


def _refused_positions(submission: Submission) -> set[tuple[str, int]]:
    if not submission.checked_key:
        return set()
    frame = storage.part(submission.checked_key, "refused").select("source_sheet", "source_row").collect()
    return set(frame.rows())
