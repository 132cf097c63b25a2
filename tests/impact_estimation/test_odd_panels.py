"""Panels of odd shapes are estimated or refused with a French sentence; nothing crashes, nothing is NaN."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from essaim.engines.impact.did import aggregate, group_time_effects, pretrend_test
from essaim.engines.impact.experiments import experiment, intraclass_correlation
from essaim.engines.impact.experiments_bounds import lee_bounds
from essaim.engines.impact.experiments_did import two_group_did
from essaim.engines.impact.experiments_iv import two_stage
from essaim.engines.impact.imputation import imputation, pretrends
from essaim.engines.impact.inference.conley_taber import conley_taber
from essaim.engines.impact.inference.randomisation import randomisation_test
from essaim.engines.impact.inference.statistics import staggered_att
from essaim.engines.impact.inference.wild_bootstrap import wild_cluster_bootstrap
from essaim.engines.impact.panel import Panel
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.sensitivity.smoothness import trends
from essaim.engines.impact.study.battery import cluster_panel
from essaim.engines.impact.synthetic_did import synthetic_did
from essaim.engines.impact.twfe import bacon, twfe, twfe_event_study

ROLES = {"unit": "u", "cluster": "d", "time": "t", "outcome": "y", "cohort": "g"}


def frame(entries=(3, 5, 0, 0), periods: int = 6) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = []
    for u in range(40):
        entry, level, x = entries[u % 20 % len(entries)], rng.normal(), rng.normal()
        for t in range(1, periods + 1):
            y = level + 0.1 * t + 0.05 * x * t + (0 < entry <= t) + 0.3 * rng.normal()
            rows.append((f"U{u:03d}", f"D{u % 20}", t, entry, y, x, rng.uniform(0.5, 2)))
    return pd.DataFrame(rows, columns=["u", "d", "t", "g", "y", "x", "w"])


def _changed(**columns) -> pd.DataFrame:
    return frame().assign(**columns)


SHAPES = {
    "covariate constant": (_changed(k=1.0), {"covariates": ["k"]}),
    "covariate constant among treated": (_changed(k=lambda f: np.where(f.g == 3, 1.0, f.x)), {"covariates": ["k"]}),
    "covariate constant among comparisons": (_changed(k=lambda f: np.where(f.g == 0, 1.0, f.x)), {"covariates": ["k"]}),
    "covariate is the treatment": (_changed(k=lambda f: (f.g == 3) * 1.0), {"covariates": ["k"]}),
    "huge": (_changed(y=lambda f: f.y * 1e9, x=lambda f: f.x * 1e8), {"covariates": ["x"]}),
    "tiny": (_changed(y=lambda f: f.y * 1e-9, x=lambda f: f.x * 1e-8), {"covariates": ["x"]}),
    "far from zero": (_changed(y=lambda f: f.y + 1e9), {}),
    "periods with gaps": (_changed(t=lambda f: f.t.map({1: 2001, 2: 2003, 3: 2004, 4: 2008, 5: 2009, 6: 2015}),
                                   g=lambda f: f.g.map({0: 0, 3: 2004, 5: 2009})), {}),
    "cohort after the last period": (_changed(g=lambda f: f.g.replace(5, 9)), {}),
    "treated in the first period": (_changed(g=lambda f: f.g.replace(3, 1)), {}),
    "treated in the last period": (_changed(g=lambda f: f.g.replace({3: 6, 5: 6})), {}),
    "missing outcomes": (_changed(y=lambda f: np.where(np.arange(len(f)) % 7 == 0, np.nan, f.y)), {}),
    "unbalanced": (frame().sample(frac=0.8, random_state=1), {"covariates": ["x"], "lost_clusters": "keep"}),
    "ties": (_changed(y=lambda f: f.y.round()), {}),
    "weights of another world": (_changed(w=lambda f: np.where(f.g == 3, 1e9, 1e-9)), {"weights": "w"}),
    "one cluster a cohort": (_changed(g=lambda f: np.where(f.d == "D0", 3, np.where(f.d == "D1", 5, 0))), {}),
    "one treated cluster": (_changed(g=lambda f: np.where(f.d == "D0", 3, 0)), {}),
    "one comparison cluster": (_changed(g=lambda f: np.where(f.d == "D0", 0, 3)), {}),
    "comparisons never move": (_changed(y=lambda f: np.where(f.g == 0, 1.0, f.y)), {}),
    "no noise at all": (_changed(y=lambda f: (f.t >= f.g) * (f.g > 0) * 1.0), {}),
    "two periods": (frame((2, 2, 0, 0), 2), {}),
    "one period": (frame((1, 1, 0, 0), 1), {}),
    "cohort between periods": (_changed(g=lambda f: np.where(f.g > 0, f.g + 0.5, 0)), {}),
    "cohorts long before": (_changed(g=lambda f: -f.g), {}),
    "school years": (_changed(t=lambda f: f.t.map(lambda v: f"{2010 + v}-{2011 + v}"),
                              g=lambda f: f.g.map({0: "jamais", 3: "2013-2014", 5: "2015-2016"})), {}),
}  # fmt: skip


def _aggregates(panel: Panel, **options) -> list:
    effects = group_time_effects(panel, **options)
    found = [aggregate(effects, kind) for kind in ("simple", "group", "dynamic", "calendar")]
    return [effects, *found, found[2].event_study(draws=99)]


def _wild(panel: Panel):
    return wild_cluster_bootstrap(twfe(cluster_panel(panel)), "traitement", cluster_panel(panel).cluster, draws=99)


ESTIMATORS = {
    "doubly robust": _aggregates,
    "regression, not yet, universal": lambda p: _aggregates(p, method="reg", control="not_yet", base="universal", cluster="cluster"),
    "weighting, anticipation": lambda p: _aggregates(p, method="ipw", anticipation=1),
    "rows": lambda p: _aggregates(p, unbalanced="repeated"),
    "pre-test": lambda p: pretrend_test(group_time_effects(p)),
    "imputation": lambda p: imputation(p, cluster="cluster"),
    "imputation, anticipation": lambda p: imputation(p, anticipation=1),
    "imputation pre-trends": lambda p: pretrends(p, 2),
    "two-way": twfe,
    "event study": twfe_event_study,
    "decomposition": bacon,
    "synthetic": lambda p: synthetic_did(p, placebos=5),
    "synthetic, units": lambda p: synthetic_did(p, level="unit", placebos=2, adjust_covariates=True),
    "two groups": lambda p: two_group_did(p, before=2, after=3),
    "Conley-Taber": lambda p: conley_taber(p, draws=99),
    "permutation": lambda p: randomisation_test(staggered_att(p), p.cluster_cohort(), draws=99),
    "wild": _wild,
}


def unknowns(value, path: str = "") -> list[str]:
    """Places of a result that hold NaN (the effect of untreated rows excepted, which does not exist)."""
    if dataclasses.is_dataclass(value):
        return [u for f in dataclasses.fields(value) if f.name not in ("effects", "effect") for u in unknowns(getattr(value, f.name), f"{path}.{f.name}")]
    if isinstance(value, float):
        return [path] if math.isnan(value) else []
    if isinstance(value, np.ndarray):
        return [path] if value.dtype.kind == "f" and np.isnan(value).any() else []
    return [u for i, v in enumerate(value) for u in unknowns(v, f"{path}[{i}]")] if isinstance(value, (tuple, list)) else []


@pytest.mark.parametrize("shape", SHAPES)
def test_odd_panels_are_estimated_or_refused(shape) -> None:
    """Every estimator answers with finite numbers or a French refusal, warnings being errors."""
    data, options = SHAPES[shape]
    panel = Panel.read(data, **ROLES, **options)
    answered = 0
    for name, estimator in ESTIMATORS.items():
        try:
            assert not unknowns(estimator(panel)), f"{name}: NaN"
            answered += 1
        except Refusal as refusal:
            assert refusal.code and refusal.message.rstrip().endswith((".", ")")), name
    assert answered >= (0 if shape in ("one period", "cohorts long before") else 3)


def test_inputs_of_rows_are_refused_when_incomplete() -> None:
    """Missing values, weights of zero or less and constant outcomes are refused by the functions that take plain arrays."""
    rng = np.random.default_rng(1)
    y, d, codes = rng.normal(size=40), np.arange(40) % 2 * 1.0, np.arange(40) // 4
    holed = np.where(np.arange(40) == 3, np.nan, y)
    for call in (
        lambda: experiment(holed, d),
        lambda: experiment(y, d, weights=-np.ones(40)),
        lambda: experiment(y, d, weights=np.where(np.arange(40) < 3, 0.0, 1.0)),
        lambda: intraclass_correlation(holed, codes),
        lambda: intraclass_correlation(np.ones(40), codes),
        lambda: lee_bounds(holed, d, np.ones(40, bool)),
        lambda: two_stage(holed, {"d": d}, {"z": d}),
        lambda: trends(np.array([-2.0, 0.0]), np.array([0.1, 0.2]), np.zeros((2, 2))),
        lambda: trends(np.array([-2.0, 0.0]), np.array([0.1, np.nan]), np.eye(2)),
    ):
        with pytest.raises(Refusal):
            call()
    assert intraclass_correlation(codes * 1.0, codes).value == 1.0


def test_an_instrument_that_is_the_treatment_is_least_squares() -> None:
    """Perfect compliance: the coefficient of least squares, an unbounded first stage, nothing endogenous."""
    rng = np.random.default_rng(1)
    y, d = rng.normal(size=50), np.arange(50) % 2 * 1.0
    found = two_stage(y, {"d": d}, {"d_": d})
    assert found.of("d") == pytest.approx(experiment(y, d, kind="classical").of("traitement"), abs=1e-10)
    assert found.first_stage_f == (math.inf,) and found.wu_hausman == (0.0, 1.0)
