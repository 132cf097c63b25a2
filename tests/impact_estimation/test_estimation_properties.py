"""What every estimator must satisfy, whatever the data: invariance to order, names and scale, and the identities it is built on."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from essaim.engines.impact.did import aggregate, group_time_effects, pretrend_test
from essaim.engines.impact.experiments import experiment, stratified_effect
from essaim.engines.impact.experiments_bounds import lee_bounds
from essaim.engines.impact.experiments_did import two_group_did
from essaim.engines.impact.experiments_iv import dose_response, two_stage
from essaim.engines.impact.imputation import imputation, pretrends
from essaim.engines.impact.inference.wild_bootstrap import wild_cluster_bootstrap
from essaim.engines.impact.panel import Panel, PanelRefused
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.regression import regress
from essaim.engines.impact.synthetic_augmented import augmented_control
from essaim.engines.impact.synthetic_control import control_data, placebo_in_space, synthetic_control
from essaim.engines.impact.synthetic_did import outcome_matrix, synthetic_did
from essaim.engines.impact.synthetic_weights import simplex_least_squares
from essaim.engines.impact.twfe import bacon, twfe

sys.path.insert(0, str(Path(__file__).parent))
from rollouts import rollout

ROLES = {"unit": "uai", "cluster": "dep", "time": "t", "outcome": "y", "cohort": "g"}
few = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def read(frame: pd.DataFrame, **options) -> Panel:
    return Panel.read(frame, **ROLES, **options)


ESTIMATORS = {
    "cs": lambda p: aggregate(group_time_effects(p, cluster="cluster"), "simple").overall,
    "cs-not-yet": lambda p: aggregate(group_time_effects(p, control="not_yet"), "dynamic").overall,
    "bjs": lambda p: imputation(p, cluster="cluster").overall,
    "sdid": lambda p: synthetic_did(p, placebos=0),
}


@pytest.mark.parametrize("name", ESTIMATORS)
@few
@given(seed=st.integers(0, 10_000), scale=st.sampled_from([0.01, 3.0, 1000.0]), shift=st.floats(-5, 5))
def test_order_names_and_scale_do_not_matter(name, seed, scale, shift) -> None:
    """Shuffled rows give the same bits; renamed schools the same number; a·y + b gives a times the effect."""
    frame, estimate = rollout(seed, units=72), ESTIMATORS[name]
    reference = estimate(read(frame, covariates=["x"]))
    shuffled = estimate(read(frame.sample(frac=1, random_state=seed), covariates=["x"]))
    assert shuffled.value == reference.value and shuffled.std_error == reference.std_error
    names = np.random.default_rng(seed).permutation(72)
    renamed = estimate(read(frame.assign(uai=[f"0{names[u]:06d}A" for u in frame.uai]), covariates=["x"]))
    assert renamed.value == pytest.approx(reference.value, abs=1e-9)
    scaled = estimate(read(frame.assign(y=scale * frame.y + shift), covariates=["x"]))
    assert scaled.value == pytest.approx(scale * reference.value, rel=1e-5, abs=1e-6 * scale)


def test_imputation_is_least_squares_on_untreated_rows() -> None:
    """The imputed effects are those of dummies fitted on untreated rows, unbalanced panel, weights and covariate included."""
    frame = rollout(4, units=60, varying_x=True).sample(frac=0.85, random_state=1)
    panel = read(frame, covariates=["x"], weights="w", lost_clusters="keep")
    ours = imputation(panel)
    untreated = frame[(frame.g == 0) | (frame.t < frame.g)]
    seen = set(untreated.uai)
    frame = frame[frame.uai.isin(seen)]
    levels_u, levels_t = sorted(seen), sorted(frame.t.unique())

    def design(rows: pd.DataFrame) -> np.ndarray:
        u = (rows.uai.to_numpy()[:, None] == np.array(levels_u)) * 1.0
        t = (rows.t.to_numpy()[:, None] == np.array(levels_t)[1:]) * 1.0
        return np.column_stack([u, t, rows.x])

    root = np.sqrt(untreated.w.to_numpy())
    beta = np.linalg.lstsq(design(untreated) * root[:, None], untreated.y.to_numpy() * root, rcond=None)[0]
    treated = frame[(frame.g > 0) & (frame.t >= frame.g)]
    gap = treated.y.to_numpy() - design(treated) @ beta
    assert ours.overall.value == pytest.approx(np.average(gap, weights=treated.w), abs=1e-9)


def test_imputation_variance_covers_at_unit_level() -> None:
    """Over 200 simulations of homogeneous effects, the standard error matches the spread of the estimates."""
    values, errors = [], []
    for seed in range(200):
        found = imputation(read(rollout(seed, units=96, clusters=96, shock=0.0))).overall
        values.append(found.value)
        errors.append(found.std_error)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.15)


def test_cluster_errors_sum_influence_functions() -> None:
    """Influence functions summed by département give the clustered error; the unit one is their sum of squares."""
    panel = read(rollout(2), covariates=["x"])
    effects = group_time_effects(panel, cluster="cluster")
    overall = aggregate(effects, "simple").overall
    sums = np.bincount(effects.units.cluster, overall.influence)
    assert overall.std_error == pytest.approx(np.sqrt((sums**2).sum()) / effects.units.size)
    unit = aggregate(group_time_effects(panel), "simple").overall
    assert unit.std_error == pytest.approx(np.sqrt((overall.influence**2).sum()) / effects.units.size)


def test_windows_of_the_aggregates() -> None:
    """min_e, max_e and balance_e keep what they say."""
    effects = group_time_effects(read(rollout(2, periods=7, entries=(3, 5))), base="universal")
    assert aggregate(effects, "dynamic", min_e=-1, max_e=1).at.tolist() == [-1, 0, 1]
    balanced = aggregate(effects, "dynamic", balance_e=2)
    assert balanced.at.max() == 2
    only_early = aggregate(effects, "dynamic", balance_e=4)
    assert set(only_early.at) <= set(effects.time[effects.group == 3] - 3)
    assert aggregate(effects, "simple", max_e=0).overall.value == pytest.approx(
        aggregate(effects, "dynamic", max_e=0).overall.value
    )
    with pytest.raises(PanelRefused, match="fenêtre"):
        aggregate(effects, "simple", min_e=50)


def test_simultaneous_band_is_wider_and_seeded() -> None:
    """A band over all event times uses a larger critical value, the same at each run."""
    dynamic = aggregate(group_time_effects(read(rollout(2)), cluster="cluster"), "dynamic")
    one, two = dynamic.event_study(draws=999), dynamic.event_study(draws=999)
    assert one.critical_value == two.critical_value > dynamic.event_study().critical_value


def test_unbalanced_panels_are_balanced_or_read_as_cross_sections() -> None:
    """Both routes are available, the first says what it drops."""
    frame = rollout(2)
    panel = read(frame.drop(index=frame.index[5]))
    dropped = group_time_effects(panel)
    assert dropped.units.size == 239 and any("incomplets" in w for w in dropped.warnings)
    rows = group_time_effects(panel, unbalanced="repeated")
    assert rows.units.size == 240
    np.testing.assert_allclose(rows.value, dropped.value, atol=0.2)


def test_without_never_treated() -> None:
    """Never-treated comparison is refused; not-yet-treated drops the last cohort's own periods."""
    frame = rollout(2)
    frame = frame[frame.g > 0]
    with pytest.raises(PanelRefused, match="jamais traitée"):
        read(frame)
    panel = read(frame, require_never_treated=False)
    with pytest.raises(PanelRefused, match="pas encore traitées"):
        group_time_effects(panel)
    effects = group_time_effects(panel, control="not_yet")
    assert effects.group.tolist() == [3.0] * effects.group.size and effects.time.max() == 4


