"""Equipment files handed in through the real door, for tests of what follows them."""

from __future__ import annotations

import itertools
import json
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from essaim.foundation import acts, clock
from essaim.foundation.models import Account, Submission

TABLETS = {"uai": "0020011B", "category": "tablette"}
SENDER = "217500016"
_counter = itertools.count()


def hand_in(kind: str, *rows: dict[str, Any], by: Account, sender: str = SENDER, at: date | None = None) -> Submission:
    """Receives, checks and accepts ``rows`` of contract ``equipment.<kind>``; as of day ``at`` when given."""
    text = [{key: value.isoformat() if isinstance(value, date) else value for key, value in row.items()} for row in rows]
    content = "\n".join(json.dumps(row, ensure_ascii=False) for row in text) + "\n"

    def done() -> Submission:
        found = acts.receive(
            content=content.encode(), filename=f"{kind}-{next(_counter)}.jsonl", contract=f"equipment.{kind}", sender=sender, by=by
        )
        if found.state == "received":
            found = acts.check(submission=found, by=by, contain=False)
        assert found.report["questions"] == [], found.report["questions"]
        assert found.rows_accepted == len(rows), found.report
        return acts.accept(submission=found, by=by)

    if at is None:
        return done()
    with clock.travel(datetime.combine(at, time(12), ZoneInfo("Europe/Paris"))):
        return done()


def person(name: str, role: str, scope: str, *, organisation: str = "", email: str = "") -> Account:
    """An account with a mandate since 2020."""
    admin = acts.local_administrator()
    account = acts.open_account(username=name, given_name=name.capitalize(), email=email, by=admin)
    acts.grant_mandate(account=account, role=role, scope=scope, organisation=organisation, starts_on=date(2020, 9, 1), by=admin)
    return account
