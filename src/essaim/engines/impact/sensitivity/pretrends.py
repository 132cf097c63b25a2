"""What a passed pre-trend test is worth: power against a trend, likelihood ratio, and bias given that the test passed (Roth 2022, AER:
Insights 4; R pretrends)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from essaim.engines.impact.sensitivity.smoothness import Trends

Floats = NDArray[np.float64]

POINTS = 16_381  # a prime number of lattice points


@dataclass(frozen=True, slots=True)
class PretrendPower:
    """Against trend ``delta`` (n,): ``power`` of the usual test (any pre coefficient significant); ``bayes_factor`` P(pass | trend) /
    P(pass | parallel); ``likelihood_ratio`` of the observed pre coefficients; ``mean_after_pass`` (n,) expected coefficients given a
    pass, whose post part is the bias to expect."""

    delta: Floats
    power: float
    bayes_factor: float
    likelihood_ratio: float
    mean_after_pass: Floats


def pretrend_power(t: Trends, delta: Floats, *, level: float = 0.95) -> PretrendPower:
    """``delta`` (n,): hypothesised trend at each coefficient's event time (pre then post)."""
    n = t.before
    sigma, beta = t.covariance[:n, :n], t.value[:n]
    limit = float(stats.norm.ppf(0.5 + level / 2)) * np.sqrt(np.diag(sigma))
    passed, mean_pre = box_probability(delta[:n], sigma, -limit, limit)
    null = box_probability(np.zeros(n), sigma, -limit, limit)[0]
    log_ratio = 0.5 * (_mahalanobis(beta, sigma) - _mahalanobis(beta - delta[:n], sigma))
    shift = np.linalg.solve(sigma, t.covariance[:n, n:]).T @ (mean_pre - delta[:n])
    return PretrendPower(
        np.asarray(delta, np.float64), 1 - passed, passed / null, float(np.exp(log_ratio)), np.concatenate([mean_pre, delta[n:] + shift])
    )


def linear_trend(t: Trends, slope: float) -> Floats:
    """(n,) linear departure of ``slope`` a period, nil at the reference period just before treatment."""
    times = np.concatenate([np.arange(-t.before, 0), np.arange(1, t.after + 1)])
    return np.asarray(slope * times, np.float64)


def detectable_slope(t: Trends, *, power: float = 0.8, level: float = 0.95) -> float:
    """Slope of the linear trend that the test detects with probability ``power`` (R pretrends' ``slope_for_power``)."""
    unit = linear_trend(t, 1.0)[: t.before]
    sigma = t.covariance[: t.before, : t.before]
    limit = float(stats.norm.ppf(0.5 + level / 2)) * np.sqrt(np.diag(sigma))

    def missing(slope: float) -> float:
        return 1 - box_probability(slope * unit, sigma, -limit, limit)[0] - power

    if missing(0.0) > 0:
        return 0.0
    top = float((limit / np.abs(unit)).min())
    while missing(top) < 0:
        top *= 2
    return float(brentq(missing, 0.0, top, xtol=1e-12 * max(top, 1e-12)))


def _mahalanobis(x: Floats, sigma: Floats) -> float:
    return float(x @ np.linalg.solve(sigma, x))


def box_probability(mean: Floats, sigma: Floats, low: Floats, high: Floats) -> tuple[float, Floats]:
    """P(low ≤ X ≤ high) and E[X | inside] for X ~ N(mean, sigma), by Genz's (1992) transformation on a fixed lattice (error ≈ 1e-5)."""
    n = mean.size
    root = np.linalg.cholesky(sigma)
    grid = np.arange(1, POINTS + 1)[:, None] * np.sqrt(np.array([2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71])[:n])
    uniform = np.abs(2 * (grid % 1.0) - 1)  # baker's transformation
    z = np.zeros((POINTS, n))
    weight = np.ones(POINTS)
    for j in range(n):
        shift = np.einsum("pk,k->p", z[:, :j], root[j, :j])
        a = ndtr((low[j] - mean[j] - shift) / root[j, j])
        b = ndtr((high[j] - mean[j] - shift) / root[j, j])
        weight = weight * np.maximum(b - a, 0.0)
        z[:, j] = ndtri(np.clip(a + uniform[:, j] * (b - a), 1e-300, 1 - 1e-16))
    probability = float(weight.mean())
    x = mean + np.einsum("pk,jk->pj", z, root)
    inside = np.einsum("p,pj->j", weight, x) / weight.sum() if probability > 0 else np.full(n, np.nan)
    return probability, np.asarray(inside)
