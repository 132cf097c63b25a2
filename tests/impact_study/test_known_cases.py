"""Cases outside the reference table whose numbers are printed elsewhere: textbooks, manuals of R packages, closed forms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from essaim.engines.impact.design.power import (
    blocked_clusters,
    blocked_individuals,
    h_power,
    mde_of,
    t_power,
    three_level_clusters,
)
from essaim.engines.impact.design.stepped_wedge import Components, hussey_hughes_variance, wedge, wedge_power
from essaim.engines.impact.equity.concentration import concentration, grouped_concentration
from essaim.engines.impact.panel import Panel
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.scales.hierarchical import least_squares_factors, omega_of
from essaim.engines.impact.scales.irt import item_response
from essaim.engines.impact.scales.reliability import reliability
from essaim.engines.impact.sensitivity.magnitudes import magnitudes_interval
from essaim.engines.impact.sensitivity.smoothness import original_interval, trends
from essaim.engines.impact.study.frames import read_table
from essaim.engines.impact.study.plan import plan_of
from essaim.engines.impact.study.run import run
from essaim.engines.impact.twfe import twfe_event_study

LSAT7 = "12 19 1 7 3 19 3 17 10 5 3 7 7 23 8 28 7 39 11 34 14 51 15 90 6 25 7 35 18 136 32 308"


def test_lsat7_as_printed_by_mirt() -> None:
    """Bock & Lieberman's second set of five questions: log-likelihood and parameters of ``mirt(LSAT7, 1)``."""
    answers = np.array([[pattern >> (4 - item) & 1 for item in range(5)] for pattern in range(32)], float)
    found = item_response(answers, frequency=np.array(LSAT7.split(), float))
    assert found.persons == 1000 and found.log_likelihood == pytest.approx(-2658.805, abs=1e-3)
    assert (found.aic, found.bic) == pytest.approx((5337.610, 5386.688), abs=2e-3)
    np.testing.assert_allclose([i.slope for i in found.items], [0.988, 1.081, 1.706, 0.765, 0.736], atol=2e-3)
    np.testing.assert_allclose([i.intercepts[0] for i in found.items], [1.856, 0.808, 1.804, 0.486, 1.855], atol=2e-3)


def test_examples_of_the_pwr_manual() -> None:
    """Cohen's exercises as printed in the manual of R pwr."""
    assert t_power(0.2, 60, kind="one-sample", alpha=0.10) == pytest.approx(0.4555818, abs=1e-7)
    assert h_power(0.3, 80, two_sided=False) == pytest.approx(0.5996777, abs=1e-7)
    assert t_power(0.6, 90, n2=60, two_sided=False) == pytest.approx(0.9737262, abs=1e-7)


def test_examples_of_the_powerup_manual() -> None:
    """Minimum detectable effects printed in the manual of PowerUpR: three levels, blocks constant, random and of clusters."""
    assert mde_of(three_level_clusters(15, 3, 60, 0.17, 0.06)) == pytest.approx(0.269, abs=5e-4)
    assert mde_of(blocked_individuals(15, 20)) == pytest.approx(0.325, abs=5e-4)
    assert mde_of(blocked_individuals(15, 20, effects="random", icc=0.17, heterogeneity=0.5)) == pytest.approx(0.366, abs=5e-4)
    assert mde_of(blocked_clusters(20, 44, 5, 0.10)) == pytest.approx(0.145, abs=6e-4)


@pytest.mark.parametrize("tau", [0.0, 0.1, 0.7])
def test_stepped_wedge_variance_is_hussey_and_hughes_closed_form(tau) -> None:
    """Generalised least squares equal the 2007 formula whatever the intraclass correlation."""
    design = wedge([3, 2, 4], extra_periods=1)
    found = wedge_power(design, 20, 0.4, Components(1.3, tau))
    assert found.variance == pytest.approx(hussey_hughes_variance(design, 1.3**2 / 20, tau**2), rel=1e-10)


def test_stepped_wedge_without_random_intercept_is_least_squares() -> None:
    """With no cluster effect, cell sizes weight an ordinary regression on periods and treatment."""
    rng = np.random.default_rng(4)
    design, sizes = wedge([1, 2, 1]), rng.integers(5, 40, (4, 4)).astype(float)
    periods = np.tile(np.eye(4), (4, 1))
    x = np.column_stack([periods, design.ravel()]) * np.sqrt(sizes.ravel() / 4.0)[:, None]
    assert wedge_power(design, sizes, 0.5, Components(2.0)).variance == pytest.approx(np.linalg.inv(x.T @ x)[-1, -1], rel=1e-10)


def test_concentration_identities() -> None:
    """C = 2cov(h, R)/μ; everything held by the best off gives 1 − 1/n; grouped and individual forms agree; mirror changes sign."""
    rng = np.random.default_rng(0)
    h, rank, w = rng.gamma(2, size=60), rng.permutation(60).astype(float), rng.uniform(0.5, 2, 60)
    order = np.argsort(rank)
    position = (np.cumsum(w[order]) - w[order] / 2) / w.sum()
    mean = np.average(h, weights=w)
    expected = 2 * np.sum(w[order] * (h[order] - mean) * (position - 0.5)) / w.sum() / mean
    assert concentration(h, rank, weights=w).standard == pytest.approx(expected, abs=1e-12)
    assert grouped_concentration(w[order], h[order])[0] == pytest.approx(expected, abs=1e-12)
    assert concentration(h, -rank, weights=w).standard == pytest.approx(-expected, abs=1e-12)
    one = np.zeros(25)
    one[-1] = 1.0
    assert concentration(one, np.arange(25.0)).standard == pytest.approx(1 - 1 / 25, abs=1e-12)


