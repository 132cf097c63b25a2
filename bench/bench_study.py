"""The evaluation engine's study side: the national report, permutations of a design, item response, secrecy, power.

``ESSAIM_BENCH_SCALE`` multiplies the number of schools of the national panel (1.0: 50 000 schools × 12 periods, 10 indicators,
6 sub-groups, 4 covariates, 96 départements of which 12 treated; default 0.1).
"""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from scipy.optimize import minimize

from essaim.engines.impact.design.placebo_rollout import placebo_rollouts
from essaim.engines.impact.disclosure.primary import Sensitive
from essaim.engines.impact.disclosure.secondary import suppress
from essaim.engines.impact.disclosure.tables import cells_of_array, key_of
from essaim.engines.impact.scales.irt import item_response
from essaim.engines.impact.study.plan import plan_of
from essaim.engines.impact.study.run import run as run_study

SCALE = float(os.environ.get("ESSAIM_BENCH_SCALE", "0.1"))


def _timed(call: Callable[[], Any], repeat: int) -> float:
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def _row(job: str, ours: float, peer: str, other: float | None, limit: str) -> dict[str, Any]:
    memory = f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} Mio"
    told = peer if other is None else f"{peer} : {other:.3g} s"
    return {"job": job, "ours": ours, "peer": told, "limit": limit, "ratio": None if other is None else ours / other, "memory": memory}


def national_panel(schools: int, indicators: int = 10, periods: int = 12, clusters: int = 96, seed: int = 1) -> pl.DataFrame:
    """Schools × periods with 12 départements treated in waves of 2 and 10, AR(0.7) département shocks."""
    rng = np.random.default_rng(seed)
    cohort = np.zeros(clusters, int)
    order = rng.permutation(clusters)
    cohort[order[:2]], cohort[order[2:12]] = 2020, 2022
    place = rng.integers(0, clusters, schools)
    place[:clusters] = np.arange(clusters)
    unit, t = np.repeat(np.arange(schools), periods), np.tile(np.arange(periods), schools)
    c = place[unit]
    columns: dict[str, Any] = {"uai": unit, "departement": c, "annee": 2014 + t, "cohorte": cohort[c], "groupe": (np.arange(schools) % 6)[unit]}
    columns |= {f"x{k}": rng.normal(size=schools)[unit] for k in range(4)}
    for k in range(indicators):
        shock = rng.normal(size=(clusters, periods)) * 0.3
        for s in range(1, periods):
            shock[:, s] += 0.7 * shock[:, s - 1]
        columns[f"y{k}"] = rng.normal(size=schools)[unit] + shock[c, t] + rng.normal(size=unit.size) + 0.2 * columns["x0"]
    return pl.DataFrame(columns)


def national_plan(indicators: int = 10) -> Any:
    """Every section of a study: four estimators, 9 999 permutations, wild bootstrap, sensitivity, six sub-groups."""
    return plan_of({"essaim_plan": 1, "title": "Rapport national", "question": "Quels effets ?", "indicator": {"label": "indicateurs"},
                    "data": {"unit": "uai", "cluster": "departement", "period": "annee", "cohort": "cohorte", "subgroup": "groupe",
                             "outcome": [f"y{k}" for k in range(indicators)], "covariates": [f"x{k}" for k in range(4)]},
                    "design": {"kind": "rollout"}, "inference": {"draws": 9999}})


def _national() -> dict[str, Any]:
    frame = national_panel(int(50_000 * SCALE))
    seconds = _timed(lambda: run_study(national_plan(), frame), 1)
    return _row(f"rapport national, {frame.height} lignes × 10 indicateurs × 6 sous-groupes", seconds,
                "aucun paquet ne fait tout le rapport", None, "≤ 60 s à l'échelle 1")


def _rollouts(repeat: int) -> dict[str, Any]:
    means = np.random.default_rng(0).normal(size=(96, 12)).cumsum(axis=1)
    ours = _timed(lambda: placebo_rollouts(means, {6: 2, 8: 10}, draws=9999), repeat)

    def one_by_one() -> None:
        rng = np.random.default_rng(0)
        for _ in range(200):
            order = rng.permutation(96)
            never = means[order[12:]]
            total = 0.0
            for start, who in ((6, order[:2]), (8, order[2:12])):
                for t in range(start, 12):
                    total += (means[who, t] - means[who, start - 1]).sum() - who.size * (never[:, t] - never[:, start - 1]).mean()

    return _row("puissance par 9 999 déploiements fictifs", ours, "la même boucle en numpy, un tirage à la fois", _timed(one_by_one, repeat) * 9999 / 200,
                "≤ 0.1")


def _item_response(repeat: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    theta = rng.normal(size=5000)
    x = (rng.uniform(size=(5000, 12)) < 1 / (1 + np.exp(-(theta[:, None] - np.linspace(-2, 2, 12))))).astype(float)
    ours = _timed(lambda: item_response(x), repeat)
    points = np.linspace(-6, 6, 61)
    prior = np.exp(-points**2 / 2) / np.exp(-points**2 / 2).sum()

    def loss(v: np.ndarray) -> float:
        p = 1 / (1 + np.exp(-(v[:12, None] * points + v[12:, None])))
        return -float(np.log(np.exp(x @ np.log(p) + (1 - x) @ np.log(1 - p)) @ prior).sum())

    start = np.r_[np.ones(12), np.zeros(12)]
    peer = _timed(lambda: minimize(loss, start, method="L-BFGS-B", options={"maxiter": 10}), 1)
    return _row("modèle 2PL, 5 000 personnes × 12 questions", ours, "scipy sans gradient, 10 itérations", peer, "≤ 1")


def _secrecy(repeat: int) -> dict[str, Any]:
    body = np.random.default_rng(3).integers(1, 90, (20, 8)).astype(float)
    full = np.block([[body, body.sum(1, keepdims=True)], [body.sum(0, keepdims=True), np.array([[body.sum()]])]])
    cells = cells_of_array(full, ["l", "c"])
    small = [Sensitive(key_of(l=str(i), c=str(j)), "seuil", 3.0) for i, j in np.argwhere(body < 5)]
    ours = _timed(lambda: suppress(cells, small, exact=False), repeat)
    return _row(f"suppression secondaire, 20 × 8, {len(small)} cellules, cellule par cellule", ours, "un seul programme exact",
                _timed(lambda: suppress(cells, small, exact=True), 1), "≤ 1")


def run(repeat: int = 5) -> list[dict[str, Any]]:
    """Rows (job, ours, peer, limit, ratio, memory): seconds, MiB; ratio = ours over peer."""
    return [_national(), _rollouts(repeat), _item_response(min(repeat, 3)), _secrecy(min(repeat, 3))]


if __name__ == "__main__":
    for row in run(3):
        print(row)