def test_one_department_cohort_has_no_variance() -> None:
    """The influence of a lone treated cluster sums to zero: claiming that error would be a lie."""
    frame = rollout(2, clusters=12, share=1 / 12, entries=(3,))
    panel = read(frame)
    assert panel.report.single_cluster_cohorts == (3.0,)
    for found in (
        aggregate(group_time_effects(panel, cluster="cluster"), "simple").overall,
        imputation(panel, cluster="cluster").overall,
        two_group_did(panel, before=2, after=3),
    ):
        assert found.std_error is None and found.p_value is None
        assert any("variance" in w for w in found.warnings)


def test_collinear_and_separated_covariates_are_told() -> None:
    """A covariate that determines entry leaves no comparable school."""
    frame = rollout(2).assign(sure=lambda f: (f.g > 0) * 1.0)
    with pytest.raises(PanelRefused, match=r"score de propension|recouvrement|colinéaires"):
        group_time_effects(read(frame, covariates=["sure"]))


def test_pretests_do_not_reject_parallel_trends_too_often() -> None:
    """With independent schools, the Wald pre-test keeps its level."""
    p = [
        pretrend_test(
            group_time_effects(read(rollout(s, units=120, clusters=120, shock=0.0), covariates=["x"]))
        ).p_value
        for s in range(120)
    ]
    assert 0.0 < np.mean(np.array(p) < 0.1) < 0.25


