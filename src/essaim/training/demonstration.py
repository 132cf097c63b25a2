"""The demonstration of the training lever: two school years of sessions, as known to the one who made them up."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

CONTRACT = "training.attendance"
START, END = date(2024, 9, 16), date(2026, 10, 16)
TITLES = (
    "Prendre en main l'écran interactif", "Enseigner avec la tablette", "Hybrider son enseignement", "Programmer avec un robot",
    "Accompagner les élèves à besoins particuliers", "Médias, information et esprit critique",
)  # fmt: skip
MODES = ("presentiel", "presentiel", "distance", "hybride")


def rows(schools: Sequence[dict[str, Any]], *, seed: int = 2020) -> list[dict[str, Any]]:
    """Attendance by session, school and profile, oldest first. ``schools``: ``uai, name, commune_name, level, pupils``.

    Four schools in ten are touched; one session in six has nobody's profile, one in three no count of registrations."""
    rng = random.Random(f"{seed}/{CONTRACT}/{schools[0]['uai'] if schools else ''}")
    touched = [school for school in schools if rng.random() < 0.4]
    rng.shuffle(touched)
    found: list[dict[str, Any]] = []
    groups = [touched[at : at + 6] for at in range(0, len(touched), 6)]
    for number, group in enumerate(sorted(groups + groups[: len(groups) // 2], key=lambda _: rng.random()), start=1):
        found += _session(number, group, rng)
    return sorted(found, key=lambda row: (row["held_on"], row["session_ref"], row["uai"]))


def _session(number: int, group: Sequence[dict[str, Any]], rng: random.Random) -> list[dict[str, Any]]:
    held_on = START + timedelta(days=rng.randrange((END - START).days))
    shared = {
        "session_ref": f"F{held_on:%y}-{number:03d}", "title": rng.choice(TITLES), "held_on": held_on,
        "hours": rng.choice((1.5, 3.0, 6.0, 12.0)), "mode": rng.choice(MODES), "organiser": rng.choice(("canope", "canope", "academie")),
    }  # fmt: skip
    is_profile_kept, is_registration_kept = rng.random() > 1 / 6, rng.random() > 1 / 3
    found = []
    for school in group:
        teacher = "enseignant_1d" if school["level"] == "ecole" else "enseignant_2d"
        for profile in (teacher, "direction") if rng.random() < 0.3 else (teacher,):
            attended = 1 if profile == "direction" else rng.randrange(1, 3 + max(1, school["pupils"] // 60))
            found.append(
                shared | {
                    "uai": school["uai"], "school_name": school["name"], "commune_name": school["commune_name"],
                    "profile": profile if is_profile_kept else "inconnu", "attended": attended,
                    "registered": attended + rng.randrange(0, 3) if is_registration_kept else None,
                }
            )  # fmt: skip
            if not is_profile_kept:
                break
    return found
