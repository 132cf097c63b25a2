"""Other packages agree on random panels; every known divergence is explained by a test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from essaim.engines.impact.did import aggregate, group_time_effects
from essaim.engines.impact.did.logit import fit_logit
from essaim.engines.impact.experiments import experiment
from essaim.engines.impact.experiments_did import two_group_did
from essaim.engines.impact.experiments_iv import two_stage
from essaim.engines.impact.inference.multiplicity import sharpened_q
from essaim.engines.impact.panel import Panel
from essaim.engines.impact.sensitivity.magnitudes import magnitudes_interval
from essaim.engines.impact.sensitivity.smoothness import trends
from essaim.engines.impact.twfe import twfe, twfe_event_study

sys.path.insert(0, str(Path(__file__).parent))
from rollouts import rollout

ROLES = {"unit": "uai", "cluster": "dep", "time": "t", "outcome": "y", "cohort": "g"}
PEERS = Path(__file__).parents[2] / ".venv-peers" / "bin" / "python"

pytestmark = pytest.mark.filterwarnings("ignore")


def csdid_cells(frame: pd.DataFrame, method: str, control: str, base: str, **options) -> pd.DataFrame:
    """ATT(g,t) and unit-level analytic errors of csdid 0.4.3 (a port of R did 2.5)."""
    att_gt = pytest.importorskip("csdid.att_gt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = att_gt.ATTgt(
            yname="y",
            tname="t",
            idname="uai",
            gname="g",
            data=frame.copy(),
            control_group=[control],
            xformla="y~x",
            **options,
        ).fit(est_method=method, base_period=base, bstrap=False)
    return pd.DataFrame({name: fit.results[name] for name in ("group", "year", "att", "se")})


@pytest.mark.parametrize("method", ["dr", "reg", "ipw"])
@pytest.mark.parametrize(("control", "theirs"), [("never", "nevertreated"), ("not_yet", "notyettreated")])
@pytest.mark.parametrize(
    "options", [{}, {"weights": True}, {"anticipation": 1}, {"varying_x": True}, {"base": "universal"}]
)
def test_csdid_agrees(method, control, theirs, options) -> None:
    """csdid: covariates fixed or varying, weights, anticipation, both base periods, both comparison groups."""
    frame = rollout(7, varying_x=options.get("varying_x", False))
    weights = "w" if options.get("weights") else None
    base, anticipation = options.get("base", "varying"), options.get("anticipation", 0)
    panel = Panel.read(frame, **ROLES, covariates=["x"], weights=weights)
    ours = group_time_effects(panel, method=method, control=control, base=base, anticipation=anticipation)
    theirs_cells = csdid_cells(frame, method, theirs, base, weights_name=weights, anticipation=anticipation)
    np.testing.assert_allclose(ours.value, theirs_cells["att"].astype(float), atol=2e-7)
    errors = np.nan_to_num(theirs_cells["se"].astype(float).to_numpy())
    np.testing.assert_allclose(ours.std_error, errors, atol=2e-6)


@pytest.mark.parametrize("method", ["dr", "reg", "ipw"])
def test_moderndid_agrees(method) -> None:
    """moderndid: cells and the four aggregates."""
    moderndid = pytest.importorskip("moderndid")
    frame = rollout(11)
    theirs = moderndid.att_gt(frame, "y", "t", "uai", "g", "~x", est_method=method, cband=False)
    effects = group_time_effects(Panel.read(frame, **ROLES, covariates=["x"]), method=method)
    np.testing.assert_allclose(effects.value, theirs.att_gt, atol=2e-6)
    for kind in ("simple", "group", "dynamic", "calendar"):
        other = moderndid.aggte(theirs, type=kind, cband=False)
        ours = aggregate(effects, kind).overall
        assert ours.value == pytest.approx(other.overall_att, abs=2e-6)
        assert ours.std_error == pytest.approx(other.overall_se, abs=5e-6)


@pytest.mark.parametrize("method", ["dr", "reg", "ipw"])
def test_repeated_cross_sections_agree_with_drdid(method) -> None:
    """Two groups, two dates, rows of different persons: moderndid's port of DRDID, value and influence-function error.

    Divergence: moderndid 0.2.0 (as DRDID up to 1.3) adds the pre-treatment regression term of the doubly robust influence function where
    it must be subtracted, corrected in DRDID 1.4.0; our error is that of csdid 0.4.3, next test."""
    estimators = pytest.importorskip("moderndid.drdid.estimators")
    frame = rollout(3, periods=2, entries=(2,), varying_x=True)
    post, d = (frame.t == 2).to_numpy(float), (frame.g > 0).to_numpy(float)
    x, w = np.column_stack([np.ones(len(frame)), frame.x]), frame.w.to_numpy()
    name = {"dr": "drdid_rc", "reg": "reg_did_rc", "ipw": "std_ipw_did_rc"}[method]
    theirs = getattr(getattr(estimators, name), name)(frame.y.to_numpy(), post, d, x, w)
    panel = Panel.read(frame, **(ROLES | {"unit": None}), covariates=["x"], weights="w")
    ours = two_group_did(panel, before=1, after=2, method=method, cluster="unit")
    assert ours.value == pytest.approx(theirs.att, abs=1e-6)
    if method == "dr":
        assert ours.std_error != pytest.approx(theirs.se, rel=1e-4) and ours.std_error == pytest.approx(
            theirs.se, rel=0.05
        )
    else:
        assert ours.std_error == pytest.approx(theirs.se, rel=1e-5)


@pytest.mark.parametrize("method", ["dr", "reg", "ipw"])
@pytest.mark.parametrize("kind", ["unbalanced", "cross-sections"])
def test_csdid_agrees_on_rows(method, kind) -> None:
    """Staggered entry, unbalanced panel or rows of different persons, covariate varying: cells and errors."""
    frame = rollout(7, varying_x=True)
    if kind == "unbalanced":
        frame, unit, options = (
            frame.sample(frac=0.9, random_state=1).sort_index(),
            "uai",
            {"allow_unbalanced_panel": True},
        )
    else:
        frame, unit, options = frame.assign(uai=frame.row), None, {"panel": False}
    theirs = csdid_cells(frame, method, "nevertreated", "varying", **options)
    panel = Panel.read(frame, **(ROLES | {"unit": unit}), covariates=["x"], lost_clusters="keep")
    ours = group_time_effects(panel, method=method, unbalanced="repeated")
    np.testing.assert_allclose(ours.value, theirs["att"].astype(float), atol=1e-9)
    np.testing.assert_allclose(ours.std_error, theirs["se"].astype(float), atol=1e-9)


def test_two_group_panel_agrees_with_drdid() -> None:
    """The same schools twice."""
    estimators = pytest.importorskip("moderndid.drdid.estimators")
    frame = rollout(5, periods=2, entries=(2,))
    wide = frame.pivot(index="uai", columns="t")
    x = np.column_stack([np.ones(len(wide)), wide["x"][1]])
    theirs = estimators.drdid_panel.drdid_panel(
        wide["y"][2].to_numpy(),
        wide["y"][1].to_numpy(),
        (wide["g"][1] > 0).to_numpy(float),
        x,
        wide["w"][1].to_numpy(),
    )
    ours = two_group_did(
        Panel.read(frame, **ROLES, covariates=["x"], weights="w"), before=1, after=2, cluster="unit"
    )
    assert ours.value == pytest.approx(theirs.att, abs=1e-6)
    assert ours.std_error == pytest.approx(theirs.se, rel=1e-5)


def test_linearmodels_agrees_on_two_way_effects() -> None:
    """PanelOLS, weights and clusters; its factor counts G/(G−1)·(n−1)/(n−k) with all effects nested or not declared."""
    panel_ols = pytest.importorskip("linearmodels.panel").PanelOLS
    frame = rollout(2).assign(d=lambda f: ((f.g > 0) & (f.t >= f.g)) * 1.0)
    data = frame.set_index(["uai", "t"])
    fit = panel_ols(data.y, data[["d", "x"]].assign(x=data.x * data.index.get_level_values("t")), entity_effects=True, time_effects=True,
                    weights=data.w).fit(cov_type="clustered", clusters=data.dep, debiased=False, group_debias=False, auto_df=False, count_effects=False)  # fmt: skip
    panel = Panel.read(frame.assign(xt=frame.x * frame.t), **ROLES, covariates=["xt"], weights="w")
    ours = twfe(panel, kind="CR1")
    assert ours.of("traitement")[0] == pytest.approx(fit.params["d"], abs=1e-9)
    groups = frame.dep.nunique()
    assert ours.of("traitement")[1] * np.sqrt((groups - 1) / groups) == pytest.approx(
        fit.std_errors["d"], rel=1e-8
    )


def test_statsmodels_agrees_on_robust_errors() -> None:
    """OLS with classical, HC1, HC2 and clustered covariances."""
    api = pytest.importorskip("statsmodels.api")
    frame = rollout(4, periods=1, entries=(1,))
    d, x = (frame.g > 0).to_numpy(float), frame.x.to_numpy()
    model = api.OLS(frame.y.to_numpy(), np.column_stack([np.ones(d.size), d, x]))
    for kind, options in (
        ("classical", {}),
        ("HC1", {"cov_type": "HC1"}),
        ("HC2", {"cov_type": "HC2"}),
        ("CR1S", {"cov_type": "cluster", "cov_kwds": {"groups": frame.dep.to_numpy()}}),
    ):
        ours = experiment(frame.y.to_numpy(), d, covariates={"x": x}, kind=kind, cluster=frame.dep.to_numpy())
        theirs = model.fit(**options)
        np.testing.assert_allclose(ours.of("traitement"), (theirs.params[1], theirs.bse[1]), rtol=1e-9)


def test_linearmodels_agrees_on_instruments() -> None:
    """Two-stage least squares with two instruments: coefficients, robust errors, Sargan and Wu–Hausman."""
    iv = pytest.importorskip("linearmodels.iv").IV2SLS
    rng = np.random.default_rng(8)
    n = 400
    z1, z2, hidden, x = rng.normal(size=(4, n))
    dose = 0.6 * z1 + 0.3 * z2 + hidden + 0.2 * x
    y = 1.5 * dose + hidden + x + rng.normal(size=n)
    frame = pd.DataFrame({"y": y, "c": 1.0, "x": x, "d": dose, "z1": z1, "z2": z2})
    ours = two_stage(y, {"d": dose}, {"z1": z1, "z2": z2}, exogenous={"x": x})
    theirs = iv(frame.y, frame[["c", "x"]], frame[["d"]], frame[["z1", "z2"]]).fit(
        cov_type="unadjusted", debiased=True
    )
    np.testing.assert_allclose(ours.of("d"), (theirs.params["d"], theirs.std_errors["d"]), rtol=1e-9)
    assert ours.sargan is not None and ours.sargan[0] == pytest.approx(theirs.sargan.stat, rel=1e-8)
    assert ours.wu_hausman[0] == pytest.approx(theirs.wu_hausman().stat, rel=1e-6)
    robust = iv(frame.y, frame[["c", "x"]], frame[["d"]], frame[["z1", "z2"]]).fit(
        cov_type="robust", debiased=True
    )
    assert two_stage(y, {"d": dose}, {"z1": z1, "z2": z2}, exogenous={"x": x}, kind="HC1").of("d")[
        1
    ] == pytest.approx(robust.std_errors["d"], rel=1e-9)


def pyfixest(frame: pd.DataFrame, code: str, hash_seed: str, tmp_path: Path) -> list[float]:
    """Run ``code`` (which prints JSON) in the peers' environment, with a given hash seed."""
    if not PEERS.exists():
        pytest.skip("environnement des pairs absent (.venv-peers) : pyfixest n'est pas comparé")
    path = tmp_path / "frame.csv"
    frame.to_csv(path, index=False)
    script = f"import json, warnings; warnings.simplefilter('ignore'); import pandas as pd, pyfixest as pf; d = pd.read_csv({str(path)!r})\n{code}"
    env = os.environ | {"PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [str(PEERS), "-c", script], capture_output=True, text=True, env=env, timeout=300, check=True
    )
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize("hash_seed", ["0", "3"])
def test_pyfixest_agrees_whatever_the_hash_seed(tmp_path, hash_seed) -> None:
    """0.40.1 counts nested effects as fixest does; 0.50 to 0.60 changed the clustered error with PYTHONHASHSEED, which is why it is pinned."""
    frame = rollout(2).assign(d=lambda f: ((f.g > 0) & (f.t >= f.g)) * 1, xt=lambda f: f.x * f.t)
    code = "m = pf.feols('y ~ d + xt | uai + t', d, vcov={'CRV1': 'dep'}, weights='w'); print(json.dumps([float(m.coef()['d']), float(m.se()['d'])]))"
    theirs = pyfixest(frame, code, hash_seed, tmp_path)
    ours = twfe(Panel.read(frame, **ROLES, covariates=["xt"], weights="w")).of("traitement")
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_statsmodels_two_stage_is_not_andersons() -> None:
    """Divergence: statsmodels' ``fdr_tsbky`` estimates the number of true hypotheses once, at alpha; Anderson's q is the smallest level at
    which the two-stage procedure rejects. On the published p values they differ, and only the second gives the published q values."""
    multipletests = pytest.importorskip("statsmodels.stats.multitest").multipletests
    p = np.array([0.001, 0.008, 0.012, 0.02, 0.04, 0.2, 0.5, 0.9])
    assert np.abs(multipletests(p, method="fdr_tsbky")[1] - sharpened_q(p)).max() > 0.01


