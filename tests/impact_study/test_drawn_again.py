"""Analyses that draw again: permutation with clusters, strata, covariates or ranks; wild bootstrap's options; bounds by cells; and the
rules of secrecy on rows, hierarchies and linked tables."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
import pytest

from essaim.engines.impact.inference.wild_draws import WEIGHTS, draw_factors
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.regression import regress
from essaim.engines.impact.study.plan import plan_of
from essaim.engines.impact.study.run import run


def asked(frame: pl.DataFrame, kind: str, **parameters: Any) -> dict[str, Any]:
    """Values of one analysis."""
    plan = plan_of({"title": "Essai", "question": "Combien ?", "indicator": {"label": "score"}, "design": {"kind": "analyses"},
                    "inference": {"draws": 999}, "analyses": [{"kind": kind} | parameters]})  # fmt: skip
    return run(plan, frame).analyses[0].values


@pytest.fixture
def persons() -> pl.DataFrame:
    """Ten classes of six pupils, four classes treated, in two strata, a covariate, two ways of grouping."""
    rng = np.random.default_rng(5)
    school = np.repeat(np.arange(10), 6)
    x = rng.normal(size=60)
    treated = np.isin(school, (0, 3, 5, 8)) * 1.0
    y = 2 * x + 0.8 * treated + rng.normal(size=10)[school] * 0.2 + rng.normal(size=60) * 0.3
    return pl.DataFrame({"classe": school, "ville": rng.integers(0, 7, 60), "strate": school % 2, "x": x, "t": treated, "y": y,
                         "garde": np.where(rng.random(60) < 0.15 + 0.1 * treated, np.nan, y)}).with_columns(pl.col("garde").fill_nan(None))  # fmt: skip


def test_permuting_classes_with_a_covariate_is_refitting_the_regression(persons) -> None:
    """All C(10, 4) assignments of classes: the p-value of the regression coefficient of class means on treatment and x."""
    found = asked(persons, "randomisation", treatment="t", outcome="y", cluster="classe", covariates=["x"])
    means = persons.group_by("classe").agg(pl.col("x", "y", "t").mean()).sort("classe")
    values = {}
    for chosen in combinations(range(10), 4):
        arm = np.isin(np.arange(10), chosen) * 1.0
        design = np.column_stack([np.ones(10), arm, means["x"].to_numpy()])
        values[chosen] = np.linalg.lstsq(design, means["y"].to_numpy(), rcond=None)[0][1]
    real = values[(0, 3, 5, 8)]
    assert found["estimate"] == pytest.approx(real, abs=1e-10) and found["assignments"] == 210
    assert found["p_two_sided"] == pytest.approx(np.mean([abs(v) >= abs(real) - 1e-12 for v in values.values()]))
    assert found["low"] < 0.8 < found["high"]


def test_missing_rows_are_set_aside_and_ranks_are_ranks(persons) -> None:
    """A missing arm is not a comparison; ranks give Wilcoxon's statistic and no interval."""
    holed = persons.with_columns(t=pl.when(pl.col("classe") == 9).then(None).otherwise(pl.col("t")))
    assert asked(holed, "randomisation", treatment="t", outcome="y", cluster="classe")["units"] == 9
    found = asked(persons, "randomisation", treatment="t", outcome="y", statistic="ranks")
    ranks = persons["y"].rank().to_numpy()
    treated = persons["t"].to_numpy() > 0
    assert found["estimate"] == pytest.approx(ranks[treated].mean() - ranks[~treated].mean()) and found["low"] is None


@pytest.mark.parametrize(("parameters", "code"), [
    ({"cluster": "ville"}, "mixed-cluster"), ({"statistic": "moyenne"}, "statistic"), ({"treatment": "un"}, "one-arm"),
    ({"cluster": "classe", "strata": "ville"}, "mixed-cluster"),
])  # fmt: skip
def test_what_was_not_assigned_so_is_refused(persons, parameters, code) -> None:
    """Clusters in both arms, in several strata, one arm only, unknown statistic."""
    with pytest.raises(Refusal) as refused:
        asked(persons.with_columns(un=1.0), "randomisation", outcome="y", **({"treatment": "t"} | parameters))
    assert refused.value.code == code


