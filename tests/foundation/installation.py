"""A real installation in a folder, for tests that need several processes or kill them. Run as a program by the tests.

``prepare N`` migrates and hands in N checked submissions; ``accept`` accepts all of them; ``live`` first recovers and
tells as JSON what stands, then accepts (``withdraws`` when there is nothing to accept) until it dies (SIGKILL) at the
point named by ESSAIM_DIES_AT, if any; ``told`` only tells.
"""

# ruff: noqa: E402
from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

import django

django.setup()

from essaim.engines.ledger import Ledger
from essaim.foundation import acts, contracts, reads
from essaim.foundation.acts import accepting, checking
from essaim.foundation.models import Posting, State, Submission
from plain_intake import COUNTS, PLANS, plain_check

contracts._by_code = lambda: {item.code: item for item in (COUNTS, PLANS)}
checking.intake.check = plain_check


def _dying(point: str):
    """Kills this process, as a power cut would, when ``point`` is reached."""
    if point == os.environ.get("ESSAIM_DIES_AT"):
        os.kill(os.getpid(), signal.SIGKILL)


def _arm() -> None:
    from django.conf import settings

    url = str(settings.ESSAIM_LEDGER_URL)
    accepting.ledger = lambda: Ledger(url, probe=_dying)
    begin, done = accepting._begin, accepting._done

    def dying_begin(*args, **named):
        posting = begin(*args, **named)
        _dying("numbered")
        return posting

    def dying_done(*args):
        _dying("written")
        done(*args)
        _dying("done")

    accepting._begin, accepting._done = dying_begin, dying_done


def prepare(count: int) -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    admin = acts.local_administrator()
    for n in range(count):
        lines = [f"002{n:04d}{chr(65 + i)};tablette;{n + i}" for i in range(3)] + [f"0020000Z;tablette;{n}"]
        content = "uai;category;quantity\n" + "\n".join(lines)
        found = acts.receive(
            content=content.encode(), filename=f"{n}.csv", contract=COUNTS, sender="s", by=admin
        )
        acts.check(submission=found, by=admin)


def accept() -> None:
    _arm()
    admin = acts.local_administrator()
    for submission in Submission.objects.filter(state__in=(State.CHECKED, State.ACCEPTING)).order_by("?"):
        acts.accept(submission=submission, by=admin)


def withdraw() -> None:
    _arm()
    for submission in Submission.objects.filter(state=State.ACCEPTED):
        acts.withdraw(submission=submission, reason="essai", by=acts.local_administrator())


def told() -> None:
    spec = reads.table_spec(COUNTS)
    book = reads.ledger()
    proof = book.verify(spec, journal=reads.posted_numbers(COUNTS))
    print(
        json.dumps(
            {
                "states": sorted(Submission.objects.values_list("state", flat=True)),
                "numbers": list(Submission.objects.order_by("number").values_list("number", flat=True)),
                "postings": list(Posting.objects.values_list("number", "status")),
                "clock": [str(at) for at in Posting.objects.filter(status="done").values_list("at", flat=True)],
                "rows": sorted((r["uai"], r["quantity"]) for r in book.state(spec).to_pylist()),
                "shared": [r["quantity"] for r in book.state(spec, where={"uai": "0020000Z"}).to_pylist()],
                "proof": [proof.ok, list(proof.problems)],
                "breaks": reads.chain_breaks(),
                "last": Submission.objects.order_by("-number").values_list("filename", flat=True).first(),
            }
        ),
        flush=True,
    )


def live() -> None:
    """What a process started again does: finish what was begun, say what stands, go on working."""
    acts.recover()
    told()
    waiting = Submission.objects.filter(state__in=(State.CHECKED, State.ACCEPTING)).exists()
    accept() if waiting else withdraw()


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    {
        "prepare": lambda: prepare(int(rest[0])),
        "accept": accept,
        "live": live,
        "told": told,
    }[verb]()
