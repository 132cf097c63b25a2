"""Randomised comparisons: differences of means and regressions with strata, HC1, CR1S or CR2 errors, and the intraclass correlation
that tells how much a cluster's pupils resemble one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from essaim.engines.impact.panel import PanelRefused
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.regression import Regression, regress

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Icc:
    """One-way intraclass correlation: ``value``, variance ``between`` and ``within`` clusters, ``effective_size`` n₀."""

    value: float
    between: float
    within: float
    effective_size: float
    clusters: int


@dataclass(frozen=True, slots=True)
class StratumEffect:
    """Effect inside one stratum, with its HC2 standard error and its share of the total."""

    stratum: str
    value: float
    std_error: float
    share: float


@dataclass(frozen=True, slots=True)
class Stratified:
    """Average of stratum effects weighted by size (``value``), its standard error, and the strata."""

    value: float
    std_error: float
    strata: tuple[StratumEffect, ...]
    warnings: tuple[str, ...]


def experiment(
    y: Floats, treated: Floats | dict[str, Floats], *, covariates: dict[str, Floats] | None = None, strata: Ints | None = None,
    weights: Floats | None = None, kind: str = "HC1", cluster: Ints | None = None, interacted: bool = False,
) -> Regression:  # fmt: skip
    """Regress ``y`` (n,) on treatment arms (one column, or one a name), covariates and stratum effects.

    ``kind``: classical, HC1, HC2, CR1, CR1S, CR2 (the last three need ``cluster``). ``interacted`` adds treatment × centred
    covariates (Lin 2013), so that the coefficient is the average effect whatever the covariates' role. Rows with any missing
    value must have been removed: refused.
    """
    arms = treated if isinstance(treated, dict) else {"traitement": treated}
    columns = {name: np.asarray(c, np.float64) for name, c in arms.items()} | dict(covariates or {})
    if not np.isfinite(y).all() or not all(np.isfinite(c).all() for c in columns.values()):
        raise PanelRefused("missing", "Des valeurs manquent : écartez explicitement ces lignes (fonction complete_rows).")
    for name, arm in arms.items():
        if np.ptp(arm) == 0:
            raise PanelRefused("treatment", f"Le groupe « {name} » est vide ou contient tout le monde.")
    if interacted:
        for name, arm in arms.items():
            for other, values in (covariates or {}).items():
                columns[f"{name} × {other}"] = arm * (values - values.mean())
    absorb = [] if strata is None else [strata]
    return regress(np.asarray(y, np.float64), columns, absorb=absorb, weights=weights, kind=kind, cluster=cluster)


def complete_rows(*columns: Floats) -> NDArray[np.bool_]:
    """(n,) rows where every column is finite."""
    return np.asarray(np.logical_and.reduce([np.isfinite(c) for c in columns]))


def stratified_effect(y: Floats, treated: Floats, strata: Ints, labels: Sequence[str] | None = None) -> Stratified:
    """Difference of means by stratum, averaged by stratum size (Imbens & Rubin 2015, ch. 9); strata without both arms told.

    Matched pairs (each stratum one treated and one comparison unit) are read as such: mean of the pair differences, error from their
    spread (ch. 10); a stratum's own error is then infinite, since one pair has none."""
    y, treated = np.asarray(y, np.float64), np.asarray(treated, np.float64)
    if not (np.isfinite(y).all() and np.isfinite(treated).all()):
        raise PanelRefused("missing", "Des valeurs manquent : écartez explicitement ces lignes (fonction complete_rows).")
    pairs = _paired(y, treated, strata, labels)
    if pairs is not None:
        return pairs
    parts, lost = [], []
    for s in np.unique(strata):
        rows = strata == s
        a, b = y[rows & (treated > 0)], y[rows & (treated == 0)]
        name = labels[int(s)] if labels is not None else str(s)
        if a.size < 2 or b.size < 2:
            lost.append(name)
            continue
        error = float(np.sqrt(a.var(ddof=1) / a.size + b.var(ddof=1) / b.size))
        parts.append((name, float(a.mean() - b.mean()), error, int(rows.sum())))
    if not parts:
        raise PanelRefused("strata", "Aucune strate n'a au moins deux traités et deux témoins.")
    total = sum(p[3] for p in parts)
    effects = tuple(StratumEffect(n, v, e, size / total) for n, v, e, size in parts)
    said = (f"Strates écartées, sans au moins deux traités et deux témoins : {', '.join(lost)}.",) if lost else ()
    value = sum(e.share * e.value for e in effects)
    return Stratified(value, float(np.sqrt(sum((e.share * e.std_error) ** 2 for e in effects))), effects, said)


