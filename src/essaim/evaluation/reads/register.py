"""The register of establishments, ready for figures, kept in memory until it changes."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

import numpy as np

from essaim.engines.measures import Places, places
from essaim.territories.reads import hierarchy_frame, is_place, profile_frame, register_stamp

_HOME = "administrative"
_lock = threading.Lock()
_held: dict[str, Places] = {}


def register() -> tuple[str, Places]:
    """The stamp of the register and its establishments, levels and groups. An empty register (nothing loaded yet) is made
    again at each call."""
    stamp = register_stamp()
    with _lock:
        found = _held.get(stamp) if stamp else None
        if found is None:
            found = places(hierarchy_frame(), profile_frame())
            _held.clear()
            _held[stamp] = found
    return stamp, found


class UnitUnknown(LookupError):
    """No place of the register has this code at this level. ``args[0]`` is the French message, with codes that resemble it."""


def refuse_unknown_units(level: str, codes: Iterable[str]) -> None:
    """Refuse codes that the register does not know at ``level`` (UnitUnknown). A place that exists without establishments is
    no mistake: its figures are missing. LevelUnknown when nothing has the level."""
    hierarchy, _, name = level.rpartition("/")
    held = register()[1].level(level)
    for code in dict.fromkeys(codes):
        if code in held.names or is_place(name, code, hierarchy):
            continue
        from rapidfuzz import process

        near = [text for text, *_ in process.extract(code, held.names, limit=3)]
        raise UnitUnknown(f"Aucune unité « {code} » au niveau « {level} ». Les codes les plus proches : {', '.join(near) or 'aucun'}.")


def departements_of(held: Places, level: str, hierarchy: str | None, units: Sequence[str], *, at_most: int = 12) -> tuple[str, ...] | None:
    """Départements in which establishments of ``units`` are or have been, sorted; None when they are too many to be worth
    reading apart, or unknown."""
    return departements_at(held, held.schools_of(level, hierarchy, units), at_most)


def departements_at(held: Places, positions: Iterable[int], at_most: int) -> tuple[str, ...] | None:
    """The same for establishments at ``positions``."""
    schools = np.asarray(positions)
    known = held.frame.filter((held.frame["hierarchy"] == _HOME) & (held.frame["level"] == "departement"))
    if not known.height:
        return None
    level = held.level("departement", _HOME)
    inside = np.isin(level.schools, schools)
    if len(np.unique(level.schools[inside])) < len(schools):
        return None
    found = sorted({level.names[unit] for unit in np.unique(level.units[inside])})
    return tuple(found) if 0 < len(found) <= at_most else None
