"""Further analyses by drawing again: permutation of an assignment, wild bootstrap of a coefficient, bounds under attrition. Keyword
arguments are the plan's parameters; rows with a missing value are set aside and counted."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.stats import rankdata

from essaim.engines.impact.experiments import complete_rows
from essaim.engines.impact.experiments_bounds import lee_bounds as bound_selection
from essaim.engines.impact.inference.assignments import assignments
from essaim.engines.impact.inference.covariance_analysis import covariance_analysis
from essaim.engines.impact.inference.randomisation import Statistic, randomisation_test
from essaim.engines.impact.inference.statistics import difference_in_means
from essaim.engines.impact.inference.wild_bootstrap import wild_cluster_bootstrap
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.regression import regress
from essaim.engines.impact.study.analyses_rows import Values, cluster_codes, codes_of, column_of, outcome_of
from essaim.engines.impact.study.battery import countable
from essaim.engines.impact.study.plan import Plan

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
STATISTICS = ("difference", "ranks")


def randomisation(frame: pl.DataFrame, plan: Plan, *, treatment: str, outcome: str | None = None, strata: str | None = None,
                  cluster: str | None = None, covariates: Sequence[str] = (), statistic: str = "difference") -> Values:  # fmt: skip
    """Test par permutation d'une différence de moyennes (ou de rangs) entre unités ou grappes assignées, ajustée sur des covariables."""
    if statistic not in STATISTICS:
        raise Refusal("statistic", f"Statistique inconnue : « {statistic} ». Attendu : {', '.join(STATISTICS)}.")
    y, arm = column_of(frame, outcome_of(plan, outcome)), column_of(frame, treatment)
    x = np.column_stack([column_of(frame, c) for c in covariates]) if covariates else np.empty((y.size, 0))
    codes = [codes_of(frame, c) for c in (strata, cluster) if c is not None]
    rows = complete_rows(y, arm, *x.T) & np.logical_and.reduce([np.ones(y.size, bool), *(c > 0 for c in codes)])
    layer = None if strata is None else codes_of(frame, strata)[rows]
    y, arm, x = y[rows], arm[rows], x[rows]
    if statistic == "ranks":
        y = rankdata(y)
    mass = np.ones(y.size)
    if cluster is not None:
        y, arm, x, layer, mass = _by_cluster(codes_of(frame, cluster)[rows], y, arm, x, layer)
    if np.unique(arm > 0).size < 2:
        raise Refusal("one-arm", "Il faut au moins une unité traitée et une unité témoin.")
    cohort = np.where(arm > 0, 1.0, np.inf)
    space = assignments(cohort, strata=layer, draws=plan.inference.draws, seed=plan.inference.seed)
    chosen: Statistic = covariance_analysis(y, x, mass) if x.shape[1] else difference_in_means(y, mass)
    found = randomisation_test(chosen, cohort, space=space, level=1 - plan.design.alpha)
    shown = {"p_two_sided": found.p_value, "p_greater": found.p_greater, "p_less": found.p_less}
    exact = {f"{k}_exact": str(Fraction(v).limit_denominator(len(space.cohort))) for k, v in shown.items()} if found.enumerated else {}
    ends = (found.low, found.high) if statistic == "difference" else (None, None)  # an effect on ranks is not in the outcome's unit
    return {"estimate": found.observed, **shown, **exact, "low": ends[0], "high": ends[1], "assignments": len(space.cohort),
            "possible": countable(found.possible), "units": int(arm.size), "treated": int((arm > 0).sum()), "set_aside": int((~rows).sum())}  # fmt: skip


