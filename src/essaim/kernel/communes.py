"""Commune codes of the Code officiel géographique (INSEE): always five characters of text."""

from __future__ import annotations

import re

from .departements import BY_CODE
from .verdict import Verdict

PATTERN = re.compile(r"^(?:[013-9][0-9]|2[AB1-9])[0-9]{3}$")
ARRONDISSEMENTS = {
    **{f"751{n:02d}": "75056" for n in range(1, 21)},
    **{f"6938{n}": "69123" for n in range(1, 10)},
    **{f"132{n:02d}": "13055" for n in range(1, 17)},
}


def check(text: str) -> Verdict:
    """A commune code; a lost leading zero (``1004``, ``1004.0``) is repaired and said. Problem ``commune_format``."""
    raw = text.strip()
    if is_code(raw):
        return Verdict(raw)
    if PATTERN.match(raw):
        return Verdict(problem="commune_format")
    compact = re.sub(r"[.,]0$", "", re.sub(r"[\s\u00a0\u202f]", "", raw)).upper()
    padded = compact.zfill(5) if len(compact) == 4 and compact.isdigit() else compact
    if PATTERN.match(padded) and departement_of(padded):
        return Verdict(padded, repaired="leading_zero" if padded != compact else "spelling")
    return Verdict(problem="commune_format")


def is_code(text: str) -> bool:
    """Whether a text is written as a commune code is, of a département that exists."""
    return PATTERN.match(text) is not None and departement_of(text) is not None


def departement_of(code: str) -> str | None:
    """Code of the département of a commune (``97105`` → ``971``, ``2A004`` → ``2A``); None when there is none."""
    prefix = code[:3] if code[:2] in ("97", "98") else code[:2]
    return prefix if prefix in BY_CODE else None


def city_of(code: str) -> str:
    """The commune of a municipal arrondissement of Paris, Lyon or Marseille; the code itself otherwise."""
    return ARRONDISSEMENTS.get(code, code)
