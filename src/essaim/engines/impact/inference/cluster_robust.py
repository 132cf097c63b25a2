"""Regression covariances: classical, HC1, CR1 (Liang–Zeger with explicit small-sample factor) and CR2 (Bell & McCaffrey 2002)
with Satterthwaite degrees of freedom (Pustejovsky & Tipton 2018). Descriptive when few clusters are treated: see ``choice``."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.stable import cross, group_sums, symmetric_inverse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

KINDS = ("classical", "HC1", "HC2", "CR1", "CR1S", "CR2")


@dataclass(frozen=True, slots=True)
class Covariance:
    """``matrix`` (k, k); ``degrees_of_freedom`` (k,) for t tests; ``factor`` the small-sample factor applied to it."""

    matrix: Floats
    degrees_of_freedom: Floats
    factor: float
    kind: str
    clusters: int


def covariance(
    x: Floats, residual: Floats, kind: str, *, cluster: Ints | None = None, parameters: int | None = None,
) -> Covariance:  # fmt: skip
    """``x`` (k, n) and ``residual`` (n,), both already multiplied by the square root of the weights, fixed effects absorbed.

    ``parameters``: all parameters counted by the factor, absorbed effects included (default k). CR1: G/(G−1), Stata's
    CR1S and fixest: G/(G−1)·(n−1)/(n−parameters). HC1: n/(n−parameters). ``cluster`` (m, n) clusters in m ways (CR1, CR1S), each
    part with its own G/(G−1); t tests then have the fewest clusters less one degrees of freedom (Cameron, Gelbach & Miller 2011).
    """
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is not one of {KINDS}")
    bread = symmetric_inverse(cross(x, x))
    if bread is None:
        raise Refusal("collinear", "Les variables de la régression sont colinéaires.")
    n, k = x.shape[1], parameters or x.shape[0]
    if n <= k:
        raise Refusal("too-few-rows", "Moins d'observations que de paramètres : aucune variance n'est estimable.")
    if kind in ("CR1", "CR1S", "CR2"):
        if cluster is None:
            raise ValueError("cluster codes are needed")
        if np.ndim(cluster) == 2 and len(cluster) > 1:
            return _several_ways(x, residual, bread, kind, cluster, k)
        cluster = np.atleast_2d(cluster)[0]
        return _clustered(x, residual, bread, kind, np.unique(cluster, return_inverse=True)[1], k)
    free = np.full(x.shape[0], float(n - k))
    if kind == "classical":
        return Covariance(bread * float((residual**2).sum()) / (n - k), free, n / (n - k), kind, n)
    if kind == "HC2":
        leverage = np.einsum("in,ij,jn->n", x, bread, x)
        score = x * (residual / np.sqrt(np.clip(1 - leverage, 1e-12, None)))
        return Covariance(bread @ cross(score, score) @ bread, free, 1.0, kind, n)
    score = x * residual
    return Covariance(bread @ cross(score, score) @ bread * n / (n - k), free, n / (n - k), kind, n)


def _clustered(x: Floats, residual: Floats, bread: Floats, kind: str, cluster: Ints, parameters: int) -> Covariance:
    n, groups = x.shape[1], int(cluster.max()) + 1
    if groups < 2:
        raise Refusal("one-cluster", "Un seul département : aucune erreur type groupée n'est possible.")
    if kind == "CR2":
        return _bell_mccaffrey(x, residual, bread, cluster, groups)
    score = group_sums(x * residual, cluster, groups)
    factor = groups / (groups - 1) * ((n - 1) / (n - parameters) if kind == "CR1S" else 1.0)
    matrix = bread @ cross(score, score) @ bread * factor
    return Covariance(matrix, np.full(x.shape[0], groups - 1.0), factor, kind, groups)


@dataclass(frozen=True, slots=True)
class Component:
    """One clustering of the inclusion–exclusion formula: codes 0…``groups`` − 1 (n,), sign, and its factor G/(G−1)."""

    code: Ints
    groups: int
    sign: float
    factor: float


def cluster_components(codes: Ints) -> list[Component]:
    """Clusterings by each way of ``codes`` (m, n) and by each intersection of them, with alternating signs."""
    out = []
    for size in range(1, len(codes) + 1):
        for chosen in combinations(range(len(codes)), size):
            code = np.unique(codes[list(chosen)], axis=1, return_inverse=True)[1].ravel() if size > 1 else np.unique(
                codes[chosen[0]], return_inverse=True)[1]  # fmt: skip
            groups = int(code.max()) + 1
            out.append(Component(code, groups, 1.0 if size % 2 else -1.0, groups / max(groups - 1, 1)))
    return out


def _several_ways(x: Floats, residual: Floats, bread: Floats, kind: str, codes: Ints, parameters: int) -> Covariance:
    if kind == "CR2":
        raise Refusal("several-ways", "CR2 n'est défini que pour un seul niveau de grappes : demandez CR1 ou CR1S.")
    n, components = x.shape[1], cluster_components(codes)
    meat = np.zeros_like(bread)
    for c in components:
        score = group_sums(x * residual, c.code, c.groups)
        meat += c.sign * c.factor * cross(score, score)
    factor = (n - 1) / (n - parameters) if kind == "CR1S" else 1.0
    matrix = bread @ meat @ bread * factor
    values, vectors = np.linalg.eigh(matrix)
    if values[0] < 0:  # the formula can leave the cone of covariances: the nearest one is taken, as in fixest
        matrix = (vectors * np.maximum(values, 0.0)) @ vectors.T
    fewest = min(c.groups for c in components[: len(codes)])
    if fewest < 2:
        raise Refusal("one-cluster", "Un seul département : aucune erreur type groupée n'est possible.")
    return Covariance(matrix, np.full(x.shape[0], fewest - 1.0), factor, kind, fewest)


def _bell_mccaffrey(x: Floats, residual: Floats, bread: Floats, cluster: Ints, groups: int) -> Covariance:
    """(I − H_gg)^(−1/2) acts on the k-dimensional span of the cluster's rows: only k × k matrices are ever formed."""
    k = x.shape[0]
    root = np.linalg.cholesky(bread)
    gram, score = np.zeros((groups, k, k)), group_sums(x * residual, cluster, groups).T
    for i in range(k):
        for j in range(i, k):
            gram[:, i, j] = gram[:, j, i] = np.bincount(cluster, x[i] * x[j], groups)
    inner = root.T @ gram @ root  # Z'Z by cluster
    values, vectors = np.linalg.eigh(inner)
    power = np.where(values < 1 - 1e-10, np.clip(1 - values, 1e-10, None) ** -0.5, 0.0)
    adjust = np.einsum("gij,gj,gkj->gik", vectors, power, vectors)
    whitened = np.einsum("gij,gj->gi", adjust, score @ root)  # (I − Z'Z)^(−1/2) Z'e
    adjusted = np.linalg.solve(root.T, whitened.T)
    matrix = bread @ cross(adjusted, adjusted) @ bread
    free = np.array([_satterthwaite(root[j], adjust, inner) for j in range(k)])
    return Covariance(matrix, free, 1.0, "CR2", groups)


def _satterthwaite(contrast: Floats, adjust: Floats, inner: Floats) -> float:
    """Degrees of freedom of one coefficient under independent, homoskedastic errors; ``contrast`` = L'c (k,)."""
    direction = adjust @ contrast
    projected = np.einsum("gij,gj->gi", inner, direction)
    matrix = -projected @ projected.T
    matrix[np.diag_indices_from(matrix)] += np.einsum("gi,gi->g", direction, projected)
    return float(np.trace(matrix) ** 2 / (matrix**2).sum())
