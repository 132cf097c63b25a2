"""Power of stepped-wedge and any other cluster × period design, by generalised least squares.

Model of a cluster-period mean (Hussey & Hughes 2007; Hooper et al. 2016; Kasza et al. 2019; Voldal et al. 2020):

``Y_ij = mu + beta_j + theta x_ij + a_i + r_i x_ij + g_ij + s_i + e_ij``

a_i ~ N(0, tau²) cluster, r_i ~ N(0, eta²) treatment by cluster, corr(a, r) = rho, g_ij ~ N(0, gamma²) cluster-period,
s ~ N(0, zeta²/n) persons followed (closed cohort), e ~ N(0, sigma²/n). ``decay`` r in (0, 1] multiplies the
covariance of a cluster with itself at distance k by r^k (discrete-time decay). Conventions of R ``swCRTdesign::swPwr``:
``sigma`` is the residual standard deviation, ICC = (tau²+gamma²)/(tau²+gamma²+zeta²+sigma²), CAC = tau²/(tau²+gamma²),
IAC = zeta²/(zeta²+sigma²); a binary outcome has sigma² = m(1-m) at the mean m of both conditions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, t

from essaim.engines.impact.design.power import TARGET_POWER, noncentral_power
from essaim.engines.impact.refusal import Refusal

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Components:
    """Standard deviations of the random parts (units of the outcome), ``rho`` a correlation, ``decay`` in (0, 1]."""

    sigma: float
    tau: float = 0.0
    eta: float = 0.0
    rho: float = 0.0
    gamma: float = 0.0
    zeta: float = 0.0
    decay: float = 1.0

    def __post_init__(self) -> None:
        if self.sigma <= 0 or min(self.tau, self.eta, self.gamma, self.zeta) < 0:
            raise Refusal("components", "Écart-type résiduel strictement positif et autres écarts-types positifs attendus.")
        if not -1 <= self.rho <= 1 or not 0 < self.decay <= 1:
            raise Refusal("components", "rho doit être compris entre -1 et 1, la décroissance entre 0 (exclu) et 1.")


@dataclass(frozen=True, slots=True)
class WedgePower:
    """Answer of a design. ``variance`` of the effect estimate (outcome units squared); ``effect`` in outcome units.

    ``closed_form``: Hussey–Hughes variance when it applies (equal sizes, random intercept only), else None."""

    power: float
    variance: float
    effect: float
    mde: float
    clusters: int
    periods: int
    df: float
    closed_form: float | None


def components_from_icc(sigma: float, icc: float, cac: float = 1.0, iac: float = 0.0, decay: float = 1.0) -> Components:
    """Components from within-period ICC, cluster autocorrelation and individual autocorrelation (``sigma`` residual)."""
    if not (0 <= icc < 1 and 0 <= cac <= 1 and 0 <= iac < 1):
        raise Refusal("icc", "ICC et IAC vont de 0 à 1 (exclu), CAC de 0 à 1.")
    zeta2 = sigma**2 * iac / (1 - iac)
    cluster2 = (sigma**2 + zeta2) * icc / (1 - icc)
    return Components(sigma=sigma, tau=math.sqrt(cluster2 * cac), gamma=math.sqrt(cluster2 * (1 - cac)),
                      zeta=math.sqrt(zeta2), decay=decay)


def binary_sigma(mu0: float, mu1: float) -> float:
    """Residual standard deviation of a binary outcome: at the mean of both conditions."""
    mean = (mu0 + mu1) / 2
    if not 0 < mean < 1:
        raise Refusal("not-a-proportion", "Les deux moyennes d'un résultat binaire sont des proportions.")
    return math.sqrt(mean * (1 - mean))


def wedge(waves: Sequence[int], *, extra_periods: int = 0, fractions: Sequence[float] = (1.0,),
          all_control_first: bool = True) -> Matrix:
    """Design matrix clusters × periods. ``waves[k]`` clusters cross over at step k+1 (0 clusters allowed).

    ``fractions``: share of the full effect in the first periods after crossing over (then 1)."""
    if not waves or min(waves) < 0 or sum(waves) == 0:
        raise Refusal("waves", "Chaque vague compte un nombre positif de grappes, et au moins une grappe au total.")
    first = 1 if all_control_first else 0
    periods = len(waves) + first + extra_periods
    rows = []
    for wave, count in enumerate(waves):
        row = np.zeros(periods)
        row[wave + first:] = 1.0
        for k, fraction in enumerate(fractions):
            if wave + first + k < periods:
                row[wave + first + k] = fraction
        rows.extend([row] * count)
    return np.asarray(rows)


def _sizes(n: float | Sequence[float] | Matrix, shape: tuple[int, int]) -> Matrix:
    size = np.asarray(n, float)
    if size.ndim == 1:
        size = size[:, None]
    try:
        size = np.array(np.broadcast_to(size, shape))
    except ValueError:
        raise Refusal("sizes", f"Effectifs de forme {size.shape} pour un plan de forme {shape} : donner un nombre, "
                               "un nombre par grappe, ou un nombre par grappe et par période.") from None
    if not np.isfinite(size).all() or (size < 0).any():
        raise Refusal("sizes", "Les effectifs doivent être positifs (0 : cellule non observée).")
    return size


def cell_covariance(x: Matrix, n: Matrix, c: Components) -> Matrix:
    """Covariance of one cluster's period means. ``x`` and ``n``: one value a period observed (n > 0)."""
    lag = np.abs(np.subtract.outer(np.arange(x.size), np.arange(x.size)))
    slope = c.rho * c.tau * c.eta * np.add.outer(x, x) + c.eta**2 * np.outer(x, x)
    shared = (c.tau**2 + slope) * c.decay**lag
    person = c.zeta**2 / np.sqrt(np.outer(n, n))
    return shared + person + np.diag(c.gamma**2 + c.sigma**2 / n)


