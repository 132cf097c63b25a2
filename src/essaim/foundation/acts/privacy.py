"""What is kept about people, and for how long: their data handed to them, erased on request, purged when no longer needed.

The ledger holds no person: nothing here touches it. The journal is append-only: its acts stay, and point to an account that no
longer says who it was.
"""

from __future__ import annotations

import secrets
import shutil
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from .. import storage
from ..models import Account, ApiToken, Mandate, Role, State, Submission
from ..permissions import mandate_to_manage
from ..reads.privacy import personal_data
from .journal import move, record
from .people import LOCAL_ADMINISTRATOR
from .refusals import ActForbidden, ActRefused
from .uploading import forget_uploads

_ERASED = ("email", "given_name", "family_name", "organisation", "siren", "oidc_issuer", "oidc_subject")
_INCOMING_SECONDS = 86_400
_ATTEMPT_DAYS = 90


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge did: files forgotten (refused long ago), files given up (never accepted), accounts erased, tokens,
    sessions and sign-in attempts dropped."""

    files: int
    given_up: int
    accounts: int
    tokens: int
    sessions: int
    attempts: int


def _self_or_manager(account: Account, by: Account) -> Mandate | None:
    if account.pk == by.pk:
        return None
    mandate = mandate_to_manage(by)
    if mandate is None:
        raise ActForbidden("Seuls la personne elle-même et un administrateur disposent de ses données.")
    return mandate


def export_person(*, account: Account, by: Account) -> dict[str, Any]:
    """Everything kept about the person, for the person: see ``reads.privacy.personal_data``. Journalled."""
    mandate = _self_or_manager(account, by)
    with transaction.atomic():
        record("export_person", account, by=by, mandate=mandate)
    return personal_data(account)


def erase_person(*, account: Account, by: Account) -> Account:
    """Forget who the person is. Their mandates end, tokens and sessions go, their acts stay under an account without a name.

    Erased already: nothing changes. Refuses the local administrator and the last administrator."""
    mandate = _self_or_manager(account, by)
    if account.erased_at is not None:
        return account
    if account.username == LOCAL_ADMINISTRATOR:
        raise ActRefused("L'administrateur local n'est pas une personne : il ne s'efface pas.")
    if is_last_administrator(account):
        raise ActRefused("C'est le dernier administrateur : donnez ce mandat à quelqu'un d'autre d'abord.")
    login = account.username
    with transaction.atomic():
        _erase(account)
        record("erase_person", account, by=by, mandate=mandate)
    forget_uploads(of=account)
    forget_sign_ins(login)
    close_sessions(account)
    return account


def is_last_administrator(account: Account) -> bool:
    """Whether nobody else who can sign in administers the platform."""
    today = timezone.localdate()
    living = Mandate.objects.filter(role=Role.ADMINISTRATOR, account__is_active=True).exclude(account__username=LOCAL_ADMINISTRATOR)
    living = living.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=today))
    return living.filter(account=account).exists() and not living.exclude(account=account).exists()


def _erase(account: Account) -> None:
    now = timezone.now()
    day = timezone.localdate()
    ApiToken.objects.filter(account=account).delete()
    for item in account.mandates.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=day)):
        item.ends_on = max(item.starts_on, day - timedelta(days=1))
        item.save(update_fields=["ends_on"])
    account.username = f"efface-{secrets.token_hex(8)}"
    for name in _ERASED:
        setattr(account, name, "")
    account.set_unusable_password()
    account.is_active = False
    account.last_login = account.seen_at = None
    account.erased_at = now
    account.save()


def forget_sign_ins(login: str) -> None:
    """Drop the failed attempts counted against ``login``: it is locked out no more."""
    from axes.models import AccessAttempt, AccessLog

    for model in (AccessAttempt, AccessLog):
        model.objects.filter(username__iexact=login).delete()


def close_sessions(account: Account) -> None:
    """End every session of the account."""
    for session in Session.objects.filter(expire_date__gte=timezone.now()).iterator():
        if session.get_decoded().get("_auth_user_id") == str(account.pk):
            session.delete()


def purge(*, by: Account) -> Purged:
    """Apply the retention periods of the settings. Safe to run every night, and again after an interruption.

    Files refused more than ESSAIM_RETENTION_REFUSED_DAYS ago are forgotten; files received and never accepted for as long are
    refused first, so that their sender is told. Accounts unused for ESSAIM_RETENTION_ACCOUNT_DAYS are erased. Unfinished uploads
    past ESSAIM_UPLOAD_HOURS go. Accepted and withdrawn files are evidence: they stay."""
    mandate = mandate_to_manage(by)
    if mandate is None:
        raise ActForbidden("Seul un administrateur lance la purge.")
    now = timezone.now()
    before = now - timedelta(days=settings.ESSAIM_RETENTION_REFUSED_DAYS)
    done = Purged(
        files=_forget_refused(before, by, mandate),
        given_up=_give_up(before, by, mandate),
        accounts=_erase_unused(now - timedelta(days=settings.ESSAIM_RETENTION_ACCOUNT_DAYS), by),
        tokens=ApiToken.objects.filter(Q(expires_at__lt=before) | Q(revoked_at__lt=before)).delete()[0],
        sessions=Session.objects.filter(expire_date__lt=now).delete()[0],
        attempts=_forget_attempts(now - timedelta(days=_ATTEMPT_DAYS)),
    )
    forget_uploads()
    _sweep_incoming()
    return done


def _forget_refused(before: datetime, by: Account, mandate: Mandate) -> int:
    """Refused files, with their checks. A row that the ledger's numbers or another file refer to stays, emptied."""
    done = 0
    for item in Submission.objects.filter(state=State.REFUSED, state_at__lt=before).exclude(filename=""):
        key, sha256 = item.checked_key, item.sha256
        with transaction.atomic():
            record("purge", item, by=by, mandate=mandate, contract=item.contract)
            held = item.postings.exists() or item.corrections.exists() or Submission.objects.filter(replaces=item).exists()
            if held:
                empty = {"filename": "", "checked_key": "", "report": {}, "answers": {}, "reason": "purgé"}
                Submission.objects.filter(pk=item.pk).update(**empty)
            else:
                item.delete()
        storage.forget_check(key)
        _forget_bytes(sha256)
        done += 1
    return done


