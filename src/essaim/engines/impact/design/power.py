"""Power, sample size and minimum detectable effect of individual and cluster experiments.

Two families, each an exact noncentral t calculation:

* ``t_power`` / ``t_size`` / ``t_mde`` — means of one, two or paired samples (Cohen 1988; the conventions of R ``pwr``);
  ``h_power`` / ``h_size`` — two proportions through the arcsine distance.
* ``Precision`` built by one constructor per assignment level (individuals, blocks of individuals, clusters, clusters of
  clusters, blocks of clusters) then ``power_of``, ``mde_of`` and ``clusters_needed`` — Dong & Maynard (2013), PowerUp!.

Effects are in standard deviations of the outcome. Nothing is random here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.stats import nct, norm, t

from essaim.engines.impact.refusal import Refusal

TARGET_POWER = 0.80


@dataclass(frozen=True, slots=True)
class Precision:
    """Standard error of the standardised effect and its degrees of freedom. ``clusters``: units actually assigned."""

    se: float
    df: float
    clusters: float
    level: str


def _check_alpha(alpha: float, power: float | None = None) -> None:
    if not 0 < alpha < 1:
        raise Refusal("alpha-out-of-range", "Le risque alpha doit être compris strictement entre 0 et 1.")
    if power is not None and not alpha < power < 1:
        raise Refusal("power-out-of-range", "La puissance visée doit être comprise entre le risque alpha et 1.")


def noncentral_power(ncp: float, df: float, alpha: float = 0.05, two_sided: bool = True) -> float:
    """Probability that a t test with ``df`` degrees of freedom rejects when the noncentrality is ``ncp`` (>= 0).

    ``df`` may be infinite (normal test). In a two-sided test the wrong tail counts."""
    _check_alpha(alpha)
    tail = alpha / 2 if two_sided else alpha
    if math.isinf(df):
        c = norm.isf(tail)
        far = norm.cdf(-c - ncp) if two_sided else 0.0
        return float(norm.sf(c - ncp) + far)
    c = t.isf(tail, df)
    far = nct.cdf(-c, df, ncp) if two_sided else 0.0
    return float(nct.sf(c, df, ncp) + (0.0 if math.isnan(far) else far))


def _t_shape(kind: str, n: float, n2: float | None) -> tuple[float, float]:
    """Root information and degrees of freedom of a t test."""
    if kind == "two-sample":
        other = n if n2 is None else n2
        return math.sqrt(n * other / (n + other)), n + other - 2
    if kind in ("one-sample", "paired"):
        return math.sqrt(n), n - 1
    raise Refusal("unknown-test", f"Test inconnu : « {kind} ». Attendu : two-sample, one-sample ou paired.")


def t_power(d: float, n: float, *, n2: float | None = None, kind: str = "two-sample", alpha: float = 0.05,
            two_sided: bool = True, strict: bool = True) -> float:
    """Power of a t test at effect ``d`` (sd), ``n`` per group (``n2`` in the other group when unequal).

    ``strict`` counts the rejections in the wrong direction, as R ``pwr.t.test``; False is ``stats::power.t.test``."""
    root, df = _t_shape(kind, n, n2)
    if df <= 0:
        raise Refusal("too-few", "Effectif insuffisant : aucun degré de liberté pour estimer la variance.")
    if two_sided and not strict:
        return noncentral_power(abs(d) * root, df, alpha / 2, two_sided=False)
    return noncentral_power(abs(d) * root if two_sided else d * root, df, alpha, two_sided)


def _solve(gap: Callable[[float], float], low: float, high: float, what: str) -> float:
    while gap(high) < 0:
        high *= 4
        if high > 1e12:
            raise Refusal("unreachable", f"Aucune valeur de {what} n'atteint la puissance demandée.")
    return float(brentq(gap, low, high, xtol=1e-12, rtol=1e-13))


def t_size(d: float, *, power: float = TARGET_POWER, kind: str = "two-sample", alpha: float = 0.05,
           two_sided: bool = True) -> float:
    """Number per group (real, to be rounded up) reaching ``power`` at effect ``d``."""
    _check_alpha(alpha, power)
    if d == 0:
        raise Refusal("no-effect", "Un effet nul n'est détectable avec aucun effectif.")
    low = 2 + 1e-9
    if t_power(d, low, kind=kind, alpha=alpha, two_sided=two_sided) >= power:
        return 2.0
    return _solve(lambda n: t_power(d, n, kind=kind, alpha=alpha, two_sided=two_sided) - power, low, 64.0, "l'effectif")


def t_mde(n: float, *, n2: float | None = None, power: float = TARGET_POWER, kind: str = "two-sample",
          alpha: float = 0.05, two_sided: bool = True) -> float:
    """Smallest effect (sd) detected with ``power`` by ``n`` per group."""
    _check_alpha(alpha, power)
    return _solve(lambda d: t_power(d, n, n2=n2, kind=kind, alpha=alpha, two_sided=two_sided) - power, 0.0, 1.0, "l'effet")


def cohen_h(p1: float, p2: float) -> float:
    """Arcsine distance between two proportions (Cohen 1988)."""
    if not (0 <= p1 <= 1 and 0 <= p2 <= 1):
        raise Refusal("not-a-proportion", "Une proportion est comprise entre 0 et 1.")
    return 2 * math.asin(math.sqrt(p1)) - 2 * math.asin(math.sqrt(p2))


def h_power(h: float, n: float, *, n2: float | None = None, alpha: float = 0.05, two_sided: bool = True) -> float:
    """Power to tell two proportions apart at arcsine distance ``h`` with ``n`` per group (R ``pwr.2p.test``)."""
    other = n if n2 is None else n2
    root = math.sqrt(n * other / (n + other))
    return noncentral_power(abs(h) * root if two_sided else h * root, math.inf, alpha, two_sided)


def h_size(h: float, *, power: float = TARGET_POWER, alpha: float = 0.05, two_sided: bool = True) -> float:
    """Number per group telling two proportions apart at distance ``h``."""
    _check_alpha(alpha, power)
    if h == 0:
        raise Refusal("no-effect", "Deux proportions égales ne se distinguent avec aucun effectif.")
    return _solve(lambda n: h_power(h, n, alpha=alpha, two_sided=two_sided) - power, 1e-6, 64.0, "l'effectif")


def _shares(share: float, *fractions: float) -> float:
    if not 0 < share < 1:
        raise Refusal("share-out-of-range", "La part traitée doit être comprise strictement entre 0 et 1.")
    if any(not 0 <= value <= 1 for value in fractions):
        raise Refusal("fraction-out-of-range", "Corrélations et parts de variance expliquée vont de 0 à 1.")
    return share * (1 - share)


def _precision(variance: float, df: float, clusters: float, level: str) -> Precision:
    if df < 1:
        raise Refusal("no-degrees-of-freedom",
                      f"{clusters:g} unités assignées ne laissent aucun degré de liberté : "
                      "cette question ne peut pas recevoir de réponse avec ce plan.")
    return Precision(math.sqrt(variance), df, clusters, level)


def individuals(n: float, *, share: float = 0.5, r2: float = 0.0, covariates: int = 0) -> Precision:
    """Individuals assigned one by one (PowerUp! IRA1)."""
    q = _shares(share, r2)
    return _precision((1 - r2) / (q * n), n - covariates - 2, n, "individus")


def blocked_individuals(n: float, blocks: float, *, share: float = 0.5, r2: float = 0.0, covariates: int = 0,
                        effects: str = "constant", icc: float = 0.0, heterogeneity: float = 0.0,
                        r2_treatment: float = 0.0, block_covariates: int = 0) -> Precision:
    """Individuals assigned inside ``blocks`` of size ``n`` (BIRA2). ``effects``: constant, fixed or random across blocks;
    when random, ``icc`` and ``heterogeneity`` (variance of the effect over block variance) matter."""
    q = _shares(share, r2, icc, r2_treatment)
    if effects == "random":
        variance = icc * heterogeneity * (1 - r2_treatment) / blocks + (1 - icc) * (1 - r2) / (q * blocks * n)
        return _precision(variance, blocks - block_covariates - 1, blocks, "blocs")
    df = blocks * (n - 1) - covariates - 1 if effects == "constant" else blocks * (n - 2) - covariates
    return _precision((1 - r2) / (q * blocks * n), df, blocks * n, "individus")


def clusters(n: float, n_clusters: float, icc: float, *, share: float = 0.5, r2: float = 0.0, r2_cluster: float = 0.0,
             cluster_covariates: int = 0, cv: float = 0.0) -> Precision:
    """``n_clusters`` whole clusters of mean size ``n`` assigned (CRA2). ``cv``: coefficient of variation of the sizes; the
    within part is then inflated as in Eldridge, Ashby & Kerry (2006)."""
    q = _shares(share, icc, r2, r2_cluster)
    if n <= 0 or n_clusters <= 0:
        raise Refusal("sizes", "Le nombre de grappes et leur taille doivent être strictement positifs.")
    between = icc * (1 - r2_cluster) * (1 + cv * cv) / (q * n_clusters)
    within = (1 - icc) * (1 - r2) / (q * n_clusters * n)
    return _precision(between + within, n_clusters - cluster_covariates - 2, n_clusters, "grappes")


def sized_clusters(sizes: Sequence[float], treated: Sequence[bool], icc: float, *, cluster_covariates: int = 0) -> Precision:
    """Exact precision for the actual cluster sizes and assignment, with each cluster weighted by its information."""
    size = np.asarray(sizes, float)
    arm = np.asarray(treated, bool)
    _shares(0.5, icc)
    if size.shape != arm.shape or (size <= 0).any():
        raise Refusal("sizes", "Une taille strictement positive est attendue pour chaque grappe.")
    if not 0 < arm.sum() < arm.size:
        raise Refusal("one-arm", "Il faut au moins une grappe traitée et une grappe témoin.")
    information = size / (1 + (size - 1) * icc)
    variance = 1 / information[arm].sum() + 1 / information[~arm].sum()
    return _precision(float(variance), arm.size - cluster_covariates - 2, arm.size, "grappes")


def three_level_clusters(n: float, middle: float, top: float, icc_middle: float, icc_top: float, *, share: float = 0.5,
                         r2: float = 0.0, r2_middle: float = 0.0, r2_top: float = 0.0, top_covariates: int = 0) -> Precision:
    """``top`` units assigned, each holding ``middle`` clusters of ``n`` (CRA3): départements, schools, pupils."""
    q = _shares(share, icc_middle, icc_top, r2, r2_middle, r2_top)
    variance = (icc_top * (1 - r2_top) / (q * top) + icc_middle * (1 - r2_middle) / (q * top * middle)
                + (1 - icc_top - icc_middle) * (1 - r2) / (q * top * middle * n))
    return _precision(variance, top - top_covariates - 2, top, "grappes de niveau supérieur")


def blocked_clusters(n: float, per_block: float, blocks: float, icc: float, *, share: float = 0.5, r2: float = 0.0,
                     r2_cluster: float = 0.0, covariates: int = 0, effects: str = "fixed", icc_block: float = 0.0,
                     heterogeneity: float = 0.0, r2_treatment: float = 0.0) -> Precision:
    """``per_block`` clusters of ``n`` assigned inside each of ``blocks`` (BCRA3): schools inside départements."""
    q = _shares(share, icc, icc_block, r2, r2_cluster, r2_treatment)
    top = icc_block if effects == "random" else 0.0
    variance = (icc * (1 - r2_cluster) / (q * per_block * blocks)
                + (1 - icc - top) * (1 - r2) / (q * per_block * blocks * n))
    if effects == "random":
        variance += icc_block * heterogeneity * (1 - r2_treatment) / blocks
        return _precision(variance, blocks - covariates - 1, blocks, "blocs")
    return _precision(variance, blocks * (per_block - 2) - covariates, blocks * per_block, "grappes")


def power_of(design: Precision, effect: float, *, alpha: float = 0.05, two_sided: bool = True) -> float:
    """Power of ``design`` at a standardised ``effect``."""
    return noncentral_power(abs(effect) / design.se, design.df, alpha, two_sided)


def mde_of(design: Precision, *, alpha: float = 0.05, power: float = TARGET_POWER, two_sided: bool = True) -> float:
    """Minimum detectable effect (sd): multiplier ``t(1-alpha/2) + t(power)`` times the standard error (Bloom 1995)."""
    _check_alpha(alpha, power)
    tail = alpha / 2 if two_sided else alpha
    return float((t.isf(tail, design.df) + t.ppf(power, design.df)) * design.se)


def clusters_needed(build: Callable[[int], Precision], effect: float, *, alpha: float = 0.05, power: float = TARGET_POWER,
                    most: int = 100_000) -> int:
    """Smallest number of assigned units whose design reaches ``power`` at ``effect``; refuses beyond ``most``."""

    def reached(count: int) -> bool:
        try:
            return power_of(build(count), effect, alpha=alpha) >= power
        except Refusal:
            return False

    low, high = 1, 4
    while not reached(high):
        low, high = high, high * 2
        if high > most:
            raise Refusal("unreachable", f"Même {most} unités assignées ne suffiraient pas à détecter cet effet.")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high
