"""The documented plans of every open case give the published numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from essaim.engines.impact.study.frames import read_table
from essaim.engines.impact.study.plan import read_plan
from essaim.engines.impact.study.results import Study
from essaim.engines.impact.study.run import run
from essaim.engines.impact.study.simulation import simulated_rollout as rollout

PLANS = Path(__file__).parents[2] / "docs/evaluation/plans"
pytestmark = pytest.mark.data


@pytest.fixture
def values(reference_dir):
    """Run a documented plan on one of the public files (or a frame) and give its analyses by name."""

    def made(name: str, source: str | pl.DataFrame | None) -> dict[str, Any]:
        data = read_table(reference_dir / source) if isinstance(source, str) else source if source is not None else pl.DataFrame()
        found: Study = run(read_plan((PLANS / f"{name}.yaml").read_text("utf-8")), data)
        return {a.name: a.values for a in found.analyses} | {"indicators": found.indicators}

    return made


def test_every_plan_is_covered_by_a_test():
    """No documented plan without a test, no test without its plan."""
    import re

    source = Path(__file__).read_text("utf-8")
    assert {p.stem for p in PLANS.glob("*.yaml")} == set(re.findall(r'values\(\s*"([\w-]+)"', source)) | {"deploiement-departements"}


def test_callaway_santanna(values, expected):
    """mpdta: four aggregates, pre-test, not-yet-treated, and regression with population."""
    want, got = expected["mpdta_cs"], values("mpdta-callaway-santanna", "mpdta.csv")
    for kind in ("simple", "group", "dynamic", "calendar"):
        assert got["callaway_santanna"][kind] == pytest.approx(want[kind], abs=1e-8)
    assert got["callaway_santanna"]["pretest"][::2] == pytest.approx(want["pretest_W_p"], abs=1e-5)
    assert got["pas_encore_traites"]["simple"] == pytest.approx([-0.0397636, 0.0120524], abs=1e-6)
    covariates = values("mpdta-covariables", "mpdta.csv")["callaway_santanna"]
    assert covariates["simple"] == pytest.approx([-0.0419686, 0.0114448], abs=1e-6)
    assert abs(got["goodman_bacon"]["two_way"] - sum(c[3] * c[4] for c in got["goodman_bacon"]["comparisons"])) < 1e-10


def test_castle_doctrine(values, expected):
    """The six published columns, weighted and not, errors of the first two; Goodman-Bacon's weights as printed in the Mixtape."""
    got, want = values("castle-effets-fixes", "castle.dta"), expected["castle_cdl_weighted"]
    for column, key in (("colonne_1", "c1"), ("colonne_2", "c2")):
        assert [got[column]["coefficient"], got[column]["std_error"]] == pytest.approx(want[key], abs=5e-5)
    for i in range(1, 7):
        weighted = want[f"c{i}"][0] if i < 3 else want[f"c{i}_coef"]
        assert got[f"colonne_{i}"]["coefficient"] == pytest.approx(weighted, abs=5e-5)
        assert got[f"colonne_{i}_sans_poids"]["coefficient"] == pytest.approx(want["unweighted_coef"][i - 1], abs=5e-5)
    table: dict[str, list[float]] = {}
    for kind, _, _, weight, value in values("castle-decomposition", "castle.dta")["goodman_bacon"]["comparisons"]:
        total = table.setdefault(kind, [0.0, 0.0])
        table[kind] = [total[0] + weight, total[1] + weight * value]
    shown = {k: [w, s / w] for k, (w, s) in table.items()}
    assert shown["early_late"] == pytest.approx([0.077, -0.029], abs=5e-4)
    assert shown["late_early"] == pytest.approx([0.024, 0.046], abs=5e-4)
    assert shown["treated_never"] == pytest.approx([0.899, 0.078], abs=5e-4)


