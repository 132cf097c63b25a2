"""A small but whole installation in a folder: invented register, senders' files through the real door. Run as a program.

``build`` makes it (two départements, a few senders); ``pour SECONDS`` goes on handing in, checking and accepting small files
(one at least) and prints ``poured`` after each; ``told [NUMBER [PARTS…]]`` tells as JSON everything that a restore must give back, or these
parts of it, as known at NUMBER; ``enqueue CONTRACT ROWS`` hands a file in and asks a worker for its check; ``state PK`` tells a
submission and its tasks, ``proof PK`` what the ledger holds of it; ``essaim WORDS…`` is the command line. ``serve`` reads such
commands from its input, one JSON list a line, and carries each out in a child that starts with everything loaded and nothing
remembered; after what the child wrote comes a line with its exit code alone, after ``END``.
"""

# ruff: noqa: E402
from __future__ import annotations

import hashlib
import json
import os
import sys
import time
import traceback
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "essaim.config.settings")

import django

django.setup()

from essaim.config.demo import take_in
from essaim.equipment.demonstration import School, files_of, senders, truth_of
from essaim.foundation import acts, clock, reads, tasks
from essaim.foundation.contracts import contract, contracts
from essaim.foundation.models import Act, Posting, Submission

DEPARTEMENTS = ("02", "95")
SCHOOLS = int(os.environ.get("ESSAIM_SMALL_SCHOOLS", "12"))
SENDERS = int(os.environ.get("ESSAIM_SMALL_SENDERS", "3"))
END = "=="
HEAD = "uai;categorie;quantite;date_livraison;numero_commande"


def build() -> None:
    from django.core.management import call_command

    from essaim.territories.acts import load_synthetic_register
    from essaim.territories.reads import demonstration_schools

    call_command("migrate", verbosity=0)
    admin = acts.local_administrator()
    with clock.travel(datetime(2024, 9, 2, 8, tzinfo=ZoneInfo("Europe/Paris"))):
        load_synthetic_register(by=admin, departements=DEPARTEMENTS, schools=SCHOOLS)
    schools = [School(**row) for row in demonstration_schools(DEPARTEMENTS)]
    for sender in senders(schools, communes=2)[:SENDERS]:
        for file in list(files_of(truth_of(sender)))[:6]:
            take_in(admin, file.content, file.filename, file.contract, sender.code)
    print("built", flush=True)


def deliveries(rows: int, seed: int) -> bytes:
    """A plain file of deliveries to the schools of the register."""
    from essaim.territories.reads import establishments

    uais = list(establishments().order_by("uai").values_list("uai", flat=True))
    start = date(2025, 9, 1)
    lines = [
        f"{uais[(n * 7 + seed) % len(uais)]};tablette;{1 + (n + seed) % 30};{start + timedelta(days=(n + seed) % 200):%d/%m/%Y};BC-{seed}-{n}"
        for n in range(rows)
    ]
    return "\n".join([HEAD, *lines]).encode()


def pour(seconds: float) -> None:
    admin, until, turn = acts.local_administrator(), time.monotonic() + seconds, 0
    while not turn or time.monotonic() < until:
        turn += 1
        take_in(admin, deliveries(40, turn + os.getpid() * 1000), f"livraisons-{os.getpid()}-{turn}.csv", "equipment.deliveries", f"S{turn % 3}")
        print("poured", flush=True)
        time.sleep(min(0.2, seconds))


def enqueue(contract: str, rows: str) -> None:
    admin = acts.local_administrator()
    found = acts.receive(content=deliveries(int(rows), int(rows)), filename="a-verifier.csv", contract=contract, sender="S9", by=admin)
    tasks.enqueue_check(found, admin)
    print(found.pk, flush=True)


def enqueue_acceptance(pk: str) -> None:
    tasks.enqueue_accept(Submission.objects.get(pk=pk), acts.local_administrator())


