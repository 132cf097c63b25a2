"""Sensitivity to departures from parallel trends, smoothness restriction ΔSD(M): |second differences of the trend| ≤ M. Fixed-length
confidence intervals of Rambachan & Roth (2023, REStud 90), as R HonestDiD's FLCI."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import ndtr

from essaim.engines.impact.refusal import Refusal

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trends:
    """What sensitivity analysis takes from an event study: ``value`` (n,) and ``covariance`` (n, n) of the coefficients in order of
    event time without the reference, the first ``before`` of them pre-treatment; ``weights`` (n − before,) define the effect."""

    value: Floats
    covariance: Floats
    before: int
    weights: Floats

    def __post_init__(self) -> None:
        n = self.value.size
        if self.covariance.shape != (n, n) or self.weights.size != n - self.before or not 0 < self.before < n:
            raise Refusal("event-time", f"{n} coefficients demandent une covariance {n} × {n}, des coefficients avant et après, "
                                        "et un poids par coefficient après traitement.")
        spread = np.diag(self.covariance)
        if not (np.isfinite(self.value).all() and np.isfinite(self.covariance).all() and (spread > 0).all()):
            raise Refusal("covariance", "Coefficients et covariance doivent être connus, de variances strictement positives : "
                                        "retirez la période de référence et les effets sans variance estimable.")

    @property
    def after(self) -> int:
        """Number of post-treatment coefficients."""
        return self.value.size - self.before


def trends(
    event_time: Floats, value: Floats, covariance: Floats, *, reference: float = -1.0, weights: Sequence[float] | None = None
) -> Trends:
    """Select and order coefficients; ``weights`` over post-treatment ones (default: the first one only).

    The reference is dropped if present. Refuses gaps in event time, a missing pre- or post-treatment coefficient.
    """
    kept = np.argsort(event_time)
    kept = kept[event_time[kept] != reference]
    times = np.sort(np.append(event_time[kept], reference))
    if np.any(np.diff(times) != 1):
        raise Refusal("event-time", "Les anciennetés doivent se suivre sans trou autour de la période de référence.")
    before = int((event_time[kept] < reference).sum())
    after = kept.size - before
    if before < 1 or after < 1:
        raise Refusal("event-time", "Il faut au moins un coefficient avant et un après traitement.")
    chosen = np.eye(after)[0] if weights is None else np.asarray(weights, np.float64)
    if chosen.size != after:
        raise Refusal("weights", f"Il faut {after} poids, un par coefficient après traitement.")
    return Trends(value[kept], covariance[np.ix_(kept, kept)], before, chosen)


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Interval ``[low, high]`` of the effect when departures are bounded by ``bound``; ``half_length`` and weights for an FLCI."""

    bound: float
    low: float
    high: float
    level: float
    method: str
    pre_weights: tuple[float, ...] = ()

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0


def original_interval(t: Trends, level: float = 0.95) -> Sensitivity:
    """The usual interval, which assumes exactly parallel trends."""
    effect = float(t.weights @ t.value[t.before :])
    error = float(np.sqrt(t.weights @ t.covariance[t.before :, t.before :] @ t.weights))
    z = float(stats.norm.ppf(0.5 + level / 2))
    return Sensitivity(0.0, effect - z * error, effect + z * error, level, "original")


def smoothness_interval(t: Trends, bound: float, *, level: float = 0.95) -> Sensitivity:
    """Shortest fixed-length interval under ΔSD(``bound``).

    The estimator is the effect plus a linear extrapolation of the pre-trend; its worst bias is M times a sum of absolute cumulated
    weights, its variance a quadratic form: the frontier between them is a lasso path, computed exactly, then searched.
    """
    if not bound >= 0:
        raise Refusal("bound", "L'écart permis aux tendances ne peut pas être négatif.")
    return _on_frontier(t, _frontier(t), bound, level)


@dataclass(frozen=True, slots=True)
class _Frontier:
    """Lasso path: ``knots`` (B, n − 1) cumulated weights between which the solution is linear, and the quantities of the variance."""

    knots: Floats
    quadratic: Floats
    linear: Floats
    constant: float
    least_bias: float
    target: float
    map: Floats

    def half_length(self, u: Floats, bound: float, level: float) -> Floats:
        """(m,) half-lengths at cumulated weights u (m, n − 1)."""
        variance = np.einsum("mi,ij,mj->m", u, self.quadratic, u) + 2 * np.einsum("mi,i->m", u, self.linear) + self.constant
        sigma = np.sqrt(np.maximum(variance, 1e-300))
        return folded_quantile(level, bound * (self.least_bias + np.abs(u).sum(axis=1)) / sigma) * sigma


def _frontier(t: Trends) -> _Frontier:
    quadratic, linear, constant, target, map_ = _variance_form(t)
    return _Frontier(_lasso_path(quadratic, linear), quadratic, linear, constant, abs(target) + _bias_constant(t.weights), target, map_)


def _on_frontier(t: Trends, f: _Frontier, bound: float, level: float) -> Sensitivity:
    position = np.linspace(0, len(f.knots) - 1, 40 * len(f.knots))
    for _ in range(6):
        lengths = f.half_length(_along(f.knots, position), bound, level)
        best = position[int(np.argmin(lengths))]
        width = 2 * float(position[1] - position[0]) if position.size > 1 else 0.0
        position = np.linspace(max(best - width, 0.0), min(best + width, len(f.knots) - 1.0), 41)
    u = _along(f.knots, np.array([best]))
    half = float(f.half_length(u, bound, level)[0])
    pre = f.map @ np.append(u[0], f.target)
    centre = float(pre @ t.value[: t.before] + t.weights @ t.value[t.before :])
    return Sensitivity(bound, centre - half, centre + half, level, "FLCI ΔSD", tuple(float(x) for x in pre))