@pytest.mark.data
def test_diff_diff_relative_magnitudes_are_anticonservative(cases) -> None:
    """Divergence: on the Medicaid case at M̄ = 2, diff-diff 3.13.0 gives [.011, .082] because it takes the pre-treatment moves as known
    exactly; R HonestDiD gives [−.001, .088], which holds zero. Ours follows R."""
    diff_diff = pytest.importorskip("diff_diff")
    frame = pd.read_csv(cases / "ehec_data.csv")
    frame = frame[(frame.year < 2016) & (frame.yexp2.isna() | (frame.yexp2 != 2015))]
    frame = frame.assign(
        d=(frame.yexp2 == 2014) * 1,
        sid=pd.factorize(frame.stfips)[0],
        entry=np.where(frame.yexp2 == 2014, 2014, 0),
    )
    study = diff_diff.MultiPeriodDiD(cluster="sid").fit(
        frame,
        outcome="dins",
        treatment="d",
        time="year",
        unit="sid",
        post_periods=[2014, 2015],
        reference_period=2013,
        absorb=["sid"],
    )
    theirs = diff_diff.HonestDiD(method="relative_magnitude", M=2.0, l_vec=np.array([1.0, 0.0])).fit(study)
    ours_study = twfe_event_study(
        Panel.read(frame, unit="stfips", time="year", outcome="dins", cohort="entry")
    )
    ours = magnitudes_interval(trends(ours_study.event_time, ours_study.value, ours_study.covariance), 2.0)
    assert theirs.ci_lb > 0.01 and theirs.ci_ub < 0.083
    assert ours.low < 0 < ours.high