@pytest.mark.data
def test_attitude_as_printed_by_psych(reference_dir) -> None:
    """Alpha if an item is dropped and corrected item totals, as ``psych::alpha(attitude)`` prints them."""
    frame = pd.read_csv(reference_dir / "attitude.csv")
    names = ["rating", "complaints", "privileges", "learning", "raises", "critical", "advance"]
    found = reliability(frame[names].to_numpy(float))
    np.testing.assert_allclose(np.round(found.alpha_without, 2), [0.81, 0.80, 0.83, 0.80, 0.80, 0.86, 0.84])
    np.testing.assert_allclose(np.round(found.item_total, 2), [0.67, 0.74, 0.56, 0.71, 0.79, 0.27, 0.46])
    assert found.alpha_standardised == pytest.approx(0.84, abs=5e-3)


@pytest.mark.data
def test_relative_magnitudes_as_printed_by_honestdid(reference_dir) -> None:
    """Medicaid event study of the HonestDiD vignette: intervals at M̄ = 0.5 to 2 (their grid is 1e-4 wide), and the usual one."""
    frame = pd.read_csv(reference_dir / "ehec_data.csv")
    frame = frame[(frame.year < 2016) & (frame.yexp2 != 2015)]
    frame["entry"] = np.where(frame.yexp2 == 2014, 2014, np.inf)
    study = twfe_event_study(Panel.read(frame, unit="stfips", time="year", outcome="dins", cohort="entry"))
    t = trends(study.event_time, study.value, study.covariance)
    plain = original_interval(t)
    assert (plain.low, plain.high) == pytest.approx((0.0285, 0.0644), abs=2e-4)
    printed = {0.5: (0.0240, 0.0672), 1.0: (0.0170, 0.0720), 1.5: (0.00824, 0.0797), 2.0: (-0.000916, 0.0881)}
    for bound, ends in printed.items():
        found = magnitudes_interval(t, bound)
        assert (found.low, found.high) == pytest.approx(ends, abs=4e-4)


THURSTONE = """828 776 779 439 493 46 432 464 425 674 447 489 443 59 541 447 432 401 381 402 288 541 537 534 35 367 32 555
38 358 359 424 446 325 598 452"""


def test_hierarchical_omega_as_printed_by_psych() -> None:
    """Thurstone's nine tests, the example of ``psych::omega``: ω_h .74, ω_t .93, and the general loadings it prints."""
    low = np.tril_indices(9, -1)
    matrix = np.eye(9)
    matrix[low] = matrix[low[::-1]] = [float(f".{v}") for v in THURSTONE.split()]
    found = omega_of(matrix)
    assert (round(found.hierarchical, 2), round(found.total, 2)) == (0.74, 0.93)
    np.testing.assert_allclose(found.general.round(2), [0.71, 0.73, 0.68, 0.65, 0.62, 0.56, 0.59, 0.58, 0.54], atol=1e-9)
    np.testing.assert_allclose(found.general**2 + (found.groups**2).sum(axis=1), _communalities(matrix), atol=0.05)


def _communalities(matrix: np.ndarray) -> np.ndarray:
    return 1 - least_squares_factors(matrix, 3)[1]


@pytest.mark.parametrize(("items", "factors"), [(9, 2), (5, 3)])
def test_hierarchical_omega_refuses_what_it_cannot_identify(items, factors) -> None:
    """Two factors, or too few questions a factor: refused in French."""
    with pytest.raises(Refusal, match="facteurs"):
        omega_of(np.eye(items) * 0.5 + 0.5, factors)


@pytest.mark.data
def test_minimum_wage_as_other_vignettes_print_it(reference_dir) -> None:
    """mpdta: did's ``aggte(type = "dynamic", balance_e = 1)``, fixest's ``sunab`` and didimputation, from one plan."""
    asked = [{"kind": "callaway_santanna", "balance_e": 1, "band_draws": 999}, {"kind": "imputation", "leads": 2},
             {"kind": "sun_abraham", "cluster": "unit"}]  # fmt: skip
    plan = plan_of({"title": "mpdta", "question": "Effet ?", "indicator": {"label": "emploi"}, "design": {"kind": "analyses"}, "analyses": asked,
                    "data": {"unit": "countyreal", "period": "year", "outcome": "lemp", "cohort": "first.treat"}})  # fmt: skip
    did, imputed, sunab = (a.values for a in run(plan, read_table(reference_dir / "mpdta.csv")).analyses)
    assert [row[:2] for row in np.round(did["dynamic_parts"], 4).tolist()] == [[-2, 0.0065], [-1, -0.0028], [0, -0.0066], [1, -0.051]]
    assert round(did["dynamic"][0], 4) == -0.0288 and 2.2 < did["band"]["critical_value"] < 2.7
    assert np.round(imputed["overall"], 4).tolist() == [-0.0477, 0.0132] and imputed["pretest"][1] == 2
    assert np.round(sunab["overall"], 4).tolist() == [-0.04, 0.0118]
