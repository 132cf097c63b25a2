"""Simulated roll-outs for the tests of estimation and inference."""

from __future__ import annotations

import numpy as np
import pandas as pd


def rollout(
    seed: int = 1,
    *,
    units: int = 240,
    periods: int = 6,
    clusters: int = 24,
    entries: tuple[float, ...] = (3, 5),
    share: float = 0.5,
    effect: float = 0.4,
    varying_x: bool = False,
    shock: float = 0.3,
) -> pd.DataFrame:
    """Schools in départements, some entering at ``entries`` (0 = never), a covariate that shifts trends and entry."""
    rng = np.random.default_rng(seed)
    cluster = np.arange(units) % clusters
    entry = np.zeros(clusters)
    treated = rng.permutation(clusters)[: int(clusters * share)]
    entry[treated] = np.array(entries)[np.arange(treated.size) % len(entries)]
    u, t = np.repeat(np.arange(units), periods), np.tile(np.arange(1, periods + 1), units)
    x = rng.normal(size=units) + 0.3 * (entry[cluster] > 0)
    common = rng.normal(scale=shock, size=(clusters, periods)).cumsum(axis=1)
    y = rng.normal(size=units)[u] + 0.15 * x[u] * t + common[cluster[u], t - 1] + rng.normal(scale=0.5, size=u.size)
    exposed = (entry[cluster[u]] > 0) & (t >= entry[cluster[u]])
    frame = pd.DataFrame(
        {
            "uai": u,
            "dep": cluster[u],
            "t": t,
            "y": y + effect * exposed,
            "g": entry[cluster[u]],
            "x": x[u],
            "w": np.round(rng.uniform(0.5, 2, units), 3)[u],
            "row": np.arange(u.size),
        }
    )
    if varying_x:
        frame["x"] = frame.x + 0.1 * t + rng.normal(scale=0.2, size=u.size)
    return frame
