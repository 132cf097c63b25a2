"""Few treated clusters: the comparison clusters' own fluctuations give the distribution of the effect (Conley & Taber 2011, REStat
93), rescaled for cluster size (Ferman & Pinto 2019, REStat 101)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from essaim.engines.impact.panel import Panel, PanelRefused

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ConleyTaber:
    """``value`` effect; ``p_value`` two-sided; ``low``, ``high`` interval; ``corrected``: Ferman–Pinto rescaling used;
    ``variance_fit`` (A, B) of Var = A + B/size (None if uncorrected); ``warning`` in French or empty; ``draws`` (B,)."""

    value: float
    p_value: float
    low: float
    high: float
    corrected: bool
    variance_fit: tuple[float, float] | None
    enumerated: bool
    treated: int
    controls: int
    warning: str
    draws: Floats = field(repr=False)


def conley_taber(
    panel: Panel, *, corrected: bool = True, draws: int = 9_999, seed: int = 20240901, level: float = 0.95, weighting: str = "size"
) -> ConleyTaber:
    """Difference-in-differences of cluster means: after minus before its entry, minus the same contrast among never-treated clusters.

    The treated clusters' noise is replaced by that of comparison clusters (drawn with replacement; enumerated with one treated),
    multiplied under ``corrected`` by √(Var(size treated)/Var(size drawn)) with Var = A + B/size fitted on squared contrasts.
    """
    sums = panel.cluster_sums()
    cohort = np.where(panel.cluster_cohort() > panel.periods[-1], np.inf, panel.cluster_cohort())
    mean, size = sums.mean, sums.rows.mean(axis=1)
    if not np.isfinite(mean).all():
        raise PanelRefused("lost", "Un département n'est pas observé à toutes les périodes.")
    treated, controls = np.flatnonzero(np.isfinite(cohort)), np.flatnonzero(np.isinf(cohort))
    if treated.size == 0 or controls.size < 3:
        raise PanelRefused("controls", "Il faut au moins un département traité et trois jamais traités.")
    mass = sums.weight.mean(axis=1) if weighting == "size" else np.ones(cohort.size)
    own, noise = _contrasts(mean, mass, cohort, treated, controls, panel.periods)
    if float(np.abs(noise).max()) <= 1e-12 * max(float(np.abs(mean).max()), 1e-300):
        raise PanelRefused("controls", "Les départements de comparaison ne fluctuent pas : aucune distribution de référence n'existe.")
    share = mass[treated] / mass[treated].sum()
    value = float(share @ own)
    fit = _variance_fit(noise, size[controls]) if corrected else None
    if fit is not None:
        noise = noise * np.sqrt(_variance(fit, size[treated])[:, None] / _variance(fit, size[controls])[None])
    found, enumerated = _draws(noise, share, draws, seed)
    slack = 1e-12 * max(1.0, abs(value))
    count = int((np.abs(found) >= abs(value) - slack).sum())
    p_value = count / found.size if enumerated else (1 + count) / (1 + found.size)
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2], method="averaged_inverted_cdf")
    said = f"{controls.size} départements de comparaison : l'intervalle repose sur leurs quantiles extrêmes." if controls.size < 40 else ""
    return ConleyTaber(
        value, max(p_value, 0.0), value - float(high), value - float(low), corrected, fit, enumerated, treated.size, controls.size,
        said, found,
    )  # fmt: skip


def _contrasts(
    mean: Floats, mass: Floats, cohort: Floats, treated: NDArray[np.int64], controls: NDArray[np.int64], periods: Floats
) -> tuple[Floats, Floats]:
    """Treated contrasts (N1,) net of the controls' mean, and the controls' centred contrasts at each treated date (N1, N0)."""
    own, noise = np.empty(treated.size), np.empty((treated.size, controls.size))
    weight = mass[controls] / mass[controls].sum()
    for i, c in enumerate(treated):
        after = periods >= cohort[c]
        if after.all():
            raise PanelRefused("base", "Un département traité n'a aucune période avant traitement.")
        contrast = mean[:, after].mean(axis=1) - mean[:, ~after].mean(axis=1)
        centre = float(weight @ contrast[controls])
        own[i] = contrast[c] - centre
        noise[i] = contrast[controls] - centre
    return own, noise


def _variance_fit(noise: Floats, size: Floats) -> tuple[float, float]:
    """A, B ≥ 0 of squared contrasts on 1/size (Ferman & Pinto), both constrained; sizes all equal give A only."""
    squares, inverse = (noise**2).mean(axis=0), 1 / size
    if np.ptp(inverse) < 1e-12 * inverse.max():
        return float(squares.mean()), 0.0
    slope = float(np.cov(inverse, squares, ddof=0)[0, 1] / inverse.var())
    level = float(squares.mean() - slope * inverse.mean())
    if slope < 0:
        return float(squares.mean()), 0.0
    if level < 0:
        return 0.0, float((squares * inverse).sum() / (inverse**2).sum())
    return level, slope


def _variance(fit: tuple[float, float], size: Floats) -> Floats:
    return fit[0] + fit[1] / size


def _draws(noise: Floats, share: Floats, draws: int, seed: int) -> tuple[Floats, bool]:
    if share.size == 1:
        return noise[0], True
    rng = np.random.default_rng(seed)
    picked = rng.integers(0, noise.shape[1], (draws, share.size))
    return (noise[np.arange(share.size), picked] * share).sum(axis=1), False
