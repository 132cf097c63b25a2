"""Published estimates are reproduced at the tolerance stated with them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from essaim.engines.impact.did import aggregate, group_time_effects, pretrend_test
from essaim.engines.impact.experiments import complete_rows, experiment, intraclass_correlation
from essaim.engines.impact.imputation import imputation
from essaim.engines.impact.panel import Panel
from essaim.engines.impact.synthetic_control import Predictor, control_data, synthetic_control
from essaim.engines.impact.synthetic_did import synthetic_did
from essaim.engines.impact.twfe import bacon, twfe

pytestmark = pytest.mark.data

SCENARIOS = {
    "mpdta_nev_dr": ("dr", "never", []),
    "mpdta_nyt_dr": ("dr", "not_yet", []),
    "mpdta_nev_reg_cov": ("reg", "never", ["lpop"]),
    "mpdta_nev_ipw": ("ipw", "never", []),
}


def mpdta(cases, covariates=()) -> Panel:
    frame = pd.read_csv(cases / "mpdta.csv")
    return Panel.read(
        frame, unit="countyreal", time="year", outcome="lemp", cohort="first.treat", covariates=covariates
    )


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_callaway_santanna_equals_r(cases, scenario) -> None:
    """Every ATT(g,t), aggregate, standard error and pre-test equals R did to 1e-8."""
    method, control, covariates = SCENARIOS[scenario]
    effects = group_time_effects(mpdta(cases, covariates), method=method, control=control)
    cells = pd.read_csv(cases / "cs_r_ref_attgt.csv").query("scenario == @scenario")
    assert np.array_equal(effects.group, cells.group) and np.array_equal(effects.time, cells.t)
    np.testing.assert_allclose(effects.value, cells.att, atol=1e-8)
    np.testing.assert_allclose(effects.std_error, cells.se, atol=1e-8)
    reference = pd.read_csv(cases / "cs_r_ref_aggte.csv").query("scenario == @scenario")
    for kind, rows in reference.groupby("type"):
        found = aggregate(effects, str(kind))
        assert found.overall.value == pytest.approx(rows.overall_att.iloc[0], abs=1e-8)
        assert found.overall.std_error == pytest.approx(rows.overall_se.iloc[0], abs=1e-8)
        if kind != "simple":
            np.testing.assert_allclose(found.value, rows.att_egt, atol=1e-8)
            np.testing.assert_allclose(found.std_error, rows.se_egt, atol=1e-8)
    wald = pd.read_csv(cases / "cs_r_ref_pretest.csv").query("scenario == @scenario").iloc[0]
    found_test = pretrend_test(effects)
    assert found_test.statistic == pytest.approx(wald.W, abs=1e-8)
    assert found_test.p_value == pytest.approx(wald.Wpval, abs=1e-5)


def test_callaway_santanna_headline(cases, expected) -> None:
    """The four aggregates printed in the reference file."""
    case = expected["mpdta_cs"]
    effects = group_time_effects(mpdta(cases))
    for kind in ("simple", "group", "dynamic", "calendar"):
        overall = aggregate(effects, kind).overall
        np.testing.assert_allclose((overall.value, overall.std_error), case[kind], atol=case["tol"])


def castle_columns(frame: pd.DataFrame) -> list[list[str]]:
    region = [c for c in frame.columns if c.startswith("r20")]
    trend = [c for c in frame.columns if c.startswith("trend_")]
    controls = [
        "l_police",
        "unemployrt",
        "poverty",
        "l_income",
        "l_prisoner",
        "l_lagprisoner",
        "blackm_15_24",
        "whitem_15_24",
        "blackm_25_44",
        "whitem_25_44",
        "l_exp_subsidy",
        "l_exp_pubwelfare",
    ]
    base = region + controls
    return [[], region, base, [*base, "pre2_cdl"], [*base, "l_larceny", "l_motor"], base + trend]


def test_castle_doctrine(cases, expected) -> None:
    """Cheng & Hoekstra's six columns, weighted and not, with the published clustered errors of the first two."""
    case = expected["castle_cdl_weighted"]
    frame = pd.read_stata(cases / "castle.dta")
    roles = {"unit": "sid", "time": "year", "outcome": "l_homicide", "exposure": "cdl"}
    for i, covariates in enumerate(castle_columns(frame)):
        weighted = twfe(Panel.read(frame, **roles, covariates=covariates, weights="popwt")).of("traitement")
        plain = twfe(Panel.read(frame, **roles, covariates=covariates)).of("traitement")
        assert plain[0] == pytest.approx(case["unweighted_coef"][i], abs=5e-5)
        if i < 2:
            np.testing.assert_allclose(weighted, case[f"c{i + 1}"], atol=5e-5)
        else:
            assert weighted[0] == pytest.approx(case[f"c{i + 1}_coef"], abs=5e-5)


