"""Does one general factor carry a scale made of several? McDonald's hierarchical and total omega by Schmid & Leiman (1957), with the
conventions of R psych: unweighted least squares factors, oblimin rotation, one factor of the factors."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.scales.reliability import complete_answers

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HierarchicalOmega:
    """``hierarchical``: share of the total score's variance due to the general factor; ``total``: due to all factors; ``general`` (p,)
    loadings, ``groups`` (p, k) Schmid–Leiman group loadings, ``correlations`` (k, k) of the oblique factors."""

    hierarchical: float
    total: float
    general: Floats
    groups: Floats = field(repr=False)
    correlations: Floats = field(repr=False)


def hierarchical_omega(answers: Floats, factors: int = 3) -> HierarchicalOmega:
    """From answers (persons × items, incomplete rows set aside)."""
    return omega_of(np.asarray(np.corrcoef(complete_answers(answers), rowvar=False), np.float64), factors)


def omega_of(correlation: Floats, factors: int = 3) -> HierarchicalOmega:
    """From a correlation matrix (p, p). Refuses fewer than three factors (the general one is then not identified) or than three items a factor,
    and a solution in which an item has no unique variance."""
    p = correlation.shape[0]
    if factors < 3:
        raise Refusal("factors", "L'oméga hiérarchique demande au moins trois facteurs : avec deux, le facteur général n'est pas identifié.")
    if p < 2 * factors or (p - factors) ** 2 < p + factors:
        raise Refusal("factors", f"{p} questions ne suffisent pas à estimer {factors} facteurs.")
    loadings, uniqueness = least_squares_factors(correlation, factors)
    loadings, phi = oblimin(loadings)
    flip = np.sign(loadings.sum(axis=0))
    loadings, phi = loadings * flip, phi * np.outer(flip, flip)
    on_general = least_squares_factors(phi, 1)[0][:, 0]
    on_general = on_general * np.sign(on_general.sum())
    general = loadings @ on_general
    groups = loadings * np.sqrt(np.maximum(1 - on_general**2, 0.0))
    whole = float(correlation.sum())
    return HierarchicalOmega(float(general.sum() ** 2 / whole), float(1 - uniqueness.sum() / whole), general, groups, phi)


def least_squares_factors(correlation: Floats, factors: int) -> tuple[Floats, Floats]:
    """Loadings (p, k) and uniquenesses (p,) minimising the squared off-diagonal residuals (Harman & Jones 1966), on principal axes."""
    lowest = 0.005

    def criterion(unique: Floats) -> tuple[float, Floats]:
        values, vectors = np.linalg.eigh(correlation - np.diag(unique))
        rest = values[:-factors]
        return float((rest**2).sum()) / 2, -(vectors[:, :-factors] ** 2 @ rest)

    start = np.clip(0.5 / np.diag(np.linalg.inv(correlation)), lowest, 1.0)
    bounds = [(lowest, 1.0)] * correlation.shape[0]
    found = minimize(criterion, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 5000})
    values, vectors = np.linalg.eigh(correlation - np.diag(found.x))
    loadings = vectors[:, -factors:] * np.sqrt(np.maximum(values[-factors:], 0.0))
    return loadings[:, ::-1], np.asarray(found.x)


def oblimin(loadings: Floats, iterations: int = 2000) -> tuple[Floats, Floats]:
    """Quartimin rotation (oblimin, γ = 0) by projected gradient (Jennrich 2002): pattern (p, k) and factor correlations (k, k)."""
    k = loadings.shape[1]
    turn, step = np.eye(k), 1.0
    rotated, value, gradient = _quartimin(loadings, turn)
    for _ in range(iterations):
        slope = gradient - turn * (turn * gradient).sum(axis=0)
        size = float(np.sqrt((slope**2).sum()))
        if size < 1e-9:
            break
        step *= 2
        for _ in range(20):
            moved = turn - step * slope
            moved = moved / np.sqrt((moved**2).sum(axis=0))
            found = _quartimin(loadings, moved)
            if value - found[1] > 0.5 * size**2 * step:
                break
            step /= 2
        turn, (rotated, value, gradient) = moved, found
    return rotated, turn.T @ turn


def _quartimin(loadings: Floats, turn: Floats) -> tuple[Floats, float, Floats]:
    """Rotated pattern, criterion, and its gradient with respect to the rotation."""
    inverse = np.linalg.inv(turn)
    rotated = loadings @ inverse.T
    squares = rotated**2
    others = squares.sum(axis=1, keepdims=True) - squares
    return rotated, float((squares * others).sum()) / 4, -(rotated.T @ (rotated * others) @ inverse).T
