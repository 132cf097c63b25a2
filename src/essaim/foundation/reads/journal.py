"""Reading the journal of acts, and proving that nothing was removed from it."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, Q, QuerySet

from ..models import Account, Act, Role
from ..scopes import active_mandates, scope_of
from .submissions import visible_to


def visible_acts(account: Account | AnonymousUser) -> QuerySet[Act]:
    """Acts that ``account`` may read: all for a national scope held by steering, audit or administration; otherwise its
    own and those on the submissions it sees."""
    readers = (Role.NATIONAL, Role.AUDITOR, Role.ADMINISTRATOR)
    if scope_of(account).is_national and any(item.role in readers for item in active_mandates(account)):
        return Act.objects.all()
    if not account.is_authenticated:
        return Act.objects.none()
    seen = [str(pk) for pk in visible_to(account).values_list("pk", flat=True)[:5000]]
    return Act.objects.filter(Q(account_id=account.pk) | Q(object_type="submission", object_id__in=seen))


def acts_on(item: Model) -> QuerySet[Act]:
    """The history of one object, newest first."""
    return Act.objects.filter(object_type=item._meta.model_name, object_id=str(item.pk))


def chain_breaks() -> list[int]:
    """Acts whose content or predecessor no longer matches its hash; empty when the journal is whole."""
    broken, previous = [], ""
    for act in Act.objects.order_by("pk").iterator():
        if act.previous_hash != previous or act.fingerprint() != act.hash:
            broken.append(act.pk)
        previous = act.hash
    return broken
