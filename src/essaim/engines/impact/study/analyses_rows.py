"""Further analyses of rows of persons, schools or cells: experiments, scales, equity, secrecy. Parameters are the plan's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from essaim.engines.impact.equity.concentration import concentration as concentrate
from essaim.engines.impact.equity.concentration import grouped_concentration
from essaim.engines.impact.experiments import complete_rows, intraclass_correlation
from essaim.engines.impact.experiments import experiment as run_experiment
from essaim.engines.impact.inference.multiplicity import sharpened_q
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.scales.dif import differential_functioning
from essaim.engines.impact.scales.hierarchical import hierarchical_omega
from essaim.engines.impact.scales.irt import item_response as fit_items
from essaim.engines.impact.scales.reliability import reliability as measure_reliability
from essaim.engines.impact.study.frames import columns_used
from essaim.engines.impact.study.plan import Plan

Floats = npt.NDArray[np.float64]
Values = dict[str, Any]


def column_of(frame: pl.DataFrame, name: str) -> Floats:
    """Column as floats, missing as NaN. Refuses an absent column."""
    columns_used(frame, [name])
    return frame[name].cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy().astype(np.float64)


def codes_of(frame: pl.DataFrame, name: str) -> npt.NDArray[np.int64]:
    """Codes 1… of a column's values, 0 where missing."""
    columns_used(frame, [name])
    return frame[name].rank("dense").fill_null(0).to_numpy().astype(np.int64)


def cluster_codes(frame: pl.DataFrame, names: str | Sequence[str]) -> npt.NDArray[np.int64]:
    """Codes (n,) of one column, or (m, n) of several ways of clustering; 0 where missing."""
    if isinstance(names, str):
        return codes_of(frame, names)
    return codes_of(frame, names[0]) if len(names) == 1 else np.stack([codes_of(frame, n) for n in names])


def outcome_of(plan: Plan, outcome: str | None) -> str:
    """The outcome an analysis names, else the plan's first."""
    if outcome is None and not plan.data.outcomes:
        raise Refusal("plan", "Nommer l'indicateur : « outcome » dans l'analyse ou dans data.")
    return outcome or plan.data.outcomes[0]


def experiment(frame: pl.DataFrame, plan: Plan, *, treatment: str | Sequence[str], outcome: str | None = None,
               covariates: Sequence[str] = (), absorb: str | None = None, cluster: str | Sequence[str] | None = None, se: str = "HC1",
               interacted: bool = False) -> Values:
    """Expérience : différence de moyennes ou régression, effets de strates, erreurs classical, HC1, HC2, CR1, CR1S ou CR2."""
    arms = [treatment] if isinstance(treatment, str) else list(treatment)
    y = column_of(frame, outcome_of(plan, outcome))
    columns = {name: column_of(frame, name) for name in (*arms, *covariates)}
    code = None if cluster is None else cluster_codes(frame, cluster)
    extra = [np.atleast_2d(c) for c in (None if absorb is None else codes_of(frame, absorb), code) if c is not None]
    rows = complete_rows(y, *columns.values()) & np.logical_and.reduce([np.ones(y.size, bool), *((e > 0).all(axis=0) for e in extra)])
    kept = {k: v[rows] for k, v in columns.items()}
    fit = run_experiment(y[rows], {a: kept[a] for a in arms}, covariates={c: kept[c] for c in covariates} or None,
                         strata=None if absorb is None else codes_of(frame, absorb)[rows], kind=se,
                         cluster=None if code is None else code[..., rows], interacted=interacted)
    return {"effects": {a: list(fit.of(a)) for a in arms}, "intervals": {a: list(fit.interval(a)) for a in arms},
            "observations": fit.observations, "set_aside": int((~rows).sum())}


def intraclass(frame: pl.DataFrame, plan: Plan, *, cluster: str, outcome: str | None = None, method: str = "reml",
               where: Mapping[str, Any] | None = None) -> Values:
    """Corrélation intra-grappe (REML ou analyse de variance)."""
    kept = _where(frame, where)
    y = column_of(kept, outcome_of(plan, outcome))
    rows = np.isfinite(y) & (codes_of(kept, cluster) > 0)
    found = intraclass_correlation(y[rows], codes_of(kept, cluster)[rows], method=method)
    return {"icc": found.value, "between": found.between, "within": found.within, "clusters": found.clusters}


