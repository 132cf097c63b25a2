"""Two groups, two periods, panel data: Sant'Anna & Zhao (2020), as R DRDID's ``drdid_panel``, ``reg_did_panel`` and
``std_ipw_did_panel``, for many outcome changes at once.

Every influence function has the form ``e·a + c·basis`` with ``e`` the residual change and ``a`` and ``basis`` the same for all
periods: a cohort's whole path costs one logit, one Gram matrix and one pass over the changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from essaim.engines.impact.did.logit import fit_logit
from essaim.engines.impact.stable import combine, cross, symmetric_inverse

Floats = NDArray[np.float64]

METHODS = ("dr", "reg", "ipw")
TRIM = 0.995
OVERLAP = 0.999


class NotEstimable(Exception):
    """The cell cannot be estimated; the message is the French reason kept in the report."""


@dataclass(frozen=True, slots=True)
class TwoByTwo:
    """ATT (K,) and influence functions (K, n) with variance ``sum(influence²)/n²``."""

    att: Floats
    influence: Floats


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Weights of treated and controls (n,), and how the propensity score's estimation enters: ``score`` (k, n)."""

    treated: Floats
    control: Floats
    score: Floats | None
    hessian: Floats | None


def two_group_panel(change: Floats, treated: Floats, x: Floats, weights: Floats, method: str) -> TwoByTwo:
    """``change`` (K, n): outcome changes; ``treated`` (n,) 0/1; ``x`` (k, n) with its constant; ``weights`` (n,).

    Raises ``NotEstimable`` without controls, with collinear controls or without overlap (propensity ≥ .999, as R did).
    """
    if not treated.any() or treated.all():
        raise NotEstimable("aucune unité traitée ou aucune unité de comparaison")
    w = weights / weights.mean()
    fit = None if method == "ipw" else _control_regression(change, treated, x, w)
    comparison = _comparison(treated, x, w, method)
    residual = change if fit is None else change - combine(fit[0], x)
    return _effect(residual, treated, x, w, comparison, None if fit is None else fit[1])


def _control_regression(change: Floats, treated: Floats, x: Floats, w: Floats) -> tuple[Floats, Floats]:
    """Coefficients (K, k) of the changes among controls, and the inverse of their mean Gram matrix (k, k)."""
    n = x.shape[1]
    weighted = x * (w * (1 - treated))
    inverse = symmetric_inverse(cross(weighted, x) / n)
    if inverse is None:
        raise NotEstimable("covariables colinéaires parmi les unités de comparaison")
    return (cross(change, weighted) / n) @ inverse, inverse


def _comparison(treated: Floats, x: Floats, w: Floats, method: str) -> _Comparison:
    if method == "reg":
        return _Comparison(w * treated, w * treated, None, None)
    if x.shape[0] == 1 and np.ptp(x[0]) == 0:
        share = float((w * treated).sum() / w.sum())
        if not 0 < share < OVERLAP:
            raise NotEstimable("absence de recouvrement : les poids ne laissent presque rien à un des groupes")
        p = np.full(treated.size, share)
        hessian = np.array([[1.0 / (w.sum() * share * (1 - share) * x[0, 0] ** 2)]])
    else:
        fitted = fit_logit(treated, x, w)
        if fitted is None:
            raise NotEstimable("score de propension non estimable (séparation ou colinéarité)")
        p, hessian = fitted
    if p.max() >= OVERLAP:
        raise NotEstimable("absence de recouvrement : des unités sont traitées presque sûrement")
    p = np.minimum(p, 1 - 1e-6)
    kept = (p < TRIM) | (treated > 0)
    control = np.where(kept, w * p * (1 - treated) / (1 - p), 0.0)
    return _Comparison(w * treated, control, x * (w * (treated - p)), hessian * treated.size)


def _effect(
    residual: Floats, treated: Floats, x: Floats, w: Floats, comparison: _Comparison, inverse: Floats | None
) -> TwoByTwo:
    n = treated.size
    reg = comparison.score is None
    mean_treated, mean_control = comparison.treated.mean(), comparison.control.mean()
    share_treated, share_control = comparison.treated / mean_treated, comparison.control / mean_control
    eta_treated = cross(residual, share_treated[None])[:, 0] / n
    slope = np.array(share_treated) if reg else share_treated - share_control
    if inverse is not None:
        moment = (x * share_treated).mean(axis=1)
        if not reg:
            moment = moment - (x * share_control).mean(axis=1)
        slope = slope - w * (1 - treated) * combine((inverse @ moment)[None], x)[0]
    if reg:
        influence = residual * slope
        influence -= eta_treated[:, None] * share_treated
        return TwoByTwo(eta_treated, influence)
    assert comparison.score is not None and comparison.hessian is not None
    eta_control = cross(residual, share_control[None])[:, 0] / n
    moment2 = (cross(residual, x * share_control) / n) - eta_control[:, None] * (x * share_control).mean(axis=1)
    basis = np.vstack([share_treated, share_control, comparison.score])
    coefficients = np.column_stack([-eta_treated, eta_control, -(moment2 @ comparison.hessian)])
    influence = combine(coefficients, basis)
    influence += residual * slope
    return TwoByTwo(eta_treated - eta_control, influence)
