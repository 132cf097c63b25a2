"""Relative magnitudes ΔRM(M̄): after treatment, the trend moves by at most M̄ times its largest move between consecutive pre-treatment
periods (Rambachan & Roth 2023), by the conditional least-favourable hybrid test, HonestDiD's default. The usual doors of
``conditional``, where every other set is."""

from __future__ import annotations

from essaim.engines.impact.sensitivity.conditional import sensitivity_breakdown, sensitivity_interval
from essaim.engines.impact.sensitivity.restrictions import Restriction
from essaim.engines.impact.sensitivity.smoothness import Sensitivity, Trends

MAGNITUDES = Restriction("RM")


def magnitudes_interval(t: Trends, bound: float, *, level: float = 0.95, grid: int = 801) -> Sensitivity:
    """Values of the effect not rejected under ΔRM(``bound``)."""
    return sensitivity_interval(t, bound, MAGNITUDES, level=level, grid=grid)


def magnitudes_breakdown(t: Trends, *, level: float = 0.95, largest: float = 50.0) -> float:
    """Largest M̄ at which the interval still excludes zero (0 if none, infinite beyond ``largest``)."""
    return sensitivity_breakdown(t, MAGNITUDES, level=level, largest=largest)
