"""Reliability, one-factor fit, item response models and differential functioning."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad

from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.scales import dif, irt, one_factor, reliability


def answers(persons: int = 600, items: int = 5, steps: int = 3, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=persons)
    slope = np.linspace(0.8, 2.0, items)
    cut = np.linspace(-1, 1, steps) if steps > 1 else np.array([0.2])
    chance = 1 / (1 + np.exp(-slope[None, :, None] * (theta[:, None, None] - cut)))
    return (rng.uniform(size=(persons, items))[:, :, None] < chance).sum(axis=2).astype(float), theta


@pytest.mark.data
def test_lsat6_equals_the_published_fits(reference_dir, expected):
    """2PL and Rasch marginal likelihoods, difficulties and the common slope of LSAT section 6."""
    table = np.genfromtxt(reference_dir / "LSAT6.csv", delimiter=",", skip_header=1)
    want = expected["irt"]
    two = irt.item_response(table[:, :5], model="2pl", frequency=table[:, 5])
    rasch = irt.item_response(table[:, :5], model="rasch", frequency=table[:, 5])
    assert two.log_likelihood == pytest.approx(want["LSAT6_2PL_ll"], abs=want["tol"])
    assert rasch.log_likelihood == pytest.approx(want["rasch_ll"], abs=want["tol"])
    assert [i.thresholds[0] for i in two.items] == pytest.approx(want["b"], abs=2e-3)
    assert rasch.items[0].slope == pytest.approx(want["a"], abs=2e-3)
    assert (two.parameters, rasch.parameters, two.persons) == (10, 6, 1000)


@pytest.mark.data
def test_alpha_and_omega_of_the_attitude_survey(reference_dir, expected):
    """Cronbach's alpha and McDonald's omega at 1e-5, fit statistics finite and consistent."""
    table = np.genfromtxt(reference_dir / "attitude.csv", delimiter=",", skip_header=1)
    found = reliability.reliability(table)
    assert found.alpha == pytest.approx(expected["scale"]["alpha_attitude"], abs=expected["scale"]["tol"])
    assert found.omega == pytest.approx(expected["scale"]["omega_attitude"], abs=expected["scale"]["tol"])
    assert found.alpha_low < found.alpha < found.alpha_high
    assert found.fit.df == 14 and found.fit.rmsea_low < found.fit.rmsea < found.fit.rmsea_high


def test_the_marginal_gradient_is_the_derivative_of_the_likelihood():
    """Fisher's identity checked against finite differences, free and common slopes, graded items and missing answers."""
    x, _ = answers(80, 3, 3)
    x[0, 1] = np.nan
    data = irt._data(x, None)
    for common in (False, True):
        start = irt._start(data, common) + 0.1
        error = check_grad(lambda v, c=common: irt._objective(v, data, c)[0], lambda v, c=common: irt._objective(v, data, c)[1], start)
        assert error < 1e-3


def test_graded_model_recovers_its_parameters_and_persons():
    """Slopes and thresholds within three standard errors, scores correlated with the truth."""
    x, theta = answers(3000, 5, 3)
    found = irt.item_response(x, model="graded")
    assert found.converged
    for item, slope in zip(found.items, np.linspace(0.8, 2.0, 5), strict=True):
        assert abs(item.slope - slope) < 4 * item.slope_error
        assert list(item.thresholds) == sorted(item.thresholds)
    assert np.corrcoef(found.scores, theta)[0, 1] > 0.8
    assert found.marginal_reliability == pytest.approx(np.corrcoef(found.scores, theta)[0, 1] ** 2, abs=0.05)


def test_binary_graded_is_two_parameter_and_codes_do_not_matter():
    """The same likelihood whatever the numbers that code the answers; patterns with frequencies equal repeated rows."""
    x, _ = answers(300, 4, 1)
    two = irt.item_response(x, model="2pl")
    graded = irt.item_response(x * 7 - 2, model="graded")
    assert two.log_likelihood == pytest.approx(graded.log_likelihood, abs=1e-6)
    patterns, count = np.unique(x, axis=0, return_counts=True)
    weighted = irt.item_response(patterns, model="2pl", frequency=count.astype(float))
    assert weighted.log_likelihood == pytest.approx(two.log_likelihood, abs=1e-6)
    assert two.aic < two.bic


