"""Analyses that doubt, asked from a plan: each gives what its function gives, and says what it cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from essaim.engines.impact.equity.concentration import concentration
from essaim.engines.impact.equity.concentration_change import concentration_change
from essaim.engines.impact.equity.subgroups import gap_change, gap_changes
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.study.analyses import KINDS, parameters_of
from essaim.engines.impact.study.plan import PlanInvalid, plan_of
from essaim.engines.impact.study.report import report_html
from essaim.engines.impact.study.run import run
from essaim.engines.impact.study.simulation import simulated_rollout

DATA = {"unit": "uai", "cluster": "departement", "period": "annee", "cohort": "cohorte", "outcome": "score"}
DOCUMENT = Path(__file__).parents[2] / "docs" / "evaluation.md"


@pytest.fixture(scope="module")
def panel() -> pl.DataFrame:
    """Twenty départements, eight treated in two waves, effect of one."""
    return simulated_rollout(clusters=20, schools=6, waves={4: 4, 5: 4}, seed=5)


def asked(frame: pl.DataFrame, kind: str, data: dict | None = None, **parameters) -> dict:
    """The values of one analysis."""
    plan = plan_of({"essaim_plan": 1, "title": "Essai", "question": "Effet ?", "indicator": {"label": "score"}, "data": data or DATA,
                    "design": {"kind": "analyses"}, "inference": {"draws": 499}, "analyses": [{"kind": kind, **parameters}]})
    found = run(plan, frame)
    assert "<table>" in report_html(found.to_json())
    return found.analyses[0].values


def test_relative_magnitudes_and_pretrends(panel) -> None:
    """Intervals widen with M̄, the breakdown lies where zero enters; a steeper drift is seen more often."""
    found = asked(panel, "relative_magnitudes", bounds=[0, 0.5, 1])
    lengths = [high - low for _, low, high in found["intervals"]]
    assert lengths == sorted(lengths) and found["breakdown"] > 0
    weak, strong = (asked(panel, "pretrends", slope=s) for s in (0.001, 0.5))
    assert weak["power"] < 0.2 < 0.9 < strong["power"] and weak["detectable_slope_50"] < weak["detectable_slope_80"]


def test_conley_taber_and_comparisons(panel) -> None:
    """The effect is found; every treated département gets a comparison of its own, none twice."""
    found = asked(panel, "conley_taber")
    assert found["p_value"] < 0.05 and found["low"] < 1 < found["high"] and found["treated"] == 8
    matches = asked(panel, "comparisons")
    kept = [m[1] for m in matches["matches"]]
    assert len(kept) == len(set(kept)) == 8 and not matches["unmatched"]
    assert asked(panel, "comparisons", caliper=1e-9)["unmatched"]


def test_one_treated_unit() -> None:
    """Augmented control and placebo ranks for a single treated département; the effect is recovered and ranks first."""
    frame = simulated_rollout(clusters=14, schools=1, periods=14, waves={10: 1}, effect=5.0, noise=0.05, seed=3)
    data = DATA | {"unit": "departement", "cluster": "departement"}
    found = asked(frame, "augmented_control", data)
    assert found["effect"] == pytest.approx(5, abs=1) and sum(found["weights"].values()) == pytest.approx(1)
    ranks = asked(frame, "placebo_rank", data)
    assert ranks["units"] == 14 and ranks["p_value"] == pytest.approx(1 / 14) and ranks["without_donor"]


def test_instrument_and_dose() -> None:
    """Partial compliance: the instrumented effect is the true one; a useless instrument is told with an unbounded interval."""
    rng = np.random.default_rng(0)
    z, taste = rng.integers(0, 2, 2000), rng.normal(size=2000)
    took = ((z > 0) & (taste > -1)) * 1.0
    frame = pl.DataFrame({"z": z, "pris": took, "y": 2 * took + taste + rng.normal(size=2000), "vide": rng.normal(size=2000),
                          "classe": np.arange(2000) % 40, "dose": took * (1 + np.arange(2000) % 3)})  # fmt: skip
    found = asked(frame, "instrument", {"outcome": "y"}, treatment="pris", instruments=["z"], se="CR1S", cluster="classe")
    assert abs(found["effects"]["pris"][0] - 2) < 3 * found["effects"]["pris"][1] and found["first_stage_f"][0] > 100
    useless = asked(frame, "instrument", {"outcome": "y"}, treatment="pris", instruments=["vide"])
    assert useless["warnings"] and {"−∞", "+∞"} & set(map(str, useless["anderson_rubin"]))
    bands = asked(frame, "dose", {"outcome": "y"}, dose="dose", cuts=[1.5])
    assert set(bands["effects"]) == {"dose ]0 ; 1,5]", "dose ]1,5 ; ∞]"}


def test_gap_changes_are_those_of_each_pair(panel) -> None:
    """From one set of permutations, every pair's change equals that of the pair alone; the plan's analysis and the report show it."""
    rng = np.random.default_rng(1)
    means = {k: rng.normal(size=(12, 6)) for k in "abc"}
    start = [2, 2, 4, 4] + [-1] * 8
    together = gap_changes(means, start, draws=199, seed=4)
    assert [(g.high, g.low) for g in together] == [("a", "b"), ("a", "c"), ("b", "c")]
    for g in together:
        alone = gap_change(means[g.high], means[g.low], start, names=(g.high, g.low), draws=199, seed=4)
        assert g == alone
    wider = panel.with_columns(score=pl.col("score") + pl.when((pl.col("rep") == "REP") & (pl.col("cohorte") > 0)
                                                               & (pl.col("annee") >= pl.col("cohorte"))).then(1.0).otherwise(0.0))
    found = asked(wider, "gap_change", group="rep", high="hors REP", low="REP")
    assert found["change"] == pytest.approx(-1, abs=0.4) and found["p_value"] < 0.05


def test_concentration_change() -> None:
    """An effect that grows with advantage concentrates the outcome among the advantaged; indices are those of the weighted formula on
    the population's ranks; rows without outcome are dropped; a département half treated is refused."""
    rng = np.random.default_rng(0)
    n, clusters = 4000, 16
    cluster, rank, after = np.arange(n) % clusters, rng.normal(size=n), np.arange(n) // 2000 > 0
    treated = cluster < 6
    y = 10 + rng.normal(size=n) + 2.0 * (after & treated) * (rank > 0)
    found = concentration_change(y, rank, cluster.tolist(), after, treated)
    assert found.change > 0.02 and found.p_value < 0.01 and found.treated_clusters == 6 and found.enumerated
    everyone = concentration_change(y, rank, cluster.tolist(), after, cluster == 0)
    alone = (cluster == 0) & after
    position = (np.argsort(np.argsort(rank)) + 0.5) / n
    assert everyone.treated_after == pytest.approx(2 * np.cov(y[alone], position[alone], ddof=0)[0, 1] / y[alone].mean(), abs=1e-12)
    assert concentration(y[alone], rank[alone]).standard == pytest.approx(everyone.treated_after, abs=0.02)
    holed = np.where(np.arange(n) % 5 == 0, np.nan, y)
    assert np.isfinite(concentration_change(holed, rank, cluster.tolist(), after, treated).change)
    with pytest.raises(Refusal, match="partie"):
        concentration_change(y, rank, cluster.tolist(), after, rank > 0)
    frame = pl.DataFrame({"d": cluster, "annee": after + 2020, "t": treated * 1, "y": y, "rang": rank})
    told = asked(frame, "concentration_change", {"cluster": "d", "period": "annee", "outcome": "y"}, rank="rang", after=2021, treatment="t")
    assert told["change"] == pytest.approx(found.change, abs=1e-12)