def test_synthetic_estimators(values, expected):
    """Proposition 99 by three estimators with enumerated placebos, and the predictors of 2010."""
    got, want = values("prop99-synthetique", "california_prop99.csv"), expected["prop99"]
    assert got["sdid"]["estimate"] == pytest.approx(want["sdid"], abs=1e-3)
    assert got["sdid"]["std_error"] == pytest.approx(want["sdid_enumerated_placebo_sd_ddof0"], abs=1e-2)
    assert got["sdid"]["p_value"] == pytest.approx(want["p"], abs=1e-9)
    assert (got["sc"]["estimate"], got["did"]["estimate"]) == pytest.approx((want["sc"], want["did"]), abs=1e-2)
    adh, told = values("adh-controle-synthetique", "adh_smoking.dta")["synthetic_control"], expected["adh"]
    assert sorted(adh["weights"].values()) == pytest.approx(sorted(told["w"].values()), abs=told["tol_w"])
    assert adh["pre_mspe"] <= told["mspe_max"] and adh["effect"] == pytest.approx(told["mean_gap"], abs=told["tol_gap"])


def test_imputation(values, expected):
    """Borusyak, Jaravel & Spiess on the simulated panel."""
    got, want = values("bjs-imputation", "df_het_didimputation.csv.gz")["imputation"], expected["bjs"]
    events = {row[0]: row[1:] for row in got["event_study"]}
    assert got["overall"] == pytest.approx(want["static"], abs=want["tol"])
    assert events[0.0] == pytest.approx(want["es0"], abs=want["tol"])
    assert events[10.0] == pytest.approx(want["es10"], abs=want["tol"])


def test_experiments(values, expected):
    """NSW, STAR and Card & Krueger."""
    nsw, want = values("nsw-experience", "nsw_mixtape.dta"), expected["nsw"]
    assert nsw["moindres_carres"]["effects"]["treat"] == pytest.approx([want["diff"], want["se_ols"]], abs=want["tol"])
    assert nsw["hc1"]["effects"]["treat"][1] == pytest.approx(want["se_hc1"], abs=want["tol"])
    assert nsw["indicators"][0].evidence.level == "A" and nsw["indicators"][0].inference.headline.p_value < 0.02
    star, told = values("star-petites-classes", "star_aer.csv.gz"), expected["star"]
    assert star["maternelle"]["effects"]["petite"] == pytest.approx(told["k"], abs=told["tol"])
    for year, key in ((1, "g1"), (2, "g2"), (3, "g3")):
        assert star[f"annee_{year}"]["effects"][f"petite{year}"] == pytest.approx(told[key], abs=told["tol"])
    assert star["effets_d_ecole"]["effects"]["petite"] == pytest.approx(told["k_schoolFE_exper"], abs=told["tol"])
    assert star["par_ecole"]["effects"]["petite"][1] == pytest.approx(told["cr2_se_k_small"], abs=5e-3)
    assert star["icc"]["icc"] == pytest.approx(told["icc_school_k"], abs=1e-5)
    ck, table = values("card-krueger", "card-krueger.csv"), expected["card_krueger"]
    assert ck["two_group"]["estimate"] == pytest.approx(table["balanced_did"][0], abs=5e-4)
    assert ck["tableau_3"]["effects"]["nj"] == pytest.approx(table["balanced_did"], abs=table["tol"])
    assert ck["tableau_4_i"]["effects"]["nj"] == pytest.approx(table["t4_i"], abs=table["tol"])
    assert ck["tableau_4_ii"]["effects"]["nj"] == pytest.approx(table["t4_ii"], abs=table["tol"])
    assert ck["tableau_4_i"]["observations"] == table["n"]


def test_few_cluster_inference(values, expected):
    """Wild bootstrap over all 256 sign vectors; permutation of two villages among seven."""
    wild, want = values("bootstrap-sauvage", "collapsed.dta")["wild_bootstrap"], expected["wcb_collapsed"]
    assert wild["t"] == pytest.approx(want["t"], abs=1e-7) and wild["p_value"] == want["p_ge"] and wild["enumerated"]
    told = expected["ri_villages"]
    villages = pl.DataFrame({"y": told["y"], "traite": [int(i in told["treated"]) for i in range(7)]})
    got = values("permutation-villages", villages)
    found = got["randomisation"]
    assert (found["estimate"], found["p_greater_exact"], found["p_two_sided_exact"]) == (told["est"], told["one_sided"], told["two_sided"])
    assert got["indicators"][0].conclusion.verdict == "ne permet pas de conclure"


