"""Wild cluster bootstrap (Cameron, Gelbach & Miller 2008; Roodman et al. 2019) from cluster sums: a draw costs a few additions a
cluster, whatever the number of rows. Errors may be clustered in several ways, and drawn on finer groups than they are clustered
(sub-cluster bootstrap: MacKinnon & Webb 2018)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from essaim.engines.impact.inference.cluster_robust import cluster_components
from essaim.engines.impact.inference.wild_draws import WEIGHTS, draw_factors
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.regression import Regression, nested
from essaim.engines.impact.stable import cross, group_sums, symmetric_inverse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Share = Callable[[NDArray[np.bool_]], float]

P_TYPES = ("symmetric", "equal-tailed")
BLOCK = 5_000_000  # draws × clusters held at once


@dataclass(frozen=True, slots=True)
class WildBootstrap:
    """Test of ``value == null``: cluster-robust ``t``, ``p_value`` (|t*| ≥ |t|, or twice the smaller tail), one-sided ones, and the
    interval of nulls not rejected (None when not asked). ``enumerated``: all sign vectors used. ``draws`` (B,) bootstrap t
    statistics, without small-sample factor."""

    value: float
    null: float
    t: float
    p_value: float
    p_greater: float
    p_less: float
    low: float | None
    high: float | None
    weights: str
    null_imposed: bool
    enumerated: bool
    clusters: int
    draws: Floats = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Bootstrap numerator and cluster scores as functions of δ = β̂ − null: ``a + δ·b``. Shapes (B,) and quadratics (B,)."""

    numerator: tuple[Floats, Floats]
    squares: tuple[Floats, Floats, Floats]
    real_squares: float
    gram: float


def wild_cluster_bootstrap(
    fit: Regression, name: str, cluster: Ints, *, null: float = 0.0, weights: str = "rademacher", null_imposed: bool = True,
    p_type: str = "symmetric", resample: Ints | None = None, draws: int = 9_999, seed: int = 20240901, level: float | None = 0.95,
) -> WildBootstrap:  # fmt: skip
    """Test one coefficient of ``fit``, errors clustered by ``cluster``: codes (n,), or (m, n) for m-way clustering.

    ``resample`` (n,): groups whose residuals share one factor (default the clusters; among several, the fewest). The absorbed effect
    must be nested in them. Rademacher signs are all enumerated when 2^G ≤ draws + 1 (then the real one is among them and p = count/2^G);
    otherwise p = (1 + count)/(1 + draws). A draw without variance counts as extreme. ``level=None`` skips the interval.
    """
    _check(fit, name, weights, p_type)
    components = cluster_components(np.atleast_2d(cluster))
    boot = np.unique(_fewest(np.atleast_2d(cluster)) if resample is None else resample, return_inverse=True)[1]
    groups = int(boot.max()) + 1
    if min(groups, *(c.groups for c in components)) < 2:
        raise Refusal("one-cluster", "Un seul département : le bootstrap par grappes est impossible.")
    if fit.absorbed is not None and not nested(fit.absorbed, boot):
        raise Refusal("not-nested", "L'effet fixe retiré n'est pas contenu dans les grappes : déclarez-le en variables indicatrices.")
    v, enumerated = draw_factors(groups, weights, draws, seed)
    j = fit.names.index(name)
    beta = float(fit.value[j])
    scaled = [(c.code, c.groups, c.sign * (c.factor if len(components) > 1 else 1.0)) for c in components]
    pieces = _pieces(fit, j, boot, scaled, v, null_imposed)
    t, found = _statistics(pieces, beta - null)

    def share(extreme: NDArray[np.bool_]) -> float:
        count = int(extreme.sum())
        return count / extreme.size if enumerated else (1 + count) / (1 + extreme.size)

    low = high = None
    if level is not None:
        low, high = _interval(pieces, beta, 1 - level, lambda t, draws: _p_value(t, draws, share, p_type))
    slack = _slack(t)
    return WildBootstrap(
        beta, null, t * fit.covariance.factor**-0.5, _p_value(t, found, share, p_type), share(found >= t - slack),
        share(found <= t + slack), low, high, weights, null_imposed, enumerated, components[0].groups, found,
    )  # fmt: skip


def _check(fit: Regression, name: str, weights: str, p_type: str) -> None:
    if weights not in WEIGHTS:
        raise ValueError(f"{weights!r} is not one of {WEIGHTS}")
    if p_type not in P_TYPES:
        raise ValueError(f"{p_type!r} is not one of {P_TYPES}")
    if name not in fit.names:
        raise Refusal("coefficient", f"Le coefficient « {name} » n'est pas dans la régression (absent ou colinéaire).")


def _fewest(codes: Ints) -> Ints:
    return codes[int(np.argmin([np.unique(row).size for row in codes]))]