def _by_cluster(code: Ints, y: Floats, arm: Floats, x: Floats, layer: Ints | None) -> tuple[Floats, Floats, Floats, Ints | None, Floats]:
    """Cluster means, arms, strata and sizes. Refuses a cluster in both arms or in several strata."""
    code = np.unique(code, return_inverse=True)[1]
    size = np.bincount(code).astype(np.float64)

    def mean(values: Floats) -> Floats:
        return np.bincount(code, values) / size

    told = mean(arm)
    if (np.abs(told[code] - arm) > 1e-12).any():
        raise Refusal("mixed-cluster", "Une grappe contient à la fois des traités et des témoins : ce n'est pas elle qui a été assignée.")
    strata = None
    if layer is not None:
        strata = np.zeros(size.size, np.int64)
        strata[code] = layer
        if (strata[code] != layer).any():
            raise Refusal("mixed-cluster", "Une grappe est dans plusieurs strates.")
    return mean(y), told, np.column_stack([mean(c) for c in x.T]) if x.shape[1] else np.empty((size.size, 0)), strata, size


def wild_bootstrap(frame: pl.DataFrame, plan: Plan, *, columns: Sequence[str], coefficient: str, cluster: str | Sequence[str],
                   outcome: str | None = None, absorb: Sequence[str] = (), null: float = 0.0, weights: str = "rademacher",
                   null_imposed: bool = True, p_type: str = "symmetric", resample: str | None = None,
                   row_weights: str | None = None) -> Values:  # fmt: skip
    """Bootstrap sauvage par grappe (une ou plusieurs façons de grouper) d'un coefficient de régression, et son intervalle."""
    y, x = column_of(frame, outcome_of(plan, outcome)), {c: column_of(frame, c) for c in columns}
    code = cluster_codes(frame, cluster)
    w = np.ones(y.size) if row_weights is None else column_of(frame, row_weights)
    drawn = None if resample is None else codes_of(frame, resample)
    others = [codes_of(frame, a) for a in absorb]
    rows = complete_rows(y, w, *x.values()) & (np.atleast_2d(code) > 0).all(axis=0) & (True if drawn is None else drawn > 0)
    fit = regress(y[rows], {k: v[rows] for k, v in x.items()}, absorb=[a[rows] for a in others], kind="CR1S", cluster=code[..., rows],
                  weights=None if row_weights is None else w[rows])  # fmt: skip
    found = wild_cluster_bootstrap(fit, coefficient, code[..., rows], null=null, weights=weights, null_imposed=null_imposed, p_type=p_type,
                                   resample=None if drawn is None else drawn[rows], draws=plan.inference.draws, seed=plan.inference.seed,
                                   level=1 - plan.design.alpha)  # fmt: skip
    return {"coefficient": found.value, "t": found.t, "p_value": found.p_value, "p_greater": found.p_greater, "p_less": found.p_less,
            "low": found.low, "high": found.high, "enumerated": found.enumerated, "clusters": found.clusters,
            "observations": fit.observations, "set_aside": int((~rows).sum())}  # fmt: skip


def lee_bounds(frame: pl.DataFrame, plan: Plan, *, treatment: str, outcome: str | None = None, cells: str | Sequence[str] = ()) -> Values:
    """Bornes de Lee quand l'observation dépend du traitement ; non observé = résultat vide ; ``cells`` : covariables qui les resserrent."""
    y, arm = column_of(frame, outcome_of(plan, outcome)), column_of(frame, treatment)
    names = [cells] if isinstance(cells, str) else list(cells)
    code: Any = None
    rows = np.isfinite(arm)
    if names:
        columns = np.stack([codes_of(frame, c) for c in names])
        rows &= (columns > 0).all(axis=0)
        code = np.unique(columns, axis=1, return_inverse=True)[1].ravel()[rows]
    y, arm = y[rows], arm[rows]
    found = bound_selection(np.nan_to_num(y), arm, np.isfinite(y), cells=code, level=1 - plan.design.alpha)
    return {"lower": found.lower, "upper": found.upper, "lower_error": found.lower_error, "upper_error": found.upper_error,
            "trimmed": found.trimmed, "trimmed_group": found.trimmed_group, "low": found.low, "high": found.high,
            "observed": found.observed, "set_aside": int((~rows).sum())}  # fmt: skip
