"""People who arrive from the OpenID Connect provider."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone

from essaim.kernel.organisations import check_siren

from ..models import Account
from ..permissions import mandate_to_manage
from .journal import record
from .refusals import ActForbidden, ActRefused


@dataclass(frozen=True, slots=True)
class Claims:
    """What the provider says of a person; empty where it says nothing. ``siret``: of the organisation they act for."""

    given_name: str = ""
    family_name: str = ""
    email: str = ""
    siret: str = ""


def account_arriving(*, issuer: str, subject: str, claims: Claims) -> Account | None:
    """The account linked to ``subject`` of ``issuer``; opened without any mandate the first time; None when it is closed.

    Names, address and organisation follow the provider. An address already held by another account is left to it: nobody
    enters an account by claiming its address (``link_identity`` joins the two)."""
    if not issuer or not subject:
        raise ActRefused("Le fournisseur d'identité n'a pas dit qui vous êtes.")
    found = Account.objects.filter(oidc_issuer=issuer, oidc_subject=subject).first()
    if found is not None:
        return _seen(found, claims) if found.is_active else None
    name = "oidc-" + hashlib.sha256(f"{issuer}|{subject}".encode()).hexdigest()[:24]
    account = Account(username=name, oidc_issuer=issuer, oidc_subject=subject)
    account.set_unusable_password()
    _describe(account, claims)
    try:
        with transaction.atomic():
            account.seen_at = timezone.now()
            account.save()
            record("arrive", account, by=account, issuer=issuer)
    except IntegrityError:  # the same person, in another tab, at the same moment
        return Account.objects.get(oidc_issuer=issuer, oidc_subject=subject)
    return account


def _seen(account: Account, claims: Claims) -> Account:
    _describe(account, claims)
    account.seen_at = timezone.now()
    account.save(update_fields=["given_name", "family_name", "email", "siren", "seen_at"])
    return account


def _describe(account: Account, claims: Claims) -> None:
    account.given_name = claims.given_name[:150] or account.given_name
    account.family_name = claims.family_name[:150] or account.family_name
    if siren := check_siren(claims.siret[:9]).value:
        account.siren = siren
    email = claims.email[:254]
    if email and _is_address(email) and not Account.objects.filter(email__iexact=email).exclude(pk=account.pk).exists():
        account.email = email


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def link_identity(*, arrived: Account, account: Account, by: Account) -> Account:
    """Make the identity of ``arrived`` (an account just opened by a sign-in, without mandate) that of ``account``, which is
    kept; ``arrived`` is closed. Refuses an account that already has an identity or rights to lose."""
    mandate = mandate_to_manage(by)
    if mandate is None:
        raise ActForbidden("Seul un administrateur rattache une identité à un compte.")
    if not arrived.oidc_subject or arrived.mandates.exists():
        raise ActRefused("Seul un compte ouvert par une première connexion, encore sans mandat, se rattache à un autre.")
    if account.oidc_subject or account.pk == arrived.pk or not account.is_active:
        raise ActRefused("Ce compte a déjà une identité chez le fournisseur, ou il est fermé.")
    with transaction.atomic():
        issuer, subject = arrived.oidc_issuer, arrived.oidc_subject
        Account.objects.filter(pk=arrived.pk).update(oidc_issuer="", oidc_subject="", is_active=False)
        Account.objects.filter(pk=account.pk).update(oidc_issuer=issuer, oidc_subject=subject)
        record("link_identity", account, by=by, mandate=mandate, arrived=arrived.pk)
    account.refresh_from_db()
    return account
