"""Long work of the equipment lever; each task may run twice without harm."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import date, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.cache import cache
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django_tasks import task

from essaim.equipment.acts import refresh_contradictions
from essaim.equipment.models import Digest
from essaim.equipment.reads.contradictions import outdated
from essaim.equipment.reads.reminders import Reminder, accounts_to_remind, reminder
from essaim.foundation import clock
from essaim.foundation.acts.journal import record
from essaim.foundation.models import Account

logger = logging.getLogger(__name__)
_ONCE_SECONDS = 120
LAPSE = timedelta(minutes=15)


@task()
def refresh_departement(departement: str) -> dict[str, int]:
    """Compare the contradictions of one département with its facts; how many opened, opened again, settled, changed."""
    (done,) = refresh_contradictions(departements=[departement], by=None)
    return {"opened": done.opened, "reopened": done.reopened, "settled": done.settled, "changed": done.changed}


def enqueue_refresh(departements: Collection[str] | None = None) -> list[str]:
    """Ask a worker to compare every département (of ``departements``, or all) whose facts moved since, or that was last
    compared another day. Asked again within two minutes for the same facts, nothing is added. Those asked for."""
    asked = []
    for place, number in sorted(outdated(departements).items()):
        if cache.add(f"contradictions:{place}:{number}:{clock.today()}", 1, _ONCE_SECONDS):
            refresh_departement.enqueue(departement=place)
            asked.append(place)
    return asked


@task()
def send_digests(day: str = "") -> int:
    """Write once on ``day`` (ISO; today) to each account for which something is late; how many were written to.

    An account is written to at most once a day, whoever runs this and how many times; a message that could not be sent is tried
    again at the next run."""
    on = date.fromisoformat(day) if day else clock.today()
    return sum(_send(account, on) for account in accounts_to_remind(on))


def _send(account: Account, on: date) -> bool:
    found = reminder(account, on=on)
    if found.is_empty or not _claim(account, on):
        return False
    mine = Digest.objects.filter(account=account, day=on)
    subject, text = message(account, found, on)
    try:
        send_mail(subject, text, None, [account.email])
    except (OSError, SMTPException) as error:
        mine.update(claimed_at=None)
        logger.warning("digest of %s to account %s not sent: %s", on, account.pk, error)
        return False
    with transaction.atomic():
        mine.update(sent_at=clock.now(), counts=found.counts)
        record("send_digest", mine.get(), by=None, account=account.pk, day=on.isoformat(), **found.counts)
    return True


def _claim(account: Account, on: date) -> bool:
    """Whether this process is the one to write; a claim left by a killed worker lapses."""
    Digest.objects.get_or_create(account=account, day=on)
    now = clock.now()
    free = Q(claimed_at__isnull=True) | Q(claimed_at__lt=now - LAPSE)
    return Digest.objects.filter(free, account=account, day=on, sent_at__isnull=True).update(claimed_at=now) == 1


def message(account: Account, found: Reminder, on: date) -> tuple[str, str]:
    """Subject and text of the message, in French."""
    address = getattr(settings, "ESSAIM_BASE_URL", "") or settings.CSRF_TRUSTED_ORIGINS[0]
    text = render_to_string("equipment/digest.txt", {"account": account, "found": found, "on": on, "address": address.rstrip("/")})
    return f"Essaim : ce qui vous attend au {on:%d/%m/%Y}", text
