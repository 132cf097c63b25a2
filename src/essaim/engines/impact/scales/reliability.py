"""Internal consistency of a scale: Cronbach's alpha with Feldt's interval, McDonald's omega, item diagnostics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import f as f_law

from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.scales.one_factor import OneFactor, one_factor

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reliability:
    """Alpha with its 95 % interval (Feldt 1965), omega total of the one-factor model (covariance metric), number of complete
    answers used and set aside, corrected item-total correlations, alpha without each item."""

    alpha: float
    alpha_low: float
    alpha_high: float
    alpha_standardised: float
    omega: float
    persons: int
    incomplete: int
    item_total: tuple[float, ...]
    alpha_without: tuple[float, ...]
    fit: OneFactor


def complete_answers(answers: Floats) -> Floats:
    """Rows without a missing answer; refuses fewer than 3 items, too few persons, or an item that never varies."""
    x = np.asarray(answers, float)
    if x.ndim != 2 or x.shape[1] < 3:
        raise Refusal("too-few-items", "Une échelle demande au moins trois questions.")
    x = x[np.isfinite(x).all(axis=1)]
    if x.shape[0] < 10 or x.shape[0] <= x.shape[1]:
        raise Refusal("too-few-persons", f"{x.shape[0]} réponses complètes pour {x.shape[1]} questions : "
                                         "c'est trop peu pour juger une échelle.")
    flat = np.flatnonzero(np.ptp(x, axis=0) == 0)
    if flat.size:
        raise Refusal("constant-item", f"La question n° {flat[0] + 1} reçoit toujours la même réponse : la retirer.")
    return x


def alpha_of(covariance: Floats) -> float:
    """Cronbach's alpha of a covariance matrix."""
    p = covariance.shape[0]
    return float(p / (p - 1) * (1 - np.trace(covariance) / covariance.sum()))


def reliability(answers: Floats, level: float = 0.95) -> Reliability:
    """Alpha, omega and item diagnostics of ``answers`` (persons × items, NaN = no answer; incomplete rows set aside)."""
    x = complete_answers(answers)
    n, p = x.shape
    covariance = np.asarray(np.cov(x, rowvar=False), np.float64)
    alpha = alpha_of(covariance)
    tail = (1 - level) / 2
    df1, df2 = n - 1, (n - 1) * (p - 1)
    total = x.sum(axis=1)
    item_total = tuple(float(np.corrcoef(x[:, j], total - x[:, j])[0, 1]) for j in range(p))
    without = tuple(alpha_of(np.delete(np.delete(covariance, j, 0), j, 1)) for j in range(p))
    fit = one_factor(x)
    loading = np.asarray(fit.loadings)
    omega = loading.sum() ** 2 / (loading.sum() ** 2 + sum(fit.uniquenesses))
    return Reliability(alpha, float(1 - (1 - alpha) * f_law.isf(tail, df1, df2)),
                       float(1 - (1 - alpha) * f_law.ppf(tail, df1, df2)), alpha_of(np.asarray(np.corrcoef(x, rowvar=False), np.float64)), float(omega),
                       n, int(np.asarray(answers).shape[0] - n), item_total, without, fit)