def _slack(t: float) -> float:
    return 1e-9 * max(1.0, abs(t))


def _p_value(t: float, found: Floats, share: Share, p_type: str) -> float:
    if p_type == "symmetric":
        return share(np.abs(found) >= abs(t) - _slack(t))
    return min(1.0, 2 * min(share(found >= t - _slack(t)), share(found <= t + _slack(t))))


def _pieces(fit: Regression, j: int, boot: Ints, components: list[tuple[Ints, int, float]], v: Floats, null_imposed: bool) -> _Pieces:
    """Sums by group: with x̃ the regressor net of the others, u the residual, scores are Σ v·x̃'u − x̃'X (X'X)⁻¹ Σ v X'u."""
    x = fit.design
    bread = symmetric_inverse(cross(x, x))
    assert bread is not None
    tilde = np.einsum("k,kn->n", bread[j] / bread[j, j], x)
    gram, groups = 1.0 / float(bread[j, j]), v.shape[1]
    sources = (fit.residual, tilde) if null_imposed else (fit.residual,)
    means = [np.einsum("bg,gk->bk", v, group_sums(x * u, boot, groups).T) for u in sources]
    numerator = [np.einsum("bg,g->b", v, group_sums(tilde * u, boot, groups)[0]) / gram for u in sources]
    squares = np.zeros((3, v.shape[0]))
    real = 0.0
    for code, size, factor in components:
        coupling = group_sums(tilde * x, code, size).T @ bread  # (G, k)
        own = [csr_array((tilde * u, (boot, code)), shape=(groups, size)) for u in sources]
        squares += factor * _quadratics(v, own, means, coupling)
        real += factor * float((group_sums(tilde * fit.residual, code, size)[0] ** 2).sum())
    if not real > 0:
        raise Refusal("variance", "Les résidus s'annulent par grappe : aucune variance n'est estimable, donc aucun test.")
    slope = numerator[1] if null_imposed else np.zeros(v.shape[0])
    return _Pieces((numerator[0], slope), (squares[0], squares[1], squares[2]), real, gram)


def _quadratics(v: Floats, own: list[csr_array], means: list[Floats], coupling: Floats) -> Floats:
    """(3, B): sums over clusters of the products of scores a·a, a·b and b·b, by blocks of draws."""
    out = np.zeros((3, v.shape[0]))
    step = max(1, BLOCK // coupling.shape[0])
    for start in range(0, v.shape[0], step):
        block = slice(start, start + step)
        scores = [np.asarray(v[block] @ o) - np.einsum("bk,gk->bg", m[block], coupling) for o, m in zip(own, means, strict=True)]
        pairs = ((0, 0), (0, 1), (1, 1)) if len(scores) == 2 else ((0, 0),)
        for row, (a, b) in enumerate(pairs):
            out[row, block] = np.einsum("bg,bg->b", scores[a], scores[b])
    return out


def _statistics(pieces: _Pieces, delta: float) -> tuple[float, Floats]:
    """Real t for δ and the bootstrap t's, without small-sample factor (it cancels)."""
    a, b, c = pieces.squares
    variance = (a + 2 * delta * b + delta**2 * c) / pieces.gram**2
    numerator = pieces.numerator[0] + delta * pieces.numerator[1]
    scale = float(np.max(np.abs(numerator))) or 1.0
    error = np.sqrt(np.maximum(variance, 0.0))
    none = error <= 1e-10 * scale
    t = np.where(none, 0.0, numerator / np.where(none, 1.0, error))
    t[none & (numerator > 1e-10 * scale)] = np.inf
    t[none & (numerator < -1e-10 * scale)] = -np.inf
    return delta * pieces.gram / float(np.sqrt(pieces.real_squares)), t


def _interval(pieces: _Pieces, beta: float, alpha: float, p_value: Callable[[float, Floats], float]) -> tuple[float, float]:
    """Ends of the set of nulls with p > alpha; infinite when p never falls below alpha (too few clusters)."""
    error = float(np.sqrt(pieces.real_squares)) / pieces.gram

    def excess(null: float) -> float:
        return p_value(*_statistics(pieces, beta - null)) - alpha - 1e-12

    ends = []
    for sign in (-1.0, 1.0):
        step = error
        while excess(beta + sign * step) > 0 and step < 1e4 * error:
            step *= 1.5
        if step >= 1e4 * error:
            ends.append(sign * np.inf)
            continue
        inner, outer = 0.0, step
        for _ in range(60):
            middle = (inner + outer) / 2
            inner, outer = (middle, outer) if excess(beta + sign * middle) > 0 else (inner, middle)
        ends.append(beta + sign * inner)
    return float(ends[0]), float(ends[1])
