"""Periods of figures: months, quarters, calendar years and school years, as ranges of months."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Period:
    """``code`` as asked; ``first`` and ``last`` are month numbers (year × 12 + month − 1), both included."""

    code: str
    first: int
    last: int

    @property
    def end(self) -> date:
        """Last day of the period."""
        return month_end(self.last)

    @property
    def start(self) -> date:
        return date(self.first // 12, self.first % 12 + 1, 1)

    @property
    def school_year(self) -> str:
        """School year (``2021-2022``, from 1 September) that contains the end."""
        year = self.last // 12 if self.last % 12 >= 8 else self.last // 12 - 1
        return f"{year}-{year + 1}"


def month_end(month: int) -> date:
    """Last day of month number ``month``."""
    year, position = divmod(month, 12)
    return date(year, position + 1, calendar.monthrange(year, position + 1)[1])


def month_number(day: date) -> int:
    """year × 12 + month − 1."""
    return day.year * 12 + day.month - 1


def period(code: str) -> Period:
    """``2021-03`` (month), ``2021-T1`` or ``2021-Q1`` (quarter), ``2021`` (calendar year), ``2020-2021`` (school year).

    ValueError, in French, for anything else.
    """
    text = code.strip()
    if found := re.fullmatch(r"(\d{4})-(\d{2})", text):
        year, month = int(found[1]), int(found[2])
        if 1 <= month <= 12:
            return Period(code, year * 12 + month - 1, year * 12 + month - 1)
    if found := re.fullmatch(r"(\d{4})-[TQ]([1-4])", text):
        first = int(found[1]) * 12 + 3 * (int(found[2]) - 1)
        return Period(code, first, first + 2)
    if re.fullmatch(r"\d{4}", text):
        return Period(code, int(text) * 12, int(text) * 12 + 11)
    if (found := re.fullmatch(r"(\d{4})-(\d{4})", text)) and int(found[2]) == int(found[1]) + 1:
        return Period(code, int(found[1]) * 12 + 8, int(found[2]) * 12 + 7)
    raise ValueError(
        f"Période « {code} » incomprise : écrivez un mois (2021-03), un trimestre (2021-T1), une année (2021) "
        "ou une année scolaire (2020-2021)."
    )


def periods(codes: str | Sequence[str]) -> tuple[Period, ...]:
    """The periods of ``codes``, in the order given, without duplicates."""
    asked = (codes,) if isinstance(codes, str) else tuple(codes)
    return tuple(period(code) for code in dict.fromkeys(asked))
