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
from essaim.kernel.periods import Month
from essaim.portal.reads.figures import figure_rows

MONTHS = 13  # the month shown, and the same one a year before
YEARS = 3
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

    def periods_of(self, item: Indicator) -> list[str]:
        """The periods over which ``item`` makes sense, oldest first, up to the one that holds the month shown."""
        year = int(self.period[:4])
        if item.natural_period == "year":
            return [str(n) for n in range(year - YEARS + 1, year + 1)]
        if item.natural_period == "school_year":
            start = Month(year, int(self.period[5:7])).school_year.rentree
            return [f"{n}-{n + 1}" for n in range(start - YEARS + 1, start + 1)]
        return self.months

    def period_of(self, item: Indicator) -> str:
        """The period shown for ``item``: the month, or the year that holds it."""
        return self.periods_of(item)[-1]


def months_up_to(period: str, count: int) -> list[str]:
    """The ``count`` months that end with ``period`` (``2026-03``), oldest first."""
    last = int(period[:4]) * 12 + int(period[5:7])
    return [f"{n // 12}-{n % 12 + 1:02d}" for n in range(last - count, last)]


@dataclass(frozen=True, slots=True)
class Card:
    """One figure with what a reader needs to judge it. ``period``: the month, or the year for what is counted by year;
    ``trend``: (period, value) pairs, oldest first."""

    indicator: Indicator
    period: str
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
        """Difference with the same month a year before, None when either is missing, or over years, whose last is not over."""
        first = self.trend[0][1] if self.trend and not self.is_yearly else None
        return None if self.value is None or first is None else self.value - first

    @property
    def is_yearly(self) -> bool:
        return self.indicator.natural_period != "month"

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


def is_public(account: Account | AnonymousUser, departement: str | None, uai: str | None = None) -> bool:
    """Whether the reader gets protected figures of ``departement`` (None: the country), or of one school of it, for want of a
    mandate there."""
    return not scope_of(account).covers(departement=departement, uai=uai)


def cards(level: str, unit: str, wanted: Asked, *, public: bool, codes: Sequence[str] | None = None) -> list[Card]:
    """The figures of one unit, each with its last months or years."""
    chosen = [indicator(code) for code in codes] if codes else [i for i in indicators() if i.kind is not Kind.FLOW]
    together: dict[tuple[str, ...], list[str]] = {}
    for item in chosen:
        together.setdefault(tuple(wanted.periods_of(item)), []).append(item.code)
    rows: dict[str, dict[str, dict]] = {}  # type: ignore[type-arg]
    for periods, names in together.items():
        for row in figure_rows(names, level=level, units=[unit], period=list(periods), known_at=wanted.known_at, public=public):
            rows.setdefault(str(row["indicator"]), {})[str(row["period"])] = row
    return [_card(item, rows.get(item.code, {}), wanted) for item in chosen]


def _card(item: Indicator, by_period: dict[str, dict], wanted: Asked) -> Card:  # type: ignore[type-arg]
    period = wanted.period_of(item)
    now = by_period.get(period, {})
    return Card(
        indicator=item,
        period=period,
        value=now.get("value"),
        low=now.get("low"),
        high=now.get("high"),
        numerator=now.get("numerator"),
        denominator=now.get("denominator"),
        coverage=now.get("coverage"),
        is_suppressed=bool(now.get("suppressed")),
        fingerprint=now.get("fingerprint", ""),
        trend=tuple((name, by_period.get(name, {}).get("value")) for name in wanted.periods_of(item)),
    )
