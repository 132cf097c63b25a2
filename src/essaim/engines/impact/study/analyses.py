"""The list of analyses a plan may ask for, by ``kind``; unknown kinds and parameters are refused before anything is computed."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import polars as pl

from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.study import analyses_checks as checks
from essaim.engines.impact.study import analyses_design as design
from essaim.engines.impact.study import analyses_panel as panel
from essaim.engines.impact.study import analyses_randomised as randomised
from essaim.engines.impact.study import analyses_rows as rows
from essaim.engines.impact.study import analyses_secrecy as tables
from essaim.engines.impact.study import analyses_sensitivity as sensitivity
from essaim.engines.impact.study.plan import Analysis, Plan, PlanInvalid
from essaim.engines.impact.study.results import AnalysisResult

Maker = Callable[..., dict[str, Any]]

KINDS: dict[str, Maker] = {
    "callaway_santanna": panel.callaway_santanna,
    "imputation": panel.borusyak,
    "two_way": panel.two_way,
    "goodman_bacon": panel.goodman_bacon,
    "synthetic_did": panel.synthetic_did,
    "synthetic_control": panel.synthetic,
    "two_group": panel.two_group,
    "sun_abraham": sensitivity.interaction_weighted,
    "smoothness": sensitivity.smoothness,
    "relative_magnitudes": sensitivity.relative_magnitudes,
    "pretrends": sensitivity.pretrends,
    "conley_taber": checks.conley_taber,
    "augmented_control": checks.augmented_control,
    "placebo_rank": checks.placebo_rank,
    "comparisons": checks.comparisons,
    "instrument": checks.instrument,
    "dose": checks.dose,
    "gap_change": checks.gap_change,
    "concentration_change": checks.concentration_change,
    "experiment": rows.experiment,
    "intraclass": rows.intraclass,
    "lee_bounds": randomised.lee_bounds,
    "randomisation": randomised.randomisation,
    "wild_bootstrap": randomised.wild_bootstrap,
    "reliability": rows.reliability,
    "item_response": rows.item_response,
    "item_bias": rows.item_bias,
    "concentration": rows.concentration,
    "multiplicity": rows.multiplicity,
    "secrecy": tables.secrecy,
    "mean_power": design.mean_power,
    "cluster_power": design.cluster_power,
    "wedge_power": design.wedge_power,
}


def parameters_of(kind: str) -> dict[str, inspect.Parameter]:
    """Parameters a plan may give to ``kind``."""
    return {n: p for n, p in inspect.signature(KINDS[kind]).parameters.items() if p.kind is inspect.Parameter.KEYWORD_ONLY}


def check_analyses(plan: Plan) -> None:
    """Refuse unknown kinds, unknown parameters and missing ones, all at once."""
    faults = []
    for i, analysis in enumerate(plan.analyses):
        where = f"analyses.{i} ({analysis.kind})"
        if analysis.kind not in KINDS:
            faults.append(f"{where} : analyse inconnue ; attendu {', '.join(sorted(KINDS))}")
            continue
        known = parameters_of(analysis.kind)
        faults += [f"{where}.{n} : paramètre inconnu" for n in sorted(set(analysis.parameters) - set(known))]
        faults += [f"{where}.{n} : paramètre obligatoire absent" for n, p in known.items()
                   if p.default is inspect.Parameter.empty and n not in analysis.parameters]
    if faults:
        raise PlanInvalid(tuple(faults))


def analyse(frame: pl.DataFrame, plan: Plan, analysis: Analysis) -> AnalysisResult:
    """Run one analysis."""
    maker = KINDS[analysis.kind]
    label = (maker.__doc__ or analysis.kind).split(".")[0].strip().replace("``", "")
    try:
        values = maker(frame, plan, **analysis.parameters)
    except Refusal as refusal:
        raise Refusal(refusal.code, f"analyse « {analysis.name or analysis.kind} » : {refusal.message}") from refusal
    except (ValueError, TypeError, KeyError) as error:
        raise Refusal("parameter", f"analyse « {analysis.name or analysis.kind} » : un paramètre n'est pas recevable ({error}).") from error
    return AnalysisResult(analysis.name or analysis.kind, analysis.kind, label, values)
