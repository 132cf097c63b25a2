"""What is late for each sender: the content of one message a day."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date

import polars as pl
from django.db.models import Exists, OuterRef, Q, QuerySet

from essaim.equipment.models import WAITING
from essaim.equipment.reads.contradictions import visible_contradictions
from essaim.equipment.reads.lines import scoped_lines
from essaim.equipment.reads.lists import dated
from essaim.equipment.reads.receptions import awaiting, schools_directed
from essaim.foundation.models import Account, Mandate, Role, State, Submission
from essaim.foundation.reads import active_mandates, scope_of, visible_to

REMINDED = (Role.AUTHORITY, Role.TERRITORY, Role.DIRECTOR)
SHOWN = 5


@dataclass(frozen=True, slots=True)
class LateSender:
    """Order lines of a sender whose due date passed without a complete delivery. ``units`` still missing."""

    sender: str
    name: str
    lines: int
    units: int
    oldest_on: date


@dataclass(frozen=True, slots=True)
class Reminder:
    """What awaits one account. ``late``: the SHOWN latest senders; counts are of everything."""

    late: tuple[LateSender, ...]
    late_lines: int
    late_senders: int
    refused_rows: int
    refused_files: int
    contradictions: int
    mine: int
    to_confirm: int

    @property
    def is_empty(self) -> bool:
        return not (self.late_lines or self.refused_files or self.contradictions or self.to_confirm)

    @property
    def counts(self) -> dict[str, int]:
        return {name: value for name, value in asdict(self).items() if isinstance(value, int)}


def accounts_to_remind(day: date) -> QuerySet[Account]:
    """Open accounts with an address and a mandate in force of a role that is reminded, not yet written to on ``day``."""
    from essaim.equipment.models import Digest

    held = Mandate.objects.filter(account=OuterRef("pk"), role__in=REMINDED, starts_on__lte=day).filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=day)
    )
    told = Digest.objects.filter(account=OuterRef("pk"), day=day, sent_at__isnull=False)
    return Account.objects.filter(Exists(held), ~Exists(told), is_active=True).exclude(email="").order_by("pk")


def reminder(account: Account, *, on: date) -> Reminder:
    """What is late for ``account`` on ``on``: deliveries planned and not delivered (those of its files, or of its territory),
    rows refused and not repaired, contradictions waiting, deliveries to confirm."""
    late, lines, senders = _late(account, on)
    corrected = Submission.objects.filter(corrects=OuterRef("pk")).exclude(state__in=(State.REFUSED, State.WITHDRAWN))
    refused = visible_to(account).filter(~Exists(corrected), state__in=(State.CHECKED, State.ACCEPTED), rows_refused__gt=0)
    counts = list(refused.values_list("rows_refused", flat=True))
    waiting = visible_contradictions(account).filter(status__in=WAITING)
    return Reminder(
        late, lines, senders, sum(counts), len(counts), waiting.count(), waiting.filter(owner=account).count(),
        len(awaiting(schools_directed(account))),
    )  # fmt: skip


def _late(account: Account, on: date) -> tuple[tuple[LateSender, ...], int, int]:
    if all(item.role == Role.DIRECTOR for item in active_mandates(account)):
        return (), 0, 0  # a school awaits its equipment, it does not send it
    lines = dated(scoped_lines(scope_of(account)), on).filter("is_late_revised")
    found = (
        lines.group_by("sender", "sender_name")
        .agg(pl.len().alias("lines"), (pl.col("quantity") - pl.col("delivered")).sum().alias("units"), pl.col("due_on").min().alias("oldest_on"))
        .sort("lines", "sender", descending=[True, False])
    )
    return tuple(LateSender(*row) for row in found.head(SHOWN).rows()), lines.height, found.height
