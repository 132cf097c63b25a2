"""Adding to the journal, and moving a submission along its states."""

from __future__ import annotations

from typing import Any

from django.db import models, transaction

from .. import clock
from ..locks import lock_journal
from ..models import Account, Act, Mandate, State, Submission
from ..reads.kept import without_nul
from .refusals import ActRefused


def record(
    name: str, item: models.Model, *, by: Account | None, mandate: Mandate | None = None, **details: Any
) -> Act:
    """Add the act to the journal, chained to the act before it. To be called inside the act's own transaction."""
    with transaction.atomic():
        lock_journal()
        last = Act.objects.order_by("-pk").first()
        act = Act(
            at=clock.now(),
            account=by,
            mandate=mandate,
            name=name,
            object_type=item._meta.model_name,
            object_id=str(item.pk),
            details=without_nul(details),
            previous_hash=last.hash if last else "",
        )
        act.hash = act.fingerprint()
        act.save()
    return act


def move(submission: Submission, to: State, **changes: Any) -> None:
    """Move ``submission`` to ``to`` with the changes that go with it, unless somebody moved it in between.

    ActRefused when the table of transitions does not allow it or the state read is no longer the state stored."""
    if not submission.may_become(to):
        raise ActRefused(
            f"Le dépôt « {submission.filename} » est « {submission.get_state_display().lower()} » : "
            f"il ne peut pas devenir « {to.label.lower()} »."
        )
    changes |= {"state": to, "state_at": clock.now()}
    same = Submission.objects.filter(
        pk=submission.pk, state=submission.state, state_at=submission.state_at
    )
    if not same.update(**changes):
        raise ActRefused(
            f"Le dépôt « {submission.filename} » vient d'être modifié par quelqu'un d'autre : rechargez la page."
        )
    for name, value in changes.items():
        setattr(submission, name, value)
