"""Balance of treated and comparison units before treatment: standardised differences and one omnibus test.

Standardised difference = difference of means over the root of the mean of both variances (Rosenbaum & Rubin 1985); the
omnibus distance is Hansen & Bowers (2008), with its permutation p-value when assignments are given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from essaim.engines.impact.design.assignment import arm_distance, covariate_rank
from essaim.engines.impact.refusal import Refusal

Floats = npt.NDArray[np.float64]
ALARM = 0.10


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """One covariate: weighted means, standardised difference, variance ratio (treated over comparison;
    None when the comparison units do not vary)."""

    name: str
    treated: float
    comparison: float
    standardised: float
    variance_ratio: float | None

    @property
    def is_unbalanced(self) -> bool:
        """Standardised difference above 0.10 in absolute value."""
        return abs(self.standardised) > ALARM


@dataclass(frozen=True, slots=True)
class Balance:
    """Table of covariates and the omnibus test. ``p_value`` from ``test`` (« khi-deux » or « permutation »)."""

    rows: tuple[BalanceRow, ...]
    treated_units: int
    comparison_units: int
    distance: float
    df: int
    p_value: float
    test: str


def _moments(x: Floats, w: Floats) -> tuple[Floats, Floats]:
    mean = w @ x / w.sum()
    spread = w @ (x - mean) ** 2 / w.sum()
    return mean, spread * w.size / max(w.size - 1, 1)


def balance(names: Sequence[str], covariates: Floats, treated: Sequence[bool] | npt.NDArray[np.bool_], *, weights: Sequence[float] | None = None,
            assignments: npt.NDArray[np.int64] | None = None) -> Balance:
    """Balance table of ``covariates`` (units × names) between treated and comparison units.

    ``assignments`` (draws × units of 0/1) gives the permutation p-value, ties counted with >= and 1e-12 slack."""
    x = np.asarray(covariates, float)
    arm = np.asarray(treated, bool)
    if x.ndim != 2 or x.shape != (arm.size, len(names)) or not np.isfinite(x).all():
        raise Refusal("covariates", "Le tableau d'équilibre attend une valeur par unité et par covariable.")
    if not 0 < arm.sum() < arm.size:
        raise Refusal("one-arm", "Il faut au moins une unité traitée et une unité de comparaison.")
    w = np.ones(arm.size) if weights is None else np.asarray(weights, float)
    mean1, var1 = _moments(x[arm], w[arm])
    mean0, var0 = _moments(x[~arm], w[~arm])
    pooled = np.sqrt((var1 + var0) / 2)
    gap = np.divide(mean1 - mean0, pooled, out=np.zeros_like(pooled), where=pooled > 0)
    ratio = np.divide(var1, var0, out=np.full_like(var1, np.nan), where=var0 > 0)
    rows = tuple(BalanceRow(str(n), float(a), float(b), float(g), float(r) if np.isfinite(r) else None)
                 for n, a, b, g, r in zip(names, mean1, mean0, gap, ratio, strict=True))
    distance = float(arm_distance(x, arm.astype(np.int64)[None, :])[0])
    df = covariate_rank(x)
    if assignments is None:
        return Balance(rows, int(arm.sum()), int((~arm).sum()), distance, df, float(chi2.sf(distance, df)) if df else 1.0, "khi-deux")
    drawn = arm_distance(x, np.asarray(assignments, np.int64))
    p = (1 + int((drawn >= distance - 1e-12).sum())) / (1 + drawn.size)
    return Balance(rows, int(arm.sum()), int((~arm).sum()), distance, df, float(p), "permutation")