@pytest.mark.parametrize(("kind", "parameters"), [("experiment", {"treatment": "cohorte", "se": "HC9"}),
                                                  ("callaway_santanna", {"method": "magic"}),
                                                  ("smoothness", {"bounds": ["beaucoup"]}), ("synthetic_did", {"estimator": "autre"})])
def test_parameters_that_make_no_sense_are_refused_by_name(panel, kind, parameters) -> None:
    """A wrong value in a plan is a refusal naming the analysis, not a crash."""
    with pytest.raises(Refusal, match=kind):
        asked(panel, kind, **parameters)
    with pytest.raises(PlanInvalid):
        asked(panel, kind, inconnu=1, **parameters)


def test_the_document_names_every_analysis() -> None:
    """docs/evaluation.md lists the kinds a plan may ask for, with each of their parameters."""
    text = DOCUMENT.read_text("utf-8")
    for kind in KINDS:
        assert f"`{kind}`" in text, kind
        for name in parameters_of(kind):
            assert name in text, f"{kind}.{name}"


def test_the_report_shows_gaps_and_comparisons(panel) -> None:
    """The standard report of a roll-out: net changes of the gaps, nearest comparison of each treated département, effects by wave."""
    plan = plan_of({"essaim_plan": 1, "title": "Essai", "question": "Effet ?", "indicator": {"label": "score moyen"},
                    "data": DATA | {"subgroup": "rep", "persons": "eleves"}, "design": {"kind": "rollout"},
                    "inference": {"draws": 299, "placebos": 20}})  # fmt: skip
    found = run(plan, panel)
    indicator = found.indicators[0]
    assert len(indicator.gaps) == 1 and indicator.comparisons is not None and len(indicator.comparisons.matches) == 8
    page = report_html(found.to_json())
    for expected in ("Les écarts se sont-ils réduits", "Grappe de comparaison la plus proche", "Effet par vague", "<h2>score moyen</h2>"):
        assert expected in page
    assert ">0<" not in page.split("Inférence")[1].split("</table>")[0]


@pytest.mark.parametrize("weights", [None, "eleves"])
def test_subgroup_effects_are_means_not_sums(panel, weights) -> None:
    """Two sub-groups of three schools a département, without noise: each effect is its own, in the outcome's unit, weighted or not; and
    the gap shown is that of the means."""
    gain = pl.when(pl.col("rep") == "REP").then(2.0).otherwise(0.5)
    level = pl.when(pl.col("rep") == "REP").then(10.0).otherwise(14.0)
    wave = pl.when((pl.col("cohorte") > 0) & (pl.col("annee") >= pl.col("cohorte"))).then(gain).otherwise(0.0)
    frame = panel.with_columns(score=level + wave + 1e-3 * pl.col("score"))
    plan = plan_of({"essaim_plan": 1, "title": "Essai", "question": "Effet ?", "indicator": {"label": "score moyen"},
                    "data": DATA | {"subgroup": "rep", "persons": "eleves", "weights": weights}, "design": {"kind": "rollout"},
                    "estimation": {"also": []}, "inference": {"draws": 99, "placebos": 20}})  # fmt: skip
    indicator = run(plan, frame).indicators[0]
    assert indicator.subgroups is not None
    effects = {e.name: e.effect for e in indicator.subgroups.effects}
    assert effects == pytest.approx({"REP": 2.0, "hors REP": 0.5}, abs=0.01)
    gap = indicator.gaps[0]
    assert (gap.high, gap.low) == ("REP", "hors REP") and gap.treated_before == pytest.approx(-4, abs=0.01)
    assert (gap.treated_after, gap.comparison_after, gap.change) == pytest.approx((-2.5, -4.0, 1.5), abs=0.01)
