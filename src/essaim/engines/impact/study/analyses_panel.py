"""Further analyses of a panel: each estimator alone, as the reference programs run it. Keyword arguments are the plan's parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from essaim.engines.impact.did.aggregate import aggregate
from essaim.engines.impact.did.group_time import group_time_effects, pretrend_test
from essaim.engines.impact.experiments_did import two_group_did
from essaim.engines.impact.imputation import imputation, pretrends
from essaim.engines.impact.panel import Panel
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.study.frames import columns_used, panel_of
from essaim.engines.impact.study.plan import Plan
from essaim.engines.impact.synthetic_control import Predictor, control_data, synthetic_control
from essaim.engines.impact.synthetic_did import synthetic_did as estimate_synthetic_did
from essaim.engines.impact.twfe import bacon, twfe

Values = dict[str, Any]


def panel_for(frame: pl.DataFrame, plan: Plan, outcome: str | None, covariates: Sequence[str] | None = None,
              weights: str | None = None) -> Panel:
    """The plan's panel for ``outcome`` (default: its first), with other ``covariates`` or ``weights`` (``none``: unweighted) when an
    analysis names some."""
    if outcome is None and not plan.data.outcomes:
        raise Refusal("plan", "Nommer l'indicateur : « outcome » dans l'analyse ou dans data.")
    data = plan.data if covariates is None else plan.data.model_copy(update={"covariates": tuple(covariates)})
    if weights is not None:
        data = data.model_copy(update={"weights": None if weights == "none" else weights})
    return panel_of(frame, data, outcome or plan.data.outcomes[0])


def keyed(at: Any, *columns: Any) -> list[list[float]]:
    """Rows (at, value, …) as plain lists."""
    return [[float(v) for v in row] for row in zip(at, *columns, strict=True)]


def callaway_santanna(frame: pl.DataFrame, plan: Plan, *, outcome: str | None = None, method: str = "dr", control: str = "never",
                      base: str = "varying", anticipation: int = 0, cluster: str = "unit", unbalanced: str = "drop",
                      covariates: Sequence[str] | None = None, balance_e: int | None = None, window: Sequence[float] = (-np.inf, np.inf),
                      band_draws: int = 0) -> Values:  # fmt: skip
    """Callaway–Sant'Anna : ATT(g, t), quatre agrégats et test des tendances passées."""
    effects = group_time_effects(panel_for(frame, plan, outcome, covariates), method=method, control=control, base=base,
                                 anticipation=anticipation, cluster=cluster, unbalanced=unbalanced)
    out: Values = {"att_gt": keyed(effects.group, effects.time, effects.value, effects.std_error)}
    for kind in ("simple", "group", "dynamic", "calendar"):
        limits = {"balance_e": balance_e, "min_e": float(window[0]), "max_e": float(window[1])} if kind == "dynamic" else {}
        found = aggregate(effects, kind, **limits)  # type: ignore[arg-type]
        out[kind] = [found.overall.value, found.overall.std_error]
        if kind == "dynamic" and band_draws:
            study = found.event_study(level=1 - plan.design.alpha, draws=band_draws, seed=plan.inference.seed)
            out["band"] = {"critical_value": study.critical_value, "limits": keyed(study.event_time, *study.bounds())}
        if kind != "simple":
            out[f"{kind}_parts"] = keyed(found.at, found.value, found.std_error)
    try:
        test = pretrend_test(effects)
    except Refusal as refusal:
        return out | {"pretest": None, "pretest_refused": refusal.message}
    return out | {"pretest": [test.statistic, test.degrees_of_freedom, test.p_value]}


def borusyak(frame: pl.DataFrame, plan: Plan, *, outcome: str | None = None, cluster: str = "unit",
             horizons: Sequence[int] | None = None, leads: int = 0) -> Values:
    """Imputation de Borusyak, Jaravel et Spiess : effet global et par ancienneté ; ``leads`` : test des dernières périodes d'avant."""
    panel = panel_for(frame, plan, outcome)
    found = imputation(panel, horizons=None if horizons is None else tuple(horizons), cluster=cluster)
    study = found.event_study
    out: Values = {"overall": [found.overall.value, found.overall.std_error],
                   "event_study": keyed(study.event_time, study.value, study.std_error)}  # fmt: skip
    if leads:
        fit, test = pretrends(panel, leads, cluster=cluster)
        shown = [fit.names.index(f"{-k}") for k in range(1, leads + 1)]
        out |= {"leads": keyed([-k for k in range(1, leads + 1)], fit.value[shown], fit.std_error[shown]),
                "pretest": [test.statistic, test.degrees_of_freedom, test.p_value]}  # fmt: skip
    return out


