"""Sensitivity to departures from parallel trends, relative magnitudes ΔRM(M̄): after treatment, the trend moves by at most M̄ times its
largest move between consecutive pre-treatment periods (Rambachan & Roth 2023), by the conditional least-favourable hybrid test of
Andrews, Roth & Pakes (2023), HonestDiD's default.

ΔRM is a union of polyhedra, one a pre-treatment move and sign. In each, the dual of the test's linear programme has known vertices
(two for the effect, one a post-treatment period, the latter all proportional), so that no programme is solved: endpoints are bisected in milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri_exp

from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.sensitivity.smoothness import Sensitivity, Trends, bisect_breakdown

Floats = NDArray[np.float64]

SIMULATIONS = 20_000
SEED = 0


@dataclass(frozen=True, slots=True)
class _Polyhedron:
    """Dual vertices on β: test statistics ``rows @ β − sign·θ·slope`` (V, n), their covariance (V, V), slope (V,) and hybrid cut."""

    rows: Floats
    slope: Floats
    covariance: Floats
    cut: float


def magnitudes_interval(t: Trends, bound: float, *, level: float = 0.95, grid: int = 801) -> Sensitivity:
    """Values of the effect not rejected under ΔRM(``bound``): hull of the accepted sets of the polyhedra.

    Scanned on ``grid`` points a polyhedron over ±20 standard errors (HonestDiD's range) around the effect, then ends bisected.
    """
    if not bound >= 0:
        raise Refusal("bound", "L'écart permis aux tendances ne peut pas être négatif.")
    alpha = 1 - level
    effect = float(t.weights @ t.value[t.before :])
    error = float(np.sqrt(t.weights @ t.covariance[t.before :, t.before :] @ t.weights))
    ends: list[tuple[float, float]] = []
    for s in range(t.before):
        for sign in (1.0, -1.0):
            found = _accepted(_polyhedron(t, bound, s, sign, alpha / 10), t.value, effect, error, alpha, grid)
            if found is not None:
                ends.append(found)
    if not ends:
        return Sensitivity(bound, effect, effect, level, "C-LF ΔRM")
    return Sensitivity(bound, min(e[0] for e in ends), max(e[1] for e in ends), level, "C-LF ΔRM")


def magnitudes_breakdown(t: Trends, *, level: float = 0.95, largest: float = 50.0) -> float:
    """Largest M̄ at which the interval still excludes zero (0 if none, infinite beyond ``largest``)."""
    alpha = 1 - level

    def rejects_zero(bound: float) -> bool:
        zero = np.zeros(1)
        return not any(
            _accepts(_polyhedron(t, bound, s, sign, alpha / 10), t.value, zero, alpha)[0] for s in range(t.before) for sign in (1.0, -1.0)
        )

    return bisect_breakdown(rejects_zero, largest)


def _polyhedron(t: Trends, bound: float, s: int, sign: float, kappa: float) -> _Polyhedron:
    """Inequalities ±(δ_p − δ_{p−1}) − M̄·v ≤ 0 for post periods p, with v = ±(pre-treatment move s)."""
    n, p = t.value.size, t.after
    move = np.zeros(n)
    move[s] = -sign
    if s + 1 < t.before:
        move[s + 1] = sign
    steps = np.zeros((p, n))
    for j in range(p):
        steps[j, t.before + j] = 1.0
        if j:
            steps[j, t.before + j - 1] = -1.0
    rows = np.vstack([steps - bound * move, -steps - bound * move])
    scale = np.sqrt(np.clip(np.einsum("ri,ij,rj->r", rows, t.covariance, rows), 1e-300, None))
    reach = np.cumsum(t.weights[::-1])[::-1]  # weight of each move in the effect
    vertices, slope = [], []
    for side in (1.0, -1.0):
        gamma = np.concatenate([np.clip(side * reach, 0, None), np.clip(-side * reach, 0, None)])
        vertices.append(gamma / (gamma @ scale))
        slope.append(side / (gamma @ scale))
    if bound > 0:
        for j in range(p):
            gamma = np.zeros(2 * p)
            gamma[[j, p + j]] = 1.0
            vertices.append(gamma / (gamma @ scale))
            slope.append(0.0)
    dual = np.array(vertices) @ rows
    covariance = dual @ t.covariance @ dual.T
    spread = np.sqrt(np.diag(covariance)[2:])
    distinct = [0, 1] if not spread.size else [0, 1, 2 + int(spread.argmin()), 2 + int(spread.argmax())]
    return _Polyhedron(dual, np.array(slope), covariance, _least_favourable(covariance[np.ix_(distinct, distinct)], kappa))


def _least_favourable(covariance: Floats, kappa: float) -> float:
    """(1 − κ) quantile of the largest vertex under mean zero, by fixed-seed simulation."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    noise = np.random.default_rng(SEED).standard_normal((SIMULATIONS, covariance.shape[0]))
    return float(np.quantile(np.einsum("bj,ij->bi", noise, root).max(axis=1), 1 - kappa))


def _accepts(q: _Polyhedron, value: Floats, theta: Floats, alpha: float) -> NDArray[np.bool_]:
    """Conditional least-favourable hybrid test at each θ (m,)."""
    kappa = alpha / 10
    y = q.rows @ value - theta[:, None] * q.slope  # (m, V)
    best = y.argmax(axis=1)
    eta = y[np.arange(theta.size), best]
    variance = np.diag(q.covariance)[best]
    b = q.covariance[best] / np.where(variance > 0, variance, 1.0)[:, None]
    rest = y - b * eta[:, None]
    lead = 1 - b
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = rest / lead
    low = np.where(lead > 1e-10, ratio, -np.inf).max(axis=1)
    high = np.where(lead < -1e-10, ratio, np.inf).min(axis=1)
    high = np.minimum(high, q.cut)
    size = (alpha - kappa) / (1 - kappa)
    critical = np.maximum(_truncated_quantile(1 - size, low, high, np.sqrt(variance)), 0.0)
    return (eta <= q.cut) & (eta <= critical + 1e-12)


def _truncated_quantile(p: float, low: Floats, high: Floats, sd: Floats) -> Floats:
    """Quantile of N(0, sd²) truncated to [low, high], stable far in the tails."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        a, b = low / sd, np.maximum(high, low) / sd
        upper = np.logaddexp(np.log1p(-p) + log_ndtr(-a), np.log(p) + log_ndtr(-b))
        lower = np.logaddexp(np.log1p(-p) + log_ndtr(a), np.log(p) + log_ndtr(b))
        x = np.where(a > 0, -ndtri_exp(upper), ndtri_exp(lower))
    return np.asarray(np.clip(np.where(np.isfinite(x), x, a), a, b) * sd)


def _accepted(q: _Polyhedron, value: Floats, effect: float, error: float, alpha: float, grid: int) -> tuple[float, float] | None:
    theta = effect + error * np.linspace(-20, 20, grid)
    inside = np.flatnonzero(_accepts(q, value, theta, alpha))
    if not inside.size:
        return None
    good = theta[[inside[0], inside[-1]]]
    bad = good + error * 40 / (grid - 1) * np.array([-1.0, 1.0])
    for _ in range(30):
        middle = (good + bad) / 2
        kept = _accepts(q, value, middle, alpha)
        good, bad = np.where(kept, middle, good), np.where(kept, bad, middle)
    return (float(good[0]) if inside[0] > 0 else -np.inf, float(good[1]) if inside[-1] < grid - 1 else np.inf)