def _forget_bytes(sha256: str) -> None:
    """The bytes, unless a living submission holds the same."""
    if not Submission.objects.filter(sha256=sha256).exclude(filename="").exists():
        storage.bytes_path(sha256).unlink(missing_ok=True)


def _give_up(before: datetime, by: Account, mandate: Mandate) -> int:
    done = 0
    for item in Submission.objects.filter(state__in=(State.RECEIVED, State.CHECKED), state_at__lt=before):
        reason = f"Sans suite depuis {settings.ESSAIM_RETENTION_REFUSED_DAYS} jours : renvoyez le fichier s'il est encore utile."
        try:
            with transaction.atomic():
                move(item, State.REFUSED, reason=reason)
                record("refuse", item, by=by, mandate=mandate, reason=reason)
        except ActRefused:  # somebody took it up at this moment
            continue
        done += 1
    return done


def _erase_unused(before: datetime, by: Account) -> int:
    """Accounts opened, seen and used by a program before ``before`` only. The last administrator stays."""
    unused = Account.objects.filter(erased_at__isnull=True, opened_at__lt=before).exclude(username=LOCAL_ADMINISTRATOR).exclude(pk=by.pk)
    unused = unused.filter(Q(seen_at__isnull=True) | Q(seen_at__lt=before), Q(last_login__isnull=True) | Q(last_login__lt=before))
    unused = unused.exclude(tokens__used_at__gte=before)
    done = 0
    for account in unused.distinct():
        try:
            erase_person(account=account, by=by)
        except ActRefused:
            continue
        done += 1
    return done


def _forget_attempts(before: datetime) -> int:
    """Addresses and logins of sign-in attempts, kept to lock accounts out, not to follow people."""
    from axes.models import AccessAttempt, AccessLog

    return sum(model.objects.filter(attempt_time__lt=before).delete()[0] for model in (AccessAttempt, AccessLog))


def _sweep_incoming() -> None:
    """What interrupted uploads and checks left behind for more than a day."""
    folder = Path(settings.ESSAIM_FILES_DIR) / "incoming"
    limit = time.time() - _INCOMING_SECONDS
    for path in folder.glob("*") if folder.exists() else ():
        if path.lstat().st_mtime < limit:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