def test_wild_bootstrap_options_are_reachable_from_a_plan(persons) -> None:
    """Two ways of clustering, equal tails, sub-clusters, weights of rows: t is that of the regression, the interval holds the coefficient."""
    base = {"columns": ["t", "x"], "coefficient": "t", "outcome": "y"}
    both = asked(persons, "wild_bootstrap", cluster=["classe", "ville"], p_type="equal-tailed", **base)
    codes = np.stack([persons[c].to_numpy() for c in ("classe", "ville")])
    fit = regress(persons["y"].to_numpy(), {c: persons[c].to_numpy() for c in ("t", "x")}, kind="CR1S", cluster=codes)
    assert both["t"] == pytest.approx(fit.t[1], rel=1e-9)
    assert fit.covariance.degrees_of_freedom[1] == 6
    for options in ({"resample": "ville"}, {"weights": "webb"}, {"row_weights": "poids"}, {"null_imposed": False}):
        found = asked(persons.with_columns(poids=1.0 + pl.col("strate")), "wild_bootstrap", cluster="classe", **base, **options)
        assert found["low"] < found["coefficient"] < found["high"] and 0 < found["p_value"] <= 1


def test_two_way_clustering_is_inclusion_exclusion(persons) -> None:
    """Cameron, Gelbach & Miller: one way plus the other less their intersection, each with its own G/(G − 1)."""
    x = {c: persons[c].to_numpy() for c in ("t", "x")}
    y, ways = persons["y"].to_numpy(), [persons[c].to_numpy() for c in ("classe", "ville")]
    crossed = np.unique(np.stack(ways), axis=1, return_inverse=True)[1].ravel()
    parts = [regress(y, x, kind="CR1S", cluster=c).covariance.matrix for c in (*ways, crossed)]
    both = regress(y, x, kind="CR1S", cluster=np.stack(ways)).covariance.matrix
    np.testing.assert_allclose(both, parts[0] + parts[1] - parts[2], atol=1e-12)
    with pytest.raises(Refusal, match="CR2"):
        regress(y, x, kind="CR2", cluster=np.stack(ways))


@pytest.mark.parametrize("weights", WEIGHTS)
def test_factors_have_mean_zero_and_variance_one(weights) -> None:
    """Whatever their law; Mammen's and the gamma also have a third moment of one."""
    v = draw_factors(3, weights, 200_000, 1)[0]
    assert v.mean() == pytest.approx(0, abs=0.01) and v.var() == pytest.approx(1, abs=0.02)
    if weights in ("mammen", "gamma") and v.size > 100:
        assert (v**3).mean() == pytest.approx(1, abs=0.06)


def test_lee_bounds_by_cells_are_averages_of_cells(persons) -> None:
    """Covariate cells are read from the plan."""
    whole = asked(persons, "lee_bounds", treatment="t", outcome="garde")
    cells = asked(persons, "lee_bounds", treatment="t", outcome="garde", cells=["strate"])
    assert whole["observed"] == cells["observed"] and whole["lower"] != cells["lower"]
    assert cells["lower"] <= cells["upper"]


def schools() -> pl.DataFrame:
    """Amounts by school in communes of two départements; one commune held by one large school."""
    return pl.DataFrame({
        "departement": ["A"] * 6 + ["B"] * 6, "commune": ["a1", "a1", "a1", "a2", "a2", "a2", "b1", "b1", "b1", "b2", "b2", "b2"],
        "niveau": ["école", "collège", "école", "école", "collège", "école"] * 2, "uai": [f"U{i}" for i in range(12)],
        "montant": [10.0, 12, 9, 90, 3, 2, 14, 15, 11, 13, 12, 10]})  # fmt: skip


def test_secrecy_rules_on_rows_with_a_hierarchy() -> None:
    """The dominated commune is found by (1, 80 %), hidden with others so that sub-totals by département do not give it away."""
    found = asked(schools(), "secrecy", dimensions=["commune"], value="montant", contributor="uai",
                  rules={"dominance": [1, 80], "min_units": 2}, hierarchies={"commune": ["departement"]})  # fmt: skip
    assert found["primary"] == {"commune=a2": "dominance (1, 80 %)"} and not found["exposed"]
    low, high = found["attacker"]["commune=a2"]
    assert high - 95 >= 100 / 80 * 90 - 95 - 1e-6 and "commune=a1" in found["hidden"] and low <= 95


