"""Generated roll-outs, for tutorials, tests and simulations: schools in départements treated by waves, with a known effect."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl


def simulated_rollout(clusters: int = 24, schools: int = 6, periods: int = 8, waves: Mapping[int, int] | None = None, effect: float = 1.0,
                      noise: float = 0.15, persistence: float = 0.0, seed: int = 0) -> pl.DataFrame:
    """Columns uai, departement, annee, cohorte (0 never), rep, academie, eleves, score, autre.

    ``waves``: period index → départements treated from it; ``effect`` added to treated rows; ``noise``: standard deviation of
    département × year shocks (autocorrelated by ``persistence``) and of school × year ones; schools differ by a unit variance."""
    rng = np.random.default_rng(seed)
    cohort = np.zeros(clusters, int)
    order, at = rng.permutation(clusters), 0
    for start, count in (waves or {4: 4, 5: 4}).items():
        cohort[order[at:at + count]] = 2015 + start
        at += count
    total = clusters * schools
    shock = rng.normal(size=(clusters, periods))
    for t in range(1, periods):
        shock[:, t] = persistence * shock[:, t - 1] + np.sqrt(1 - persistence**2) * shock[:, t]
    unit, time = np.repeat(np.arange(total), periods), np.tile(np.arange(periods), total)
    c = np.repeat(np.arange(clusters), schools)[unit]
    treated = (cohort[c] > 0) & (2015 + time >= cohort[c])
    score = rng.normal(size=total)[unit] + noise * shock[c, time] + rng.normal(size=unit.size) * noise + effect * treated
    return pl.DataFrame({
        "uai": [f"{u:07d}A" for u in unit], "departement": [f"D{k:02d}" for k in c], "annee": 2015 + time, "cohorte": cohort[c],
        "rep": np.where(np.arange(total) % 2 == 0, "REP", "hors REP")[unit], "academie": [f"A{k % 3}" for k in c],
        "eleves": np.full(unit.size, 40), "score": score, "autre": score + rng.normal(size=unit.size)})
