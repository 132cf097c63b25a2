"""Item response models by marginal maximum likelihood: Rasch, two-parameter logistic and graded response.

P(answer >= k | theta) = 1/(1+exp(-(a theta + d_k))), theta ~ N(0, 1) (Bock & Aitkin 1981; Samejima 1969). A binary item is the
graded model with two categories. The marginal likelihood is integrated on 61 equally spaced points of [-6, 6] (as mirt)
and maximised by quasi-Newton; its gradient comes from Fisher's identity, one E-step an evaluation. In the Rasch model the
slope is common to all items, which is the unit slope with a free variance of theta.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from essaim.engines.impact.refusal import Refusal

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
POINTS = 61
TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Item:
    """One item: slope ``a``, thresholds ``b`` (one a category step), their standard errors (None when not estimable)."""

    slope: float
    thresholds: tuple[float, ...]
    intercepts: tuple[float, ...]
    slope_error: float | None
    intercept_errors: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class ItemResponse:
    """Fitted model. ``log_likelihood`` marginal; ``scores`` EAP of each person with their standard errors, arrays (persons,);
    ``marginal_reliability``: variance of scores over total."""

    model: str
    items: tuple[Item, ...]
    log_likelihood: float
    parameters: int
    persons: int
    converged: bool
    marginal_reliability: float
    scores: Floats = field(repr=False, compare=False)
    score_errors: Floats = field(repr=False, compare=False)

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return 2 * self.parameters - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion."""
        return self.parameters * float(np.log(self.persons)) - 2 * self.log_likelihood


@dataclass(frozen=True, slots=True)
class _Data:
    """Distinct patterns (-1: no answer), their frequencies, row of each person, categories by item, quadrature."""

    patterns: Ints
    frequency: Floats
    person: Ints
    categories: tuple[int, ...]
    theta: Floats
    prior: Floats


def _codes(answers: Floats) -> tuple[Ints, tuple[int, ...]]:
    """Answers as ranks 0…K-1 inside each item; -1 for a missing answer."""
    x = np.asarray(answers, float)
    if x.ndim != 2 or x.shape[1] < 2:
        raise Refusal("too-few-items", "Un modèle de réponse demande au moins deux questions.")
    out = np.full(x.shape, -1, np.int64)
    categories = []
    for j in range(x.shape[1]):
        seen = np.isfinite(x[:, j])
        values = np.unique(x[seen, j])
        if values.size < 2:
            raise Refusal("constant-item", f"La question n° {j + 1} reçoit toujours la même réponse : la retirer.")
        out[seen, j] = np.searchsorted(values, x[seen, j])
        categories.append(int(values.size))
    return out, tuple(categories)


def _data(answers: Floats, frequency: Floats | None) -> _Data:
    codes, categories = _codes(answers)
    weight = np.ones(codes.shape[0]) if frequency is None else np.asarray(frequency, float)
    if weight.shape != (codes.shape[0],) or (weight < 0).any():
        raise Refusal("frequency", "Une fréquence positive est attendue par ligne de réponses.")
    patterns, person = np.unique(codes, axis=0, return_inverse=True)
    theta = np.linspace(-6, 6, POINTS)
    prior = np.exp(-(theta**2) / 2)
    counts = np.asarray(np.bincount(person.ravel(), weight, patterns.shape[0]), np.float64)
    return _Data(patterns, counts, person.ravel(), categories, theta,
                 prior / prior.sum())


def _unpack(vector: Floats, data: _Data, common: bool) -> list[tuple[float, Floats, Floats]]:
    """For each item: slope, decreasing intercepts, and the gaps' derivative base (exp of the free parameters)."""
    out, at = [], 1 if common else 0
    for k in data.categories:
        slope = float(vector[0]) if common else float(vector[at])
        at += 0 if common else 1
        gaps = np.exp(np.clip(vector[at + 1: at + k - 1], -30, 10))
        out.append((slope, vector[at] - np.concatenate([[0.0], np.cumsum(gaps)]), gaps))
        at += k - 1
    return out


def _item_curves(slope: float, intercepts: Floats, theta: Floats) -> tuple[Floats, Floats]:
    """Category probabilities (K, Q) and derivative of each boundary curve (K-1, Q)."""
    z = slope * theta + intercepts[:, None]
    star = 0.5 * (1 + np.tanh(z / 2))
    edges = np.vstack([np.ones_like(theta), star, np.zeros_like(theta)])
    return np.maximum(edges[:-1] - edges[1:], TINY), star * (1 - star)


def _posterior(items: list[tuple[float, Floats, Floats]], data: _Data) -> tuple[Floats, Floats]:
    """Log marginal of each pattern and posterior over the points (patterns, Q)."""
    log = np.tile(np.log(data.prior), (data.patterns.shape[0], 1))
    for j, (slope, intercepts, _) in enumerate(items):
        curve = np.vstack([np.log(_item_curves(slope, intercepts, data.theta)[0]), np.zeros_like(data.theta)])
        log += curve[data.patterns[:, j]]
    top = log.max(axis=1, keepdims=True)
    mass = np.exp(log - top)
    total = mass.sum(axis=1, keepdims=True)
    return (top + np.log(total)).ravel(), mass / total


def _item_gradient(expected: Floats, slope: float, intercepts: Floats, theta: Floats) -> tuple[float, Floats]:
    """Gradient of the expected log-likelihood of one item in its slope and intercepts. ``expected``: (K, Q) counts."""
    probability, density = _item_curves(slope, intercepts, theta)
    ratio = expected / probability
    by_boundary = density * (ratio[1:] - ratio[:-1])
    return float((by_boundary * theta).sum()), by_boundary.sum(axis=1)


