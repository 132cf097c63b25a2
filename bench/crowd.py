"""``python -m bench.crowd IMPORTERS READERS SECONDS``: processes that write and threads that read one SQLite file, with the
settings of the site. Prints as JSON the errors « locked », the p99 of a read in milliseconds, and what was written and read."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import sys
import threading
import time
from typing import Any

CHUNK = 2_000
PROCESSES = 2


def _django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "essaim.config.settings")
    import django

    django.setup()


def importing(number: int, until: float, results: Any) -> None:
    """One authority: submissions written one after the other, each with a chunk of places, in one transaction."""
    _django()
    from django.db import OperationalError, transaction
    from django.utils import timezone
    from django_tasks_db.models import DBTaskResult

    from essaim.foundation.acts.people import local_administrator
    from essaim.foundation.models import Place, Submission

    by, rows, locked, turn = local_administrator(), 0, 0, 0
    while time.time() < until:
        turn += 1
        now = timezone.now()
        try:
            with transaction.atomic():
                made = Submission.objects.bulk_create(
                    [
                        Submission(
                            contract="equipment.deliveries", contract_version=1, filename=f"{number}-{turn}-{n}.csv", sha256="0" * 64, size=1,
                            sender=f"F{number}", received_by=by, received_at=now, state_at=now,
                        )
                        for n in range(CHUNK // 4)
                    ],
                    batch_size=500,
                )
                Place.objects.bulk_create([Place(submission=item, departement=code) for item in made for code in ("02", "95", "60")], batch_size=500)
            rows += CHUNK
            DBTaskResult.objects.filter(status="READY").count()
        except OperationalError as error:
            locked += "locked" in str(error)
        time.sleep(0.2)
    results.put({"rows": rows, "locked": locked, "reads": []})


def reading(threads: int, until: float, results: Any) -> None:
    """Readers: what a page asks of the database, each thread with a connection of its own and a second of thought."""
    _django()
    took: list[float] = []
    locked = [0]
    workers = [threading.Thread(target=_one_reader, args=(n, until, took, locked)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    results.put({"rows": 0, "locked": locked[0], "reads": took})


def _one_reader(number: int, until: float, took: list[float], locked: list[int]) -> None:
    from django.db import OperationalError, connection

    from essaim.foundation.models import Submission
    from essaim.territories.models import Establishment

    time.sleep(number / 50)
    while time.time() < until:
        started = time.perf_counter()
        try:
            list(Establishment.objects.order_by("uai").values_list("uai", "name")[:50])
            list(Submission.objects.order_by("-pk").values_list("pk", "state")[:20])
            took.append(time.perf_counter() - started)
        except OperationalError as error:
            locked[0] += "locked" in str(error)
        time.sleep(0.5)
    connection.close()


def main(importers: int, readers: int, seconds: float) -> dict[str, Any]:
    """Runs the crowd for ``seconds``; see the module."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    until = time.time() + seconds + 12
    crowd = [context.Process(target=importing, args=(n, until, results)) for n in range(importers)]
    crowd += [context.Process(target=reading, args=(readers // PROCESSES, until, results)) for _ in range(PROCESSES)]
    for member in crowd:
        member.start()
    told = [results.get(timeout=seconds + 100) for _ in crowd]
    for member in crowd:
        member.join(30)
    reads = sorted(value for item in told for value in item["reads"])
    return {
        "locked": sum(item["locked"] for item in told), "rows": sum(item["rows"] for item in told), "reads": len(reads),
        "p99_ms": reads[int(len(reads) * 0.99)] * 1000 if reads else float("nan"),
        "memory": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))))
