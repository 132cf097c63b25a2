"""Primary rules: which cells would disclose someone, and how far the truth must be hidden.

Thresholds of persons and of contributors, dominance (n, k) and the p % rule (Hundepool et al. 2012, *Statistical Disclosure
Control*, ch. 4). The protection level of a cell is the half-width of the interval an attacker must be left with.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from essaim.engines.impact.disclosure.tables import Cells, Key
from essaim.engines.impact.refusal import Refusal

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rules:
    """Declared rules; None switches one off. ``dominance`` = (n, k %): the n largest contributors may not exceed k % (n <= 3).

    ``p_percent``: the second contributor may not estimate the first within p %. ``margin``: protection as a share of the
    value for cells caught by a threshold. Empty cells are published."""

    min_persons: int | None = 11
    min_units: int | None = 3
    dominance: tuple[int, float] | None = None
    p_percent: float | None = None
    margin: float = 0.20


@dataclass(frozen=True, slots=True)
class Sensitive:
    """A cell to suppress: its key, why (French), and its protection level (units of the table)."""

    key: Key
    reason: str
    protection: float


def _dominated(total: float, top: Floats, rules: Rules) -> tuple[str, float] | None:
    if rules.dominance is not None:
        n, k = rules.dominance
        if not 1 <= n <= 3 or not 0 < k < 100:
            raise Refusal("rules", "La règle de dominance attend n de 1 à 3 et k entre 0 et 100 %.")
        share = float(top[:n].sum())
        if share > k / 100 * total:
            return f"dominance ({n}, {k:g} %)", 100 / k * share - total
    if rules.p_percent is not None:
        room = total - float(top[0]) - float(top[1])
        need = rules.p_percent / 100 * float(top[0])
        if room < need:
            return f"règle des {rules.p_percent:g} %", need - room
    return None


def primary_cells(cells: Cells, rules: Rules) -> tuple[Sensitive, ...]:
    """Cells that break a rule, in the order of ``cells``. Refuses a rule whose ingredient (persons, contributors) is absent."""
    if rules.min_persons is not None and cells.persons is None:
        raise Refusal("no-persons", "Le seuil de personnes demande le nombre de personnes par cellule.")
    if rules.min_units is not None and cells.units is None:
        raise Refusal("no-units", "Le seuil d'établissements demande le nombre de contributeurs par cellule.")
    if (rules.dominance or rules.p_percent) and cells.largest is None:
        raise Refusal("no-contributions", "La dominance demande les plus grandes contributions de chaque cellule.")
    found = []
    for i, key in enumerate(cells.keys):
        value = abs(float(cells.values[i]))
        margin = max(rules.margin * value, 1e-9)
        if rules.min_persons is not None and cells.persons is not None and 0 < cells.persons[i] < rules.min_persons:
            found.append(Sensitive(key, f"moins de {rules.min_persons} personnes", margin))
        elif rules.min_units is not None and cells.units is not None and 0 < cells.units[i] < rules.min_units:
            found.append(Sensitive(key, f"moins de {rules.min_units} contributeurs", margin))
        elif cells.largest is not None and value > 0 and (why := _dominated(value, cells.largest[i], rules)):
            found.append(Sensitive(key, why[0], max(why[1], 1e-9)))
    return tuple(found)
