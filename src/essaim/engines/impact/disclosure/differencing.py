"""Differencing: what two publications, harmless alone, disclose together.

Each published figure is the sum of a set of units (schools). Units that belong to exactly the same figures form an atom; the
figures are linear equations over atoms. An atom that is too small (persons, units) is disclosed when the linear programme leaves it
an interval too narrow, whatever the path (a difference of two figures, or of twenty).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from essaim.engines.impact.disclosure.audit import feasible_range
from essaim.engines.impact.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Figure:
    """One published figure: where (``publication``), what (``label``), its ``value`` and the ``units`` it sums."""

    publication: str
    label: str
    value: float
    units: frozenset[str]


@dataclass(frozen=True, slots=True)
class Leak:
    """A small group revealed. ``low``–``high``: what is deduced; ``subtraction``: a pair of figures that suffices, if any."""

    units: tuple[str, ...]
    persons: float
    low: float
    high: float
    subtraction: tuple[str, str] | None


def _atoms(figures: Sequence[Figure]) -> dict[frozenset[int], list[str]]:
    member: dict[str, set[int]] = {}
    for i, figure in enumerate(figures):
        for unit in figure.units:
            member.setdefault(unit, set()).add(i)
    atoms: dict[frozenset[int], list[str]] = {}
    for unit in sorted(member):
        atoms.setdefault(frozenset(member[unit]), []).append(unit)
    return atoms


def _pair(figures: Sequence[Figure], group: frozenset[str]) -> tuple[str, str] | None:
    """Two figures whose difference is exactly the group."""
    by_units = {f.units: f for f in figures}
    for figure in figures:
        other = by_units.get(figure.units - group)
        if other is not None and group < figure.units:
            return f"{figure.publication} : {figure.label}", f"{other.publication} : {other.label}"
    return None


def differencing(figures: Sequence[Figure], persons: Mapping[str, float], *, min_persons: float = 11, min_units: int = 3,
                 margin: float = 0.20) -> tuple[Leak, ...]:
    """Small groups whose value two or more publications reveal within ``margin`` of itself.

    ``persons``: persons behind each unit. Only groups between 1 and the thresholds are looked at. Refuses publications
    that contradict one another (the same units with different values: say which is corrected first)."""
    sets: dict[frozenset[str], float] = {}
    for figure in figures:
        if abs(sets.setdefault(figure.units, figure.value) - figure.value) > 1e-9 * max(1.0, abs(figure.value)):
            raise Refusal("inconsistent", f"« {figure.label} » est publié avec deux valeurs différentes pour les mêmes unités.")
    atoms = _atoms(figures)
    signatures = sorted(atoms, key=lambda s: sorted(s))
    matrix = np.array([[1.0 if i in s else 0.0 for s in signatures] for i in range(len(figures))])
    right = np.array([f.value for f in figures])
    zero, free = np.zeros(len(signatures)), np.full(len(signatures), np.inf)
    leaks = []
    for j, signature in enumerate(signatures):
        units = atoms[signature]
        heads = sum(persons.get(u, 0.0) for u in units)
        if len(units) >= min_units and heads >= min_persons:
            continue
        target = np.zeros(len(signatures))
        target[j] = 1.0
        low, high = feasible_range(csr_array(matrix), right, target, zero, free)
        middle = (low + high) / 2
        if high - low <= 2 * margin * abs(middle) + 1e-9:
            leaks.append(Leak(tuple(units), heads, low, high, _pair(figures, frozenset(units))))
    return tuple(leaks)
