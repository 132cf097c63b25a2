"""Least squares with absorbed effects: the one regression used by two-way fixed effects, experiments and event studies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from essaim.engines.impact.inference.cluster_robust import Covariance, covariance
from essaim.engines.impact.panel_checks import weights_positive
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.stable import cross, group_sums

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Regression:
    """Coefficients of ``names`` (k,), with their covariance (k, k) and degrees of freedom (k,) for t tests.

    ``dropped``: collinear columns set aside, in order. ``parameters``: what the small-sample factor counted.
    """

    names: tuple[str, ...]
    value: Floats
    covariance: Covariance
    dropped: tuple[str, ...]
    observations: int
    parameters: int
    residual: Floats = field(repr=False)
    design: Floats = field(repr=False)  # (k, n), weighted and absorbed
    absorbed: Ints | None = field(default=None, repr=False)  # (n,) codes of the demeaned effect

    @property
    def std_error(self) -> Floats:
        """(k,) standard errors."""
        return np.sqrt(np.diag(self.covariance.matrix))

    @property
    def t(self) -> Floats:
        """(k,) t statistics."""
        return self.value / self.std_error

    @property
    def p_value(self) -> Floats:
        """(k,) two-sided p values from Student's t."""
        return np.asarray(2 * stats.t.sf(np.abs(self.t), self.covariance.degrees_of_freedom))

    def of(self, name: str) -> tuple[float, float]:
        """Coefficient and standard error of one column; refuses a column dropped as collinear."""
        if name in self.dropped:
            raise Refusal("collinear", f"La variable « {name} » est colinéaire aux autres : son effet n'est pas identifié.")
        j = self.names.index(name)
        return float(self.value[j]), float(self.std_error[j])

    def interval(self, name: str, level: float = 0.95) -> tuple[float, float]:
        """Confidence interval of one coefficient."""
        value, error = self.of(name)
        half = float(stats.t.ppf(0.5 + level / 2, self.covariance.degrees_of_freedom[self.names.index(name)])) * error
        return value - half, value + half


def regress(
    y: Floats, columns: dict[str, Floats], *, absorb: Sequence[Ints] = (), weights: Floats | None = None,
    kind: str = "HC1", cluster: Ints | None = None, constant: bool = True,
) -> Regression:  # fmt: skip
    """Weighted least squares of ``y`` (n,) on ``columns``, effects of ``absorb`` (codes) removed.

    The effect with most levels is demeaned, the others become dummies. As in fixest and Stata, effects nested in the clusters
    are not counted by the factor of CR1S. Later collinear columns are dropped and named.
    """
    n = y.size
    if weights is not None:
        weights_positive(np.asarray(weights, np.float64))
    root = np.ones(n) if weights is None else np.sqrt(weights)
    effects = sorted((np.unique(a, return_inverse=True)[1] for a in absorb), key=lambda c: -int(c.max()))
    names, matrix = list(columns), np.array([np.asarray(c, np.float64) for c in columns.values()]).reshape(-1, n)
    dummies = [_dummies(code) for code in effects[1:]]
    matrix = np.vstack([matrix, *dummies])
    if not effects and constant:
        names, matrix = ["constante", *names], np.vstack([np.ones(n), matrix])
    outcome = np.asarray(y, np.float64)
    if not (np.isfinite(outcome).all() and np.isfinite(matrix).all()):
        raise Refusal("missing", "Des valeurs manquent dans la régression : écartez explicitement ces lignes.")
    scale = np.sqrt((matrix**2 * root**2).sum(axis=1))
    if effects:
        outcome = _demean(outcome[None], effects[0], root**2)[0]
        matrix = _demean(matrix, effects[0], root**2)
    design, target = matrix * root, outcome * root
    kept = _independent(design, scale)
    if not kept:
        raise Refusal("collinear", "Aucune variable ne varie une fois les effets fixes retirés.")
    labels = names + [""] * (matrix.shape[0] - len(names))
    design = design[kept]
    gram = cross(design, design)
    norm = np.sqrt(np.diag(gram))
    beta = np.linalg.solve(gram / np.outer(norm, norm), cross(design, target[None])[:, 0] / norm) / norm
    residual = target - _fitted(beta, design)
    parameters = _parameters(effects, kept, len(names), dummies, cluster)
    shown = np.array([i for i, j in enumerate(kept) if j < len(names)], dtype=np.int64)
    full = covariance(design, residual, kind, cluster=cluster, parameters=parameters)
    return Regression(
        tuple(labels[j] for j in kept if j < len(names)), beta[shown],
        Covariance(full.matrix[np.ix_(shown, shown)], full.degrees_of_freedom[shown], full.factor, full.kind, full.clusters),
        tuple(names[j] for j in range(len(names)) if j not in kept), n, parameters, residual, design,
        effects[0] if effects else None,
    )  # fmt: skip


def _fitted(beta: Floats, design: Floats) -> Floats:
    out = np.zeros(design.shape[1])
    for b, row in zip(beta, design, strict=True):
        out += b * row
    return out


def _dummies(code: Ints) -> Floats:
    out = np.zeros((int(code.max()), code.size))
    some = code > 0
    out[code[some] - 1, np.flatnonzero(some)] = 1.0
    return out


def _demean(rows: Floats, code: Ints, weights: Floats) -> Floats:
    groups = int(code.max()) + 1
    total = np.bincount(code, weights, groups)
    return rows - (group_sums(rows * weights, code, groups) / total)[:, code]


def _independent(design: Floats, scale: Floats, tolerance: float = 1e-9) -> list[int]:
    """Positions of linearly independent rows, first come first kept (modified Gram–Schmidt on the Gram matrix, by Cholesky).

    A column whose norm, once the kept ones are projected out, is below ``tolerance`` of its norm before absorption is dropped.
    """
    safe = np.where(scale > 0, scale, 1.0)
    gram = cross(design, design) / np.outer(safe, safe)
    kept: list[int] = []
    factors: list[Floats] = []
    for j in range(design.shape[0]):
        row = np.array([])
        for i, factor in zip(kept, factors, strict=True):
            position = row.size
            value = (gram[j, i] - (factor[:position] @ row if position else 0.0)) / factor[position]
            row = np.append(row, value)
        left = gram[j, j] - row @ row
        if left > max(tolerance**2, 1e-11 * max(gram[j, j], 0.0)) and scale[j] > 0:
            kept.append(j)
            factors.append(np.append(row, np.sqrt(left)))
    return kept


def _parameters(effects: list[Ints], kept: list[int], named: int, dummies: list[Floats], cluster: Ints | None) -> int:
    """Parameters counted by the small-sample factor: columns, constant, and the effects not nested in the clusters."""
    count = sum(1 for j in kept if j < named)
    if not effects:
        return count
    start = named
    for code, block in zip(effects[1:], dummies, strict=True):
        if cluster is None or not nested(code, cluster):
            count += sum(1 for j in kept if start <= j < start + block.shape[0])
        start += block.shape[0]
    absorbed = int(effects[0].max()) + 1
    return count + (1 if cluster is not None and nested(effects[0], cluster) else absorbed)


def nested(code: Ints, cluster: Ints) -> bool:
    """Whether each level of ``code`` lies in one cluster, of any of the ways of clustering when ``cluster`` is (m, n)."""
    if np.ndim(cluster) == 2:
        return any(nested(code, way) for way in cluster)
    clusters = np.unique(cluster, return_inverse=True)[1]
    first = np.empty(int(code.max()) + 1, np.int64)
    first[code[::-1]] = clusters[::-1]
    return bool((first[code] == clusters).all())