def test_diff_diff_doubly_robust_does_not_normalise_its_weights() -> None:
    """Divergence: diff-diff 3.13.0's doubly robust estimate divides the controls' weighted residuals by the treated mass, where DRDID (and
    we) divide them by the sum of their own weights. Its regression and weighting estimates equal ours."""
    diff_diff = pytest.importorskip("diff_diff")
    frame = rollout(13).astype({"g": int})
    panel = Panel.read(frame, **ROLES, covariates=["x"])
    gaps = {}
    for method in ("reg", "ipw", "dr"):
        fit = diff_diff.CallawaySantAnna(estimation_method=method).fit(
            frame, outcome="y", unit="uai", time="t", first_treat="g", covariates=["x"]
        )
        ours = group_time_effects(panel, method=method)
        theirs = [
            fit.group_time_effects[(int(g), int(t))]["effect"]
            for g, t in zip(ours.group, ours.time, strict=True)
        ]
        gaps[method] = np.array(theirs) - ours.value
    assert np.abs(gaps["reg"]).max() < 1e-10 and np.abs(gaps["ipw"]).max() < 1e-10
    assert 1e-8 < np.abs(gaps["dr"]).max() < 1e-2
    np.testing.assert_allclose(gaps["dr"], unnormalised(panel) - group_time_effects(panel).value, atol=1e-8)


def unnormalised(panel: Panel) -> np.ndarray:
    """Augmented weighting with the controls' residuals divided by the treated mass."""
    wide, x = panel.wide(), panel.covariates[panel.first_row(), 0]
    cohort = panel.unit_table()[1]
    out = []
    for g in panel.cohorts:
        used = (cohort == g) | np.isinf(cohort)
        d, z = (cohort[used] == g) * 1.0, np.vstack([np.ones(used.sum()), x[used]])
        p, _ = fit_logit(d, z, np.ones(d.size))
        for t in range(1, panel.periods.size):
            base = int(g) - 2 if panel.periods[t] >= g else t - 1
            change = wide[used, t] - wide[used, base]
            slope = np.linalg.lstsq(z[:, d == 0].T, change[d == 0], rcond=None)[0]
            residual = change - slope @ z
            out.append((d * residual - (1 - d) * p / (1 - p) * residual).sum() / d.sum())
    return np.array(out)