def test_castle_unit_trends_are_the_published_last_column(cases, expected) -> None:
    """Unit trends built by the engine equal those shipped with the data."""
    frame = pd.read_stata(cases / "castle.dta")
    panel = Panel.read(
        frame,
        unit="sid",
        time="year",
        outcome="l_homicide",
        exposure="cdl",
        covariates=castle_columns(frame)[2],
        weights="popwt",
    )
    assert twfe(panel, unit_trends=True).of("traitement")[0] == pytest.approx(
        expected["castle_cdl_weighted"]["c6_coef"], abs=5e-5
    )


def test_bacon_weights_rebuild_the_estimate(cases) -> None:
    """Goodman-Bacon's comparisons sum to one and average to the two-way estimate."""
    panel = mpdta(cases)
    parts = bacon(panel)
    assert sum(c.weight for c in parts.comparisons) == pytest.approx(1, abs=1e-12)
    assert parts.twfe == pytest.approx(twfe(panel).of("traitement")[0], abs=1e-12)


def prop99(cases) -> Panel:
    frame = pd.read_csv(cases / "california_prop99.csv", sep=";")
    frame["entry"] = np.where(frame.State == "California", 1989, 0)
    return Panel.read(frame, unit="State", time="Year", outcome="PacksPerCapita", cohort="entry")


def test_synthetic_did_prop99(cases, expected) -> None:
    """The three estimators of R synthdid, and all 38 placebos."""
    case = expected["prop99"]
    for kind, tolerance in (("sdid", 1e-3), ("sc", 1e-2), ("did", 1e-6)):
        found = synthetic_did(prop99(cases), kind=kind, placebos=0)
        assert found.value == pytest.approx(case[kind], abs=tolerance)
    full = synthetic_did(prop99(cases))
    assert full.enumerated and full.placebos.size == 38
    assert full.std_error == pytest.approx(case["sdid_enumerated_placebo_sd_ddof0"], abs=1e-2)
    assert full.p_value == pytest.approx(case["p"], abs=1e-9)


def test_synthetic_control_with_predictors(cases, expected) -> None:
    """Abadie, Diamond & Hainmueller's weights, at the true optimum of the pre-treatment fit."""
    case = expected["adh"]
    frame = pd.read_stata(cases / "adh_smoking.dta")
    frame["state"] = frame.state.astype(str)
    frame["entry"] = np.where(frame.state == "California", 1989, 0)
    panel = Panel.read(
        frame, unit="state", time="year", outcome="cigsale", cohort="entry",
        covariates=["lnincome", "age15to24", "retprice", "beer"], missing_covariates="keep",
    )  # fmt: skip
    eighties = tuple(range(1980, 1989))
    predictors = [Predictor(n, eighties) for n in ("lnincome", "age15to24", "retprice")]
    predictors += [Predictor("beer", eighties[4:]), *[Predictor("cigsale", (y,)) for y in (1975, 1980, 1988)]]
    found = synthetic_control(control_data(panel, treated="California", predictors=predictors))
    weights = dict(zip(found.donors, found.weights, strict=True))
    for state, weight in case["w"].items():
        assert weights[state] == pytest.approx(weight, abs=case["tol_w"])
    assert found.pre_mspe <= case["mspe_max"]
    assert found.effect == pytest.approx(case["mean_gap"], abs=case["tol_gap"])
    assert found.gap[-1] == pytest.approx(case["gap2000"], abs=case["tol_gap"])


