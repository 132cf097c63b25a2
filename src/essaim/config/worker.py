"""The worker: does queued work, stops without losing any, and takes up at once what a killed worker left."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import uuid
from pathlib import Path
from types import FrameType
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "essaim.config.settings")

# Docker and `essaim run` kill ten seconds after they asked; the task under way is given back before.
GRACE_SECONDS = 7
SWEEP_SECONDS = 30
# A task that saw so many workers die is more likely their murderer than their witness.
DEATHS = 3


class GivenBack(BaseException):
    """Raised inside the task under way when it must stop; never caught by the work itself."""


def main() -> None:
    """Runs until told to stop: the task under way is finished, or given back after GRACE_SECONDS."""
    import django

    django.setup()
    from django.conf import settings

    from essaim.config.lightness import settle
    from essaim.config.presence import hold_home, hold_worker

    settle()
    name = uuid.uuid4().hex
    hold_home(settings.HOME)
    hold_worker(settings.HOME, name)
    take_up(settings.HOME)
    stopped = threading.Event()
    threading.Thread(target=_sweeping, args=(settings.HOME, stopped), daemon=True).start()
    try:
        _worker(name).run()
    except KeyboardInterrupt:
        pass
    finally:
        signal.alarm(0)  # the task under way has ended: nothing is left to be given back
        stopped.set()


def _sweeping(home: Path, stopped: threading.Event) -> None:
    """Looks around regularly; a database away for a moment ends nothing."""
    from django.db import close_old_connections

    from essaim.config.schedule import Schedule

    schedule = Schedule()
    while not stopped.wait(SWEEP_SECONDS):
        try:
            take_up(home)
            schedule.tick()
        except Exception:
            logging.getLogger("essaim.worker").exception("sweep failed")
        close_old_connections()


def take_up(home: Path) -> int:
    """Puts back in the queue what dead workers of this home held, at once, and what silent ones of other homes held for too
    long; finishes the postings begun. How many. Safe at any time, in several workers at once."""
    from essaim.foundation.tasks import sweep

    return _from_dead(home) + sweep()


def _from_dead(home: Path) -> int:
    from django.db import transaction
    from django.utils import timezone
    from django_tasks import TaskResultStatus
    from django_tasks_db.models import DBTaskResult

    from essaim.config.presence import forget_dead, is_dead
    from essaim.foundation.models import State, Submission

    taken, named = 0, set()
    for held in DBTaskResult.objects.filter(status=TaskResultStatus.RUNNING):
        name = held.worker_ids[-1] if held.worker_ids else ""
        named.add(name)
        if not name or not is_dead(home, name):
            continue
        with transaction.atomic():
            same = DBTaskResult.objects.filter(pk=held.pk, status=TaskResultStatus.RUNNING, started_at=held.started_at)
            if not same.update(status=TaskResultStatus.READY):
                continue
            submission = held.args_kwargs["kwargs"].get("submission_id")
            dropped = Submission.objects.filter(pk=submission, state=State.CHECKING)
            dropped.update(state=State.RECEIVED, state_at=timezone.now(), progress_step="")
            taken += 1
        if len(held.worker_ids) >= DEATHS:
            _give_up(held)
    forget_dead(home, named)
    return taken


def _give_up(held: Any) -> None:
    """Refuses the file that keeps killing its worker, and tells its sender."""
    from django_tasks import TaskResultStatus
    from django_tasks_db.models import DBTaskResult

    from essaim.foundation import acts
    from essaim.foundation.models import State, Submission

    DBTaskResult.objects.filter(pk=held.pk, status=TaskResultStatus.READY).update(status=TaskResultStatus.FAILED)
    found = Submission.objects.filter(pk=held.args_kwargs["kwargs"].get("submission_id"), state=State.RECEIVED).first()
    if found is not None:
        reason = "La vérification de ce fichier a été interrompue trois fois : découpez-le ou enregistrez-le de nouveau, puis renvoyez-le."
        acts.refuse(submission=found, reason=reason, by=acts.local_administrator())


def _worker(name: str) -> Any:
    """The worker of django-tasks-db, which gives back a task that it has no time to finish."""
    from django_tasks import TaskResultStatus
    from django_tasks_db.management.commands.db_worker import Worker
    from django_tasks_db.models import DBTaskResult

    from essaim.config.lightness import give_memory_back

    class Patient(Worker):
        def shutdown(self, signum: int, frame: FrameType | None) -> None:
            if signum == signal.SIGALRM and self.running_task:
                raise GivenBack
            if self.running:
                self.running = False
                signal.alarm(GRACE_SECONDS)
            if not self.running_task:
                sys.exit(0)

        def configure_signals(self) -> None:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
                signal.signal(number, self.shutdown)

        def run_task(self, db_task_result: Any) -> None:
            super().run_task(db_task_result)
            path = f"{GivenBack.__module__}.{GivenBack.__qualname__}"
            if db_task_result.exception_class_path == path:
                terms = {"status": TaskResultStatus.READY, "finished_at": None, "exception_class_path": "", "traceback": ""}
                DBTaskResult.objects.filter(pk=db_task_result.pk).update(**terms)
            give_memory_back()

    worker = Patient(
        queue_names=["default"], interval=0.5, batch=False, backend_name="default", startup_delay=False, max_tasks=None,
        worker_id=name, excluded_queue_names=[],
    )
    logging.getLogger("django_tasks").setLevel(logging.ERROR)
    logging.getLogger("django_tasks_db").setLevel(logging.ERROR)
    worker.configure_signals()
    return worker


if __name__ == "__main__":
    main()
