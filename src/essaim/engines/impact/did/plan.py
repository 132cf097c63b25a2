"""Which (cohort, period) cells are estimated, against which base period and which comparison units (R did's rules)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from essaim.engines.impact.panel import Panel, PanelRefused

Floats = NDArray[np.float64]

CONTROLS = ("never", "not_yet")
BASES = ("varying", "universal")


@dataclass(frozen=True, slots=True)
class Cell:
    """One ATT(g, t). ``time`` and ``base`` are period indices; ``horizon`` is the period value after which a unit still
    untreated may serve as comparison (``inf``: never treated only). ``is_reference`` marks the universal base period."""

    group: float
    time: int
    base: int
    horizon: float
    is_reference: bool


def prepare(panel: Panel, control: str, anticipation: int) -> tuple[Panel, tuple[str, ...]]:
    """The panel R did would analyse, and the French sentences telling what was set aside.

    Cohorts treated after the last period count as never treated; cohorts without a pre-treatment period are dropped; without
    never-treated units and with ``not_yet``, periods from the last cohort's entry on are dropped.
    """
    if panel.cohort is None:
        raise PanelRefused("cohort", "Cet estimateur demande une colonne de cohorte (première période traitée).")
    said: list[str] = []
    cohort = np.where(panel.cohort > panel.periods[-1] + anticipation, np.inf, panel.cohort)
    panel = panel.with_cohort(cohort)
    early = cohort <= panel.periods[0] + anticipation
    if early.any():
        named = ", ".join(f"{g:g}" for g in np.unique(cohort[early]))
        said.append(f"Cohorte(s) {named} écartée(s) : aucune période avant traitement.")
        panel = panel.keep(~early)
    assert panel.cohort is not None
    if not np.isfinite(panel.cohort).any():
        raise PanelRefused("treated", "Aucune cohorte traitée n'est observée avant et après son entrée.")
    if np.isinf(panel.cohort).any():
        return panel, tuple(said)
    if control == "never":
        raise PanelRefused("never", "Aucune unité n'est jamais traitée : choisissez la comparaison aux pas encore traitées.")
    last = panel.cohort.max()
    kept = panel.period_value < last - anticipation
    if not kept.any() or np.unique(panel.cohort[kept]).size < 2:
        raise PanelRefused("never", "Sans unité jamais traitée ni entrée échelonnée, aucune comparaison n'est possible.")
    said.append(f"Aucune unité jamais traitée : les périodes à partir de {last - anticipation:g} sont écartées.")
    panel = panel.keep(kept)
    assert panel.cohort is not None
    return panel.with_cohort(np.where(panel.cohort > panel.periods[-1] + anticipation, np.inf, panel.cohort)), tuple(said)


def cells_of(periods: Floats, cohorts: Floats, control: str, base: str, anticipation: int) -> tuple[Cell, ...]:
    """All cells, by cohort then period."""
    out = []
    first = 0 if base == "universal" else 1
    for g in cohorts:
        before = np.flatnonzero(periods + anticipation < g)
        if not before.size:
            continue
        for t in range(first, periods.size):
            affected = g - anticipation <= periods[t]
            reference = int(before[-1]) if (affected or base == "universal") else t - 1
            horizon = np.inf if control == "never" else float(periods[max(t, reference)] + anticipation)
            out.append(Cell(float(g), t, reference, horizon, reference == t))
    return tuple(out)