def test_power(values, expected):
    """Stepped wedge examples, pwr and PowerUp!, without any data."""
    sw, want = values("paliers-puissance", None), expected["sw"]
    assert {k: v["power"] for k, v in sw.items() if k.startswith("Ex")} == pytest.approx({k: v for k, v in want.items() if k != "tol"}, abs=1e-6)
    plain, told = values("puissance", None), expected["power"]
    assert plain["effectif"]["n_per_group"] == pytest.approx(told["pwr_n_d02_80"], abs=5e-5)
    assert plain["puissance"]["power"] == pytest.approx(told["pwr_power_n64_d05"], abs=1e-5)
    assert plain["grappes"]["mde"] == pytest.approx(told["mdes_cra2_rho17_n15_J20"], abs=1e-5)


def test_sensitivity(values, expected):
    """Fixed-length intervals under smoothness."""
    rows, want = values("ehec-robustesse", "ehec_data.csv")["smoothness"]["intervals"], expected["honest_sd"]
    assert [r[1] for r in rows] == pytest.approx(want["lb"], abs=want["tol"])
    assert [r[2] for r in rows] == pytest.approx(want["ub"], abs=want["tol"])


def test_scales(values, expected):
    """LSAT6 and the attitude survey."""
    lsat, want = values("lsat6-reponse-item", "LSAT6.csv"), expected["irt"]
    assert lsat["deux_parametres"]["log_likelihood"] == pytest.approx(want["LSAT6_2PL_ll"], abs=1e-3)
    assert lsat["rasch"]["log_likelihood"] == pytest.approx(want["rasch_ll"], abs=1e-3)
    scale = values("attitude-fidelite", "attitude.csv")["reliability"]
    assert (scale["alpha"], scale["omega"]) == pytest.approx((expected["scale"]["alpha_attitude"], expected["scale"]["omega_attitude"]), abs=1e-5)


def test_equity_secrecy_and_multiplicity(values, expected):
    """Concentration of child mortality, the 3 x 3 table, sharpened q-values."""
    c = expected["concentration"]
    quintiles = pl.DataFrame({"quintile": [1, 2, 3, 4, 5], "naissances": c["births"], "u5mr": c["u5mr"]})
    assert values("concentration", quintiles)["concentration"]["standard"] == pytest.approx(c["C"], abs=1e-6)
    table, rows, columns = expected["sdc"]["table"], ("I", "II", "III"), ("A", "B", "C")
    cells = pl.DataFrame([{"ligne": r, "colonne": k, "effectif": table[i][j]} for i, r in enumerate(rows) for j, k in enumerate(columns)])
    secret = values("secret-statistique", cells)["secrecy"]
    assert secret["cost"] == expected["sdc"]["cost"]
    assert set(secret["hidden"]) == {f"colonne={columns[j]} × ligne={rows[i]}" for i, j in expected["sdc"]["pattern"]}
    assert secret["attacker"]["colonne=C × ligne=II"] == pytest.approx(expected["sdc"]["interval"])
    q = values("comparaisons-multiples", pl.DataFrame({"p": expected["bky_sharpened_q"]["p"]}))["multiplicity"]["q"]
    assert q == pytest.approx(expected["bky_sharpened_q"]["q"], abs=1e-9)


def test_the_full_rollout_plan_runs_on_generated_data():
    """The documented plan of a roll-out by départements gives a whole study."""
    plan = read_plan((PLANS / "deploiement-departements.yaml").read_text("utf-8"))
    found = run(plan, rollout(clusters=30, waves={4: 4, 5: 4}, effect=1.0, seed=2)).indicators[0]
    assert found.conclusion.verdict == "favorable" and found.subgroups is not None
