"""Accounts and mandates: opening, granting, ending."""

from __future__ import annotations

from datetime import date

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from ..models import Account, Mandate, Role
from ..permissions import mandate_to_manage
from ..scopes import NATIONAL, ScopeRefused, parse_scope
from .journal import record
from .refusals import ActForbidden, ActRefused

LOCAL_ADMINISTRATOR = "admin"


def _managing(by: Account) -> Mandate:
    mandate = mandate_to_manage(by)
    if mandate is None:
        raise ActForbidden("Seul un administrateur ouvre des comptes et donne des mandats.")
    return mandate


def open_account(
    *,
    username: str,
    by: Account,
    email: str = "",
    given_name: str = "",
    family_name: str = "",
    organisation: str = "",
    siren: str = "",
    password: str | None = None,
    oidc_issuer: str = "",
    oidc_subject: str = "",
) -> Account:
    """Open an account, without any right until a mandate is granted. Without ``password`` it signs in through OpenID
    Connect only. Refuses a login or address already taken, and a weak password."""
    mandate = _managing(by)
    account = Account(
        username=username.strip(),
        email=email.strip(),
        given_name=given_name.strip(),
        family_name=family_name.strip(),
        organisation=organisation.strip(),
        siren=siren.strip(),
        oidc_issuer=oidc_issuer,
        oidc_subject=oidc_subject,
    )
    try:
        if password is not None:
            validate_password(password, account)
        account.set_password(password)
        account.full_clean(exclude=["password"])
    except ValidationError as error:
        raise ActRefused(" ".join(error.messages)) from error
    with transaction.atomic():
        account.save()
        record("open_account", account, by=by, mandate=mandate)  # no name: the journal outlives the person's data
    return account


def grant_mandate(
    *,
    account: Account,
    role: str,
    scope: str,
    by: Account,
    organisation: str = "",
    starts_on: date | None = None,
    ends_on: date | None = None,
) -> Mandate:
    """Grant a role over a scope, from ``starts_on`` (today) to ``ends_on`` (open). Refuses an unknown role or scope and
    dates in the wrong order; the same mandate granted twice is the same mandate."""
    managing = _managing(by)
    if role not in Role.values:
        raise ActRefused(f"Rôle inconnu : « {role} ».")
    try:
        parse_scope(scope)
    except ScopeRefused as error:
        raise ActRefused(str(error)) from error
    start = starts_on or timezone.localdate()
    if ends_on is not None and ends_on < start:
        raise ActRefused("Un mandat ne peut pas finir avant de commencer.")
    terms = {"role": role, "scope": scope, "organisation": organisation, "ends_on": ends_on}
    with transaction.atomic():
        same = account.mandates.filter(**terms, starts_on__lte=start).first()
        if same is not None:
            return same
        mandate = Mandate.objects.create(account=account, starts_on=start, granted_by=by, **terms)
        told = {"role": role, "scope": scope, "organisation": organisation}
        record("grant_mandate", mandate, by=by, mandate=managing, account=account.pk, **told)
    return mandate


def end_mandate(*, mandate: Mandate, by: Account, on: date | None = None) -> Mandate:
    """End a mandate on ``on`` (yesterday when None, so that it stops at once). Refuses a day before its beginning, and the
    last national administrator ending their own."""
    managing = _managing(by)
    end = on or max(mandate.starts_on, timezone.localdate() - timezone.timedelta(days=1))
    if end < mandate.starts_on:
        raise ActRefused("Un mandat ne peut pas finir avant de commencer.")
    with transaction.atomic():
        if mandate.role == Role.ADMINISTRATOR and not _another_administrator(mandate):
            raise ActRefused("C'est le dernier mandat d'administrateur : donnez-en un autre d'abord.")
        mandate.ends_on = end
        mandate.save(update_fields=["ends_on"])
        record("end_mandate", mandate, by=by, mandate=managing, ends_on=end)
    return mandate


def _another_administrator(mandate: Mandate) -> bool:
    others = Mandate.objects.filter(role=Role.ADMINISTRATOR, ends_on__isnull=True, account__is_active=True)
    return others.exclude(pk=mandate.pk).exists()


def local_administrator() -> Account:
    """The administrator of the command line, created on first use: no password, so nobody signs in with it."""
    found = Account.objects.filter(username=LOCAL_ADMINISTRATOR).first()
    if found is not None and found.mandates.filter(role=Role.ADMINISTRATOR).exists():
        return found
    try:
        with transaction.atomic():
            account = found or Account.objects.create_user(
                LOCAL_ADMINISTRATOR, family_name="Administrateur local", organisation="Ligne de commande"
            )
            mandate = Mandate.objects.create(
                account=account, role=Role.ADMINISTRATOR, scope=NATIONAL, starts_on=date(2020, 1, 1)
            )
            record("local_administrator", account, by=None, mandate=mandate)
    except IntegrityError:  # another process created it at the same moment
        return Account.objects.get(username=LOCAL_ADMINISTRATOR)
    return account
