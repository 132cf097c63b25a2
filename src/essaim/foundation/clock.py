"""The clock of acts: the present, unless the demonstration replays files on the days they were sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime

from django.utils import timezone

_travelled: ContextVar[datetime | None] = ContextVar("essaim_clock", default=None)


def now() -> datetime:
    """The moment at which acts happen, aware."""
    return _travelled.get() or timezone.now()


def today() -> date:
    """The day of ``now`` in Paris."""
    return timezone.localdate(now())


@contextmanager
def travel(moment: datetime) -> Iterator[None]:
    """Acts inside happen at ``moment`` (aware). Numbers posted still increase, and their dates never decrease."""
    token = _travelled.set(moment)
    try:
        yield
    finally:
        _travelled.reset(token)
