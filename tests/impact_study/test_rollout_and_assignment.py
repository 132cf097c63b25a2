"""Placebo roll-outs, random assignment with a published seed, balance and choice of comparisons."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from essaim.engines.impact.design import assignment, balance, comparison, placebo_rollout
from essaim.engines.impact.refusal import Refusal


def past(clusters: int = 40, periods: int = 8, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.normal(size=(clusters, periods)), axis=1)


def labels(n: int) -> list[str]:
    return [f"D{k:03d}" for k in range(n)]


def test_pretend_estimates_are_the_simple_aggregate_of_the_definition():
    """The vectorised noise equals the difference-in-differences written out by hand on every enumerated assignment."""
    y = past(6, 5)
    found = placebo_rollout.placebo_rollouts(y, {2: 1, 3: 1}, alpha=0.2, draws=10_000)
    by_hand = []
    for a in range(6):
        for b in range(6):
            if a == b:
                continue
            never = [k for k in range(6) if k not in (a, b)]
            total, mass = 0.0, 0
            for unit, start in ((a, 2), (b, 3)):
                for t in range(start, 5):
                    total += (y[unit, t] - y[unit, start - 1]) - np.mean(y[never, t] - y[never, start - 1])
                    mass += 1
            by_hand.append(total / mass)
    assert found.enumerated and found.assignments == 30
    assert np.allclose(found.noise, np.sort(by_hand))


def test_power_at_the_detectable_effect_reaches_the_target_and_is_the_risk_at_zero():
    """Definition of the critical value and of the minimum detectable effect."""
    found = placebo_rollout.placebo_rollouts(past(), {3: 4, 5: 4}, draws=1999, seed=5)
    assert found.power(0.0) <= 0.05
    assert found.power(found.mde) >= 0.8 > found.power(found.mde * 0.98 - 1e-9)


def test_fewer_treated_clusters_detect_less_and_the_tool_says_when_none_will_do():
    """Two treated détectent moins que douze; too few assignments is a refusal, not a number."""
    two = placebo_rollout.placebo_rollouts(past(), {4: 2})
    twelve = placebo_rollout.placebo_rollouts(past(), {4: 12})
    assert two.mde > 1.5 * twelve.mde
    with pytest.raises(Refusal, match="ne peut pas recevoir de réponse"):
        placebo_rollout.placebo_rollouts(past(5), {4: 2})
    need = placebo_rollout.treated_needed(past(), two.mde * 0.6, 4)
    assert need is not None and need > 2
    assert placebo_rollout.treated_needed(past(), 1e-6, 4) is None


def test_stratified_plans_only_permute_inside_strata():
    """A plan that treats the whole of one stratum has a single assignment there."""
    y = past(8)
    plan = [3, 3, -1, -1, 3, 3, -1, -1]
    strata = ["a"] * 4 + ["b"] * 4
    found = placebo_rollout.placebo_rollouts(y, {3: 4}, plan=plan, strata=strata, alpha=0.1, draws=500)
    assert found.assignments == 36 and len(set(np.round(found.noise, 9))) <= 36
    with pytest.raises(Refusal, match="plan"):
        placebo_rollout.placebo_rollouts(y, {3: 4}, strata=strata)


@pytest.mark.parametrize(
    ("starts", "kwargs", "code"),
    [({0: 2}, {}, "starts"), ({3: 40}, {}, "no-never-treated"), ({9: 2}, {}, "horizon"),
     ({3: 2}, {"weights": np.zeros(40)}, "weights")],
)
def test_rollouts_without_a_comparison_or_a_past_are_refused(starts, kwargs, code):
    """Each impossible roll-out names its reason."""
    with pytest.raises(Refusal) as refusal:
        placebo_rollout.placebo_rollouts(past(), starts, **kwargs)
    assert refusal.value.code == code


def test_shorter_studies_use_every_window_of_the_past():
    """A three-period study in eight past periods has six windows of noise."""
    found = placebo_rollout.placebo_rollouts(past(), {1: 5}, horizon=3, draws=100)
    assert found.windows == 6 and len(found.noise) == 600


@settings(max_examples=30, deadline=None)
@given(n=st.integers(8, 30), seed=st.text(min_size=1, max_size=8).filter(str.strip), order=st.randoms(use_true_random=False))
def test_a_published_seed_gives_one_assignment_whatever_the_order_of_the_file(n, seed, order):
    """Shuffling the list of units never changes who is drawn; totals of arms are exact."""
    names = labels(n)
    shuffled = list(names)
    order.shuffle(shuffled)
    strata = {name: "ABC"[k % 3] for k, name in enumerate(names)}
    one = assignment.stratified(names, [2, 1], seed=seed, strata=[strata[x] for x in names])
    two = assignment.stratified(shuffled, [2, 1], seed=seed, strata=[strata[x] for x in shuffled])
    assert one == two
    assert np.bincount(one.arm).tolist() == list(one.sizes)
    for s in "ABC":
        inside = [a for a, t in zip(one.arm, one.strata, strict=True) if t == s]
        assert abs(sum(inside) - len(inside) / 3) < 2


def test_every_unit_has_the_same_chance_in_uneven_strata():
    """Over many seeds, inclusion probabilities are equal, misfits included."""
    names, strata = labels(11), ["a"] * 5 + ["b"] * 3 + ["c"] * 3
    counts = np.zeros(11)
    for k in range(3000):
        counts += assignment.stratified(names, [7, 4], seed=k, strata=strata).arm
    share = counts / 3000
    assert share.mean() == pytest.approx(4 / 11)
    assert np.abs(share - 4 / 11).max() < 0.06


def test_rerandomisation_is_balanced_and_its_reference_set_too():
    """The draw and every member of its permutation set respect the declared threshold."""
    x = np.random.default_rng(2).normal(size=(30, 3))
    drawn = assignment.rerandomised(labels(30), x, [2, 1], seed="12-14-25", acceptance=0.05)
    assert drawn.distance <= drawn.threshold and sum(drawn.arm) == 10
    others = assignment.assignment_set(drawn, 200, seed=1, covariates=x)
    assert (assignment.arm_distance(x, others) <= drawn.threshold).all()
    free = assignment.assignment_set(assignment.stratified(labels(30), [2, 1], seed=1), 200, seed=1)
    assert (assignment.arm_distance(x, free) <= drawn.threshold).mean() < 0.2
    with pytest.raises(Refusal):
        assignment.assignment_set(drawn, 10, seed=1)


def test_mahalanobis_between_two_arms_is_morgan_and_rubin():
    """n1 n0 / n d'S^-1 d, invariant to any change of unit of the covariates."""
    rng = np.random.default_rng(4)
    x, arm = rng.normal(size=(20, 2)), np.array([1] * 8 + [0] * 12)
    d = x[arm == 1].mean(0) - x[arm == 0].mean(0)
    want = 8 * 12 / 20 * d @ np.linalg.inv(np.cov(x, rowvar=False)) @ d
    assert assignment.arm_distance(x, arm[None, :])[0] == pytest.approx(want)
    assert assignment.arm_distance(x @ [[3, 1], [0, 5]], arm[None, :])[0] == pytest.approx(want)


