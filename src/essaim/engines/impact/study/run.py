"""Run a plan on data: every indicator from power to sentence, then the further analyses; nothing is random but the plan's seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from essaim.engines.impact.inference.assignments import Assignments
from essaim.engines.impact.inference.multiplicity import sharpened_q
from essaim.engines.impact.panel import Panel
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.study.analyses import analyse, check_analyses, parameters_of
from essaim.engines.impact.study.experiment import experiment_result
from essaim.engines.impact.study.frames import (
    by_cluster,
    cluster_means,
    columns_used,
    frame_fingerprint,
    frame_of,
    panel_fingerprint,
    panel_of,
    prepared,
)
from essaim.engines.impact.study.plan import Plan
from essaim.engines.impact.study.results import IndicatorResult, Study
from essaim.engines.impact.study.rollout import Setting, rollout_result

Floats = npt.NDArray[np.float64]
Progress = Callable[[str, int, int], None]


def _silent(_step: str, _done: int, _total: int) -> None:
    return None


def engine_version() -> str:
    """Version of Essaim that ran."""
    try:
        return version("essaim")
    except PackageNotFoundError:
        return "0"


def run(plan: Plan, data: Any, *, progress: Progress = _silent) -> Study:
    """Run ``plan`` on ``data`` (a pandas, polars or Arrow frame, or a ``Panel`` already read).

    ``progress(step, done, total)`` is told of each step. Refuses (``Refusal``) what the data cannot support."""
    check_analyses(plan)
    if isinstance(data, Panel):
        return _run_panel(plan, data, progress)
    source = frame_of(data)
    frame = prepared(source, plan.data)
    total = len(plan.data.outcomes) + len(plan.analyses)
    indicators = _indicators(plan, frame, progress, total) if plan.design.kind != "analyses" else ()
    done = len(indicators)
    further = []
    for k, analysis in enumerate(plan.analyses):
        progress(analysis.name or analysis.kind, done + k, total)
        further.append(analyse(frame, plan, analysis))
    progress("terminé", total, total)
    return Study(plan.as_dict(), plan.sha256, frame_fingerprint(source, source_columns(plan, source)), engine_version(), indicators,
                 tuple(further))


def _run_panel(plan: Plan, panel: Panel, progress: Progress) -> Study:
    if plan.analyses or plan.data.subgroup or plan.design.strata or plan.design.kind != "rollout":
        raise Refusal("frame", "Ce plan lit d'autres colonnes que le panel : donner la table entière.")
    progress(panel.outcome_name, 0, 1)
    result, _ = rollout_result(panel, plan, Setting())
    progress("terminé", 1, 1)
    return Study(plan.as_dict(), plan.sha256, panel_fingerprint(panel), engine_version(), (result,), ())


def source_columns(plan: Plan, source: pl.DataFrame) -> list[str]:
    """Columns of the file handed in that the plan reads, directly or through ``derive`` and ``where``."""
    wanted = set(used_columns(plan, prepared(source, plan.data)))
    for expression in (*plan.data.derive.values(), *([plan.data.where] if plan.data.where else [])):
        wanted |= set(pl.sql_expr(expression).meta.root_names())
    return [c for c in source.columns if c in wanted]


def used_columns(plan: Plan, frame: pl.DataFrame) -> list[str]:
    """Columns the plan reads: they are fingerprinted, and copied in a replication pack."""
    d = plan.data
    named: list[str | None] = [d.unit, d.cluster, d.period, *d.outcomes, d.cohort, d.exposure, *d.covariates, d.weights, d.persons,
                               d.subgroup, plan.design.strata, *plan.design.balance_on]
    found = columns_used(frame, named)
    for analysis in plan.analyses:
        known = parameters_of(analysis.kind)
        found += [c for v in (v for n, v in analysis.parameters.items() if n in known) for c in _names(v)
                  if c in frame.columns and c not in found]
    return found


def _names(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [name for part in (*value.keys(), *value.values()) for name in _names(part)]
    return [name for part in value for name in _names(part)] if isinstance(value, (list, tuple)) else []


def _indicators(plan: Plan, frame: pl.DataFrame, progress: Progress, total: int) -> tuple[IndicatorResult, ...]:
    used_columns(plan, frame)
    out: list[IndicatorResult] = []
    space: Assignments | None = None
    labels: tuple[str, ...] = ()
    for k, outcome in enumerate(plan.data.outcomes):
        progress(outcome, k, total)
        if plan.design.kind == "experiment":
            out.append(experiment_result(frame, plan, outcome))
            continue
        panel = panel_of(frame, plan.data, outcome)
        now = tuple(str(c) for c in panel.cluster_labels)
        result, found = rollout_result(panel, plan, _setting(plan, frame, panel), space if now == labels else None)
        space, labels = found, now
        out.append(result)
    return _with_q(out)


def _with_q(results: list[IndicatorResult]) -> tuple[IndicatorResult, ...]:
    """Sharpened q-values over the indicators, on the headline p-values."""
    at = [i for i, r in enumerate(results) if r.inference and r.inference.headline.p_value is not None]
    if len(at) < 2:
        return tuple(results)
    p = [r.inference.headline.p_value for r in results if r.inference]
    q = sharpened_q(np.array([v for v in p if v is not None]))
    for i, value in zip(at, q, strict=True):
        results[i] = replace(results[i], sharpened_q=float(value))
    return tuple(results)


def _setting(plan: Plan, frame: pl.DataFrame, panel: Panel) -> Setting:
    cluster = plan.data.cluster or plan.data.unit
    assert cluster is not None
    strata = balance = None
    if plan.design.strata:
        names = by_cluster(frame, cluster, plan.design.strata, panel.cluster_labels)
        strata = np.unique(names, return_inverse=True)[1].astype(np.int64)
    if plan.design.balance_on:
        first = frame.filter(pl.col(str(plan.data.period)) == frame[str(plan.data.period)].min())
        balance = cluster_means(first, cluster, plan.design.balance_on, panel.cluster_labels)
    return Setting(strata, balance, _subgroup_means(plan, frame, panel, cluster))


def _subgroup_means(plan: Plan, frame: pl.DataFrame, panel: Panel, cluster: str) -> dict[str, tuple[Floats, Floats]]:
    """Cluster × period means and cluster weights of each sub-group large enough to be published."""
    d = plan.data
    if d.subgroup is None:
        return {}
    w = pl.col(d.weights) if d.weights else pl.lit(1.0)
    mass = w.sum() if d.weights else pl.len().cast(pl.Float64)  # a literal would be summed once, not once a row
    kept = frame.filter(pl.col(panel.outcome_name).is_not_null() & pl.col(d.subgroup).is_not_null())
    persons = pl.col(d.persons).sum() if d.persons else pl.len()
    is_number = frame[str(d.period)].dtype.is_numeric()
    period = pl.col(str(d.period)).cast(pl.Float64 if is_number else pl.String)
    table = kept.group_by(pl.col(d.subgroup).cast(pl.String).alias("_g"), pl.col(cluster).cast(pl.String).alias("_c"),
                          period.alias("_t")).agg(
        (pl.col(panel.outcome_name) * w).sum().alias("s"), mass.alias("w"), pl.len().alias("n"), persons.alias("p"))
    rows = {_label(c): i for i, c in enumerate(panel.cluster_labels)}
    columns = {t: i for i, t in enumerate(panel.periods.tolist() if is_number else panel.period_labels)}
    out: dict[str, tuple[Floats, Floats]] = {}
    for name in sorted(table["_g"].unique().to_list()):
        mean = np.full((len(rows), len(columns)), np.nan)
        weight = np.zeros_like(mean)
        for c, t, s, mass, n, p in table.filter(pl.col("_g") == name).select("_c", "_t", "s", "w", "n", "p").iter_rows():
            if c in rows and t in columns and p >= plan.disclosure.min_persons and n >= plan.disclosure.min_units:
                mean[rows[c], columns[t]], weight[rows[c], columns[t]] = s / mass, mass
        if np.isfinite(mean).all(axis=1).sum() >= 4:
            out[name] = (mean, np.maximum(weight.mean(axis=1), 1e-9))
    return out


def _label(value: Any) -> str:
    return str(value.item() if hasattr(value, "item") else value)
