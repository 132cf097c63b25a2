"""Sensitivity intervals by test inversion: the conditional test of Andrews, Roth & Pakes (2023) and its hybrids with a least favourable
(C-LF) or a fixed-length (C-F) first stage, for every set of Rambachan & Roth (2023), as R HonestDiD.

The test statistic is the largest of the moments over the extreme rays of a cone (``dual_cone``); rays depend on neither the data nor the
bound, so that endpoints are bisected in milliseconds where a linear programme a point is solved elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri_exp

from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.sensitivity.dual_cone import extreme_rays
from essaim.engines.impact.sensitivity.restrictions import Polyhedron, Restriction, polyhedra
from essaim.engines.impact.sensitivity.smoothness import (
    Sensitivity,
    Trends,
    bisect_breakdown,
    smoothness_interval,
)

Floats = NDArray[np.float64]

METHODS = ("FLCI", "Conditional", "C-F", "C-LF")
SIMULATIONS = 20_000
SEED = 0
WIDEST = 4  # times the range scanned may be quadrupled


@dataclass(frozen=True, slots=True)
class _Dual:
    """Moments on the rays: ``rows @ β − limit − θ·slope`` (V,), their covariance with β ``spread`` (V, n), and the hybrid's cut."""

    rows: Floats
    limit: Floats
    slope: Floats
    spread: Floats
    variance: Floats
    cut: float


@dataclass(frozen=True, slots=True)
class _FirstStage:
    """Fixed-length first stage: ``|weights @ β − θ| ≤ half``."""

    weights: Floats
    half: float


def default_method(restriction: Restriction) -> str:
    """R HonestDiD's choice: FLCI for ΔSD, C-F once a sign or direction is added, C-LF for relative magnitudes."""
    return "C-LF" if restriction.base != "SD" else "FLCI" if restriction.is_plain else "C-F"


def sensitivity_interval(t: Trends, bound: float, restriction: Restriction | None = None, *, method: str | None = None, level: float = 0.95,
                         grid: int = 801) -> Sensitivity:  # fmt: skip
    """Values of the effect not rejected when the bias lies in the set of ``restriction`` at ``bound`` (M or M̄): hull of the accepted
    sets of its polyhedra, scanned on ``grid`` points then bisected. As in HonestDiD only moments of post-treatment periods are tested
    (all of them when there is one post-treatment period)."""
    restriction = restriction or Restriction()
    method = _method(restriction, method)
    if method == "FLCI":
        return smoothness_interval(t, bound, level=level)
    alpha = 1 - level
    first = _first_stage(t, bound, alpha / 10) if method == "C-F" else None
    duals = _duals(t, restriction, bound, alpha / 10 if method == "C-LF" else 0.0)
    size = alpha if method == "Conditional" else (alpha - alpha / 10) / (1 - alpha / 10)
    ends = [e for d in duals if (e := _accepted(t, d, first, size, grid, bound)) is not None]
    told = f"{method} {restriction.name.replace('Delta', 'Δ')}"
    if not ends:
        effect = float(t.weights @ t.value[t.before :])
        return Sensitivity(bound, effect, effect, level, told)
    return Sensitivity(bound, min(e[0] for e in ends), max(e[1] for e in ends), level, told)


def sensitivity_breakdown(t: Trends, restriction: Restriction, *, method: str | None = None, level: float = 0.95, largest: float = 50.0) -> float:
    """Largest bound at which zero is still rejected (0 if never, infinite beyond ``largest``)."""
    method, alpha, zero = _method(restriction, method), 1 - level, np.zeros(1)
    size = alpha if method == "Conditional" else (alpha - alpha / 10) / (1 - alpha / 10)

    def rejects_zero(bound: float) -> bool:
        if method == "FLCI":
            return smoothness_interval(t, bound, level=level).excludes_zero
        first = _first_stage(t, bound, alpha / 10) if method == "C-F" else None
        duals = _duals(t, restriction, bound, alpha / 10 if method == "C-LF" else 0.0)
        return not any(_accepts(t.value, d, first, zero, size)[0] for d in duals)

    return bisect_breakdown(rejects_zero, largest)


