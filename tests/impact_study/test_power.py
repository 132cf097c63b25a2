"""Power and minimum detectable effects agree with R pwr, PowerUp! and swCRTdesign, and refuse what has no answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from essaim.engines.impact.design import power, stepped_wedge
from essaim.engines.impact.refusal import Refusal

BINARY = {"mu0": 0.05, "mu1": 0.035}


def binary(**parts: float) -> stepped_wedge.Components:
    return stepped_wedge.Components(stepped_wedge.binary_sigma(**BINARY), **parts)


@pytest.mark.data
def test_power_of_means_and_clusters_equals_the_published_values(expected):
    """pwr.t.test and PowerUp! reference numbers at 1e-5."""
    want = expected["power"]
    assert power.t_size(0.2) == pytest.approx(want["pwr_n_d02_80"], abs=5e-5)
    assert power.t_power(0.5, 64) == pytest.approx(want["pwr_power_n64_d05"], abs=want["tol"])
    design = power.clusters(15, 20, 0.17)
    assert power.mde_of(design) == pytest.approx(want["mdes_cra2_rho17_n15_J20"], abs=want["tol"])


@pytest.mark.data
def test_stepped_wedge_power_equals_the_documented_examples(expected):
    """The documented examples of swPwr at 1e-6."""
    want = expected["sw"]
    wedge = stepped_wedge.wedge([6, 6, 6, 6])
    long = stepped_wedge.wedge([6, 6, 6, 6], extra_periods=3)
    icc = stepped_wedge.components_from_icc(0.1, 0.02, 0.125)
    got = {
        "Ex1": stepped_wedge.wedge_power(wedge, 120, -0.015, binary(tau=0.01)).power,
        "Ex2": stepped_wedge.wedge_power(long, 120, -0.015, binary(tau=0.01)).power,
        "Ex3": stepped_wedge.wedge_power(wedge, 120, -0.015, binary(tau=0.01, eta=0.0045)).power,
        "Ex4": stepped_wedge.wedge_power(wedge, 120, -0.015, binary(tau=0.01, eta=0.0045, rho=0.4)).power,
        "Ex5": stepped_wedge.wedge_power(wedge, 120, -0.015, binary(tau=0.01, eta=0.0045, rho=0.4, gamma=0.1)).power,
        "Ex8": stepped_wedge.wedge_power(wedge, 120, -0.015, icc).power,
    }
    for name, value in got.items():
        assert value == pytest.approx(want[name], abs=want["tol"]), name


def test_closed_form_of_hussey_and_hughes_is_the_general_solution():
    """The closed form and the general least squares agree when both apply; otherwise no closed form is shown."""
    found = stepped_wedge.wedge_power(stepped_wedge.wedge([2, 0, 3]), 40, 0.1, stepped_wedge.Components(1.0, tau=0.3))
    assert found.closed_form == pytest.approx(found.variance, rel=1e-10)
    other = stepped_wedge.wedge_power(stepped_wedge.wedge([2, 0, 3]), 40, 0.1, stepped_wedge.Components(1.0, gamma=0.3))
    assert other.closed_form is None


def test_unequal_sizes_transition_cells_and_one_size_agree_where_they_must():
    """A matrix of equal sizes equals the scalar; a cell of size 0 is simply not observed and costs precision."""
    design, parts = stepped_wedge.wedge([3, 3, 3]), stepped_wedge.Components(1.0, tau=0.2, eta=0.1, rho=-0.3, decay=0.8)
    scalar = stepped_wedge.wedge_power(design, 30, 0.3, parts)
    matrix = np.full(design.shape, 30.0)
    assert stepped_wedge.wedge_power(design, matrix, 0.3, parts).variance == pytest.approx(scalar.variance, rel=1e-12)
    matrix[:3, 1] = 0
    assert stepped_wedge.wedge_power(design, matrix, 0.3, parts).variance > scalar.variance


def test_fixed_clusters_are_the_limit_of_a_huge_random_intercept():
    """Fixed cluster effects equal random ones whose variance grows without bound, and never beat the random model."""
    design = stepped_wedge.wedge([2, 2, 2])
    fixed = stepped_wedge.wedge_power(design, 20, 0.3, stepped_wedge.Components(1.0, tau=0.4), fixed_clusters=True)
    huge = stepped_wedge.wedge_power(design, 20, 0.3, stepped_wedge.Components(1.0, tau=1e3))
    usual = stepped_wedge.wedge_power(design, 20, 0.3, stepped_wedge.Components(1.0, tau=0.4))
    assert fixed.variance == pytest.approx(huge.variance, rel=1e-4)
    assert usual.variance < fixed.variance


def test_a_cohort_followed_and_icc_conversions_are_consistent():
    """ICC, CAC and IAC are recovered from the components; following the same persons raises power."""
    c = stepped_wedge.components_from_icc(1.0, 0.05, 0.6, 0.5)
    total = c.tau**2 + c.gamma**2 + c.zeta**2 + c.sigma**2
    assert (c.tau**2 + c.gamma**2) / total == pytest.approx(0.05)
    assert c.tau**2 / (c.tau**2 + c.gamma**2) == pytest.approx(0.6)
    assert c.zeta**2 / (c.zeta**2 + c.sigma**2) == pytest.approx(0.5)
    design, spread = stepped_wedge.wedge([3, 3, 3]), c.sigma**2 + c.zeta**2
    cross = stepped_wedge.components_from_icc(math.sqrt(spread), 0.05, 0.6)
    followed = stepped_wedge.wedge_power(design, 30, 0.3, c).power
    assert followed > stepped_wedge.wedge_power(design, 30, 0.3, cross).power


def test_balanced_waves_beat_the_real_roll_out():
    """The finding that design beats estimator: 4/4/4 detects more than 2+10 with the same twelve clusters."""
    parts = stepped_wedge.components_from_icc(1.0, 0.1)
    even = stepped_wedge.wedge_power(stepped_wedge.wedge([4, 4, 4]), 50, 0.2, parts)
    real = stepped_wedge.wedge_power(stepped_wedge.wedge([2, 0, 10]), 50, 0.2, parts)
    assert even.power > real.power + 0.1


def test_exposure_weights_on_one_duration_of_a_single_step_equal_the_usual_effect():
    """With one treated period, effects by exposure time and the immediate effect are the same design."""
    design = np.array([[0.0, 1.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    parts = stepped_wedge.Components(1.0, tau=0.5)
    plain = stepped_wedge.wedge_power(design, 25, 0.4, parts)
    assert stepped_wedge.exposure_power(design, 25, [0.4], [1.0], parts).variance == pytest.approx(plain.variance)


def test_size_search_returns_the_smallest_sufficient_number():
    """One person fewer per cell is not enough; an unreachable target is refused with the reason."""
    design, parts = stepped_wedge.wedge([4, 4, 4]), stepped_wedge.Components(1.0, tau=0.3)
    n = stepped_wedge.wedge_size(design, 0.25, parts)
    assert stepped_wedge.wedge_power(design, n, 0.25, parts).power >= 0.8
    assert stepped_wedge.wedge_power(design, n - 1, 0.25, parts).power < 0.8
    with pytest.raises(Refusal, match="davantage de grappes"):
        stepped_wedge.wedge_size(design, 0.01, stepped_wedge.Components(1.0, gamma=0.5), most=10_000)


def test_all_treated_at_once_is_refused_as_not_identified():
    """A roll-out in which every cluster crosses over together cannot be told from time."""
    with pytest.raises(Refusal) as refusal:
        stepped_wedge.wedge_power(np.array([[0.0, 1.0]] * 6), 10, 0.5, stepped_wedge.Components(1.0, tau=0.1))
    assert refusal.value.code == "not-identified"


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: power.clusters(500, 2, 0.1), "no-degrees-of-freedom"),
        (lambda: power.t_size(0.0), "no-effect"),
        (lambda: power.t_power(0.5, 10, kind="welch"), "unknown-test"),
        (lambda: power.t_power(0.5, 10, alpha=1.5), "alpha-out-of-range"),
        (lambda: power.individuals(40, share=1.0), "share-out-of-range"),
        (lambda: power.clusters(20, 30, 1.4), "fraction-out-of-range"),
        (lambda: power.cohen_h(1.2, 0.3), "not-a-proportion"),
        (lambda: power.sized_clusters([10, 20], [True, True], 0.1), "one-arm"),
        (lambda: stepped_wedge.Components(0.0), "components"),
        (lambda: stepped_wedge.wedge([0, 0]), "waves"),
        (lambda: stepped_wedge.wedge_power(np.eye(3), [1, 2], 0.1, stepped_wedge.Components(1.0)), "sizes"),
        (lambda: stepped_wedge.wedge_power(stepped_wedge.wedge([1, 1]), 9, 0.1, stepped_wedge.Components(1.0),
                                           degrees="clusters"), "no-degrees-of-freedom"),
    ],
)
def test_impossible_designs_are_refused(call, code):
    """Every refusal has a stable code and a French sentence."""
    with pytest.raises(Refusal) as refusal:
        call()
    assert refusal.value.code == code and refusal.value.message.endswith((".", "é."))


def test_two_treated_departements_cannot_answer():
    """Adding pupils to two départements does not help: the power of four assigned units stays near the risk."""
    few = power.clusters(1_000_000, 4, 0.1)
    many = power.clusters(100, 96, 0.1, share=0.125)
    assert power.power_of(few, 0.2) < 0.08 < 0.5 < power.power_of(many, 0.35)


@settings(max_examples=40, deadline=None)
@given(n=st.integers(5, 200), j=st.integers(6, 200), icc=st.floats(0.01, 0.5), share=st.floats(0.1, 0.9))
def test_power_at_the_detectable_effect_is_the_target(n, j, icc, share):
    """The minimum detectable effect and the power function are inverse of one another (PowerUp! multiplier)."""
    design = power.clusters(n, j, icc, share=share)
    assert power.power_of(design, power.mde_of(design)) == pytest.approx(0.8, abs=0.03)


@settings(max_examples=40, deadline=None)
@given(sizes=st.lists(st.floats(5, 300), min_size=6, max_size=12), icc=st.floats(0.0, 0.4))
def test_actual_sizes_equal_the_formula_when_equal_and_order_does_not_matter(sizes, icc):
    """Unequal sizes reduce to the textbook formula when equal, and relabelling inside an arm changes nothing."""
    arm = [k % 2 == 0 for k in range(len(sizes))]
    got = power.sized_clusters(sizes, arm, icc).se
    assert power.sized_clusters(sizes[::-1], arm[::-1], icc).se == pytest.approx(got)
    equal = power.sized_clusters([40] * 8, [True] * 4 + [False] * 4, icc)
    assert equal.se == pytest.approx(power.clusters(40, 8, icc).se)


def test_needed_clusters_is_the_smallest_and_three_levels_reduce_to_two():
    """The search stops at the first sufficient number; a top level without its own variance is a plain cluster trial."""
    need = power.clusters_needed(lambda j: power.clusters(15, j, 0.17), 0.3)
    assert power.power_of(power.clusters(15, need, 0.17), 0.3) >= 0.8 > power.power_of(power.clusters(15, need - 1, 0.17), 0.3)
    three = power.three_level_clusters(15, 1, 40, 0.0, 0.17)
    assert three.se == pytest.approx(power.clusters(15, 40, 0.17).se)
    with pytest.raises(Refusal, match="ne suffiraient pas"):
        power.clusters_needed(lambda j: power.clusters(15, j, 0.17), 1e-4, most=1000)


def test_proportions_follow_the_arcsine_distance():
    """pwr.2p.test: h of .5 and .3 is .4115, 93 per group give 80 %."""
    h = power.cohen_h(0.5, 0.3)
    assert h == pytest.approx(0.4115168, abs=1e-6)
    assert power.h_size(h) == pytest.approx(92.69, abs=0.01)
    assert power.h_power(h, power.h_size(h)) == pytest.approx(0.8, abs=1e-9)