def _cluster_blocks(x: Matrix, n: Matrix, c: Components, levels: Matrix | None) -> list[tuple[Matrix, Matrix]]:
    """For each cluster: fixed-effect rows (period dummies, treatment columns) and covariance of the observed cells."""
    periods = x.shape[1]
    blocks = []
    for i in range(x.shape[0]):
        seen = n[i] > 0
        if not seen.any():
            continue
        treat = x[i][:, None] if levels is None else levels[i]
        rows = np.hstack([np.eye(periods), treat])[seen]
        index = np.flatnonzero(seen)
        full = cell_covariance(x[i], np.where(seen, n[i], 1.0), c)
        blocks.append((rows, full[np.ix_(index, index)]))
    return blocks


def effect_covariance(x: Matrix, n: Matrix, c: Components, *, fixed_clusters: bool = False,
                      levels: Matrix | None = None) -> Matrix:
    """Covariance of the treatment coefficients. ``levels``: clusters × periods × coefficients (default: ``x`` itself).

    ``fixed_clusters`` replaces the random intercept by one dummy a cluster (projection out of each cluster's mean in the
    metric of its covariance). Refuses a design whose effect is not identified."""
    p = x.shape[1]
    k = 1 if levels is None else levels.shape[2]
    information = np.zeros((p + k, p + k))
    for rows, covariance in _cluster_blocks(x, n, c, levels):
        solved = np.linalg.solve(covariance, np.column_stack([rows, np.ones(rows.shape[0])]))
        weighted, one = solved[:, :-1], solved[:, -1]
        information += rows.T @ weighted
        if fixed_clusters:
            information -= np.outer(rows.T @ one, one @ rows) / one.sum()
    nuisance = information[:p, :p]
    cross = information[:p, p:]
    schur = information[p:, p:] - cross.T @ np.linalg.pinv(nuisance, hermitian=True) @ cross
    scale = np.diag(information)[p:]
    if (np.linalg.eigvalsh(schur) <= 1e-10 * scale.max()).any():
        raise Refusal("not-identified", "L'effet n'est pas identifiable avec ce plan : il se confond avec les périodes"
                                        " ou les grappes.")
    return np.asarray(np.linalg.inv(schur), np.float64)


def hussey_hughes_variance(x: Matrix, sigma2_mean: float, tau2: float) -> float:
    """Closed-form variance (Hussey & Hughes 2007, eq. 8): ``sigma2_mean`` = variance of a cluster-period mean given a."""
    i, periods = x.shape
    u = x.sum()
    w = (x.sum(axis=0) ** 2).sum()
    v = (x.sum(axis=1) ** 2).sum()
    top = i * sigma2_mean * (sigma2_mean + periods * tau2)
    bottom = (i * u - w) * sigma2_mean + (u**2 + i * periods * u - periods * w - i * v) * tau2
    if bottom <= 0:
        raise Refusal("not-identified", "L'effet n'est pas identifiable avec ce plan.")
    return float(top / bottom)