def test_secrecy_of_linked_tables_and_counts() -> None:
    """Two tables sharing a margin are protected together; without a value, rows are counted as persons."""
    linked = asked(schools(), "secrecy", dimensions=["commune", "niveau", "departement"], tables=[["commune", "niveau"], ["departement", "niveau"]],
                   rules={"min_persons": 2})  # fmt: skip
    assert any(k.startswith("commune=") for k in linked["primary"]) and not linked["exposed"]
    assert set(linked["primary"]) <= set(linked["hidden"])


@pytest.mark.parametrize(("parameters", "code"), [
    ({"rules": {"seuil": 3}}, "rules"), ({"rules": {"p_percent": 10}}, "rules"), ({"sensitive": [{"commune": "a1"}]}, "protection"),
    ({"sensitive": [{"commune": "zz"}], "protection": 3}, "cell"), ({"tables": [["niveau"]]}, "tables"),
    ({"hierarchies": {"commune": ["niveau"]}}, "hierarchy"),
])  # fmt: skip
def test_secrecy_says_what_it_lacks(parameters, code) -> None:
    """Unknown rule, rule without contributors, protection or cell absent, dimension undeclared, commune in two groups."""
    with pytest.raises(Refusal) as refused:
        asked(schools(), "secrecy", **({"dimensions": ["commune"], "value": "montant"} | parameters))
    assert refused.value.code == code


def experiment(persons: pl.DataFrame, **changes: Any) -> Any:
    """The persons' experiment as a study."""
    data = {"outcome": "y", "exposure": "t", "cluster": "classe"} | changes.pop("data", {})
    design = {"kind": "experiment", "assignment": "randomised"} | changes.pop("design", {})
    return run(plan_of({"title": "Essai", "question": "Effet ?", "indicator": {"label": "score"}, "data": data, "design": design}), persons)


def test_an_experiment_adjusts_for_its_covariates(persons) -> None:
    """Covariates of the plan enter the permutation, the check and the power: a shorter interval and a smaller detectable effect."""
    plain, adjusted = experiment(persons).indicators[0], experiment(persons, data={"covariates": ["x"]}).indicators[0]
    for found in (plain, adjusted):
        assert found.inference.headline.low < 0.8 < found.inference.headline.high
    width = [f.inference.headline.high - f.inference.headline.low for f in (adjusted, plain)]
    assert width[0] < width[1] and adjusted.design.mde < plain.design.mde and "ajusté sur x" in adjusted.inference.headline.note


def test_a_rerandomised_experiment_permutes_in_its_own_set(persons) -> None:
    """Only assignments the balance rule would have kept are counted; a real one outside is refused."""
    design = {"assignment": "rerandomised", "balance_on": ["x"], "acceptance": 0.9}
    kept = experiment(persons, design=design).indicators[0].inference
    assert len(experiment(persons, design=design).indicators[0].placebo_draws) < 210 == kept.possible_assignments
    with pytest.raises(Refusal, match="re-tirage"):
        experiment(persons, design=design | {"acceptance": 0.0001})


def test_an_experiment_with_holes_in_covariates_asks_what_to_do(persons) -> None:
    """Refused, or dropped on demand and counted."""
    holed = persons.with_columns(x=pl.when(pl.int_range(pl.len()) == 4).then(None).otherwise(pl.col("x")))
    with pytest.raises(Refusal, match="covariables"):
        experiment(holed, data={"covariates": ["x"]})
    dropped = experiment(holed, data={"covariates": ["x"], "missing_covariates": "drop"}).indicators[0]
    assert "1 ligne(s)" in dropped.warnings[0]


