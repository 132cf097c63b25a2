"""The demonstration of the resources lever: monthly uses of a few resources, weekly audience of the ENT of collèges and lycées."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

USES, AUDIENCE = "resources.uses", "resources.audience"
MONTHS = tuple(date(2024 + (8 + n) // 12, (8 + n) % 12 + 1, 1) for n in range(26))
FIRST_WEEK, WEEKS = date(2026, 1, 5), 42
RESOURCES = (
    ("ark:/49591/CALCUL.p", "Calcul mental adaptatif", "Éditeur A"),
    ("ark:/49591/LECTURE.p", "Fluence de lecture", "Éditeur B"),
    ("ark:/49591/ENCYCLO.p", "Encyclopédie en ligne", "Éditeur C"),
)
MEASURED, HOLIDAYS = 40, (7, 8)


def uses(schools: Sequence[dict[str, Any]], *, seed: int = 2020) -> list[dict[str, Any]]:
    """Openings by school, month, resource and role. ``schools``: ``uai, name, commune_name, level, pupils``."""
    rng = random.Random(f"{seed}/{USES}/{schools[0]['uai'] if schools else ''}")
    found = []
    for school in rng.sample(list(schools), min(MEASURED, len(schools))):
        identifier, title, provider = rng.choice(RESOURCES)
        begun, grown = rng.randrange(len(MONTHS)), rng.uniform(0.2, 2.5)
        for month in MONTHS[begun:]:
            if month.month in HOLIDAYS or rng.random() < 0.1:
                continue
            for role, people in (("eleve", school["pupils"]), ("enseignant", 1 + school["pupils"] // 24)):
                accounts = round(people * rng.uniform(0.05, 0.5))
                if not accounts:
                    continue
                found.append(
                    {
                        "uai": school["uai"], "school_name": school["name"], "commune_name": school["commune_name"], "month": month,
                        "resource_id": identifier, "resource_title": title, "provider": provider, "role": role,
                        "openings": accounts + round(accounts * grown), "accounts": accounts,
                    }
                )  # fmt: skip
    return sorted(found, key=lambda row: (row["month"], row["uai"], row["role"]))


def audience(schools: Sequence[dict[str, Any]], *, seed: int = 2020) -> list[dict[str, Any]]:
    """Weekly visits of the ENT of collèges and lycées, in the shape of the national measure."""
    rng = random.Random(f"{seed}/{AUDIENCE}/{schools[0]['uai'] if schools else ''}")
    concerned = [school for school in schools if school["level"] in ("college", "lycee")]
    found = []
    for school in rng.sample(concerned, min(MEASURED // 2, len(concerned))):
        habit = rng.uniform(0.4, 3.5)
        for number in range(WEEKS):
            week = FIRST_WEEK + timedelta(weeks=number)
            if week.month in HOLIDAYS:
                continue
            pupils = round(school["pupils"] * habit * rng.uniform(0.8, 1.2))
            parents, teachers = pupils // 3, pupils // 8
            found.append(
                {
                    "uai": school["uai"], "week": week, "visits": pupils + parents + teachers, "visits_pupils": pupils,
                    "visits_parents": parents, "visits_teachers": teachers, "users": min(school["pupils"], pupils),
                }
            )  # fmt: skip
    return sorted(found, key=lambda row: (row["week"], row["uai"]))
