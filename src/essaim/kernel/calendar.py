"""The school calendar: which days are holidays in a zone. The days come from a published file (one line a day)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from .departements import zone_of

ZONES = ("A", "B", "C")
_TRUE = frozenset(("true", "1", "vrai", "oui"))


@dataclass(frozen=True, slots=True)
class SchoolCalendar:
    """Holidays by zone. ``holidays[zone]`` maps a day to the holiday's name; ``known_from``–``known_to`` is what the file covers."""

    holidays: dict[str, dict[date, str]]
    known_from: date
    known_to: date

    def is_holiday(self, day: date, zone: str) -> bool:
        """Whether ``day`` is a school holiday in ``zone``; ValueError outside the days the file covers, KeyError for another zone."""
        if not self.known_from <= day <= self.known_to:
            raise ValueError(f"calendrier scolaire inconnu le {day.isoformat()}")
        return day in self.holidays[zone]

    def teaching_days(self, first: date, last: date, zone: str) -> int:
        """Mondays to Fridays outside holidays, both ends included (public holidays are not in the source)."""
        days = (first + timedelta(n) for n in range((last - first).days + 1))
        return sum(1 for day in days if day.weekday() < 5 and not self.is_holiday(day, zone))


def zone_of_departement(code: str) -> str | None:
    """Zone (A, B, C) by the académie; None for Corse and overseas, which keep their own calendars."""
    return zone_of(code)


def load_school_calendar(path: Path) -> SchoolCalendar:
    """Reads ``date, vacances_zone_a, vacances_zone_b, vacances_zone_c, nom_vacances``; ValueError when columns or days are missing."""
    holidays: dict[str, dict[date, str]] = {zone: {} for zone in ZONES}
    days: list[date] = []
    with path.open(encoding="utf-8-sig", newline="") as stream:
        for line in csv.DictReader(stream):
            try:
                day = date.fromisoformat(line["date"])
                marks = [line[f"vacances_zone_{zone.lower()}"] for zone in ZONES]
            except KeyError as missing:
                raise ValueError(f"calendrier scolaire : colonne {missing} absente de {path.name}") from missing
            days.append(day)
            for zone, mark in zip(ZONES, marks, strict=True):
                if mark.strip().lower() in _TRUE:
                    holidays[zone][day] = line.get("nom_vacances") or ""
    if not days:
        raise ValueError(f"calendrier scolaire : aucun jour dans {path.name}")
    return SchoolCalendar(holidays, min(days), max(days))
