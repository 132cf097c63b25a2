"""Having a file understood by the engine, and keeping what it found."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.db import transaction

from essaim.engines import intake
from essaim.engines.intake.report import Check, TableReading
from essaim.engines.intake.tables import Limits
from essaim.kernel.french import folded, read_date

from .. import clock, storage
from ..contracts import contract as contract_named
from ..contracts import references
from ..models import Account, Layout, Place, State, Submission
from ..reads.kept import frames_of, report_of
from ..reads.memory import answers_of, memory_of
from ..reads.submissions import standing_under
from .journal import move, record
from .receiving import sending
from .refusals import ActRefused

Progress = Callable[[float, str], None]


def check(
    *,
    submission: Submission,
    by: Account,
    answers: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    contain: bool = True,
) -> Submission:
    """Check (again) the file of ``submission`` in a process of its own, with the registers loaded and what its sender
    answered before; keep the rows, the issues and the questions.

    ``answers`` add to those given earlier. ``progress(share, step)``, share from 0 to 1, is told too. A file that cannot be understood
    and asks nothing is refused. Whatever interrupts the check, the submission can be checked again.
    ``contain=False`` is for files that this program wrote itself (the demonstration)."""
    mandate = sending(by, submission.contract, submission.sender)
    if answers:
        answer(submission=submission, answers=answers, by=by)
    before = submission.checked_key
    with transaction.atomic():
        start = {"progress_done": 0, "progress_total": 0, "progress_step": "Lecture du fichier"}
        move(submission, State.CHECKING, progress_at=clock.now(), **start)
    try:
        found = _understood(submission, _reporter(submission, progress), contain)
        key = storage.keep_check(frames_of(found))
    except BaseException:
        _give_back(submission)
        raise
    with transaction.atomic():
        _settle(submission, found, key)
        _remember(submission, found, by)
        told = {"status": found.status, "rows": found.rows.height, "refused": found.rows_refused}
        record("check", submission, by=by, mandate=mandate, **told)
    storage.forget_check(before)
    return submission


def answer(*, submission: Submission, answers: Mapping[str, str], by: Account) -> Submission:
    """Answer the questions of the last check, for the next check of this file; that check remembers them for the sender
    and these layouts. Refuses a choice that was not offered."""
    mandate = sending(by, submission.contract, submission.sender)
    asked = {item["id"]: item for item in submission.report.get("questions", ())}
    for key, value in answers.items():
        if key in asked and value and not _is_an_answer(asked[key], value):
            raise ActRefused(f"La réponse « {value} » ne fait pas partie des choix proposés.")
    with transaction.atomic():
        current = Submission.objects.select_for_update().get(pk=submission.pk)
        merged = {**current.answers, **answers}
        Submission.objects.filter(pk=submission.pk).update(answers=merged)
        submission.answers = merged
        record("answer", submission, by=by, mandate=mandate, answers=dict(answers))
    return submission


def _is_an_answer(question: Mapping[str, Any], value: str) -> bool:
    """One of the choices, or a date where any is one."""
    return value in {choice[0] for choice in question["choices"]} or (question.get("free") == "date" and read_date(value) is not None)


def _remember(submission: Submission, found: Check, by: Account) -> None:
    """Keep the answers that settled the layouts of this file: the next file laid out alike is not asked again. What was said of
    the whole file (``once:``) is true of that file only."""
    asked = {item.id for item in found.questions}
    settled = {key: value for key, value in submission.answers.items() if key not in asked and not key.startswith(("once:", "column:"))}
    named = {key.removeprefix("column:"): value for key, value in submission.answers.items() if key.startswith("column:")}
    for table in found.tables:
        start = f"mapping:{table.layout}:"
        if not (settled or named) or any(item.startswith(start) for item in asked):
            continue
        same = {"sender": submission.sender, "contract": submission.contract, "fingerprint": table.layout}
        known = Layout.objects.filter(**same).first()
        earlier = known.memory if known else {"columns": {}, "answers": {}}
        columns = {key.removeprefix(start): value for key, value in settled.items() if key.startswith(start)}
        memory = {
            "columns": {**earlier["columns"], **_of_table(named, table), **columns},
            "answers": {**earlier["answers"], **settled},
        }
        when = {"confirmed_by": by, "confirmed_at": clock.now()}
        Layout.objects.update_or_create(**same, defaults={"memory": memory, **when})


def _of_table(named: Mapping[str, str], table: TableReading) -> dict[str, str]:
    """Columns that the sender named by header or letter, those this table has; what was said of one file alone is not kept."""
    spelled = {folded(text): text for m in table.mapping for text in (m.column, m.header) if text}
    spelled |= {folded(text): text for text in (*table.letters, *table.unmapped)}
    return {spelled[key]: field for name, field in named.items() if (key := folded(name)) in spelled}


def _understood(submission: Submission, progress: Progress, contain: bool) -> Check:
    return intake.check(
        storage.bytes_path(submission.sha256),
        submission.filename,
        contract_named(submission.contract),
        references=references(),
        memory=memory_of(submission.contract, submission.sender),
        answers={**answers_of(submission.contract, submission.sender), **submission.answers},
        sender=submission.sender,
        existing=lambda keys: standing_under(submission.contract, keys),
        limits=Limits(
            file_bytes=settings.ESSAIM_UPLOAD_MAX_MB * 2**20,
            seconds=settings.ESSAIM_CHECK_SECONDS,
            memory_bytes=settings.ESSAIM_CHECK_MEMORY_MB * 2**20,
        ),
        contain=contain,
        progress=progress,
    )


def _reporter(submission: Submission, progress: Progress | None) -> Progress:
    """Writes the progress to the database, at most twice a second."""
    last = 0.0

    def tell(share: float, step: str) -> None:
        nonlocal last
        if progress is not None:
            progress(share, step)
        if time.monotonic() - last < 0.5:
            return
        last = time.monotonic()
        Submission.objects.filter(pk=submission.pk, state=State.CHECKING, state_at=submission.state_at).update(
            progress_done=round(share * 100), progress_total=100, progress_step=step[:200], progress_at=clock.now()
        )

    return tell


def _give_back(submission: Submission) -> None:
    """Undo the start of a check cut short, if nobody took it over."""
    mine = Submission.objects.filter(pk=submission.pk, state=State.CHECKING, state_at=submission.state_at)
    now = clock.now()
    mine.update(state=State.RECEIVED, state_at=now)
    submission.state, submission.state_at = State.RECEIVED, now


def _settle(submission: Submission, found: Check, key: str) -> None:
    """Write what the check found and the state it leads to."""
    hopeless = found.status == "refused" and not found.questions
    changes: dict[str, Any] = {
        "checked_key": key,
        "report": report_of(found),
        "status": found.status,
        "rows_read": found.rows_read,
        "rows_accepted": found.rows.height,
        "rows_refused": found.rows_refused,
        "progress_step": "",
    }
    if hopeless:
        told = [row["message"] for row in found.summary.to_dicts()] + [text for _code, text in found.notices]
        changes["reason"] = " ".join(told)[:2000] or "Aucune donnée exploitable dans ce fichier."
    move(submission, State.REFUSED if hopeless else State.CHECKED, **changes)
    places = found.rows["departement"].drop_nulls().unique().to_list() if found.rows.height else []
    submission.places.all().delete()
    Place.objects.bulk_create(Place(submission=submission, departement=code) for code in sorted(places))