def _method(restriction: Restriction, method: str | None) -> str:
    chosen = method or default_method(restriction)
    if chosen not in METHODS:
        raise Refusal("method", f"Méthode inconnue : « {chosen} ». Attendu : {', '.join(METHODS)}.")
    if chosen in ("FLCI", "C-F") and restriction.base != "SD":
        raise Refusal("method", "L'intervalle de longueur fixe n'existe que pour ΔSD : demander C-LF ou Conditional.")
    if chosen == "FLCI" and not restriction.is_plain:
        raise Refusal("method", "L'intervalle de longueur fixe ignore le signe et le sens imposés : demander C-F, C-LF ou Conditional.")
    return chosen


def _first_stage(t: Trends, bound: float, kappa: float) -> _FirstStage:
    found = smoothness_interval(t, bound, level=1 - kappa)
    return _FirstStage(np.concatenate([found.pre_weights, t.weights]), (found.high - found.low) / 2)


def _duals(t: Trends, restriction: Restriction, bound: float, kappa: float) -> list[_Dual]:
    """One a polyhedron; rays are shared, since post-treatment columns are the same in all of them."""
    parts, rays = [_tested(t, p) for p in polyhedra(t, restriction, bound)], None
    out = []
    for part in parts:
        after = part.matrix[:, t.before :]
        if rays is None or rays.shape[1] != len(after):
            rays = _rays(t, restriction, after)
        out.append(_dual(t, part, rays, after, kappa))
    return out


def _tested(t: Trends, p: Polyhedron) -> Polyhedron:
    if t.after == 1:
        return p
    rows = np.abs(p.matrix[:, t.before :]).max(axis=1) > 0
    return Polyhedron(p.matrix[rows], p.limit[rows])


def _rays(t: Trends, restriction: Restriction, after: Floats) -> Floats:
    """Rays for nuisance directions that leave the effect unchanged: sparse ones, in the coordinates of the two-sided bounds."""
    if t.after == 1:
        return np.eye(len(after))
    moves = after[: t.after]
    reach = np.linalg.solve(moves.T, t.weights)  # the effect as a combination of the bounded moves
    if restriction.is_plain:
        unit = np.eye(t.after)
        sides = np.stack([np.concatenate([np.clip(s * reach, 0, None), np.clip(-s * reach, 0, None)]) for s in (1.0, -1.0)])
        return np.vstack([sides, np.hstack([unit, unit])])
    pivot = int(np.argmax(np.abs(reach)))
    free = [j for j in range(t.after) if j != pivot]
    directions = np.eye(t.after)[:, free]
    directions[pivot] = -reach[free] / reach[pivot]
    return extreme_rays(after @ np.linalg.solve(moves, directions))


def _dual(t: Trends, p: Polyhedron, rays: Floats, after: Floats, kappa: float) -> _Dual:
    scale = np.sqrt(np.clip(np.einsum("ri,ij,rj->r", p.matrix, t.covariance, p.matrix), 1e-300, None))
    gamma = rays / (rays @ scale)[:, None]
    rows = gamma @ p.matrix
    spread = rows @ t.covariance
    slope = gamma @ after @ (t.weights / (t.weights @ t.weights))
    variance = np.einsum("vi,vi->v", spread, rows)
    cut = _least_favourable(rows, t.covariance, kappa) if kappa else np.inf
    return _Dual(rows, gamma @ p.limit, slope, spread, variance, cut)


