"""Permutation of a two-arm assignment with covariates: under each assignment, the coefficient of treatment in the regression of the
outcome on treatment, constant and covariates (Freedman 2008; Lin 2013; Rosenbaum 2002): exact, since the covariates' space is fixed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SMALLEST = 1e-9


@dataclass(frozen=True, slots=True)
class CovarianceAnalysis:
    """``outcome`` (N,) cleared of covariates and weighted; ``basis`` (N, k) orthonormal, of the weighted covariates with their constant;
    ``root`` (N,) square roots of the weights. Finite cohorts are treated."""

    outcome: Floats
    basis: Floats
    root: Floats

    def __call__(self, assignment: Floats) -> Floats:
        """(B, N) cohorts → (B, 1) coefficients of treatment."""
        weighted, left = self._cleared(assignment)
        return np.asarray(np.einsum("bn,n->b", weighted, self.outcome) / left)[:, None]

    def constant_effect(self, cohort: Floats) -> Callable[[Floats], Floats]:
        """The same coefficients, of the real treatment taken as an outcome."""
        real = np.isfinite(cohort) * self.root
        return CovarianceAnalysis(real - self.basis @ (real @ self.basis), self.basis, self.root)

    def _cleared(self, assignment: Floats) -> tuple[Floats, Floats]:
        weighted = np.isfinite(assignment) * self.root
        fitted = np.einsum("bn,nk->bk", weighted, self.basis)
        left = np.einsum("bn,bn->b", weighted, weighted) - np.einsum("bk,bk->b", fitted, fitted)
        return weighted, np.maximum(left, SMALLEST * self.root.size)


def covariance_analysis(y: Floats, covariates: Floats, weights: Floats | None = None) -> CovarianceAnalysis:
    """``y`` (N,), ``covariates`` (N, k) (collinear ones count once), ``weights`` (N,)."""
    root = np.ones(y.size) if weights is None else np.sqrt(weights)
    x = np.column_stack([np.ones(y.size), covariates])
    x = (x - np.where(np.arange(x.shape[1]) > 0, x.mean(axis=0), 0.0)) * root[:, None]
    scale = np.sqrt((x**2).sum(axis=0))
    left, size, _ = np.linalg.svd(x / np.where(scale > 0, scale, 1.0), full_matrices=False)
    basis = left[:, size > 1e-9 * size[0]]
    outcome = y * root
    return CovarianceAnalysis(outcome - basis @ (outcome @ basis), basis, root)
