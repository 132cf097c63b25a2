"""Bounds under selective attrition: Lee (2009, REStud 76), trimming the group that answers more, with analytic standard errors and
the Imbens–Manski (2004) interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from essaim.engines.impact.panel import PanelRefused

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LeeBounds:
    """``lower`` and ``upper`` effect on those always observed, their standard errors, ``trimmed`` share of the group observed
    more (``trimmed_group``: ``treated`` or ``control``), and the interval covering the effect at the level asked."""

    lower: float
    upper: float
    lower_error: float
    upper_error: float
    trimmed: float
    trimmed_group: str
    low: float
    high: float
    observed: int


def lee_bounds(
    y: Floats, treated: Floats, observed: Flags, *, cells: NDArray[np.int64] | None = None, level: float = 0.95
) -> LeeBounds:
    """``y`` (n,) is read only where ``observed``; ``cells`` (covariate cells) tighten the bounds (averaged over cells).

    Assumes monotone selection: treatment moves observation in one direction (in each cell).
    """
    if not np.isfinite(y[observed]).all() or not np.isfinite(treated).all():
        raise PanelRefused("lee", "Un résultat déclaré observé, ou une affectation, manque.")
    code = np.zeros(y.size, np.int64) if cells is None else np.unique(cells, return_inverse=True)[1]
    parts, shares, trimmed, groups = [], [], [], set()
    for c in range(int(code.max()) + 1):
        rows = code == c
        bounds, share, group = _cell(y[rows], treated[rows] > 0, observed[rows])
        parts.append(bounds)
        trimmed.append(share)
        shares.append(float(min((observed & rows & (treated > 0)).sum(), (observed & rows & (treated == 0)).sum())))
        groups.add(group)
    weight = np.array(shares) / sum(shares)
    values = np.array(parts)
    lower, upper = (float(weight @ values[:, j]) for j in (0, 1))
    errors = [float(np.sqrt((weight**2 * values[:, j]).sum())) for j in (2, 3)]
    critical = imbens_manski(upper - lower, max(errors), level)
    return LeeBounds(
        lower, upper, errors[0], errors[1], float(weight @ np.array(trimmed)), groups.pop() if len(groups) == 1 else "selon la cellule",
        lower - critical * errors[0], upper + critical * errors[1], int(observed.sum()),
    )  # fmt: skip


def _cell(y: Floats, treated: Flags, observed: Flags) -> tuple[tuple[float, float, float, float], float, str]:
    """Lower, upper and their variances in one cell; the trimmed share; the trimmed group."""
    rates = [float(observed[treated == d].mean()) if (treated == d).any() else 0.0 for d in (False, True)]
    if min(rates) == 0:
        raise PanelRefused("lee", "Un des groupes n'a aucun résultat observé : les bornes n'existent pas.")
    more = bool(rates[1] >= rates[0])
    share = 1 - min(rates) / max(rates)
    trimmed, other = y[observed & (treated == more)], y[observed & (treated != more)]
    if trimmed.size < 2 or other.size < 2:
        raise PanelRefused("lee", "Trop peu de résultats observés dans un des groupes.")
    rate_variance = sum(
        (1 - r) / (float((treated == d).sum()) * r) for r, d in zip(rates, (False, True), strict=True)
    ) * (1 - share) ** 2  # fmt: skip
    ends = [_trimmed_mean(trimmed, share, keep_high, rate_variance) for keep_high in (False, True)]
    base, base_variance = float(other.mean()), float(other.var(ddof=1)) / other.size
    low, high = ((m - base, v + base_variance) for m, v in ends)
    if not more:
        low, high = (-high[0], high[1]), (-low[0], low[1])
    return (low[0], high[0], low[1], high[1]), share, "treated" if more else "control"


def _trimmed_mean(y: Floats, share: float, keep_high: bool, rate_variance: float) -> tuple[float, float]:
    """Mean without the lowest (or highest) ``share``, and its variance with the trimming share estimated (Lee's proposition 3)."""
    if share <= 0:
        return float(y.mean()), float(y.var(ddof=1)) / y.size
    cut = _percentile(y, share if keep_high else 1 - share)
    kept = y[y >= cut] if keep_high else y[y <= cut]
    mean = float(kept.mean())
    spread = float(kept.var(ddof=1)) if kept.size > 1 else 0.0
    inside = y.size * (1 - share)
    return mean, spread / inside + (cut - mean) ** 2 * share / inside + ((cut - mean) / (1 - share)) ** 2 * rate_variance


def _percentile(y: Floats, share: float) -> float:
    """Stata's ``_pctile`` (average of neighbours at exact positions)."""
    return float(np.quantile(y, share, method="averaged_inverted_cdf"))


def imbens_manski(width: float, error: float, level: float) -> float:
    """Critical value for an interval covering the parameter, not the whole set, with probability ``level``."""
    if error == 0:
        return 0.0
    return float(
        optimize.brentq(
            lambda c: stats.norm.cdf(c + max(width, 0.0) / error) - stats.norm.cdf(-c) - level, 0.0, 10.0, xtol=1e-12
        )
    )
