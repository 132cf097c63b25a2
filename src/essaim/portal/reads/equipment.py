"""Equipment as pages list it."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Any

from django.utils import timezone

from essaim.equipment.reads import CONTRADICTIONS, reconciled
from essaim.foundation.reads.facts import number_known_at


@lru_cache(maxsize=64)
def _counts(departement: str, number: int, day: str) -> tuple[tuple[str, int], ...]:
    from datetime import date

    found = reconciled(on=date.fromisoformat(day), departements=[departement]).contradictions
    return tuple(Counter(found.column("kind").to_pylist()).most_common())


def contradiction_counts(departement: str) -> list[dict[str, Any]]:
    """Kinds of contradiction of a département and how many, most frequent first; the same until a file is accepted."""
    now = timezone.now()
    rows = _counts(departement, number_known_at(now), timezone.localdate().isoformat())
    return [{"kind": kind, "what": CONTRADICTIONS[kind], "count": count} for kind, count in rows]
