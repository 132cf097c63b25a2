"""One-factor model by maximum likelihood and its fit (Jöreskog 1967), with the conventions of lavaan.

chi² = N·F; CFI and TLI against independence; RMSEA on N with a 90 % interval (Browne & Cudeck 1993); SRMR over the lower
triangle with the diagonal. Loadings are in the units of the items (covariance metric), factor variance one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq, minimize
from scipy.stats import chi2, ncx2

from essaim.engines.impact.refusal import Refusal

Floats = npt.NDArray[np.float64]
HEYWOOD = 1e-4


@dataclass(frozen=True, slots=True)
class OneFactor:
    """Estimates and fit. ``standardised``: loadings over item standard deviations; ``is_heywood``: a unique variance stuck
    at its lower bound, hence a solution that must not be trusted."""

    loadings: tuple[float, ...]
    uniquenesses: tuple[float, ...]
    standardised: tuple[float, ...]
    chi2: float
    df: int
    p_value: float
    cfi: float
    tli: float
    rmsea: float
    rmsea_low: float
    rmsea_high: float
    srmr: float
    is_heywood: bool


def _discrepancy(log_psi: Floats, correlation: Floats) -> tuple[float, Floats]:
    """Concentrated ML discrepancy in the log unique variances and its gradient (Jöreskog 1967)."""
    root = np.exp(-log_psi / 2)
    values, vectors = np.linalg.eigh(correlation * np.outer(root, root))
    rest = np.maximum(values[:-1], 1e-300)
    value = float((rest - np.log(rest) - 1).sum())
    gradient = ((1 - rest) * vectors[:, :-1] ** 2).sum(axis=1)
    return value, gradient


def fit_correlation(correlation: Floats) -> tuple[Floats, Floats, float]:
    """Standardised loadings, unique variances and minimum of the discrepancy for a correlation matrix."""
    p = correlation.shape[0]
    try:
        start = np.clip(1 / np.diag(np.linalg.inv(correlation)), 0.05, 0.95)
    except np.linalg.LinAlgError:
        raise Refusal("singular-scale", "Deux questions disent exactement la même chose : en retirer une.") from None
    bounds = [(np.log(HEYWOOD), np.log(2.0))] * p
    best = minimize(_discrepancy, np.log(start), args=(correlation,), jac=True, method="L-BFGS-B", bounds=bounds,
                    options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 2000})
    psi = np.exp(best.x)
    values, vectors = np.linalg.eigh(correlation / np.sqrt(np.outer(psi, psi)))
    loading = np.sqrt(psi) * vectors[:, -1] * np.sqrt(max(values[-1] - 1, 0.0))
    return loading * (1.0 if loading.sum() >= 0 else -1.0), psi, float(best.fun)


def _rmsea(statistic: float, df: int, n: int) -> tuple[float, float, float]:
    if df == 0:
        return 0.0, 0.0, 0.0

    def limit(probability: float) -> float:
        if chi2.cdf(statistic, df) <= probability:
            return 0.0
        top = max(4 * statistic, 10.0)
        return float(brentq(lambda ncp: ncx2.cdf(statistic, df, ncp) - probability, 1e-12, top))

    scale = n * df
    point = np.sqrt(max((statistic - df) / scale, 0.0))
    return float(point), float(np.sqrt(limit(0.95) / scale)), float(np.sqrt(limit(0.05) / scale))


def one_factor(answers: Floats) -> OneFactor:
    """Fit one common factor to ``answers`` (persons × items, complete). Refuses a singular correlation matrix."""
    x = np.asarray(answers, float)
    if x.ndim != 2 or x.shape[1] < 3 or not np.isfinite(x).all() or (np.ptp(x, axis=0) == 0).any():
        raise Refusal("answers", "Il faut au moins trois questions qui varient, et des réponses complètes.")
    n, p = x.shape
    correlation = np.corrcoef(x, rowvar=False)
    if np.linalg.eigvalsh(correlation)[0] < 1e-10:
        raise Refusal("singular-scale", "Deux questions disent exactement la même chose : en retirer une.")
    loading, psi, discrepancy = fit_correlation(correlation)
    statistic, df = n * max(discrepancy, 0.0), p * (p - 3) // 2
    base, base_df = -n * float(np.linalg.slogdet(correlation)[1]), p * (p - 1) // 2
    excess, base_excess = max(statistic - df, 0.0), max(base - base_df, 0.0)
    worst = max(excess, base_excess)
    cfi = 1 - excess / worst if worst > 0 else 1.0
    tli = ((base / base_df - statistic / df) / (base / base_df - 1)) if df else 1.0
    residual = correlation - np.outer(loading, loading) - np.diag(psi)
    srmr = float(np.sqrt((residual[np.tril_indices(p)] ** 2).mean()))
    spread = x.std(axis=0, ddof=1)
    rmsea = _rmsea(statistic, df, n)
    return OneFactor(tuple((loading * spread).tolist()), tuple((psi * spread**2).tolist()), tuple(loading.tolist()), statistic, df,
                     float(chi2.sf(statistic, df)) if df else 1.0, cfi, float(tli), *rmsea, srmr,
                     bool((psi <= HEYWOOD * 1.01).any()))