def test_imputation_pretrends() -> None:
    """Leads among untreated rows, as many as identified."""
    fit, test = pretrends(read(rollout(2, periods=8, entries=(5, 7))), 2)
    assert fit.names[:2] == ("-1", "-2") and 0 < test.p_value < 1
    with pytest.raises(PanelRefused, match="identifiées"):
        pretrends(read(rollout(2, entries=(3,))), 4)


def test_departments_carry_all_the_information() -> None:
    """Collapsed to département × period, a balanced panel gives the same estimates and clustered errors."""
    panel = read(rollout(3, share=0.25), weights="w")
    short = panel.collapsed()
    assert short.rows == 24 * 6
    for whole, part in (
        (imputation(panel, cluster="cluster").overall, imputation(short, cluster="cluster").overall),
        (synthetic_did(panel, placebos=5), synthetic_did(short, placebos=5)),
    ):
        assert part.value == pytest.approx(whole.value, abs=1e-10)
        assert part.std_error == pytest.approx(whole.std_error, rel=1e-7)
    full, few_rows = twfe(panel, kind="CR1"), twfe(short, kind="CR1")
    np.testing.assert_allclose(few_rows.of("traitement"), full.of("traitement"), rtol=1e-9)
    boot = [wild_cluster_bootstrap(f, "traitement", p.cluster, draws=199) for f, p in ((full, panel), (few_rows, short))]
    np.testing.assert_allclose(boot[0].draws, boot[1].draws, atol=1e-8)


def test_bacon_with_always_treated() -> None:
    """Comparisons with units already treated at the start are named, and the identity still holds."""
    frame = rollout(2, entries=(1, 4))
    panel = read(frame)
    parts = bacon(panel)
    assert {"late_always", "treated_never"} <= {c.kind for c in parts.comparisons}
    assert parts.twfe == pytest.approx(twfe(panel).of("traitement")[0], abs=1e-10)
    assert parts.forbidden > 0 and "n'est pas retenu" in parts.warning


