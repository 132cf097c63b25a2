"""The demonstration of the families lever: actions held over two school years."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

CONTRACT = "families.actions"
START, END = date(2024, 9, 10), date(2026, 10, 20)
KINDS = ("reunion", "reunion", "atelier", "permanence", "formation_relais", "pret")
PARTNERS = ("ecole", "association", "trousse_a_projets", "collectivite")


def rows(schools: Sequence[dict[str, Any]], *, seed: int = 2020) -> list[dict[str, Any]]:
    """Actions by school, oldest first. ``schools``: ``uai, name, commune_name, pupils``. One school in four holds one to three."""
    rng = random.Random(f"{seed}/{CONTRACT}/{schools[0]['uai'] if schools else ''}")
    found = []
    for school in schools:
        for _ in range(rng.randrange(1, 4) if rng.random() < 0.25 else 0):
            kind = rng.choice(KINDS)
            invited = max(8, school["pupils"] // rng.choice((1, 2, 6)))
            reached = rng.randrange(3, max(4, invited // 2))
            found.append(
                {
                    "action_ref": f"PAR-{len(found) + 1:04d}", "kind": kind, "held_on": START + timedelta(days=rng.randrange((END - START).days)),
                    "uai": school["uai"], "school_name": school["name"], "commune_name": school["commune_name"],
                    "partner": rng.choice(PARTNERS), "invited": invited if rng.random() < 0.7 else None, "reached": reached,
                    "relays": rng.randrange(1, reached + 1) if kind == "formation_relais" else None,
                }
            )  # fmt: skip
    return sorted(found, key=lambda row: (row["held_on"], row["action_ref"]))