def _objective(vector: Floats, data: _Data, common: bool) -> tuple[float, Floats]:
    """Minus the marginal log-likelihood and its gradient (Fisher's identity)."""
    items = _unpack(vector, data, common)
    log, posterior = _posterior(items, data)
    weighted = posterior * data.frequency[:, None]
    gradient = np.zeros_like(vector)
    at = 1 if common else 0
    for j, (slope, intercepts, gaps) in enumerate(items):
        k = data.categories[j]
        expected = np.vstack([weighted[data.patterns[:, j] == c].sum(axis=0) for c in range(k)])
        g_slope, g = _item_gradient(expected, slope, intercepts, data.theta)
        if common:
            gradient[0] += g_slope
        else:
            gradient[at] += g_slope
            at += 1
        gradient[at] = g.sum()
        gradient[at + 1: at + k - 1] = -gaps * np.cumsum(g[::-1])[::-1][1:]
        at += k - 1
    return -float(log @ data.frequency), -gradient


def _start(data: _Data, common: bool) -> Floats:
    """Slope one and intercepts from the marginal shares."""
    vector = [1.0] if common else []
    for j, k in enumerate(data.categories):
        seen = data.patterns[:, j] >= 0
        count = np.bincount(data.patterns[seen, j], data.frequency[seen], k) + 0.5
        above = np.clip(count[::-1].cumsum()[::-1][1:] / count.sum(), 1e-3, 1 - 1e-3)
        intercepts = np.log(above / (1 - above)) * 1.2
        gaps = np.log(np.maximum(-np.diff(intercepts), 1e-3))
        vector += ([] if common else [1.0]) + [float(intercepts[0]), *gaps.tolist()]
    return np.asarray(vector)


def _errors(best: Floats, data: _Data, common: bool) -> Floats:
    """Covariance of the parameters from central differences of the analytic gradient (observed information)."""
    step = 1e-4 * np.maximum(np.abs(best), 1.0)
    rows = []
    for i in range(best.size):
        move = np.zeros_like(best)
        move[i] = step[i]
        rows.append((_objective(best + move, data, common)[1] - _objective(best - move, data, common)[1]) / (2 * step[i]))
    hessian = np.asarray(rows)
    hessian = (hessian + hessian.T) / 2
    if np.linalg.eigvalsh(hessian)[0] <= 1e-8:
        return np.full_like(hessian, np.nan)
    return np.linalg.inv(hessian)


def _items(best: Floats, covariance: Floats, data: _Data, common: bool) -> tuple[Item, ...]:
    out, at = [], 1 if common else 0
    for (slope, intercepts, gaps), k in zip(_unpack(best, data, common), data.categories, strict=True):
        place = 0 if common else at
        at += 0 if common else 1
        jacobian = np.zeros((k - 1, k - 1))
        jacobian[:, 0] = 1
        for m in range(1, k - 1):
            jacobian[m:, m] = -gaps[m - 1]
        inner = jacobian @ covariance[at: at + k - 1, at: at + k - 1] @ jacobian.T
        at += k - 1
        errors = tuple(None if not np.isfinite(v) else float(np.sqrt(v)) for v in np.diag(inner))
        variance = covariance[place, place]
        out.append(Item(slope, tuple((-intercepts / slope).tolist()), tuple(intercepts.tolist()),
                        None if not np.isfinite(variance) else float(np.sqrt(variance)), errors))
    return tuple(out)


def item_response(answers: Floats, *, model: str = "2pl", frequency: Floats | None = None) -> ItemResponse:
    """Fit ``rasch`` (common slope), ``2pl`` or ``graded`` to ``answers`` (persons × items; NaN = no answer).

    Categories are the distinct values met in each item. ``frequency``: number of persons of each row. Refuses constant items."""
    if model not in ("rasch", "2pl", "graded"):
        raise Refusal("model", f"Modèle inconnu : « {model} ». Attendu : rasch, 2pl ou graded.")
    data = _data(answers, frequency)
    if model == "2pl" and max(data.categories) > 2:
        raise Refusal("not-binary", "Le modèle 2PL attend des réponses à deux valeurs ; utiliser « graded ».")
    common = model == "rasch"
    found = minimize(_objective, _start(data, common), args=(data, common), jac=True, method="BFGS",
                     options={"gtol": 1e-5 * max(1.0, np.sqrt(data.frequency.sum())), "maxiter": 2000})
    polished = minimize(_objective, found.x, args=(data, common), jac=True, method="L-BFGS-B",
                        options={"ftol": 1e-15, "gtol": 1e-7, "maxiter": 500})
    best = polished.x if polished.fun <= found.fun else found.x
    if not common and np.mean([i[0] for i in _unpack(best, data, common)]) < 0:
        best = _reversed(best, data)
    return _fitted(best, data, model, bool(found.success or polished.success))


def _reversed(best: Floats, data: _Data) -> Floats:
    """The same fit with theta turned round, so that most slopes are positive."""
    out, at = best.copy(), 0
    for k in data.categories:
        out[at] = -out[at]
        at += k
    return out


def _fitted(best: Floats, data: _Data, model: str, converged: bool) -> ItemResponse:
    common = model == "rasch"
    items = _unpack(best, data, common)
    log, posterior = _posterior(items, data)
    mean = posterior @ data.theta
    variance = posterior @ data.theta**2 - mean**2
    total = data.frequency.sum()
    centre = mean @ data.frequency / total
    between = ((mean - centre) ** 2) @ data.frequency / total
    within = variance @ data.frequency / total
    return ItemResponse(model, _items(best, _errors(best, data, common), data, common), float(log @ data.frequency), best.size,
                        round(float(total)), converged, float(between / (between + within)), mean[data.person],
                        np.sqrt(np.maximum(variance, 0))[data.person])
