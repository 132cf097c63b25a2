"""Days, months, quarters, civil years and school years as comparable values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from .french import MONTHS, NARROW_SPACE, folded, format_date, month_number, read_date, squeezed

SCHOOL_YEAR_START = 9


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month. Ordered; ``shifted`` counts months."""

    year: int
    month: int

    def __post_init__(self) -> None:
        if not 1 <= self.month <= 12 or not 1 <= self.year <= 9999:
            raise ValueError(f"not a month: {self.year}-{self.month}")

    @classmethod
    def of(cls, day: date) -> Month:
        return cls(day.year, day.month)

    @property
    def first_day(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def last_day(self) -> date:
        if (self.year, self.month) == (9999, 12):
            return date(9999, 12, 31)
        return self.shifted(1).first_day - timedelta(1)

    def shifted(self, months: int) -> Month:
        index = self.year * 12 + self.month - 1 + months
        return Month(index // 12, index % 12 + 1)

    @property
    def school_year(self) -> SchoolYear:
        return SchoolYear.of(self.first_day)

    @property
    def label(self) -> str:
        """``mars 2022``."""
        return f"{MONTHS[self.month - 1]} {self.year}"

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


@dataclass(frozen=True, slots=True, order=True)
class SchoolYear:
    """1 September of ``rentree`` to 31 August of the next year."""

    rentree: int

    @classmethod
    def of(cls, day: date) -> SchoolYear:
        return cls(day.year if day.month >= SCHOOL_YEAR_START else day.year - 1)

    @property
    def first_day(self) -> date:
        return date(self.rentree, SCHOOL_YEAR_START, 1)

    @property
    def last_day(self) -> date:
        return date(self.rentree + 1, 8, 31)

    @property
    def label(self) -> str:
        """``année scolaire 2021-2022``."""
        return f"année scolaire {self}"

    def __str__(self) -> str:
        return f"{self.rentree:04d}-{self.rentree + 1:04d}"


_SCHOOL_YEAR = re.compile(r"^(?:(?:annee )?(?:scolaire )?)?(\d{4})\s(?:a\s)?(\d{4}|\d{2})$")
_RENTREE = re.compile(r"^(?:rentree |rs )?(?:scolaire )?(?:de )?(?:septembre )?(\d{4})(?: 0)?$")


def parse_school_year(text: str) -> SchoolYear | None:
    """``2021-2022`` ``2021/2022`` ``2021-22`` ``année scolaire 2021-2022`` ``rentrée 2021`` ``2021`` (the *rentrée*) → 2021-2022."""
    plain = folded(text)
    if match := _SCHOOL_YEAR.match(plain):
        start = int(match[1])
        end = int(match[2]) if len(match[2]) == 4 else start // 100 * 100 + int(match[2])
        return SchoolYear(start) if end in (start + 1, start - 99) and 1800 <= start < 2200 else None
    if match := _RENTREE.match(plain):
        return SchoolYear(int(match[1])) if 1800 <= int(match[1]) < 2200 else None
    return None


@dataclass(frozen=True, slots=True)
class Period:
    """A span of whole days, both ends included. ``kind``: ``day``, ``month``, ``quarter``, ``year``, ``school_year``; ``code`` is its
    canonical spelling, which ``parse_period`` reads back."""

    kind: str
    code: str
    first_day: date
    last_day: date

    def months(self) -> Iterator[Month]:
        """Every month the period touches, in order."""
        month, last = Month.of(self.first_day), Month.of(self.last_day)
        while month <= last:
            yield month
            month = month.shifted(1)

    @property
    def days(self) -> int:
        return (self.last_day - self.first_day).days + 1

    def __contains__(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day

    @property
    def label(self) -> str:
        """In French: ``15/03/2022``, ``mars 2022``, ``1er trimestre 2022``, ``année 2022``, ``année scolaire 2021-2022``."""
        if self.kind == "day":
            return format_date(self.first_day)
        if self.kind == "month":
            return Month.of(self.first_day).label
        if self.kind == "quarter":
            number = int(self.code[-1])
            return f"{number}{'er' if number == 1 else 'e'}{NARROW_SPACE}trimestre {self.first_day.year}"
        return f"année scolaire {self.code}" if self.kind == "school_year" else f"année {self.code}"

    def __str__(self) -> str:
        return self.code


def day_period(day: date) -> Period:
    return Period("day", day.isoformat(), day, day)


def month_period(month: Month) -> Period:
    return Period("month", str(month), month.first_day, month.last_day)


def quarter_period(year: int, quarter: int) -> Period:
    first = Month(year, 3 * quarter - 2)
    return Period("quarter", f"{year:04d}-T{quarter}", first.first_day, first.shifted(2).last_day)


def year_period(year: int) -> Period:
    return Period("year", f"{year:04d}", date(year, 1, 1), date(year, 12, 31))


def school_year_period(year: SchoolYear) -> Period:
    return Period("school_year", str(year), year.first_day, year.last_day)


def parse_period(text: str) -> Period:
    """``2022-03`` · ``2021-2022`` · ``2022`` (civil year) · ``2022-T1`` · ``2022-03-15`` · ``mars 2022``. ValueError, in French, otherwise."""
    raw = squeezed(text)
    if re.fullmatch(r"\d{4}", raw) and int(raw) > 0:
        return year_period(int(raw))
    if match := re.fullmatch(r"(\d{4})[- ]?[TtQq]([1-4])", raw):
        return quarter_period(int(match[1]), int(match[2]))
    if re.fullmatch(r"\d{4}\s?[-/]\s?\d{4}", raw) and (year := parse_school_year(raw)):
        return school_year_period(year)
    written = read_date(raw)
    if written is not None and written.value is not None:
        if written.precision == "month":
            return month_period(Month.of(written.value))
        return day_period(written.value)
    if year := parse_school_year(raw):
        return school_year_period(year)
    raise ValueError(f"« {raw} » n'est pas une période : écrire 2022-03, 2021-2022, 2022, 2022-T1 ou 2022-03-15.")


__all__ = ["Month", "Period", "SchoolYear", "day_period", "month_number", "month_period", "parse_period",
           "parse_school_year", "quarter_period", "school_year_period", "year_period"]  # fmt: skip