def test_a_perfect_one_factor_covariance_fits_perfectly():
    """Loadings recovered, chi-square nil, CFI one."""
    loading = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    correlation = np.outer(loading, loading)
    np.fill_diagonal(correlation, 1.0)
    found, psi, discrepancy = one_factor.fit_correlation(correlation)
    assert found == pytest.approx(loading, abs=1e-6)
    assert psi == pytest.approx(1 - loading**2, abs=1e-6) and discrepancy < 1e-10


@settings(max_examples=15, deadline=None)
@given(scale=st.floats(0.1, 50), shift=st.floats(-100, 100), seed=st.integers(0, 50))
def test_alpha_and_omega_do_not_depend_on_the_unit(scale, shift, seed):
    """The same scale noted out of 5 or out of 100 is as reliable; the order of persons does not matter."""
    x, _ = answers(60, 4, 4, seed)
    one = reliability.reliability(x)
    two = reliability.reliability((x * scale + shift)[::-1])
    assert two.alpha == pytest.approx(one.alpha, abs=1e-9)
    assert two.omega == pytest.approx(one.omega, abs=1e-5)
    assert two.fit.chi2 == pytest.approx(one.fit.chi2, abs=1e-4)


def test_differential_functioning_finds_the_biased_item_only():
    """One item made harder for the focal group is classed C; the others stay A or B."""
    rng = np.random.default_rng(9)
    theta, focal = rng.normal(size=3000), np.arange(3000) % 2 == 0
    difficulty = np.zeros((3000, 6))
    difficulty[focal, 2] = 1.0
    x = (rng.uniform(size=(3000, 6)) < 1 / (1 + np.exp(-1.3 * (theta[:, None] - difficulty)))).astype(float)
    found = dif.differential_functioning(x, focal)
    assert found[2].ets_class == "C" and found[2].delta < -1.5 and found[2].uniform_p < 1e-10
    assert all(f.ets_class in "AB" for f in found if f.item != 2)
    assert found[2].q_value == min(f.q_value for f in found)


def test_mantel_haenszel_on_one_stratum_is_the_textbook_statistic():
    """2 x 2 table (30, 20; 20, 30): corrected chi-square and odds ratio by hand."""
    y = np.r_[np.ones(30), np.zeros(20), np.ones(20), np.zeros(30)]
    focal = np.r_[np.zeros(50, bool), np.ones(50, bool)]
    statistic, _ = dif._mantel(y, focal, np.zeros(100), corrected=True)
    variance = 50 * 50 * 50 * 50 / (100**2 * 99)
    assert statistic == pytest.approx((abs(20 - 25) - 0.5) ** 2 / variance)
    assert dif._odds(y, focal, np.zeros(100))[0] == pytest.approx(30 * 30 / (20 * 20))


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: reliability.reliability(np.ones((20, 4))), "constant-item"),
        (lambda: reliability.reliability(np.random.default_rng(0).normal(size=(20, 2))), "too-few-items"),
        (lambda: reliability.reliability(np.random.default_rng(0).normal(size=(6, 4))), "too-few-persons"),
        (lambda: irt.item_response(np.array([[1.0, 0], [1, 1]])), "constant-item"),
        (lambda: irt.item_response(answers(50)[0], model="2pl"), "not-binary"),
        (lambda: irt.item_response(answers(50)[0], model="3pl"), "model"),
        (lambda: dif.differential_functioning(answers(50)[0], np.zeros(50, bool)), "too-few-persons"),
        (lambda: one_factor.one_factor(np.repeat(np.random.default_rng(0).normal(size=(30, 2)), 2, axis=1)), "singular-scale"),
    ],
)
def test_scales_that_cannot_be_judged_are_refused(call, code):
    """Constant, duplicated or too few items and persons: a sentence, never a number."""
    with pytest.raises(Refusal) as refusal:
        call()
    assert refusal.value.code == code
