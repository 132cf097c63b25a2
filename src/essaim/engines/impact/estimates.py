"""What estimators and inference hand back: frozen values, in the units of the outcome unless said otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """One estimated effect. ``std_error`` is None when no variance is estimable; ``influence`` is (units,) or (clusters,)
    such that the variance is ``sum(influence**2)/n**2`` (already on the scale stated by the estimator)."""

    estimand: str
    method: str
    value: float
    std_error: float | None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    inference: str = "analytique"
    observations: int = 0
    units: int = 0
    clusters: int = 0
    treated_clusters: int = 0
    warnings: tuple[str, ...] = ()
    influence: Floats | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class EventStudy:
    """Effects by event time (periods since treatment). Arrays (K,); ``covariance`` (K, K); ``band`` the simultaneous critical
    value at ``level`` when computed, else the pointwise one."""

    event_time: Floats
    value: Floats
    std_error: Floats
    covariance: Floats = field(repr=False, compare=False)
    reference: float | None = None
    level: float = 0.95
    critical_value: float = 1.959963984540054
    method: str = ""

    def bounds(self) -> tuple[Floats, Floats]:
        """Lower and upper limits, (K,), (K,)."""
        half = self.critical_value * self.std_error
        return self.value - half, self.value + half


@dataclass(frozen=True, slots=True)
class PreTest:
    """Wald test that all pre-treatment effects are nil."""

    statistic: float
    degrees_of_freedom: int
    p_value: float