def state(pk: str) -> None:
    from django_tasks_db.models import DBTaskResult

    found = Submission.objects.get(pk=pk)
    told = {"state": found.state, "number": found.number, "accepted": found.rows_accepted, "reason": found.reason}
    told["tasks"] = list(DBTaskResult.objects.order_by("enqueued_at").values_list("status", flat=True))
    told["deaths"] = [len(ids) for ids in DBTaskResult.objects.order_by("enqueued_at").values_list("worker_ids", flat=True)]
    print(json.dumps(told), flush=True)


def proof(pk: str) -> None:
    found = Submission.objects.get(pk=pk)
    declared = contract(found.contract)
    spec = reads.table_spec(declared)
    told = {
        "problems": list(reads.ledger().verify(spec, journal=reads.posted_numbers(declared)).problems),
        "entries": reads.ledger().entries(spec, submission=found.number).num_rows if found.number else 0,
        "breaks": reads.chain_breaks(),
    }
    print(json.dumps(told), flush=True)


def told(number: str = "", *parts: str) -> None:
    known = int(number) if number else Posting.objects.order_by("-number").values_list("number", flat=True).first() or 0
    tables = set(reads.ledger().tables()) if not parts or {"states", "posted", "problems"} & set(parts) else set()
    held = {item.code: item for item in contracts() if item.code in tables}
    makers = {
        "number": lambda: known,
        "figures": lambda: _figures(known),
        "states": lambda: {code: _digest(reads.ledger().state(reads.table_spec(item), known_at=known)) for code, item in held.items()},
        "postings": lambda: list(Posting.objects.filter(number__lte=known).values_list("number", "status", "entries")),
        "posted": lambda: {code: [n for n in reads.posted_numbers(item) if n <= known] for code, item in held.items()},
        "files": lambda: {s.sha256: hashlib.sha256(reads.content(s)).hexdigest() for s in Submission.objects.filter(number__lte=known)},
        "journal": lambda: list(Act.objects.order_by("pk").values_list("hash", flat=True)),
        "breaks": reads.chain_breaks,
        "problems": lambda: _problems(held) if not number else [],
        "schools": _schools,
    }
    print(json.dumps({name: makers[name]() for name in parts or makers}, default=str), flush=True)


def _problems(held: dict) -> list[str]:
    return [
        f"{code}: {problem}"
        for code, item in held.items()
        for problem in reads.ledger().verify(reads.table_spec(item), journal=reads.posted_numbers(item)).problems
    ]


def _digest(table) -> list:
    rows = sorted(json.dumps(row, default=str, sort_keys=True) for row in table.to_pylist())
    return [len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest()]


def _figures(known: int) -> list:
    """Every indicator, by département and by school, over two school years: value, interval, coverage, fingerprint."""
    from essaim.evaluation.reads import figures, indicators

    months = [f"{2024 + (8 + n) // 12}-{(8 + n) % 12 + 1:02d}" for n in range(0, 26, 5)]
    codes, found = [item.code for item in indicators()], []
    for level in ("departement", "establishment"):
        rows = figures(codes, level=level, period=months, known_at=known).rows()
        found += [[row[name] for name in ("indicator", "unit", "period", "value", "low", "high", "coverage", "fingerprint")] for row in rows]
    return sorted(found, key=str)


def _schools() -> list:
    from essaim.territories.models import Establishment

    return list(Establishment.objects.order_by("uai").values_list("uai", "name", "departement", "commune_name"))


def essaim(*words: str) -> None:
    from essaim.config.cli import main

    os.dup2(1, 2)
    main(list(words))


VERBS = {
    "build": build, "pour": lambda seconds: pour(float(seconds)), "told": told, "enqueue": enqueue, "enqueue-acceptance": enqueue_acceptance,
    "state": state, "proof": proof, "essaim": essaim,
}  # fmt: skip


def serve() -> None:
    for line in sys.stdin:
        verb, *rest = json.loads(line)
        child = os.fork()
        if child == 0:
            code = 1
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # nobody reads the log, and a full pipe would stop the child
            try:
                VERBS[verb](*rest)
                code = 0
            except SystemExit as ended:
                code = int(ended.code or 0)
            except BaseException:
                traceback.print_exc(file=sys.stdout)
            sys.stdout.flush()
            os._exit(code)
        print(END, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    serve() if verb == "serve" else VERBS[verb](*rest)