def _along(knots: Floats, position: Floats) -> Floats:
    at = np.minimum(position.astype(np.int64), max(len(knots) - 2, 0))
    after = np.minimum(at + 1, len(knots) - 1)
    return np.asarray(knots[at] + (position - at)[:, None] * (knots[after] - knots[at]))


def _variance_form(t: Trends) -> tuple[Floats, Floats, float, float, Floats]:
    """Variance as ``u'Qu + 2 b'u + c`` in the free cumulated weights u, the fixed last one, and the map from all to pre weights."""
    n = t.before
    difference = np.eye(n) - np.eye(n, k=-1)
    map_ = difference @ difference  # cumulated weights → first-difference weights → level weights
    target = float(np.arange(1, t.after + 1) @ t.weights)
    pre = map_.T @ t.covariance[:n, :n] @ map_
    cross = map_.T @ t.covariance[:n, n:] @ t.weights
    post = float(t.weights @ t.covariance[n:, n:] @ t.weights)
    free = slice(0, n - 1)
    constant = float(pre[-1, -1] * target**2 + 2 * cross[-1] * target + post)
    return pre[free, free], pre[free, -1] * target + cross[free], constant, target, map_


def _bias_constant(weights: Floats) -> float:
    n = weights.size
    total = sum(abs(float(np.arange(1, s + 1) @ weights[n - s :])) for s in range(1, n + 1))
    return total - float(np.arange(1, n + 1) @ weights)


def _lasso_path(quadratic: Floats, linear: Floats) -> Floats:
    """Knots, from zero to the least-variance solution, of ``argmin u'Qu + 2b'u + 2λ|u|₁`` as λ falls to 0 (homotopy)."""
    n = linear.size
    u = np.zeros(n)
    knots = [u]
    if n == 0:
        return np.zeros((1, 0))
    penalty = float(np.abs(linear).max())
    active = [int(np.argmax(np.abs(linear)))]
    signs = {active[0]: -np.sign(linear[active[0]])}
    for _ in range(50 * n):
        rows = np.array(active)
        s = np.array([signs[j] for j in active])
        gram = quadratic[np.ix_(rows, rows)]
        base, slope = np.linalg.solve(gram, -linear[rows]), np.linalg.solve(gram, s)  # u = base − λ·slope
        best, event = 0.0, None
        for i, j in enumerate(active):
            zero = base[i] / slope[i] if slope[i] else -1.0
            if 1e-14 * penalty < zero < penalty * (1 - 1e-9) and zero > best:
                best, event = float(zero), ("leave", j)
        for j in set(range(n)) - set(active):
            level, tilt = linear[j] + quadratic[j, rows] @ base, quadratic[j, rows] @ slope  # gradient = level − λ·tilt
            for side in (1.0, -1.0):
                hit = level / (side + tilt) if side + tilt else -1.0
                if best < hit < penalty * (1 - 1e-9):
                    best, event = float(hit), ("enter", j)
        u = np.zeros(n)
        u[rows] = base - best * slope
        if event is None:
            return np.array([*knots, u])
        kind, j = event
        if kind == "leave":
            u[j] = 0.0
            active.remove(j)
        else:
            active.append(j)
            signs[j] = -np.sign(linear[j] + quadratic[j] @ u)
        knots.append(u)
        penalty = best
        if not active:
            break
    return np.array(knots)


def folded_quantile(level: float, mean: Floats) -> Floats:
    """Quantiles of |N(mean, 1)|, (m,), by Newton from the left, where the distribution function is concave."""
    m = np.abs(mean)
    x = m + float(stats.norm.ppf(level))
    for _ in range(60):
        step = (level - ndtr(x - m) + ndtr(-x - m)) / (np.exp(-0.5 * (x - m) ** 2) + np.exp(-0.5 * (x + m) ** 2)) * np.sqrt(2 * np.pi)
        x = x + step
        if float(np.abs(step).max(initial=0.0)) < 1e-13:
            break
    return np.asarray(x)


def smoothness_breakdown(t: Trends, *, level: float = 0.95, largest: float | None = None) -> float:
    """Largest M at which the interval still excludes zero (0 if it never does, infinite beyond ``largest``)."""
    top = largest if largest is not None else 100 * float(np.abs(t.value).max() + np.sqrt(np.diag(t.covariance)).max())
    frontier = _frontier(t)
    return bisect_breakdown(lambda m: _on_frontier(t, frontier, m, level).excludes_zero, top)


def bisect_breakdown(excludes_zero: Callable[[float], bool], top: float) -> float:
    """Largest bound in [0, top] at which zero is excluded, to 1e-6 of its size."""
    if not excludes_zero(0.0):
        return 0.0
    low, high = 0.0, top / 2**20
    while excludes_zero(high):
        low, high = high, high * 2
        if high > top:
            return float("inf")
    for _ in range(22):
        middle = (low + high) / 2
        low, high = (middle, high) if excludes_zero(middle) else (low, middle)
    return low
