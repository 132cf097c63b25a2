"""Who is behind the secret of a token, and the tokens of an account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from ..models import Account, ApiToken
from ..models.tokens import digest
from ..scopes import active_mandates

_FRESH = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Bearer:
    """A program at the door: its token, and the account whose rights are those of the mandate lent to it."""

    token: ApiToken
    account: Account


def bearer_of(secret: str) -> Bearer | None:
    """The program that shows ``secret``; None for an unknown, expired or revoked token, a closed account, a mandate ended."""
    found = ApiToken.objects.select_related("account").filter(digest=digest(secret)).first()
    now = timezone.now()
    if found is None or found.revoked_at is not None or found.expires_at <= now:
        return None
    account = found.account
    account.acting_under = found.mandate_id
    if not active_mandates(account):
        return None
    if found.used_at is None or now - found.used_at > _FRESH:
        ApiToken.objects.filter(pk=found.pk).update(used_at=now)
    return Bearer(found, account)


def tokens_of(account: Account) -> QuerySet[ApiToken]:
    """Every token of ``account``, newest first, with the mandate lent."""
    return ApiToken.objects.filter(account_id=account.pk).select_related("mandate")
