"""Wild cluster bootstrap (Cameron, Gelbach & Miller 2008; Roodman et al. 2019) from cluster sums: a draw costs G² additions,
whatever the number of rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray

from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.regression import Regression, nested
from essaim.engines.impact.stable import cross, group_sums, symmetric_inverse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WEBB = np.array([-np.sqrt(1.5), -1.0, -np.sqrt(0.5), np.sqrt(0.5), 1.0, np.sqrt(1.5)])


@dataclass(frozen=True, slots=True)
class WildBootstrap:
    """Test of ``value == null``: cluster-robust ``t``, ``p_value`` (|t*| ≥ |t|), one-sided ones, and the interval of nulls not
    rejected (None when not asked). ``enumerated``: all sign vectors used. ``draws`` (B,) bootstrap t statistics."""

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
    draws: int = 9_999, seed: int = 20240901, level: float | None = 0.95,
) -> WildBootstrap:  # fmt: skip
    """Test one coefficient of ``fit`` with clusters (n,); the absorbed effect must be nested in the clusters.

    Rademacher signs are all enumerated when 2^G ≤ draws + 1 (then the real one is among them and p = count/2^G); otherwise
    p = (1 + count)/(1 + draws). ``level=None`` skips the interval.
    """
    if weights not in ("rademacher", "webb"):
        raise ValueError(weights)
    code = np.unique(cluster, return_inverse=True)[1]
    groups = int(code.max()) + 1
    if groups < 2:
        raise Refusal("one-cluster", "Un seul département : le bootstrap par grappes est impossible.")
    if fit.absorbed is not None and not nested(fit.absorbed, code):
        raise Refusal("not-nested", "L'effet fixe retiré n'est pas contenu dans les grappes : déclarez-le en variables indicatrices.")
    if name not in fit.names:
        raise Refusal("coefficient", f"Le coefficient « {name} » n'est pas dans la régression (absent ou colinéaire).")
    v, enumerated = _signs(groups, weights, draws, seed)
    j = fit.names.index(name)
    beta = float(fit.value[j])
    pieces = _pieces(fit, j, code, groups, v, null_imposed)
    t, found = _statistics(pieces, beta - null, null_imposed)
    slack = 1e-9 * max(1.0, abs(t))

    def share(extreme: NDArray[np.bool_]) -> float:
        count = int(extreme.sum())
        return count / extreme.size if enumerated else (1 + count) / (1 + extreme.size)

    low = high = None
    if level is not None:
        low, high = _interval(pieces, beta, null_imposed, 1 - level, share)
    return WildBootstrap(
        beta, null, t * fit.covariance.factor**-0.5, share(np.abs(found) >= abs(t) - slack), share(found >= t - slack),
        share(found <= t + slack), low, high, weights, null_imposed, enumerated, groups, found,
    )  # fmt: skip


def _signs(groups: int, weights: str, draws: int, seed: int) -> tuple[Floats, bool]:
    if weights == "rademacher" and 2**groups <= draws + 1:
        return np.array(list(product((1.0, -1.0), repeat=groups))), True
    rng = np.random.default_rng(seed)
    if weights == "webb":
        return np.asarray(WEBB[rng.integers(0, 6, (draws, groups))], np.float64), False
    return np.asarray(rng.integers(0, 2, (draws, groups)) * 2.0 - 1.0, np.float64), False


def _pieces(fit: Regression, j: int, code: Ints, groups: int, v: Floats, null_imposed: bool) -> _Pieces:
    """Sums by cluster: with x̃ the regressor net of the others, u the residual, scores are v·x̃'u − x̃'X (X'X)⁻¹ Σ v X'u."""
    x = fit.design
    bread = symmetric_inverse(cross(x, x))
    assert bread is not None
    tilde = np.einsum("k,kn->n", bread[j] / bread[j, j], x)
    gram = 1.0 / float(bread[j, j])
    coupling = group_sums(tilde * x, code, groups).T @ bread  # (G, k)
    parts = []
    for u in (fit.residual, tilde):
        own = group_sums(tilde * u, code, groups)[0]
        parts.append((own, coupling @ group_sums(x * u, code, groups)))
    scores = [v * own - np.einsum("bh,gh->bg", v, kernel) for own, kernel in parts]
    numerator = [np.einsum("bg,g->b", v, own) / gram for own, _ in parts]
    zero = np.zeros(v.shape[0])
    if not null_imposed:
        scores[1], numerator[1] = np.zeros_like(scores[0]), zero
    squares = tuple(np.einsum("bg,bg->b", a, b) for a, b in ((scores[0], scores[0]), (scores[0], scores[1]), (scores[1], scores[1])))
    real = parts[0][0]
    return _Pieces((numerator[0], numerator[1]), squares, float(real @ real), gram)  # type: ignore[arg-type]


def _statistics(pieces: _Pieces, delta: float, null_imposed: bool) -> tuple[float, Floats]:
    """Real t for δ and the bootstrap t's, without small-sample factor (it cancels)."""
    a, b, c = pieces.squares
    variance = (a + 2 * delta * b + delta**2 * c) / pieces.gram**2
    numerator = pieces.numerator[0] + delta * pieces.numerator[1]
    scale = float(np.max(np.abs(numerator))) or 1.0
    error = np.sqrt(np.maximum(variance, 0.0))
    t = np.where(error > 1e-10 * scale, numerator / np.where(error > 0, error, 1.0), np.sign(numerator) * np.inf)
    t = np.where((error <= 1e-10 * scale) & (np.abs(numerator) <= 1e-10 * scale), 0.0, t)
    return delta * pieces.gram / float(np.sqrt(pieces.real_squares)), t


def _interval(pieces: _Pieces, beta: float, null_imposed: bool, alpha: float, share) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    """Ends of the set of nulls with p > alpha; infinite when p never falls below alpha (too few clusters)."""
    error = float(np.sqrt(pieces.real_squares)) / pieces.gram

    def excess(null: float) -> float:
        t, found = _statistics(pieces, beta - null, null_imposed)
        return share(np.abs(found) >= abs(t) - 1e-9 * max(1.0, abs(t))) - alpha - 1e-12  # type: ignore[no-any-return]

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
