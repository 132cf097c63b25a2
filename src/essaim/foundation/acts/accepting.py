"""Accepting and withdrawing: the number is committed first, then the ledger is written, then the act is done.

A process killed anywhere in between leaves a posting *begun*; ``recover`` finishes it, since the ledger takes the same
number twice as once. Everything happens under one lock, so numbers increase in the order in which the ledger is written.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Max

from essaim.engines.ledger import LedgerBusy, LedgerRefused, Posted

from .. import clock
from ..contracts import contract as contract_named
from ..locks import accept_lock
from ..models import Account, Mandate, Posting, State, Submission
from ..permissions import mandate_to_withdraw, outside, submitted_places
from ..reads.facts import ledger, table_spec
from ..reads.kept import questions
from ..reads.submissions import accepted_rows
from .journal import move, record
from .receiving import sending
from .refusals import ActForbidden, ActRefused


def accept(*, submission: Submission, by: Account) -> Submission:
    """Post the retained rows of a checked submission to the ledger, under a number of its own.

    Accepted already: nothing changes. Refuses an unchecked, refused or empty submission, one that still asks what a required or
    key column is, rows about places outside the mandate, a correction of a submission not yet accepted, and what the ledger refuses. Not inside a transaction."""
    mandate = sending(by, submission.contract, submission.sender)
    with accept_lock():
        _finish_begun()
        submission.refresh_from_db()
        if submission.state == State.ACCEPTED:
            return submission
        _refuse_unready(submission)
        _refuse_outside(submission, mandate)
        posting = _begin(submission, by, mandate)
        _finish(posting)
    submission.refresh_from_db()
    return submission


def withdraw(*, submission: Submission, reason: str, by: Account) -> Submission:
    """Take an accepted submission back: the ledger becomes what it would be without it, and keeps both.

    Withdrawn already: nothing changes. Needs a reason. Not inside a transaction."""
    mandate = mandate_to_withdraw(by, submission)
    if mandate is None:
        raise ActForbidden(f"Le compte « {by.name} » n'a pas de mandat pour retirer ce dépôt.")
    if not reason.strip():
        raise ActRefused("Dites pourquoi ce dépôt est retiré.")
    with accept_lock():
        _finish_begun()
        submission.refresh_from_db()
        if submission.state == State.WITHDRAWN:
            return submission
        if submission.state != State.ACCEPTED:
            raise ActRefused("Seul un dépôt accepté se retire ; refusez celui-ci.")
        posting = _begin(submission, by, mandate, Posting.Kind.WITHDRAWAL, reason.strip())
        _finish(posting)
    submission.refresh_from_db()
    return submission


def recover() -> int:
    """Finish the postings that a killed process left begun; how many. Safe at any time, by anyone."""
    if not Posting.objects.filter(status=Posting.Status.BEGUN).exists():
        return 0
    with accept_lock():
        return _finish_begun()


def _finish_begun() -> int:
    begun = list(Posting.objects.filter(status=Posting.Status.BEGUN).order_by("number"))
    for posting in begun:
        try:
            _finish(posting)
        except ActRefused:
            continue  # void, and journalled as such
    return len(begun)


def _refuse_unready(submission: Submission) -> None:
    if submission.state != State.CHECKED:
        raise ActRefused(
            f"Le dépôt « {submission.filename} » est « {submission.get_state_display().lower()} » : "
            "seul un dépôt vérifié s'accepte."
        )
    if submission.status == "refused" or not submission.rows_accepted:
        raise ActRefused("Aucune ligne de ce dépôt n'est acceptable : corrigez les anomalies puis renvoyez le fichier.")
    holding = [question for question in questions(submission) if question.holds]
    if holding:
        told = " ".join(f"« {question.message} »" for question in holding[:3]) + ("…" if len(holding) > 3 else "")
        raise ActRefused(f"Répondez d'abord aux questions qui décident du sens des lignes : {told} Rien n'est inscrit avant.")
    if submission.corrects is not None and submission.corrects.state != State.ACCEPTED:
        raise ActRefused("Acceptez d'abord le dépôt d'origine, puis ses corrections.")


def _refuse_outside(submission: Submission, mandate: Mandate) -> None:
    """Refuse rows about places that the mandate does not cover."""
    place = contract_named(submission.contract).place
    uais: list[str] = []
    if place is not None:
        uais = accepted_rows(submission)[place].drop_nulls().unique().to_list()
    strangers = outside(mandate, submission.sender, submitted_places(submission), uais)
    if strangers:
        shown = ", ".join(sorted(strangers)[:5])
        raise ActForbidden(
            f"Ce dépôt concerne des lieux hors de votre périmètre ({shown}) : retirez ces lignes ou faites accepter "
            "le dépôt par le pilotage national."
        )


@transaction.atomic(durable=True)
def _begin(
    submission: Submission,
    by: Account,
    mandate: Mandate,
    kind: str = Posting.Kind.ACCEPTANCE,
    reason: str = "",
) -> Posting:
    """Commit the number before the ledger is touched."""
    number = (Posting.objects.aggregate(last=Max("number"))["last"] or 0) + 1
    now = clock.now()
    posting = Posting.objects.create(
        number=number, kind=kind, submission=submission, by=by, reason=reason, begun_at=now
    )
    if kind == Posting.Kind.ACCEPTANCE:
        move(submission, State.ACCEPTING, number=number)
        record("accept", submission, by=by, mandate=mandate, number=number)
    else:
        record("withdraw", submission, by=by, mandate=mandate, number=number, reason=reason)
    return posting


def _finish(posting: Posting) -> None:
    """Write the ledger, then say so. ActRefused, the number void, when the ledger refuses."""
    submission = posting.submission
    try:
        posted = _write(posting, clock.now())
    except LedgerBusy as error:
        _void(posting, str(error))
        raise ActRefused(str(error)) from error
    except LedgerRefused as error:
        _void(posting, str(error))
        raise ActRefused(f"Le registre a refusé ce dépôt. {error}") from error
    except Exception:
        if not ledger().posted(table_spec(contract_named(submission.contract)), posting.number):
            _void(posting, "écriture interrompue")
        raise
    _done(posting, posted)


def _write(posting: Posting, now: datetime) -> Posted:
    submission = posting.submission
    spec = table_spec(contract_named(submission.contract))
    if posting.kind == Posting.Kind.WITHDRAWAL:
        target = submission.number
        assert target is not None
        return ledger().withdraw(spec, target=target, submission=posting.number, posted_at=now)
    rows = accepted_rows(submission).to_arrow()
    return ledger().post(spec, rows, submission=posting.number, sender=submission.sender, posted_at=now)


@transaction.atomic(durable=True)
def _done(posting: Posting, posted: Posted) -> None:
    """The ledger holds it. Its time is now, never before the one before it: figures known until now must not move."""
    last = Posting.objects.filter(status=Posting.Status.DONE).aggregate(last=Max("at"))["last"]
    at = max(clock.now(), last) if last else clock.now()
    Posting.objects.filter(pk=posting.pk).update(status=Posting.Status.DONE, at=at, entries=posted.entries)
    submission = posting.submission
    counts = {
        "new": posted.new,
        "changed": posted.changed,
        "unchanged": posted.unchanged,
        "withdrawn": posted.withdrawn,
    }
    if posting.kind == Posting.Kind.WITHDRAWAL:
        move(submission, State.WITHDRAWN, reason=posting.reason)
        record("withdrawn", submission, by=posting.by, number=posting.number, **counts)
    else:
        rows = {f"rows_{name}": count for name, count in counts.items()}
        move(submission, State.ACCEPTED, accepted_at=at, accepted_by=posting.by, **rows)
        record("accepted", submission, by=posting.by, number=posting.number, **counts)


@transaction.atomic(durable=True)
def _void(posting: Posting, why: str) -> None:
    """The ledger holds nothing under this number, which will not be used again."""
    Posting.objects.filter(pk=posting.pk).update(status=Posting.Status.VOID)
    if posting.kind == Posting.Kind.ACCEPTANCE:
        move(posting.submission, State.CHECKED, number=None)
    record("not_posted", posting.submission, by=posting.by, number=posting.number, why=why)
