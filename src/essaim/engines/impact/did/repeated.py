"""Two groups, two periods, repeated cross-sections: Sant'Anna & Zhao (2020), as R DRDID's ``drdid_rc`` (locally efficient),
``reg_did_rc`` and ``std_ipw_did_rc`` (the sign of the pre-treatment regression term as from 1.4.0). Also used for unbalanced panels, as R did does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from essaim.engines.impact.did.logit import fit_logit
from essaim.engines.impact.did.two_by_two import OVERLAP, TRIM, NotEstimable, TwoByTwo
from essaim.engines.impact.stable import combine, cross, symmetric_inverse

Floats = NDArray[np.float64]


def two_group_repeated(y: Floats, post: Floats, treated: Floats, x: Floats, weights: Floats, method: str) -> TwoByTwo:
    """``y``, ``post``, ``treated``, ``weights`` (n,), ``x`` (k, n) with its constant → ATT (1,) and influence (1, n)."""
    for d in (0.0, 1.0):
        for t in (0.0, 1.0):
            if not ((treated == d) & (post == t)).any():
                raise NotEstimable("un des quatre groupes (traités ou non, avant ou après) est vide")
    w = weights / weights.mean()
    att, influence = {"dr": _doubly_robust, "reg": _regression, "ipw": _weighting}[method](y, post, treated, x, w)
    return TwoByTwo(np.array([att]), influence[None])


class _Fit:
    """Weighted least squares on a subset: prediction (n,) and ``representation(v)`` (n,), its influence along v."""

    def __init__(self, y: Floats, x: Floats, weights: Floats) -> None:
        inverse = symmetric_inverse(cross(x * weights, x) / y.size)
        if inverse is None:
            raise NotEstimable("covariables colinéaires dans un des groupes comparés")
        beta = inverse @ (x * (weights * y)).mean(axis=1)
        self.predicted = combine(beta[None], x)[0]
        self._x, self._inverse, self._score = x, inverse, weights * (y - self.predicted)

    def representation(self, direction: Floats) -> Floats:
        return self._score * combine((self._inverse @ direction)[None], self._x)[0]


def _propensity(treated: Floats, x: Floats, w: Floats) -> tuple[Floats, Floats, Floats]:
    """Odds p/(1−p) trimmed (n,), score (k, n) and scaled inverse Hessian (k, k)."""
    fitted = fit_logit(treated, x, w)
    if fitted is None:
        raise NotEstimable("score de propension non estimable (séparation ou colinéarité)")
    p, hessian = fitted
    if p.max() >= OVERLAP:
        raise NotEstimable("absence de recouvrement : des unités sont traitées presque sûrement")
    p = np.minimum(p, 1 - 1e-6)
    odds = np.where((p < TRIM) | (treated > 0), p / (1 - p), 0.0)
    return odds, x * (w * (treated - p)), hessian * treated.size


def _share(weights: Floats) -> Floats:
    return weights / weights.mean()


def _mean_x(x: Floats, weights: Floats) -> Floats:
    return np.asarray((x * weights).mean(axis=1))


def _regression(y: Floats, post: Floats, d: Floats, x: Floats, w: Floats) -> tuple[float, Floats]:
    pre_fit = _Fit(y, x, w * (1 - d) * (1 - post))
    post_fit = _Fit(y, x, w * (1 - d) * post)
    before, after, everyone = _share(w * d * (1 - post)), _share(w * d * post), _share(w * d)
    eta_before, eta_after = float((before * y).mean()), float((after * y).mean())
    gap = post_fit.predicted - pre_fit.predicted
    eta_gap = float((everyone * gap).mean())
    moment = _mean_x(x, everyone)
    influence = after * (y - eta_after) - before * (y - eta_before) - everyone * (gap - eta_gap)
    influence -= post_fit.representation(moment) - pre_fit.representation(moment)
    return eta_after - eta_before - eta_gap, influence


def _weighting(y: Floats, post: Floats, d: Floats, x: Floats, w: Floats) -> tuple[float, Floats]:
    odds, score, hessian = _propensity(d, x, w)
    att, influence = 0.0, np.zeros(y.size)
    for sign, at in ((1.0, post), (-1.0, 1 - post)):
        treated, control = _share(w * d * at), _share(w * odds * (1 - d) * at)
        eta_treated, eta_control = float((treated * y).mean()), float((control * y).mean())
        att += sign * (eta_treated - eta_control)
        moment = _mean_x(x, control * (y - eta_control))
        influence += sign * (treated * (y - eta_treated) - control * (y - eta_control))
        influence -= sign * combine((hessian @ moment)[None], score)[0]
    return att, influence


def _doubly_robust(y: Floats, post: Floats, d: Floats, x: Floats, w: Floats) -> tuple[float, Floats]:
    odds, score, hessian = _propensity(d, x, w)
    att, influence = 0.0, np.zeros(y.size)
    everyone = _share(w * d)
    for sign, at in ((1.0, post), (-1.0, 1 - post)):
        controls, treats = _Fit(y, x, w * (1 - d) * at), _Fit(y, x, w * d * at)
        treated, control = _share(w * d * at), _share(w * odds * (1 - d) * at)
        residual = y - controls.predicted
        gap = treats.predicted - controls.predicted
        etas = [float((s * r).mean()) for s, r in ((treated, residual), (control, residual), (everyone, gap), (treated, gap))]
        att += sign * (etas[0] - etas[1] + etas[2] - etas[3])
        moment = _mean_x(x, control * (residual - etas[1]))
        part = treated * (residual - etas[0]) - control * (residual - etas[1])
        part += everyone * (gap - etas[2]) - treated * (gap - etas[3])
        part -= controls.representation(_mean_x(x, treated) - _mean_x(x, control))
        part -= combine((hessian @ moment)[None], score)[0]
        shift = _mean_x(x, everyone) - _mean_x(x, treated)
        part += treats.representation(shift) - controls.representation(shift)
        influence += sign * part
    return att, influence
