"""Concentration indices of an outcome along a social rank, with standard errors.

Standard index C = 2 cov(h, R)/mu (Kakwani, Wagstaff & van Doorslaer 1997); Erreygers (2009) E = 4 mu C/(b-a) and Wagstaff (2005)
W = C mu (b-a)/((b-mu)(mu-a)) for an outcome bounded in [a, b]. Standard errors linearise the index (influence of each
observation, ties in rank shared), summed by cluster when clusters are given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from essaim.engines.impact.refusal import Refusal

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Concentration:
    """Indices and standard errors. Positive: concentrated among the advantaged. Bounded versions None without bounds."""

    standard: float
    standard_error: float | None
    erreygers: float | None
    erreygers_error: float | None
    wagstaff: float | None
    wagstaff_error: float | None
    mean: float
    observations: int


def fractional_ranks(rank: Floats, weights: Floats) -> Floats:
    """Weighted fractional rank in (0, 1): share of weight below plus half of its own tie group."""
    values, inverse = np.unique(rank, return_inverse=True)
    mass = np.bincount(inverse.ravel(), weights, values.size)
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    return middle[inverse.ravel()]


def _influence(h: Floats, w: Floats, position: Floats, rank: Floats, mean: float, index: float) -> Floats:
    """Influence of each observation on C: h(2R-1-C)/mu + 2 - 2q(R) - (1+C), q the concentration curve at mid-rank."""
    values, inverse = np.unique(rank, return_inverse=True)
    inverse = inverse.ravel()
    share = np.bincount(inverse, w * h, values.size) / (w @ h)
    curve = np.cumsum(share) - share / 2
    return h / mean * (2 * position - 1 - index) + 2 - 2 * curve[inverse] - (1 + index)


def _variance(influence: Floats, w: Floats, clusters: Sequence[object] | None) -> float:
    scaled = w * influence / w.sum()
    if clusters is None:
        return float(scaled.size / (scaled.size - 1) * (scaled @ scaled))
    codes: dict[object, int] = {}
    code = np.array([codes.setdefault(c, len(codes)) for c in clusters])
    if len(codes) < 2:
        raise Refusal("one-cluster", "Une seule grappe : aucune incertitude n'est estimable.")
    total = np.bincount(code, scaled)
    return float(len(codes) / (len(codes) - 1) * (total @ total))


def _checked(outcome: Floats, rank: Floats, weights: Floats | None) -> tuple[Floats, Floats, Floats]:
    h, r = np.asarray(outcome, float), np.asarray(rank, float)
    w = np.ones(h.size) if weights is None else np.asarray(weights, float)
    seen = np.isfinite(h) & np.isfinite(r)
    if h.shape != r.shape or w.shape != h.shape or (w[seen] <= 0).any():
        raise Refusal("shapes", "Résultat, rang social et poids (positifs) doivent avoir la même longueur.")
    h, r, w = h[seen], r[seen], w[seen]
    if h.size < 3 or np.ptp(r) == 0:
        raise Refusal("no-rank", "Il faut au moins trois observations de rangs sociaux différents.")
    if w @ h == 0:
        raise Refusal("zero-mean", "La moyenne est nulle : l'indice de concentration n'est pas défini.")
    return h, r, w


def concentration(outcome: Floats, rank: Floats, *, weights: Floats | None = None, bounds: tuple[float, float] | None = None,
                  clusters: Sequence[object] | None = None) -> Concentration:
    """Concentration of ``outcome`` along ``rank`` (social advantage, larger = better off). ``bounds``: (a, b) of the outcome.

    Missing values are dropped (with their cluster). Refuses a nil mean, values outside the bounds, equal ranks."""
    h, r, w = _checked(outcome, rank, weights)
    if clusters is not None:
        seen = np.isfinite(np.asarray(outcome, float)) & np.isfinite(np.asarray(rank, float))
        clusters = [c for c, s in zip(clusters, seen, strict=True) if s]
    mean = float(w @ h / w.sum())
    position = fractional_ranks(r, w)
    index = float(2 * (w @ (h * position)) / (w.sum() * mean) - 1)
    influence = _influence(h, w, position, r, mean, index)
    error = _variance(influence, w, clusters) ** 0.5
    if bounds is None:
        return Concentration(index, error, None, None, None, None, mean, h.size)
    a, b = bounds
    if not a < b or h.min() < a or h.max() > b or mean in (a, b):
        raise Refusal("bounds", f"Le résultat sort des bornes [{a:g} ; {b:g}], ou sa moyenne les touche.")
    slope = 4 / (b - a)
    on_e = slope * (mean * influence + index * (h - mean))
    shape = mean * (b - a) / ((b - mean) * (mean - a))
    turn = (b - a) * (mean**2 - a * b) / ((b - mean) * (mean - a)) ** 2
    on_w = shape * influence + index * turn * (h - mean)
    return Concentration(index, error, slope * mean * index, _variance(on_e, w, clusters) ** 0.5, shape * index,
                         _variance(on_w, w, clusters) ** 0.5, mean, h.size)


def grouped_concentration(shares: Floats, means: Floats, *, deviations: Floats | None = None,
                          persons: int | None = None) -> tuple[float, float | None]:
    """Index of groups ordered from worst to best off: ``shares`` (any scale), group ``means``; and its standard error.

    With ``deviations`` (within-group standard deviations) and the number of ``persons``, the error counts both parts
    (Kakwani et al. 1997, eq. 14); otherwise the groups are the observations, and the error needs at least 3."""
    f = np.asarray(shares, float) / np.sum(shares)
    m = np.asarray(means, float)
    if f.shape != m.shape or (f <= 0).any() or m.size < 2:
        raise Refusal("shapes", "Une part positive et une moyenne sont attendues pour chaque groupe (deux au moins).")
    mean = float(f @ m)
    if mean == 0:
        raise Refusal("zero-mean", "La moyenne est nulle : l'indice de concentration n'est pas défini.")
    position = np.cumsum(f) - f / 2
    index = float(2 * (f @ (m * position)) / mean - 1)
    curve = np.cumsum(f * m) / mean
    before = np.concatenate([[0.0], curve[:-1]])
    part = m / mean * (2 * position - 1 - index) + 2 - before - curve
    count = persons if deviations is not None and persons else m.size
    variance = (f @ part**2 - (1 + index) ** 2) / count
    if deviations is not None and persons:
        variance += float(f @ (np.asarray(deviations, float) ** 2 * (2 * position - 1 - index) ** 2)) / (persons * mean**2)
    error = float(max(variance, 0.0) ** 0.5) if (m.size >= 3 or deviations is not None) else None
    return index, error
