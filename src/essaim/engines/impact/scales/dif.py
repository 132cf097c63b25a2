"""Differential item functioning: does a question work the same for two groups of equal level?

Mantel–Haenszel with ETS classes for binary items (Holland & Thayer 1988), Mantel's chi-square for graded items (Zwick, Donoghue &
Grima 1993), and logistic regression for uniform and non-uniform differences (Swaminathan & Rogers 1990) with Nagelkerke's change.
The matching score is the total of all items. Reported with Benjamini–Hochberg values over the scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from essaim.engines.impact.refusal import Refusal

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ItemDif:
    """One item. ``mh_chi2`` has one degree of freedom (continuity-corrected when binary); ``odds_ratio`` and ``delta`` (ETS,
    -2.35 ln odds) only for binary items; ``ets_class`` A negligible, B moderate, C large; ``uniform_p`` and ``slope_p`` from
    logistic regression, ``r2_change`` Nagelkerke's; ``q_value``: Benjamini–Hochberg over the items, on ``mh_p``."""

    item: int
    mh_chi2: float
    mh_p: float
    q_value: float
    odds_ratio: float | None
    delta: float | None
    ets_class: str | None
    uniform_p: float | None
    slope_p: float | None
    r2_change: float | None


def _mantel(y: Floats, group: npt.NDArray[np.bool_], score: Floats, corrected: bool) -> tuple[float, float]:
    """Mantel's chi-square of item scores by group within matching scores, and its p-value."""
    gap, variance = 0.0, 0.0
    for s in np.unique(score):
        inside = score == s
        n, n1 = int(inside.sum()), int((inside & group).sum())
        if n < 2 or n1 in (0, n):
            continue
        values = y[inside]
        gap += y[inside & group].sum() - n1 * values.mean()
        variance += n1 * (n - n1) / (n - 1) * values.var()
    if variance <= 0:
        return 0.0, 1.0
    statistic = max(abs(gap) - (0.5 if corrected else 0.0), 0.0) ** 2 / variance
    return float(statistic), float(chi2.sf(statistic, 1))


def _odds(y: Floats, group: npt.NDArray[np.bool_], score: Floats) -> tuple[float | None, float | None]:
    """Mantel–Haenszel common odds ratio (reference over focal) and variance of its log (Robins, Breslow & Greenland 1986)."""
    r = s = pr = ps = qs = 0.0
    for level in np.unique(score):
        inside = score == level
        a, b = y[inside & ~group].sum(), (1 - y[inside & ~group]).sum()
        c, d = y[inside & group].sum(), (1 - y[inside & group]).sum()
        n = a + b + c + d
        ri, si, p, q = a * d / n, b * c / n, (a + d) / n, (b + c) / n
        r, s = r + ri, s + si
        pr, ps, qs = pr + p * ri, ps + p * si + q * ri, qs + q * si
    if r <= 0 or s <= 0:
        return None, None
    return float(r / s), float(pr / (2 * r * r) + ps / (2 * r * s) + qs / (2 * s * s))


def _ets_class(odds: float | None, variance: float | None, p: float) -> tuple[float | None, str | None]:
    if odds is None or variance is None:
        return None, None
    delta = -2.35 * float(np.log(odds))
    error = 2.35 * float(np.sqrt(variance))
    if p >= 0.05 or abs(delta) < 1:
        return delta, "A"
    if abs(delta) >= 1.5 and (abs(delta) - 1) / error > 1.645:
        return delta, "C"
    return delta, "B"


def _logistic(x: Floats, y: Floats) -> float:
    """Log-likelihood of a logistic regression (Newton with halving)."""
    beta = np.zeros(x.shape[1])

    def value(b: Floats) -> float:
        z = x @ b
        return float(y @ z - np.logaddexp(0, z).sum())

    current = value(beta)
    for _ in range(60):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -35, 35)))
        step = np.linalg.lstsq((x.T * (p * (1 - p))) @ x + 1e-10 * np.eye(x.shape[1]), x.T @ (y - p), rcond=None)[0]
        while (new := value(beta + step)) < current - 1e-12 and np.abs(step).max() > 1e-10:
            step = step / 2
        beta = beta + step
        if abs(new - current) < 1e-11:
            return new
        current = new
    return current


def _regressions(y: Floats, group: npt.NDArray[np.bool_], score: Floats) -> tuple[float, float, float]:
    z = (score - score.mean()) / score.std()
    g = group.astype(float)
    one = np.ones_like(z)
    null = _logistic(one[:, None], y)
    base = _logistic(np.column_stack([one, z]), y)
    uniform = _logistic(np.column_stack([one, z, g]), y)
    slope = _logistic(np.column_stack([one, z, g, z * g]), y)
    top = 1 - np.exp(2 * null / y.size)

    def nagelkerke(value: float) -> float:
        return float((1 - np.exp(2 * (null - value) / y.size)) / top)

    return (float(chi2.sf(max(2 * (uniform - base), 0), 1)), float(chi2.sf(max(2 * (slope - uniform), 0), 1)),
            nagelkerke(slope) - nagelkerke(base))


def benjamini_hochberg(p: Floats) -> Floats:
    """Adjusted p-values controlling the false discovery rate (Benjamini & Hochberg 1995)."""
    p = np.asarray(p, float)
    order = np.argsort(-p, kind="stable")
    rank = np.arange(p.size, 0, -1)
    out = np.empty_like(p)
    out[order] = np.minimum(np.minimum.accumulate(p[order] * p.size / rank), 1.0)
    return out


def differential_functioning(answers: Floats, focal: npt.NDArray[np.bool_]) -> tuple[ItemDif, ...]:
    """Test every item of ``answers`` (persons × items, complete rows kept) between ``focal`` and the other persons."""
    x = np.asarray(answers, float)
    seen = np.isfinite(x).all(axis=1)
    x, group = x[seen], np.asarray(focal, bool)[seen]
    if min(int(group.sum()), int((~group).sum())) < 20:
        raise Refusal("too-few-persons", "Chaque groupe doit compter au moins 20 personnes ayant répondu à tout.")
    score = x.sum(axis=1)
    rows = []
    for j in range(x.shape[1]):
        y = x[:, j]
        binary = np.isin(y, (0.0, 1.0)).all()
        statistic, p = _mantel(y, group, score, corrected=bool(binary))
        odds, variance = _odds(y, group, score) if binary else (None, None)
        delta, ets = _ets_class(odds, variance, p)
        uniform = _regressions(y, group, score) if binary and np.ptp(y) > 0 else (None, None, None)
        rows.append((j, statistic, p, odds, delta, ets, *uniform))
    q = benjamini_hochberg(np.array([row[2] for row in rows]))
    return tuple(ItemDif(r[0], r[1], r[2], float(q[j]), *r[3:]) for j, r in enumerate(rows))
