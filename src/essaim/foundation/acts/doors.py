"""How an account is entered: its password changed, its door closed and opened again."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from ..models import Account, Mandate
from ..permissions import mandate_to_manage
from .journal import record
from .people import LOCAL_ADMINISTRATOR
from .privacy import close_sessions, forget_sign_ins, is_last_administrator
from .refusals import ActForbidden, ActRefused


def change_password(*, account: Account, password: str, by: Account, current: str | None = None) -> Account:
    """Give ``account`` a new password. Oneself: after saying the ``current`` one. An administrator: for somebody else, who has
    lost theirs or is locked out; failed attempts are forgotten. Every session of the account ends, its own first.

    Refuses a wrong current password, a weak new one, the same again, and accounts that have no password of ours (closed,
    erased, those of the identity provider when it is themselves who ask). Nothing of either password is kept or journalled."""
    mandate = _entitled(account, by)
    if account.pk == by.pk:
        if not account.has_usable_password():
            raise ActRefused("Vous vous connectez par le fournisseur d'identité : votre mot de passe se change chez lui.")
        if not account.check_password(current or ""):
            raise ActRefused("Le mot de passe actuel est inexact. Rien n'a changé.")
    if account.check_password(password):
        raise ActRefused("C'est déjà le mot de passe de ce compte : choisissez-en un autre.")
    try:
        validate_password(password, account)
    except ValidationError as error:
        raise ActRefused(" ".join(error.messages)) from error
    with transaction.atomic():
        account.set_password(password)
        account.save(update_fields=["password"])
        record("change_password", account, by=by, mandate=mandate)
    close_sessions(account)
    forget_sign_ins(account.username)
    return account


def close_account(*, account: Account, by: Account) -> Account:
    """Close the door of ``account``: nobody signs in, its sessions and tokens open nothing from the next page on. Its mandates and
    what it did stay. Closed already: nothing changes. Refuses one's own account and the last administrator."""
    mandate = _managing(account, by)
    if not account.is_active:
        return account
    if account.pk == by.pk:
        raise ActRefused("On ne ferme pas son propre compte : demandez-le à un autre administrateur, ou effacez votre identité.")
    if is_last_administrator(account):
        raise ActRefused("C'est le dernier administrateur : donnez ce mandat à quelqu'un d'autre d'abord.")
    with transaction.atomic():
        account.is_active = False
        account.save(update_fields=["is_active"])
        record("close_account", account, by=by, mandate=mandate)
    close_sessions(account)
    return account


def reopen_account(*, account: Account, by: Account) -> Account:
    """Open again the door of an account closed. Open already: nothing changes. Refuses an erased account: nobody is behind it."""
    mandate = _managing(account, by)
    if account.is_active:
        return account
    if account.erased_at is not None:
        raise ActRefused("Cette identité est effacée : ouvrez un nouveau compte.")
    with transaction.atomic():
        account.is_active = True
        account.save(update_fields=["is_active"])
        record("reopen_account", account, by=by, mandate=mandate)
    return account


def _entitled(account: Account, by: Account) -> Mandate | None:
    mandate = _managing(account, by) if account.pk != by.pk else None
    if account.erased_at is not None or not account.is_active:
        raise ActRefused("Ce compte est fermé : rouvrez-le d'abord.")
    return mandate


def _managing(account: Account, by: Account) -> Mandate:
    mandate = mandate_to_manage(by)
    if mandate is None:
        raise ActForbidden("Seul un administrateur change le mot de passe de quelqu'un d'autre, ferme ou rouvre son compte.")
    if account.username == LOCAL_ADMINISTRATOR:
        raise ActRefused("L'administrateur local n'est pas une personne : personne ne s'y connecte.")
    return mandate
