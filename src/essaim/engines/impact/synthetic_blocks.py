"""One cohort of synthetic difference-in-differences, and cohorts averaged by treated unit-periods (Arkhangelsky et al. 2021; Clarke et al.
2023)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from essaim.engines.impact.panel import PanelRefused
from essaim.engines.impact.synthetic_weights import frank_wolfe, sparsify

Floats = NDArray[np.float64]
Start = tuple[Floats | None, Floats | None, tuple[float, float]]

KINDS = ("sdid", "sc", "did")


@dataclass(frozen=True, slots=True)
class Block:
    """One cohort: ``value``; ``omega`` (N0,) unit weights; ``lamda`` (T0,) period weights; ``path`` (T,) weighted gap between
    treated and synthetic, net of its weighted pre-treatment mean; ``zeta`` regularisations used (units, periods)."""

    value: float
    omega: Floats
    lamda: Floats
    path: Floats
    zeta: tuple[float, float]


def synthetic_block(y: Floats, treated: int, before: int, *, kind: str = "sdid", zeta: tuple[float, float] | None = None,
                    start: tuple[Floats | None, Floats | None] = (None, None)) -> Block:  # fmt: skip
    """``y`` (N, T): comparison units first, the last ``treated`` rows are treated from column ``before`` on.

    R synthdid's defaults: regularisation from the noise of first differences, 100 Frank–Wolfe steps, sparsification, 10 000 steps.
    ``zeta`` and ``start`` (unit and period weights) replace the regularisation and the uniform start. ``kind`` ``sc`` is its ``sc_estimate`` (no period weights, no intercept), ``did`` its ``did_estimate``.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is not one of {KINDS}")
    n0, after = y.shape[0] - treated, y.shape[1] - before
    if n0 < 2 or before < 2 or after < 1:
        raise PanelRefused("synthetic", "Il faut au moins deux unités de comparaison, deux périodes avant et une après.")
    pre, post = y[:n0, :before], y[:n0, before:].mean(axis=1)
    target = y[n0:].mean(axis=0)
    noise = float(np.diff(pre, axis=1).std(ddof=1))
    used = zeta or ((treated * after) ** 0.25 * noise if kind == "sdid" else 1e-6 * noise, 1e-6 * noise)
    tolerance = 1e-5 * noise
    if kind == "did":
        omega, lamda = np.full(n0, 1 / n0), np.full(before, 1 / before)
    else:
        omega = _weights(pre.T, target[:before], used[0], kind == "sdid", tolerance, start[0])
        lamda = _weights(pre, post, used[1], True, tolerance, start[1]) if kind == "sdid" else np.zeros(before)
    gap = target - (omega[:, None] * y[:n0]).sum(axis=0)
    path = gap - float((lamda * gap[:before]).sum())
    return Block(float(path[before:].mean()), omega, lamda, path, (float(used[0]), float(used[1])))


def _weights(a: Floats, b: Floats, zeta: float, intercept: bool, tolerance: float, start: Floats | None) -> Floats:
    first = frank_wolfe(a, b, zeta=zeta, intercept=intercept, tolerance=tolerance, iterations=100, start=start)
    return frank_wolfe(a, b, zeta=zeta, intercept=intercept, tolerance=tolerance, iterations=10_000, start=sparsify(first))


def staggered(
    y: Floats, cohort: Floats, periods: Floats, kind: str, starts: Mapping[float, Start] | None = None
) -> tuple[float, tuple[Block, ...], Floats, Floats]:
    """Overall effect, blocks by cohort, cohorts (G,) and their weights (G,); ``starts``: unit and period weights to start from, and
    regularisation, by cohort."""
    cohorts = np.unique(cohort[np.isfinite(cohort)])
    controls = np.isinf(cohort)
    blocks, weights = [], []
    for g in cohorts:
        before = int((periods < g).sum())
        treated = cohort == g
        omega, lamda, zeta = (starts or {}).get(float(g), (None, None, None))
        rows = np.vstack([y[controls], y[treated]])
        blocks.append(synthetic_block(rows, int(treated.sum()), before, kind=kind, zeta=zeta, start=(omega, lamda)))
        weights.append(float(treated.sum() * (periods.size - before)))
    share = np.array(weights) / sum(weights)
    return float(share @ np.array([b.value for b in blocks])), tuple(blocks), cohorts, share