def _least_favourable(rows: Floats, covariance: Floats, kappa: float) -> float:
    """(1 − κ) quantile of the largest moment under mean zero, by fixed-seed simulation."""
    values, vectors = np.linalg.eigh(covariance)
    loadings = rows @ (vectors * np.sqrt(np.clip(values, 0, None)))
    noise = np.random.default_rng(SEED).standard_normal((SIMULATIONS, rows.shape[1]))
    step = max(1, 4_000_000 // len(rows))
    tops = [np.einsum("bj,ij->bi", noise[i : i + step], loadings).max(axis=1) for i in range(0, SIMULATIONS, step)]
    return float(np.quantile(np.concatenate(tops), 1 - kappa))


def _accepts(value: Floats, d: _Dual, first: _FirstStage | None, theta: Floats, size: float) -> NDArray[np.bool_]:
    """Conditional or hybrid test at each θ (m,): given which ray is largest, it is a truncated normal."""
    y = d.rows @ value - d.limit - theta[:, None] * d.slope  # (m, V)
    best = y.argmax(axis=1)
    eta = y[np.arange(theta.size), best]
    variance = np.where(d.variance > 0, d.variance, 1.0)[best]
    b = np.einsum("mi,vi->mv", d.spread[best], d.rows) / variance[:, None]
    lead, rest = 1 - b, y - b * eta[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = rest / lead
    low = np.where(lead > 1e-10, ratio, -np.inf).max(axis=1)
    high = np.minimum(np.where(lead < -1e-10, ratio, np.inf).min(axis=1), d.cut)
    kept = eta <= d.cut
    if first is not None:
        gap = first.weights @ value - theta
        tilt = d.spread[best] @ first.weights / variance
        low, high = _narrowed(low, high, gap - tilt * eta, tilt, first.half)
        kept &= np.abs(gap) <= first.half + 1e-12
    critical = np.maximum(_truncated_quantile(1 - size, low, high, np.sqrt(variance)), 0.0)
    return kept & (eta <= critical + 1e-12)


def _narrowed(low: Floats, high: Floats, rest: Floats, tilt: Floats, half: float) -> tuple[Floats, Floats]:
    """Truncation points once ``|rest + tilt·x| ≤ half`` is also given."""
    with np.errstate(divide="ignore", invalid="ignore"):
        one, two = (-half - rest) / tilt, (half - rest) / tilt
    moved = np.abs(tilt) > 1e-10
    low = np.where(moved, np.maximum(low, np.minimum(one, two)), low)
    return low, np.where(moved, np.minimum(high, np.maximum(one, two)), high)


def _truncated_quantile(p: float, low: Floats, high: Floats, sd: Floats) -> Floats:
    """Quantile of N(0, sd²) truncated to [low, high], stable far in the tails."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        a, b = low / sd, np.maximum(high, low) / sd
        upper = np.logaddexp(np.log1p(-p) + log_ndtr(-a), np.log(p) + log_ndtr(-b))
        lower = np.logaddexp(np.log1p(-p) + log_ndtr(a), np.log(p) + log_ndtr(b))
        x = np.where(a > 0, -ndtri_exp(upper), ndtri_exp(lower))
    return np.asarray(np.clip(np.where(np.isfinite(x), x, a), a, b) * sd)


def _accepted(t: Trends, d: _Dual, first: _FirstStage | None, size: float, grid: int, bound: float) -> tuple[float, float] | None:
    """First and last θ accepted, None when none is; the range is widened while its ends are accepted."""
    centre = float(t.weights @ t.value[t.before :])
    reach = 20 * float(np.sqrt(t.weights @ t.covariance[t.before :, t.before :] @ t.weights)) + bound * float(np.abs(t.weights).sum())
    if first is not None:
        centre, reach = float(first.weights @ t.value), first.half * (1 + 1e-9)
    for _ in range(WIDEST):
        theta = centre + reach * np.linspace(-1, 1, grid)
        inside = np.flatnonzero(_accepts(t.value, d, first, theta, size))
        if first is not None or not inside.size or (inside[0] > 0 and inside[-1] < grid - 1):
            break
        reach *= 4
    if not inside.size:
        return None
    good = theta[[inside[0], inside[-1]]]
    bad = good + 2 * reach / (grid - 1) * np.array([-1.0, 1.0])
    for _ in range(40):
        middle = (good + bad) / 2
        kept = _accepts(t.value, d, first, middle, size)
        good, bad = np.where(kept, middle, good), np.where(kept, bad, middle)
    if first is not None:
        return float(good[0]), float(good[1])
    return (float(good[0]) if inside[0] > 0 else -np.inf, float(good[1]) if inside[-1] < grid - 1 else np.inf)
