"""What the worker asks for by itself: contradictions looked for again, the morning digest. Safe in several workers."""

from __future__ import annotations

import time

from django.utils import timezone

REFRESH_SECONDS = 300
DIGEST_HOUR = 7


class Schedule:
    """Remembers, in one worker, when each regular request was last made; the tasks themselves are idempotent."""

    def __init__(self) -> None:
        self._refreshed = 0.0
        self._digest_day = ""

    def tick(self) -> None:
        """Enqueues what is due: contradictions every five minutes, digests once a morning (Paris time)."""
        from essaim.equipment.tasks import enqueue_refresh, send_digests

        if time.monotonic() - self._refreshed >= REFRESH_SECONDS:
            self._refreshed = time.monotonic()
            enqueue_refresh()
        now = timezone.localtime()
        day = now.date().isoformat()
        if now.hour >= DIGEST_HOUR and day != self._digest_day:
            self._digest_day = day
            send_digests.enqueue(day=day)