def _where(frame: pl.DataFrame, where: Mapping[str, Any] | None) -> pl.DataFrame:
    for column, value in (where or {}).items():
        columns_used(frame, [column])
        frame = frame.filter(pl.col(column) == value)
    return frame


def reliability(frame: pl.DataFrame, plan: Plan, *, items: Sequence[str], factors: int | None = None) -> Values:
    """Fidélité d'une échelle : alpha, oméga, ajustement à un facteur ; ``factors`` (trois au moins) : oméga hiérarchique et total."""
    answers = np.column_stack([column_of(frame, i) for i in items])
    found = measure_reliability(answers)
    fit = found.fit
    out: Values = {}
    if factors is not None:
        several = hierarchical_omega(answers, factors)
        out = {"omega_hierarchical": several.hierarchical, "omega_total": several.total,
               "general_loadings": dict(zip(items, several.general.tolist(), strict=True))}  # fmt: skip
    return out | {"alpha": found.alpha, "alpha_interval": [found.alpha_low, found.alpha_high], "omega": found.omega, "persons": found.persons,
            "incomplete": found.incomplete, "item_total": dict(zip(items, found.item_total, strict=True)),
            "alpha_without": dict(zip(items, found.alpha_without, strict=True)), "loadings": dict(zip(items, fit.standardised, strict=True)),
            "chi2": [fit.chi2, fit.df, fit.p_value], "cfi": fit.cfi, "tli": fit.tli, "srmr": fit.srmr,
            "rmsea": [fit.rmsea, fit.rmsea_low, fit.rmsea_high], "is_heywood": fit.is_heywood}


def item_response(frame: pl.DataFrame, plan: Plan, *, items: Sequence[str], model: str = "2pl", frequency: str | None = None) -> Values:
    """Modèle de réponse à l'item : rasch, 2pl ou graded, par maximum de vraisemblance marginale."""
    found = fit_items(np.column_stack([column_of(frame, i) for i in items]), model=model,
                      frequency=None if frequency is None else column_of(frame, frequency))
    return {"log_likelihood": found.log_likelihood, "aic": found.aic, "bic": found.bic, "persons": found.persons,
            "marginal_reliability": found.marginal_reliability, "converged": found.converged,
            "items": {n: {"slope": i.slope, "slope_error": i.slope_error, "thresholds": list(i.thresholds)}
                      for n, i in zip(items, found.items, strict=True)}}


def item_bias(frame: pl.DataFrame, plan: Plan, *, items: Sequence[str], group: str, focal: Any) -> Values:
    """Fonctionnement différentiel des questions entre un groupe et les autres personnes."""
    columns_used(frame, [group])
    found = differential_functioning(np.column_stack([column_of(frame, i) for i in items]), (frame[group] == focal).fill_null(False).to_numpy())
    return {items[f.item]: {"p_value": f.mh_p, "q_value": f.q_value, "delta": f.delta, "ets_class": f.ets_class,
                            "slope_p": f.slope_p} for f in found}


def concentration(frame: pl.DataFrame, plan: Plan, *, rank: str, outcome: str | None = None, weights: str | None = None,
                  bounds: Sequence[float] | None = None, cluster: str | None = None, grouped: bool = False) -> Values:
    """Indice de concentration (standard, Erreygers, Wagstaff) ; ``grouped`` : une ligne par groupe, du moins au plus favorisé."""
    y, r = column_of(frame, outcome_of(plan, outcome)), column_of(frame, rank)
    w = None if weights is None else column_of(frame, weights)
    if grouped:
        order = np.argsort(r, kind="stable")
        index, error = grouped_concentration((np.ones(y.size) if w is None else w)[order], y[order])
        return {"standard": index, "standard_error": error, "groups": int(y.size)}
    found = concentrate(y, r, weights=w, bounds=None if bounds is None else (float(bounds[0]), float(bounds[1])),
                        clusters=None if cluster is None else codes_of(frame, cluster).tolist())
    return {"standard": found.standard, "standard_error": found.standard_error, "erreygers": found.erreygers,
            "erreygers_error": found.erreygers_error, "wagstaff": found.wagstaff, "wagstaff_error": found.wagstaff_error,
            "mean": found.mean, "observations": found.observations}


def multiplicity(frame: pl.DataFrame, plan: Plan, *, p_values: str) -> Values:
    """q de Benjamini, Krieger et Yekutieli affûtés (Anderson 2008) d'une colonne de valeurs p."""
    return {"q": sharpened_q(column_of(frame, p_values)).tolist()}