def test_stepped_wedge_waves_are_drawn_whole():
    """Each wave has its announced size; a list that does not add up is refused."""
    drawn = assignment.stepped_wedge(labels(12), [4, 4, 4], seed="2021-11-03")
    assert sorted(drawn.arm) == [1] * 4 + [2] * 4 + [3] * 4
    with pytest.raises(Refusal):
        assignment.stepped_wedge(labels(12), [4, 4], seed=1)
    with pytest.raises(Refusal):
        assignment.stratified(["a", "a", "b"], [1, 1], seed=1)
    with pytest.raises(Refusal):
        assignment.stratified(labels(4), [1, 1], seed="  ")


def test_balance_table_and_its_permutation_test():
    """Standardised differences by hand; an exact-draw p-value uses ties >=."""
    x = np.array([[1.0, 5], [2, 6], [3, 5], [4, 6], [5, 5], [6, 6]])
    arm = [True, True, True, False, False, False]
    table = balance.balance(["ips", "taille"], x, arm)
    assert table.rows[0].standardised == pytest.approx(-3.0)
    assert table.rows[0].is_unbalanced and table.test == "khi-deux"
    draws = np.array([[1, 1, 1, 0, 0, 0], [1, 0, 1, 0, 1, 0], [0, 1, 0, 1, 0, 1]])
    assert balance.balance(["ips", "taille"], x, arm, assignments=draws).p_value <= 1.0
    with pytest.raises(Refusal):
        balance.balance(["ips"], x[:, :1], [True] * 6)


def test_comparisons_minimise_total_distance_and_leave_out_what_has_no_twin():
    """The optimal pairing beats a greedy one; a caliper names the treated cluster without counterpart."""
    features = np.array([[0.0], [1.0], [0.9], [-5.0], [40.0], [0.95]])
    treated = [True, True, False, False, True, False]
    found = comparison.choose_comparisons(labels(6), ["niveau"], features, treated, caliper=3.0)
    assert found.unmatched == ("D004",)
    total = sum(m.distance for m in found.matches)
    d = comparison.mahalanobis_to(features, np.array(treated))
    assert total == pytest.approx(min(d[0, i] + d[1, j] for i in range(3) for j in range(3) if i != j))
    strata = ["x", "y", "y", "x", "x", "y"]
    inside = comparison.choose_comparisons(labels(6), ["niveau"], features, treated, strata=strata)
    assert {m.treated: m.comparison for m in inside.matches}["D001"] in ("D002", "D005")
    with pytest.raises(Refusal):
        comparison.choose_comparisons(labels(2), ["niveau"], features[:2], [True, True])


def test_past_features_are_level_and_slope():
    """Slope and mean of straight lines are recovered exactly."""
    _, f = comparison.past_features(np.array([[1.0, 2, 3], [5, 5, 5]]), [2017, 2018, 2019])
    assert np.allclose(f, [[2, 1], [5, 0]])
    with pytest.raises(Refusal):
        comparison.past_features(np.ones((2, 1)), [2019])


def test_number_of_assignments_is_a_multinomial():
    """C(96, 12) assignments of twelve départements."""
    found = placebo_rollout.placebo_rollouts(past(96), {4: 12}, draws=50, alpha=0.1)
    assert found.assignments == pytest.approx(math.comb(96, 12), rel=1e-9)
