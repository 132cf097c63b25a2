"""Jackknife and bootstrap standard errors of synthetic difference-in-differences (Arkhangelsky et al. 2021, algorithms 2 and 3), as R
synthdid's ``vcov``: meaningful with several treated units; with one, only placebos are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from essaim.engines.impact.panel import PanelRefused
from essaim.engines.impact.synthetic_blocks import Block, staggered

Floats = NDArray[np.float64]


def jackknife_error(y: Floats, cohort: Floats, periods: Floats, blocks: Sequence[Block], cohorts: Floats) -> float:
    """Each unit left out in turn, weights fixed and renormalised. Refuses a cohort of one unit, and a synthetic unit made of one donor."""
    sizes = [int((cohort == g).sum()) for g in cohorts]
    if min(sizes) < 2:
        raise PanelRefused("jackknife", "Le jackknife demande au moins deux unités traitées par cohorte : utiliser les placebos.")
    if any(int((b.omega > 0).sum()) < 2 for b in blocks):
        raise PanelRefused("jackknife", "Une unité synthétique ne repose que sur un donneur : le jackknife à poids fixes n'existe pas.")
    controls = np.flatnonzero(np.isinf(cohort))
    values = np.array([_without(i, y, cohort, periods, blocks, cohorts, controls) for i in range(cohort.size)])
    n = values.size
    return float(np.sqrt((n - 1) / n * ((values - values.mean()) ** 2).sum()))


def _without(i: int, y: Floats, cohort: Floats, periods: Floats, blocks: Sequence[Block], cohorts: Floats, controls: NDArray[np.int64]) -> float:
    total = mass = 0.0
    for g, block in zip(cohorts, blocks, strict=True):
        omega = np.where(controls == i, 0.0, block.omega)
        omega = omega / omega.sum()
        treated = np.flatnonzero(cohort == g)
        treated = treated[treated != i]
        before = int((periods < g).sum())
        gap = y[treated].mean(axis=0) - (omega[:, None] * y[controls]).sum(axis=0)
        weight = float(treated.size * (periods.size - before))
        total += weight * float(gap[before:].mean() - (block.lamda * gap[:before]).sum())
        mass += weight
    return total / mass


def bootstrap_error(
    y: Floats, cohort: Floats, periods: Floats, blocks: Sequence[Block], cohorts: Floats, kind: str, draws: int, seed: int
) -> tuple[float, Floats]:
    """Units drawn with replacement, weights found again from the original ones and regularisation; draws without a treated unit, or with
    fewer than two comparison ones, are drawn again. Standard deviation (ddof 0) and the draws (B,)."""
    if np.isfinite(cohort).sum() < 2:
        raise PanelRefused("bootstrap", "Le bootstrap demande au moins deux unités traitées : utiliser les placebos.")
    rng = np.random.default_rng(seed)
    found: list[float] = []
    controls = np.flatnonzero(np.isinf(cohort))
    position = np.full(cohort.size, -1)
    position[controls] = np.arange(controls.size)
    while len(found) < draws:
        drawn = np.sort(rng.integers(0, cohort.size, cohort.size))
        picked = position[drawn[np.isinf(cohort[drawn])]]
        if picked.size < 2 or picked.size == drawn.size:
            continue
        starts = {}
        for g, block in zip(cohorts, blocks, strict=True):
            omega = block.omega[picked]
            starts[float(g)] = (omega / omega.sum() if omega.sum() > 0 else None, block.lamda, block.zeta)
        found.append(staggered(y[drawn], cohort[drawn], periods, kind, starts)[0])
    values = np.array(found)
    return float(values.std()), values
