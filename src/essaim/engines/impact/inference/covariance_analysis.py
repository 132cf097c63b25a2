"""Permutation of a two-arm assignment with covariates: under each assignment, the coefficient of treatment in the regression of the
outcome on treatment, constant and covariates (Freedman 2008; Lin 2013; Rosenbaum 2002): exact, since the covariates' space is fixed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from essaim.engines.impact.stable import combine, cross

Floats = NDArray[np.float64]

SMALLEST = 1e-9


@dataclass(frozen=True, slots=True)
class CovarianceAnalysis:
    """``outcome`` (N,) cleared of covariates and weighted; ``basis`` (k, N) orthonormal, of the weighted covariates with their constant;
    ``root`` (N,) square roots of the weights. Finite cohorts are treated."""

    outcome: Floats
    basis: Floats
    root: Floats

    def __call__(self, assignment: Floats) -> Floats:
        """(B, N) cohorts → (B, 1) coefficients of treatment."""
        weighted = np.isfinite(assignment) * self.root
        fitted = cross(weighted, self.basis)
        left = np.einsum("bn,bn->b", weighted, weighted) - np.einsum("bk,bk->b", fitted, fitted)
        return np.asarray(cross(weighted, self.outcome[None])[:, 0] / np.maximum(left, SMALLEST * self.root.size))[:, None]

    def constant_effect(self, cohort: Floats) -> Callable[[Floats], Floats]:
        """The same coefficients, of the real treatment taken as an outcome."""
        return CovarianceAnalysis(_cleared(np.isfinite(cohort) * self.root, self.basis), self.basis, self.root)


def covariance_analysis(y: Floats, covariates: Floats, weights: Floats | None = None) -> CovarianceAnalysis:
    """``y`` (N,), ``covariates`` (N, k) (collinear ones count once), ``weights`` (N,)."""
    root = np.ones(y.size) if weights is None else np.sqrt(weights)
    x = np.vstack([np.ones(y.size), (covariates - covariates.mean(axis=0)).T]) * root
    scale = np.sqrt((x**2).sum(axis=1))
    x = x / np.where(scale > 0, scale, 1.0)[:, None]
    values, vectors = np.linalg.eigh(cross(x, x))
    kept = values > 1e-12 * values[-1]
    basis = combine((vectors[:, kept] / np.sqrt(values[kept])).T, x)
    return CovarianceAnalysis(_cleared(y * root, basis), basis, root)


def _cleared(values: Floats, basis: Floats) -> Floats:
    return np.asarray(values - combine(cross(values[None], basis), basis)[0])
