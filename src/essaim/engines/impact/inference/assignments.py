"""The assignments that could have happened: permutations of cohorts over clusters, within strata, restricted to the design's
rerandomisation set. Enumerated when there are few."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import combinations, product
from math import comb, prod

import numpy as np
from numpy.typing import NDArray

from essaim.engines.impact.refusal import Refusal

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Accept = Callable[[Floats], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Assignments:
    """``cohort`` (B, C): cohort of each cluster under each assignment (``inf`` = never). ``enumerated``: all of them, the real one
    among them; else a random sample to which the real one is added when counting. ``possible`` is their number before any
    rerandomisation rule."""

    cohort: Floats = field(repr=False)
    enumerated: bool
    possible: int
    seed: int | None

    def p_value(self, extreme: NDArray[np.bool_]) -> float:
        """Share of assignments at least as extreme, (B,) flags; the real one counts once."""
        count, total = int(extreme.sum()), extreme.size
        return count / total if self.enumerated else (1 + count) / (1 + total)


def possible_assignments(cohort: Floats, strata: Ints | None = None) -> int:
    """Number of distinct permutations of ``cohort`` (C,) within ``strata``."""
    total = 1
    for rows in _strata(cohort, strata):
        counts = np.unique(cohort[rows], return_counts=True)[1]
        left, parts = int(counts.sum()), []
        for c in counts:
            parts.append(comb(left, int(c)))
            left -= int(c)
        total *= prod(parts)
    return total


def assignments(
    cohort: Floats, *, strata: Ints | None = None, draws: int = 9_999, seed: int = 20240901, enumerate_up_to: int = 20_000,
    accept: Accept | None = None,
) -> Assignments:  # fmt: skip
    """All permutations of ``cohort`` (C,) within ``strata`` (C,) if at most ``enumerate_up_to``, else ``draws`` random ones.

    ``accept`` maps (B, C) cohorts to (B,) flags: the assignments the design could have kept (rerandomisation). The real one must
    be accepted. Refuses when only one assignment is possible.
    """
    cohort = np.asarray(cohort, np.float64)
    if accept is not None and not bool(accept(cohort[None])[0]):
        raise Refusal("assignment", "L'affectation réelle ne respecte pas la règle de re-tirage déclarée.")
    count = possible_assignments(cohort, strata)
    if count < 2:
        raise Refusal("assignment", "Une seule affectation était possible : aucun test par permutation n'existe.")
    groups = _strata(cohort, strata)
    if count <= enumerate_up_to:
        found = np.array(list(_enumerate(cohort, groups)))
        found = found if accept is None else found[accept(found)]
        if len(found) < 2:
            raise Refusal("assignment", "La règle de re-tirage ne laisse qu'une affectation : aucun test n'existe.")
        return Assignments(found, True, count, None)
    rng = np.random.default_rng(seed)
    return Assignments(_sample(cohort, groups, draws, rng, accept), False, count, seed)


def _strata(cohort: Floats, strata: Ints | None) -> list[Ints]:
    if strata is None:
        return [np.arange(cohort.size)]
    return [np.flatnonzero(strata == s) for s in np.unique(strata)]


def _enumerate(cohort: Floats, groups: list[Ints]) -> Iterator[Floats]:
    choices = [list(_multiset(tuple(sorted(cohort[rows])))) for rows in groups]
    for parts in product(*choices):
        out = np.empty(cohort.size)
        for rows, part in zip(groups, parts, strict=True):
            out[rows] = part
        yield out


def _multiset(values: tuple[float, ...]) -> Iterator[tuple[float, ...]]:
    """Distinct orders of ``values``: the rarest value is placed first."""
    kinds = sorted(set(values))
    if len(kinds) == 1:
        yield values
        return
    first = min(kinds, key=values.count)
    rest = tuple(v for v in values if v != first)
    for places in combinations(range(len(values)), values.count(first)):
        others = [i for i in range(len(values)) if i not in places]
        for inner in _multiset(rest):
            out = [first] * len(values)
            for i, v in zip(others, inner, strict=True):
                out[i] = v
            yield tuple(out)


def _sample(cohort: Floats, groups: list[Ints], draws: int, rng: np.random.Generator, accept: Accept | None) -> Floats:
    kept: list[Floats] = []
    found, tried = 0, 0
    while found < draws:
        block = np.tile(cohort, (min(draws, 20_000), 1))
        for rows in groups:
            block[:, rows] = rng.permuted(block[:, rows], axis=1)
        good = block if accept is None else block[accept(block)]
        kept.append(good[: draws - found])
        found += len(kept[-1])
        tried += len(block)
        if tried >= 2_000 * draws:
            raise Refusal("assignment", "La règle de re-tirage est trop stricte : trop peu d'affectations acceptées.")
    return np.vstack(kept)