def test_imputation(cases, expected) -> None:
    """Borusyak–Jaravel–Spiess as didimputation: overall and two horizons."""
    case = expected["bjs"]
    frame = pd.read_csv(cases / "df_het_didimputation.csv.gz")
    found = imputation(
        Panel.read(frame, unit="unit", cluster="state", time="year", outcome="dep_var", cohort="g")
    )
    np.testing.assert_allclose(
        (found.overall.value, found.overall.std_error), case["static"], atol=case["tol"]
    )
    for event, key in ((0, "es0"), (10, "es10")):
        i = int(np.flatnonzero(found.event_study.event_time == event)[0])
        np.testing.assert_allclose(
            (found.event_study.value[i], found.event_study.std_error[i]), case[key], atol=case["tol"]
        )


def test_nsw(cases, expected) -> None:
    """The experimental estimate of the training programme."""
    frame = pd.read_stata(cases / "nsw_mixtape.dta")
    y, treated = frame.re78.to_numpy(float), frame.treat.to_numpy(float)
    case = expected["nsw"]
    classical = experiment(y, treated, kind="classical").of("traitement")
    np.testing.assert_allclose(classical, (case["diff"], case["se_ols"]), atol=case["tol"])
    assert experiment(y, treated, kind="HC1").of("traitement")[1] == pytest.approx(
        case["se_hc1"], abs=case["tol"]
    )


def star(cases, grade: str) -> tuple[pd.DataFrame, np.ndarray, dict[str, np.ndarray]]:
    frame = pd.read_csv(cases / "star_aer.csv.gz", low_memory=False)
    score = (frame[f"read{grade}"] + frame[f"math{grade}"]).to_numpy(float)
    kept = complete_rows(score) & frame[f"star{grade}"].notna().to_numpy()
    arm = frame[f"star{grade}"].to_numpy()[kept]
    return frame[kept], score[kept], {"petite": (arm == "small") * 1.0, "aide": (arm == "regular+aide") * 1.0}


@pytest.mark.parametrize(("grade", "key"), [("k", "k"), ("1", "g1"), ("2", "g2"), ("3", "g3")])
def test_star(cases, expected, grade, key) -> None:
    """Small classes, kindergarten to grade 3 (Stock & Watson)."""
    _, score, arms = star(cases, grade)
    np.testing.assert_allclose(experiment(score, arms).of("petite"), expected["star"][key], atol=5e-4)


def test_star_schools(cases, expected) -> None:
    """School effects and experience, CR2 errors by school and the intraclass correlation."""
    case = expected["star"]
    frame, score, arms = star(cases, "k")
    school = np.unique(frame.schoolidk.astype(str).to_numpy(), return_inverse=True)[1]
    assert experiment(score, arms, kind="CR2", cluster=school).of("petite")[1] == pytest.approx(
        case["cr2_se_k_small"], abs=5e-3
    )
    assert intraclass_correlation(score, school).value == pytest.approx(case["icc_school_k"], abs=5e-5)
    known = frame.experiencek.notna().to_numpy()
    found = experiment(
        score[known], {n: a[known] for n, a in arms.items()}, strata=school[known],
        covariates={"experience": frame.experiencek.to_numpy(float)[known]},
    )  # fmt: skip
    np.testing.assert_allclose(found.of("petite"), case["k_schoolFE_exper"], atol=5e-4)


def test_card_krueger(cases, expected) -> None:
    """Minimum wage: balanced difference-in-differences and the two regressions of table 4."""
    case = expected["card_krueger"]
    frame = (
        pd.read_csv(cases / "card-krueger.csv").drop_duplicates(["id", "d"]).pivot(index="id", columns="d")
    )
    change, nj = (frame["fte"][1] - frame["fte"][0]).to_numpy(), frame["nj"][0].to_numpy(float)
    both = np.isfinite(change)
    np.testing.assert_allclose(
        experiment(change[both], nj[both], kind="HC2").of("traitement"), case["balanced_did"], atol=5e-4
    )
    wage = frame["wage"]
    used = both & wage[0].notna().to_numpy() & (wage[1].notna() | frame["status"][1].eq(3)).to_numpy()
    assert used.sum() == case["n"]
    chains = {k: frame[k][0].to_numpy(float)[used] for k in ("kfc", "roys", "wendys", "co_owned")}
    alone = experiment(change[used], nj[used], kind="classical").of("traitement")
    controlled = experiment(change[used], nj[used], kind="classical", covariates=chains).of("traitement")
    np.testing.assert_allclose(alone, case["t4_i"], atol=case["tol"])
    np.testing.assert_allclose(controlled, case["t4_ii"], atol=case["tol"])
