"""Long work, done by a worker; each task may run twice without harm, and what a killed worker dropped is taken up."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from . import acts
from .contracts import contracts
from .models import Account, State, Submission
from .reads.facts import ledger, table_spec

# Every acceptance adds a few small files, and every reader opens them all: from here on merging costs less than it spares.
SCATTERED = 64


@task()
def check_submission(submission_id: int, account_id: int) -> str:
    """Check a submission received; nothing when it is past that. The state it reached."""
    submission = Submission.objects.get(pk=submission_id)
    if submission.state == State.RECEIVED:
        acts.check(submission=submission, by=Account.objects.get(pk=account_id))
    return submission.state


@task()
def accept_submission(submission_id: int, account_id: int) -> str:
    """Accept a submission checked, or finish its acceptance; nothing when it is accepted. The state it reached."""
    submission = Submission.objects.get(pk=submission_id)
    if submission.state in (State.CHECKED, State.ACCEPTING):
        submission = acts.accept(submission=submission, by=Account.objects.get(pk=account_id))
    return submission.state


@task()
def tend_ledger(least: int = SCATTERED) -> list[str]:
    """Merge the files of tables that acceptances have scattered into ``least`` small ones or more; the codes of these tables.
    Changes no row, and keeps for a week the files that a reader may have listed."""
    book = ledger()
    held = set(book.tables())
    due = [table_spec(contract) for contract in contracts() if contract.code in held]
    due = [spec for spec in due if book.scattered(spec) >= least]
    for spec in due:
        book.compact(spec)
    return [spec.name for spec in due]


def enqueue_check(submission: Submission, by: Account) -> str:
    """Ask a worker for the check, once the transaction is committed; the identifier of the task."""
    return _enqueue(check_submission, submission, by)


def enqueue_accept(submission: Submission, by: Account) -> str:
    """Ask a worker for the acceptance, once the transaction is committed; the identifier of the task."""
    return _enqueue(accept_submission, submission, by)


def _enqueue(work, submission: Submission, by: Account) -> str:
    return str(work.enqueue(submission_id=submission.pk, account_id=by.pk).id)


def sweep(*, patience: timedelta | None = None) -> int:
    """Take up what killed workers dropped: postings begun, checks without progress, tasks running too long. How many.

    ``patience``: silence after which a worker counts as dead; by default the longest time a check may take, plus a
    minute. To be called at the start of a worker and every few minutes."""
    wait = patience if patience is not None else timedelta(seconds=settings.ESSAIM_CHECK_SECONDS + 60)
    before = timezone.now() - wait
    taken = acts.recover()
    with transaction.atomic():
        silent = Submission.objects.filter(state=State.CHECKING, state_at__lt=before, progress_at__lt=before)
        taken += silent.update(state=State.RECEIVED, state_at=timezone.now(), progress_step="")
        lost = DBTaskResult.objects.filter(
            status=TaskResultStatus.RUNNING, started_at__lt=before, task_path__startswith=__package__
        )
        taken += lost.update(status=TaskResultStatus.READY)
    return taken
