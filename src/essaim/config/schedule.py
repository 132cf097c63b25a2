"""What the worker asks for by itself: figures brought up to date, the ledger tended, contradictions looked for again, the morning
digest. Safe in several workers."""

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
        self._number = -1

    def tick(self) -> None:
        """Enqueues what is due: contradictions every five minutes, digests once a morning (Paris time)."""
        from essaim.equipment.tasks import enqueue_refresh, send_digests

        if time.monotonic() - self._refreshed >= REFRESH_SECONDS:
            self._refreshed = time.monotonic()
            enqueue_refresh()
        self._follow_acceptances()
        now = timezone.localtime()
        day = now.date().isoformat()
        if now.hour >= DIGEST_HOUR and day != self._digest_day:
            self._digest_day = day
            send_digests.enqueue(day=day)

    def _follow_acceptances(self) -> None:
        """Figures brought up to date and small files merged in the background, so that no reader pays for what was accepted."""
        from essaim.evaluation.tasks import refresh_figures
        from essaim.foundation.reads.facts import number_known_at
        from essaim.foundation.tasks import tend_ledger

        number = number_known_at(timezone.now())
        if number != self._number:
            self._number = number
            refresh_figures.enqueue()
            tend_ledger.enqueue()