def _degrees(x: Matrix, rule: str) -> float:
    if rule == "normal":
        return math.inf
    if rule == "clusters-periods":
        return x.shape[0] - x.shape[1] - 1
    if rule == "clusters":
        return x.shape[0] - 2
    raise Refusal("degrees", f"Règle de degrés de liberté inconnue : « {rule} ».")


def _mde(se: float, df: float, alpha: float, power: float) -> float:
    law = norm if math.isinf(df) else t(df)
    return float((law.isf(alpha / 2) + law.ppf(power)) * se)


def wedge_power(design: Matrix, n: float | Sequence[float] | Matrix, effect: float, components: Components, *,
                alpha: float = 0.05, power: float = TARGET_POWER, fixed_clusters: bool = False,
                degrees: str = "normal") -> WedgePower:
    """Power of any clusters × periods design (values 0–1, fractional allowed), sizes scalar, per cluster or per cell.

    ``effect`` = mu1 - mu0 in outcome units; ``degrees``: ``normal`` (R swPwr), ``clusters`` (I-2) or ``clusters-periods``
    (I-J-1). Refuses an unidentified design and non-positive degrees of freedom."""
    x = np.asarray(design, float)
    if x.ndim != 2 or not np.isfinite(x).all():
        raise Refusal("design", "Le plan est une matrice grappes × périodes sans valeur manquante.")
    size = _sizes(n, (x.shape[0], x.shape[1]))
    variance = float(effect_covariance(x, size, components, fixed_clusters=fixed_clusters)[0, 0])
    df = _degrees(x, degrees)
    if df < 1:
        raise Refusal("no-degrees-of-freedom", f"{x.shape[0]} grappes ne suffisent pas : "
                                               "cette question ne peut pas recevoir de réponse avec ce plan.")
    se = math.sqrt(variance)
    plain = replace(components, tau=0.0, sigma=1.0)
    closed = None
    if plain == Components(1.0) and np.ptp(size) == 0 and size.flat[0] > 0 and not fixed_clusters:
        closed = hussey_hughes_variance(x, components.sigma**2 / size.flat[0], components.tau**2)
    return WedgePower(noncentral_power(abs(effect) / se, df, alpha), variance, effect, _mde(se, df, alpha, power),
                      x.shape[0], x.shape[1], df, closed)


def exposure_levels(design: Matrix) -> Matrix:
    """Indicators of the time since crossing over, clusters × periods × longest exposure (design must be 0/1, monotone)."""
    x = np.asarray(design, float)
    if not np.isin(x, (0.0, 1.0)).all() or (np.diff(x, axis=1) < 0).any():
        raise Refusal("design", "Les effets par durée d'exposition demandent un plan 0/1 sans retour en arrière.")
    time = np.cumsum(x, axis=1).astype(int)
    return (time[:, :, None] == np.arange(1, time.max() + 1)).astype(float)


def exposure_power(design: Matrix, n: float | Sequence[float] | Matrix, effects: Sequence[float], weights: Sequence[float],
                   components: Components, *, alpha: float = 0.05, power: float = TARGET_POWER) -> WedgePower:
    """Power for a weighted mean of exposure-time effects (Kenny et al. 2022). ``effects``, ``weights``: one a duration;
    weights are normalised to sum 1 (missing durations count 0)."""
    x = np.asarray(design, float)
    levels = exposure_levels(x)
    size = _sizes(n, (x.shape[0], x.shape[1]))
    h = np.zeros(levels.shape[2])
    e = np.zeros(levels.shape[2])
    h[:len(weights)] = weights
    e[:len(effects)] = effects
    h = h / h.sum()
    variance = float(h @ effect_covariance(x, size, components, levels=levels) @ h)
    se = math.sqrt(variance)
    effect = float(h @ e)
    return WedgePower(noncentral_power(abs(effect) / se, math.inf, alpha), variance, effect,
                      _mde(se, math.inf, alpha, power), x.shape[0], x.shape[1], math.inf, None)


def wedge_size(design: Matrix, effect: float, components: Components, *, power: float = TARGET_POWER, alpha: float = 0.05,
               most: int = 1_000_000) -> int:
    """Smallest equal number per cluster-period reaching ``power``; refuses when more persons can never suffice."""

    def reached(n: int) -> bool:
        return wedge_power(design, n, effect, components, alpha=alpha).power >= power

    if not reached(most):
        raise Refusal("unreachable", "Augmenter le nombre de personnes ne suffira jamais : il faut davantage de grappes.")
    low, high = 0, 1
    while not reached(high):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high