def test_more_assignments_than_a_float_can_count(persons) -> None:
    """Two thousand persons assigned one by one: the number of assignments is written as unknown, nothing overflows."""
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"t": np.arange(2400) % 2, "y": rng.normal(size=2400)})
    plan = plan_of({"title": "Essai", "question": "Effet ?", "indicator": {"label": "score"}, "data": {"outcome": "y", "exposure": "t"},
                    "design": {"kind": "experiment", "assignment": "randomised"}, "inference": {"draws": 99}})  # fmt: skip
    found = run(plan, frame)
    assert '"possible_assignments":null' in found.to_json().replace(" ", "") and found.indicators[0].inference.treated_clusters == 1200


@pytest.mark.data
def test_the_job_training_experiment_as_a_study(reference_dir) -> None:
    """NSW with its eight covariates: the adjusted effect of Dehejia & Wahba's Table 5 (1 676), told about persons, not clusters."""
    from essaim.engines.impact.study.frames import read_table

    plan = plan_of({"title": "NSW", "question": "Effet ?", "indicator": {"label": "revenu", "unit": "$", "decimals": 0},
                    "data": {"outcome": "re78", "exposure": "treat", "covariates": ["age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75"]},
                    "design": {"kind": "experiment", "assignment": "randomised"}, "inference": {"draws": 999}})  # fmt: skip
    found = run(plan, read_table(reference_dir / "nsw_mixtape.dta")).indicators[0]
    assert round(found.inference.headline.effect) == 1676 and "185 unités traitées" in found.conclusion.text


def test_a_roll_out_with_covariates_is_judged_net_of_them() -> None:
    """The headline permutation is adjusted, says so, and stands beside the unadjusted one, which is only descriptive; without covariates,
    there is one permutation."""
    from essaim.engines.impact.study.simulation import simulated_rollout

    frame = simulated_rollout(clusters=24, schools=4, periods=6, waves={3: 6}, effect=1.0, seed=2)
    x = pl.col("uai").str.slice(0, 7).cast(pl.Int64) % 5
    frame = frame.with_columns(ips=x, score=pl.col("score") + 0.4 * x * (pl.col("annee") - 2015))
    data = {"unit": "uai", "cluster": "departement", "period": "annee", "outcome": "score", "cohort": "cohorte"}

    def tests(covariates: list[str]) -> dict[str, Any]:
        plan = plan_of({"title": "Essai", "question": "Effet ?", "indicator": {"label": "score"}, "data": data | {"covariates": covariates},
                        "design": {"kind": "rollout"}, "estimation": {"also": []}, "inference": {"draws": 499, "placebos": 20}})  # fmt: skip
        return {t.method: t for t in run(plan, frame).indicators[0].inference.tests}

    adjusted, plain = tests(["ips"]), tests([])
    head, beside = adjusted["permutation"], adjusted["permutation-plain"]
    assert "ajusté sur ips" in head.note and beside.role == "descriptive" and "permutation-plain" not in plain
    assert (beside.effect, beside.p_value) == (plain["permutation"].effect, plain["permutation"].p_value)
    assert head.high - head.low < beside.high - beside.low and head.effect == pytest.approx(1.0, abs=0.2)


@pytest.mark.data
def test_women_s_wages_clustered_by_industry_and_age(reference_dir) -> None:
    """The examples of boottest's help on nlsw88: the errors of pyfixest 0.40.1 (each part with its own G/(G − 1)), all 4 096 sign vectors of
    the twelve industries, and rows with a missing industry set aside."""
    from essaim.engines.impact.study.frames import read_table

    frame = read_table(reference_dir / "nlsw88.dta")
    names = {"columns": ["tenure", "ttl_exp", "collgrad"], "coefficient": "tenure", "outcome": "wage"}
    plan = plan_of({"title": "nlsw88", "question": "Combien ?", "indicator": {"label": "salaire"}, "design": {"kind": "analyses"}, "analyses": [
        {"kind": "wild_bootstrap", "cluster": "industry"} | names, {"kind": "wild_bootstrap", "cluster": ["industry", "age"], "name": "deux"} | names]})  # fmt: skip
    one, two = (a.values for a in run(plan, frame).analyses)
    assert one["enumerated"] and one["t"] == pytest.approx(1.0772470, abs=1e-6) and one["p_value"] == 0.291015625
    assert (one["observations"], one["set_aside"]) == (2217, 29)
    assert two["coefficient"] / two["t"] == pytest.approx(0.02780424851117183, rel=1e-7)