@few
@given(seed=st.integers(0, 1000))
def test_simplex_least_squares_is_optimal(seed) -> None:
    """No direction towards a donor lowers the criterion (first-order conditions)."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(6, 9)), rng.normal(size=6)
    w = simplex_least_squares(a, b)
    assert w.min() >= 0 and w.sum() == pytest.approx(1)
    gradient = a.T @ (a @ w - b)
    assert gradient.min() >= gradient @ w - 1e-8


def test_synthetic_did_recovers_the_effect_by_cohort() -> None:
    """Staggered: cohorts are weighted by treated département-periods; placebos are seeded."""
    panel = read(rollout(3, effect=2.0, shock=0.02, units=480, share=0.25))
    found = synthetic_did(panel, placebos=30)
    assert found.value == pytest.approx(2.0, abs=0.25)
    assert found.cohort_weights @ found.cohort_values == pytest.approx(found.value)
    again = synthetic_did(panel, placebos=30)
    assert np.array_equal(found.placebos, again.placebos) and found.p_value == pytest.approx(1 / 31)


def test_synthetic_control_of_a_mixture() -> None:
    """A treated unit made of two donors is rebuilt exactly; placebos rank it first; augmentation changes nothing."""
    rng = np.random.default_rng(4)
    y = rng.normal(size=(12, 14)).cumsum(axis=1)
    y[0] = 0.7 * y[3] + 0.3 * y[5]
    y[0, 10:] += 3
    rows = [(u, t, y[u, t], 10 if u == 0 else 99) for u in range(12) for t in range(14)]
    panel = Panel.read(
        pd.DataFrame(rows, columns=["u", "t", "y", "g"]), unit="u", time="t", outcome="y", cohort="g"
    )
    data = control_data(panel)
    found = synthetic_control(data, starts=0)
    assert found.weights[2] == pytest.approx(0.7, abs=1e-3) and found.effect == pytest.approx(3, abs=1e-2)
    assert placebo_in_space(data, starts=0).p_value == pytest.approx(1 / 12)
    augmented = augmented_control(data)
    assert augmented.effect == pytest.approx(3, abs=1e-2) and augmented.weights.sum() == pytest.approx(1)


def test_ridge_augmentation_improves_the_fit() -> None:
    """Outside the donors' hull, augmentation reduces the imbalance and tells how much it extrapolates."""
    rng = np.random.default_rng(9)
    y = rng.normal(size=(10, 12)).cumsum(axis=1)
    y[0] += 6
    rows = [(u, t, y[u, t], 8 if u == 0 else 0) for u in range(10) for t in range(1, 12)]
    panel = Panel.read(
        pd.DataFrame(rows, columns=["u", "t", "y", "g"]), unit="u", time="t", outcome="y", cohort="g"
    )
    found = augmented_control(control_data(panel), penalty=1.0)
    assert found.imbalance[1] < found.imbalance[0] and found.extrapolation > 0


def test_lee_bounds_hold_the_truth() -> None:
    """Selection raised by treatment: the naive difference is biased, the bounds hold the effect on those always observed."""
    rng = np.random.default_rng(1)
    n = 40_000
    ability, d = rng.normal(size=n), (rng.random(n) < 0.5) * 1.0
    seen = ability + 0.5 * d + rng.normal(size=n) * 0.5 > 0
    y = ability + 0.3 * d
    found = lee_bounds(y, d, seen)
    assert found.lower < 0.3 < found.upper and found.trimmed_group == "treated"
    assert found.low < found.lower and found.upper < found.high
    cells = lee_bounds(y, d, seen, cells=(ability > 0).astype(int))
    assert cells.upper - cells.lower < found.upper - found.lower
    with pytest.raises(PanelRefused, match="aucun résultat"):
        lee_bounds(y, d, seen & (d > 0))


def test_strata_and_interactions() -> None:
    """Stratum effects average to the interacted regression of a balanced design."""
    rng = np.random.default_rng(2)
    strata, d = np.repeat(np.arange(10), 8), np.tile([0.0, 1.0], 40)
    y = strata + d * (1 + 0.1 * strata) + rng.normal(size=80)
    found = stratified_effect(y, d, strata)
    assert found.value == pytest.approx(experiment(y, d, strata=strata).of("traitement")[0])
    assert len(found.strata) == 10 and not found.warnings
    lin = experiment(y, d, covariates={"s": strata * 1.0}, interacted=True)
    assert lin.of("traitement")[0] == pytest.approx(found.value, abs=0.2)
    with pytest.raises(PanelRefused, match="strate"):
        stratified_effect(y, np.where(strata > 4, 1.0, 0.0), strata)


def test_weak_instruments_are_told() -> None:
    """A useless instrument gives an unbounded Anderson–Rubin interval and a warning."""
    rng = np.random.default_rng(3)
    z, hidden = rng.normal(size=(2, 300))
    y = hidden + rng.normal(size=300)
    found = two_stage(y, {"dose": hidden}, {"tirage": z})
    assert found.warnings and found.anderson_rubin is not None and np.isinf(found.anderson_rubin).any()
    strong = two_stage(y + hidden + 2 * z, {"dose": hidden + z}, {"tirage": z})
    low, high = strong.anderson_rubin
    assert low < strong.of("dose")[0] < high and np.isfinite([low, high]).all()