def _paired(y: Floats, treated: Floats, strata: Ints, labels: Sequence[str] | None) -> Stratified | None:
    """The paired estimate when every stratum is a pair of at least three, else None."""
    levels, code, size = np.unique(strata, return_inverse=True, return_counts=True)
    if levels.size < 3 or (size != 2).any() or (np.bincount(code, treated > 0) != 1).any():
        return None
    gap = np.bincount(code, np.where(treated > 0, y, -y))
    names = [labels[int(s)] if labels is not None else str(s) for s in levels]
    effects = tuple(StratumEffect(n, float(g), float("inf"), 1 / gap.size) for n, g in zip(names, gap, strict=True))
    return Stratified(float(gap.mean()), float(gap.std(ddof=1) / np.sqrt(gap.size)), effects, ())


def intraclass_correlation(y: Floats, cluster: Ints, *, method: str = "reml") -> Icc:
    """Intraclass correlation of a one-way random-effects model, unequal sizes; ``reml`` (as R lme4) or ``anova`` (Donner 1986).

    Refuses a single cluster or clusters of one. The REML value is not negative; the analysis-of-variance one may be.
    """
    y = np.asarray(y, np.float64)
    if not np.isfinite(y).all():
        raise Refusal("missing", "Des valeurs manquent : écartez explicitement ces lignes.")
    if y.size == 0 or np.ptp(y) == 0:
        raise Refusal("constant", "Le résultat est constant : aucune corrélation n'est définie.")
    code = np.unique(cluster, return_inverse=True)[1]
    size = np.bincount(code).astype(np.float64)
    groups, n = size.size, float(y.size)
    if groups < 2 or n <= groups:
        raise Refusal("icc", "Il faut au moins deux groupes, et des groupes de plus d'une personne.")
    mean = np.bincount(code, y) / size
    inside = float(((y - mean[code]) ** 2).sum())
    effective = (n - float((size**2).sum()) / n) / (groups - 1)
    if inside <= 1e-20 * float(((y - y.mean()) ** 2).sum()):
        return Icc(1.0, float(mean.var(ddof=1)), 0.0, effective, groups)
    if method == "anova":
        within = inside / (n - groups)
        variance = (float((size * (mean - y.mean()) ** 2).sum()) / (groups - 1) - within) / effective
    else:
        ratio = _reml_ratio(mean, size, inside, n)
        within = _reml_within(ratio, mean, size, inside, n)[0]
        variance = ratio * within
    return Icc(variance / (variance + within), variance, within, effective, groups)


def _reml_within(ratio: float, mean: Floats, size: Floats, inside: float, n: float) -> tuple[float, Floats]:
    """Residual variance maximising the restricted likelihood at a variance ratio, and the precision of cluster means."""
    precision = size / (1 + ratio * size)
    grand = float((precision * mean).sum() / precision.sum())
    return (inside + float((precision * (mean - grand) ** 2).sum())) / (n - 1), precision


def _reml_ratio(mean: Floats, size: Floats, inside: float, n: float) -> float:
    def criterion(log_ratio: float) -> float:
        ratio = np.exp(log_ratio)
        within, precision = _reml_within(ratio, mean, size, inside, n)
        return float((n - 1) * np.log(within) + np.log1p(ratio * size).sum() + np.log(precision.sum()))

    found = minimize_scalar(criterion, bounds=(-16.0, 8.0), method="bounded", options={"xatol": 1e-10})
    return 0.0 if found.x < -15.9 else float(np.exp(found.x))
