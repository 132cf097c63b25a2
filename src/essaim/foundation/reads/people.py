"""People, as lists name them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from ..models import Account, Mandate
from ..permissions import mandate_to_manage


def titled_accounts(limit: int = 12) -> list[tuple[str, str]]:
    """(identifier, title) of the open local accounts that carry a title and no address: those of a demonstration, made with it."""
    found = Account.objects.filter(is_active=True, email="", organisation__gt="").exclude(username="admin").order_by("pk")
    return list(found.values_list("username", "organisation")[:limit])


def mandates_of(account: Account) -> list[Mandate]:
    """Every mandate that ``account`` has or had, those in force first."""
    return sorted(account.mandates.all(), key=lambda item: (item.ends_on is not None, item.starts_on, item.pk))


def open_account(pk: object) -> Account | None:
    """The account of this key, as a session keeps it; None once it is closed."""
    return Account.objects.filter(pk=pk, is_active=True).first()


def managed_accounts(by: Account, text: str = "") -> QuerySet[Account]:
    """The accounts that ``by`` may give mandates to, those erased apart; ``text`` looks into identifier, names, address and
    organisation. None without a mandate to manage."""
    if not by.is_authenticated or mandate_to_manage(by) is None:
        return Account.objects.none()
    found = Account.objects.filter(erased_at__isnull=True).order_by("username")
    for word in text.split():
        found = found.filter(
            Q(username__icontains=word) | Q(given_name__icontains=word) | Q(family_name__icontains=word)
            | Q(email__icontains=word) | Q(organisation__icontains=word)
        )  # fmt: skip
    return found


def locked_until(username: str, address: str) -> datetime | None:
    """When ``username`` may try to sign in again from ``address``; None when nothing was missed in the last hour."""
    from axes.models import AccessAttempt

    last = AccessAttempt.objects.filter(username=username, ip_address=address).aggregate(last=Max("attempt_time"))["last"]
    until = last + timedelta(hours=settings.AXES_COOLOFF_TIME) if last else None
    return until if until is not None and until > timezone.now() else None
