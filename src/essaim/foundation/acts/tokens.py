"""Lending a mandate to a program, and taking it back."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.utils import timezone

from ..models import Account, Mandate
from ..models.tokens import ApiToken, digest
from ..permissions import mandate_to_manage
from ..scopes import active_mandates
from .journal import record
from .refusals import ActForbidden, ActRefused

LONGEST_DAYS = 366
MOST_TOKENS = 20
_PREFIX = "essaim_"


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token just created. ``secret`` is known now and never again."""

    token: ApiToken
    secret: str


def _managing(account: Account, by: Account) -> Mandate | None:
    """The mandate under which ``by`` handles the tokens of ``account``; None for one's own. ActForbidden otherwise."""
    if account.pk == by.pk:
        return None
    mandate = mandate_to_manage(by)
    if mandate is None:
        raise ActForbidden("Seul le titulaire du compte ou un administrateur gère ses jetons d'accès.")
    return mandate


def create_token(
    *, account: Account, mandate: Mandate, label: str, expires_on: date, by: Account, is_read_only: bool = True
) -> IssuedToken:
    """Lend ``mandate`` of ``account`` to a program until the end of ``expires_on`` (in Paris), at most LONGEST_DAYS ahead.

    Refuses a mandate of somebody else or not in force, a day past or too far, a missing label, more than MOST_TOKENS."""
    managing = _managing(account, by)
    if mandate.pk not in {item.pk for item in active_mandates(account)}:
        raise ActRefused("Ce mandat n'est pas un mandat en cours de ce compte : choisissez-en un autre.")
    if not label.strip():
        raise ActRefused("Dites à quoi servira ce jeton, pour le reconnaître plus tard.")
    expires_at = _end_of(expires_on)
    with transaction.atomic():
        now = timezone.now()
        living = ApiToken.objects.filter(account=account, revoked_at__isnull=True, expires_at__gt=now)
        if living.count() >= MOST_TOKENS:
            raise ActRefused(f"Ce compte a déjà {MOST_TOKENS} jetons en cours : révoquez ceux qui ne servent plus.")
        secret = _PREFIX + secrets.token_urlsafe(32)
        token = ApiToken.objects.create(
            account=account, mandate=mandate, label=label.strip()[:120], prefix=secret[: len(_PREFIX) + 6],
            digest=digest(secret), is_read_only=is_read_only, created_at=now, created_by=by, expires_at=expires_at,
        )  # fmt: skip
        told = {"account": account.pk, "expires_at": expires_at, "is_read_only": is_read_only}
        record("create_token", token, by=by, mandate=managing or mandate, **told)
    return IssuedToken(token, secret)


def _end_of(day: date) -> datetime:
    today = timezone.localdate()
    if day < today:
        raise ActRefused("La date d'expiration est déjà passée.")
    if day > today + timedelta(days=LONGEST_DAYS):
        raise ActRefused(f"Un jeton ne peut pas durer plus de {LONGEST_DAYS} jours : choisissez une date plus proche.")
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


def revoke_token(*, token: ApiToken, by: Account) -> ApiToken:
    """Make a token useless at once. Revoked already: nothing changes."""
    managing = _managing(token.account, by)
    if token.revoked_at is not None:
        return token
    with transaction.atomic():
        token.revoked_at, token.revoked_by = timezone.now(), by
        token.save(update_fields=["revoked_at", "revoked_by"])
        record("revoke_token", token, by=by, mandate=managing, account=token.account_id)
    return token
