"""Long work of evaluation: idempotent, pulled from the ledger, never pushed by those who post to it."""

from __future__ import annotations

from django.utils import timezone
from django_tasks import task

from essaim.evaluation.reads.figures import ANSWERS, answer_ahead
from essaim.evaluation.reads.keeping import STORE, brought_up_to_date, stored_number
from essaim.evaluation.reads.register import register
from essaim.foundation.reads.facts import number_known_at


@task()
def refresh_figures() -> int:
    """Brings the cells of every indicator to the last submission and writes them down, and with them the protected figures that
    pages asked lately, so that no page nor new process has to; nothing when they stand there already. The number they stand
    at. Shows nothing itself: its memory is given back."""
    number = number_known_at(timezone.now())
    brought_up_to_date(number)
    answer_ahead()
    STORE.release()
    ANSWERS.clear()
    return number


def load_figures() -> bool:
    """Reads into the memory of this process the register and the cells written down, brought to the last submission; False, and
    nothing computed, when none are."""
    if stored_number(()) < 0:
        return False
    register()
    STORE.current((), number_known_at(timezone.now()))
    return True