def test_dose_bands_are_compared_with_the_untreated() -> None:
    """Bands need untreated units; empty bands are refused."""
    dose = np.repeat([0.0, 1.0, 3.0], 50)
    change = dose**2 + np.random.default_rng(1).normal(size=150) * 0.1
    found = dose_response(change, dose, cuts=(2.0,))
    np.testing.assert_allclose(found.value[1:], [1, 9], atol=0.2)
    with pytest.raises(PanelRefused, match="tranche"):
        dose_response(change, dose, cuts=(1.5, 2.0))


def test_cr2_is_unbiased_under_independence() -> None:
    """Bell–McCaffrey: the average CR2 variance equals the true one with few unequal clusters, where CR1 falls short."""
    rng = np.random.default_rng(1)
    cluster = np.repeat(np.arange(8), [4, 4, 6, 8, 10, 20, 30, 40])
    d = (cluster >= 6) * 1.0
    variance = {k: [] for k in ("CR1", "CR2")}
    values = []
    for _ in range(400):
        y = rng.normal(size=d.size)
        for kind, kept in variance.items():
            fit = regress(y, {"d": d}, kind=kind, cluster=cluster)
            kept.append(fit.of("d")[1] ** 2)
        values.append(fit.of("d")[0])
    truth = 1 / d.sum() + 1 / (1 - d).sum()
    assert np.mean(variance["CR2"]) == pytest.approx(truth, rel=0.08)
    assert fit.covariance.degrees_of_freedom[1] < 7


def test_regression_refuses_what_it_cannot_fit() -> None:
    """Missing values and unidentified columns are refused by name."""
    with pytest.raises(Refusal, match="manquent"):
        regress(np.array([1.0, np.nan, 2.0]), {"d": np.array([0.0, 1.0, 0.0])})
    fit = regress(np.arange(6.0), {"a": np.arange(6.0) % 2, "b": 2 * (np.arange(6.0) % 2)})
    assert fit.dropped == ("b",)
    with pytest.raises(Refusal, match="colinéaire"):
        fit.of("b")


def test_synthetic_did_jackknife_is_leaving_units_out() -> None:
    """For the plain difference-in-differences, the fixed-weights jackknife is the ordinary one: every unit left out in turn."""
    panel = read(rollout(8, units=48, clusters=12, entries=(4,), share=0.4))
    found = synthetic_did(panel, kind="did", errors="jackknife")
    y, cohort, *_ = outcome_matrix(panel)
    values = []
    for i in range(12):
        kept = np.arange(12) != i
        after, entered = panel.periods >= 4, np.isfinite(cohort[kept])
        gain = y[kept][:, after].mean(axis=1) - y[kept][:, ~after].mean(axis=1)
        values.append(gain[entered].mean() - gain[~entered].mean())
    expected = np.sqrt(11 / 12 * np.var(values) * 12)
    assert found.std_error == pytest.approx(expected, rel=1e-10) and found.errors == "jackknife"


def test_synthetic_did_errors_agree_with_many_treated_units() -> None:
    """With twelve treated clusters and two cohorts, placebo, jackknife and bootstrap errors are of one order; seeds decide."""
    panel = read(rollout(9, units=160, clusters=40, entries=(4, 5), share=0.3))
    errors = [synthetic_did(panel, errors=e, placebos=100).std_error for e in ("placebo", "jackknife", "bootstrap")]
    assert max(errors) < 2.5 * min(errors)
    again = [synthetic_did(panel, errors="bootstrap", placebos=50, seed=s).std_error for s in (1, 1, 2)]
    assert again[0] == again[1] != again[2]


@pytest.mark.parametrize("errors", ["jackknife", "bootstrap"])
def test_one_treated_unit_has_only_placebos(errors) -> None:
    """Neither jackknife nor bootstrap exists with one treated cluster: refused, placebos named."""
    with pytest.raises(Refusal, match="placebos"):
        synthetic_did(read(rollout(10, units=48, clusters=12, entries=(4,), share=0.1)), errors=errors)
