"""Files on their way, as their owner may see them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from .. import clock
from ..models import Account, Upload


def expired_before(now: datetime) -> datetime:
    """Uploads that received nothing since then are forgotten."""
    return now - timedelta(hours=settings.ESSAIM_UPLOAD_HOURS)


def uploads_of(account: Account | AnonymousUser) -> QuerySet[Upload]:
    """Uploads of ``account``, finished ones too; nobody else sees them, whatever their mandate."""
    return Upload.objects.filter(owner_id=account.pk) if account.is_authenticated else Upload.objects.none()


def unfinished_uploads(account: Account | AnonymousUser) -> QuerySet[Upload]:
    """What was cut short and can still be resumed, the newest first."""
    return uploads_of(account).filter(submission=None, seen_at__gte=expired_before(clock.now()))