def two_way(frame: pl.DataFrame, plan: Plan, *, outcome: str | None = None, absorb: Sequence[Sequence[str]] = (),
            unit_trends: bool = False, se: str = "CR1S", cluster: str = "cluster", covariates: Sequence[str] | None = None,
            weights: str | None = None) -> Values:
    """Effets fixes doubles ; ``absorb`` : effets supplémentaires, chacun une liste de colonnes croisées."""
    panel = panel_for(frame, plan, outcome, covariates, weights)
    codes = [_crossed(frame, plan, panel, columns) for columns in absorb]
    fit = twfe(panel, kind=se, cluster=cluster, absorb=codes, unit_trends=unit_trends)
    value, error = fit.of("traitement")
    return {"coefficient": value, "std_error": error, "interval": list(fit.interval("traitement")), "observations": fit.observations}


def _crossed(frame: pl.DataFrame, plan: Plan, panel: Panel, columns: Sequence[str]) -> npt.NDArray[np.int64]:
    """Code of the crossed ``columns`` for each row of the panel."""
    unit, period = str(plan.data.unit), str(plan.data.period)
    columns_used(frame, list(columns))
    table = frame.select(pl.col(unit).cast(pl.String).alias("_u"), pl.col(period).cast(pl.Float64).alias("_t"),
                         pl.struct(columns).rank("dense").cast(pl.Int64).alias("_code"))
    rows = pl.DataFrame({"_u": [str(v) for v in panel.unit_labels.tolist()]})[panel.unit].with_columns(_t=pl.Series(panel.period_value))
    return rows.join(table, on=["_u", "_t"], how="left", maintain_order="left")["_code"].to_numpy().astype(np.int64)


def goodman_bacon(frame: pl.DataFrame, plan: Plan, *, outcome: str | None = None) -> Values:
    """Décomposition de Goodman-Bacon : un avertissement, pas un résultat."""
    found = bacon(panel_for(frame, plan, outcome))
    return {"two_way": found.twfe, "forbidden_weight": found.forbidden, "negative_cells": found.negative_cells,
            "comparisons": [[c.kind, c.treated, c.control, c.weight, c.value] for c in found.comparisons]}


def synthetic_did(frame: pl.DataFrame, plan: Plan, *, outcome: str | None = None, estimator: str = "sdid", level: str = "cluster",
                  placebos: int = 200, adjust_covariates: bool = False, errors: str = "placebo") -> Values:
    """Différence de différences synthétique, contrôle synthétique ou DiD simple (sdid, sc, did) ; erreurs : placebo (énumérés si possible), jackknife ou bootstrap."""
    found = estimate_synthetic_did(panel_for(frame, plan, outcome), kind=estimator, level=level, placebos=placebos,
                                   seed=plan.inference.seed, adjust_covariates=adjust_covariates, errors=errors)
    return {"estimate": found.value, "std_error": found.std_error, "p_value": found.p_value, "placebos": len(found.placebos),
            "enumerated": found.enumerated, "errors": found.errors,
            "cohorts": keyed(found.cohorts, found.cohort_values, found.cohort_weights)}


def synthetic(frame: pl.DataFrame, plan: Plan, *, outcome: str | None = None, treated: str | None = None,
              predictors: Sequence[dict[str, Any]] = (), level: str = "unit", fit_periods: Sequence[float] = ()) -> Values:
    """Contrôle synthétique avec prédicteurs (Abadie, Diamond et Hainmueller 2010)."""
    chosen = [Predictor(p["name"], tuple(float(v) for v in p.get("periods", ()))) for p in predictors]
    found = synthetic_control(control_data(panel_for(frame, plan, outcome), treated=treated, predictors=chosen, level=level),
                              fit_periods=tuple(fit_periods))
    weights = {d: float(w) for d, w in zip(found.donors, found.weights, strict=True) if w > 5e-4}
    return {"weights": weights, "effect": found.effect, "pre_mspe": found.pre_mspe, "post_mspe": found.post_mspe,
            "gap": keyed(found.periods, found.gap)}


def two_group(frame: pl.DataFrame, plan: Plan, *, before: float, after: float, outcome: str | None = None, method: str = "dr",
              repeated: bool | None = None, cluster: str = "unit") -> Values:
    """Différence de différences à deux groupes et deux dates, doublement robuste."""
    found = two_group_did(panel_for(frame, plan, outcome), before=before, after=after, method=method, repeated=repeated, cluster=cluster)
    return {"estimate": found.value, "std_error": found.std_error, "low": found.low, "high": found.high}
