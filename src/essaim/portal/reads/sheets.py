"""Figures as pages show them: value, interval, coverage, date, trend, and the address of what lies behind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from essaim.engines.measures import Indicator, Kind
from essaim.evaluation.reads import indicator, indicators
from essaim.foundation.models import Account
from essaim.foundation.reads import scope_of
from essaim.portal.reads.figures import figure_rows

MONTHS = 13  # the month shown, and the same one a year before
FIRST_YEAR, LAST_YEAR = 1990, 2100


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page of figures was asked: the month shown and the day at whose end things were known (None: now)."""

    period: str
    known_at: date | None = None

    @property
    def months(self) -> list[str]:
        """The last MONTHS months up to the one shown."""
        return months_up_to(self.period, MONTHS)


def months_up_to(period: str, count: int) -> list[str]:
    """The ``count`` months that end with ``period`` (``2026-03``), oldest first."""
    last = int(period[:4]) * 12 + int(period[5:7])
    return [f"{n // 12}-{n % 12 + 1:02d}" for n in range(last - count, last)]


@dataclass(frozen=True, slots=True)
class Card:
    """One figure with what a reader needs to judge it. ``trend``: (month, value) pairs, oldest first."""

    indicator: Indicator
    value: float | None
    low: float | None
    high: float | None
    numerator: float | None
    denominator: float | None
    coverage: float | None
    is_suppressed: bool
    fingerprint: str
    trend: tuple[tuple[str, float | None], ...]

    @property
    def has_interval(self) -> bool:
        return self.low is not None and self.low != self.high

    @property
    def change(self) -> float | None:
        """Difference with the same month a year before, None when either is missing."""
        first = self.trend[0][1] if self.trend else None
        return None if self.value is None or first is None else self.value - first

    @property
    def room(self) -> str:
        return self.indicator.code.split(".")[0]


def asked(query: dict[str, str]) -> tuple[Asked, str]:
    """What the address asks (``periode=2026-03``, ``connu=2026-03-31``), and a French remark when it made no sense."""
    today = timezone.localdate()
    remark = ""
    period = query.get("periode", "") or today.strftime("%Y-%m")
    if not _is_month(period):
        remark, period = f"Le mois « {period} » n'existe pas : voici le mois en cours.", today.strftime("%Y-%m")
    known: date | None = None
    if text := query.get("connu", ""):
        known = _day(text)
        if known is None:
            remark = f"La date « {text} » n'existe pas : voici ce qui est connu aujourd'hui."
        if known is not None and known >= today:
            known = None
    return Asked(period, known), remark


def _is_month(text: str) -> bool:
    """``2026-03``, of a year that figures may speak of."""
    found = re.fullmatch(r"(\d{4})-(\d{2})", text, re.ASCII)
    return bool(found) and FIRST_YEAR <= int(found[1]) <= LAST_YEAR and 1 <= int(found[2]) <= 12


def _day(text: str) -> date | None:
    """``2026-03-31``, or ``31/03/2026`` as typed where browsers have no calendar; None when it is no day."""
    if re.fullmatch(r"\d{1,2}/\d{1,2}/\d{4}", text, re.ASCII):
        day, month, year = text.split("/")
        text = f"{year}-{month:0>2}-{day:0>2}"
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if FIRST_YEAR <= found.year <= LAST_YEAR else None


def is_public(account: Account | AnonymousUser, departement: str | None) -> bool:
    """Whether the reader gets protected figures of ``departement`` (None: the country), for want of a mandate there."""
    scope = scope_of(account)
    return not (scope.is_national or (departement is not None and departement in scope.departements))


def cards(level: str, unit: str, wanted: Asked, *, public: bool, codes: Sequence[str] | None = None) -> list[Card]:
    """The figures of one unit, each with its last twelve months."""
    chosen = [indicator(code) for code in codes] if codes else [i for i in indicators() if i.kind is not Kind.FLOW]
    names = [item.code for item in chosen]
    found = figure_rows(names, level=level, units=[unit], period=wanted.months, known_at=wanted.known_at, public=public)
    rows: dict[str, dict[str, dict]] = {}  # type: ignore[type-arg]
    for row in found:
        rows.setdefault(str(row["indicator"]), {})[str(row["period"])] = row
    return [_card(item, rows.get(item.code, {}), wanted) for item in chosen]


def _card(item: Indicator, by_month: dict[str, dict], wanted: Asked) -> Card:  # type: ignore[type-arg]
    now = by_month.get(wanted.period, {})
    return Card(
        indicator=item,
        value=now.get("value"),
        low=now.get("low"),
        high=now.get("high"),
        numerator=now.get("numerator"),
        denominator=now.get("denominator"),
        coverage=now.get("coverage"),
        is_suppressed=bool(now.get("suppressed")),
        fingerprint=now.get("fingerprint", ""),
        trend=tuple((month, by_month.get(month, {}).get("value")) for month in wanted.months),
    )
