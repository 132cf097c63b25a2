"""Further analyses that need no data: power of individual, cluster and stepped-wedge designs. Parameters are the plan's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from essaim.engines.impact.design import power as exact
from essaim.engines.impact.design import stepped_wedge as wedge
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.study.plan import Plan

Values = dict[str, Any]


def mean_power(frame: pl.DataFrame, plan: Plan, *, effect: float, n: float | None = None) -> Values:
    """Test de deux moyennes : effectif par groupe, ou puissance d'un effectif donné (effet en écarts-types)."""
    a, target = plan.design.alpha, plan.design.power
    if n is None:
        return {"n_per_group": exact.t_size(effect, power=target, alpha=a)}
    return {"power": exact.t_power(effect, n, alpha=a), "mde": exact.t_mde(n, power=target, alpha=a)}


def cluster_power(frame: pl.DataFrame, plan: Plan, *, size: float, clusters: float, icc: float, share: float = 0.5, r2: float = 0.0,
                  r2_cluster: float = 0.0, cv: float = 0.0, effect: float | None = None) -> Values:
    """Expérience par grappes : effet détectable, puissance, nombre de grappes nécessaire (effet en écarts-types)."""
    a, target = plan.design.alpha, plan.design.power
    design = exact.clusters(size, clusters, icc, share=share, r2=r2, r2_cluster=r2_cluster, cv=cv)
    out: Values = {"mde": exact.mde_of(design, alpha=a, power=target), "df": design.df}
    if effect is not None:
        out["power"] = exact.power_of(design, effect, alpha=a)
        out["clusters_needed"] = exact.clusters_needed(
            lambda j: exact.clusters(size, j, icc, share=share, r2=r2, r2_cluster=r2_cluster, cv=cv), effect, alpha=a, power=target)
    return out


def wedge_power(frame: pl.DataFrame, plan: Plan, *, waves: Sequence[int] | None = None, design: Sequence[Sequence[float]] | None = None,
                n: float | Sequence[Any] = 1, mu0: float = 0.0, mu1: float = 0.0, binary: bool = False, sigma: float | None = None,
                tau: float = 0.0, eta: float = 0.0, rho: float = 0.0, gamma: float = 0.0, zeta: float = 0.0,
                icc: float | None = None, cac: float = 1.0, iac: float = 0.0, decay: float = 1.0, extra_periods: int = 0,
                fixed_clusters: bool = False, degrees: str = "normal") -> Values:
    """Paliers (stepped wedge) ou tout plan grappes × périodes : puissance et effet détectable, conventions de swPwr."""
    if (waves is None) == (design is None):
        raise Refusal("plan", "Donner soit les vagues (waves), soit la matrice du plan (design).")
    spread = wedge.binary_sigma(mu0, mu1) if binary else sigma
    if spread is None:
        raise Refusal("plan", "Donner l'écart-type résiduel (sigma) d'un résultat continu, ou binary: true.")
    parts = (wedge.components_from_icc(spread, icc, cac, iac, decay) if icc is not None
             else wedge.Components(spread, tau, eta, rho, gamma, zeta, decay))
    matrix = np.asarray(design, float) if design is not None else wedge.wedge(list(waves or ()), extra_periods=extra_periods)
    size: Any = np.asarray(n, float) if isinstance(n, Sequence) else n
    found = wedge.wedge_power(matrix, size, mu1 - mu0, parts, alpha=plan.design.alpha, power=plan.design.power,
                              fixed_clusters=fixed_clusters, degrees=degrees)
    return {"power": found.power, "variance": found.variance, "mde": found.mde, "clusters": found.clusters, "periods": found.periods}
