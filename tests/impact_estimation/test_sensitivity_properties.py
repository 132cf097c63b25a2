"""Sensitivity: optimality and growth of the intervals, pre-trend power against simulation, variations that should not matter."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from essaim.engines.impact.imputation import imputation
from essaim.engines.impact.panel import Panel
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.sensitivity.magnitudes import magnitudes_interval
from essaim.engines.impact.sensitivity.pretrends import (
    box_probability,
    detectable_slope,
    linear_trend,
    pretrend_power,
)
from essaim.engines.impact.sensitivity.robustness import (
    donor_exclusion,
    leave_one_cluster_out,
    placebo_dates,
    placebo_outcomes,
)
from essaim.engines.impact.sensitivity.smoothness import (
    Trends,
    folded_quantile,
    original_interval,
    smoothness_interval,
    trends,
)
from essaim.engines.impact.synthetic_control import control_data

sys.path.insert(0, str(Path(__file__).parent))
from rollouts import rollout

ROLES = {"unit": "uai", "cluster": "dep", "time": "t", "outcome": "y", "cohort": "g"}
few = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def read(frame, **options) -> Panel:
    return Panel.read(frame, **ROLES, **options)


def small(seed: int, clusters: int = 8, share: float = 0.25) -> Panel:
    return read(rollout(seed, units=4 * clusters, clusters=clusters, share=share, entries=(3, 5)))


def event_study(seed: int, before: int = 4, after: int = 3) -> Trends:
    rng = np.random.default_rng(seed)
    n = before + after
    root = rng.normal(size=(n, n)) * 0.3 + np.eye(n)
    return Trends(rng.normal(size=n) * 0.05, root @ root.T * 0.001, before, np.full(after, 1 / after))


@few
@given(seed=st.integers(0, 10_000), bound=st.floats(0.001, 0.2))
def test_no_other_weights_give_a_shorter_interval(seed, bound) -> None:
    """FLCI optimality: random admissible weights around the chosen ones never do better."""
    t = event_study(seed)
    found = smoothness_interval(t, bound)
    half = (found.high - found.low) / 2
    cumulated = np.cumsum(np.cumsum(found.pre_weights))
    rng = np.random.default_rng(seed)
    target = np.arange(1, t.after + 1) @ t.weights
    assert cumulated[-1] == pytest.approx(target)
    constant = (
        sum(abs(np.arange(1, s + 1) @ t.weights[t.after - s :]) for s in range(1, t.after + 1)) - target
    )
    for scale in (0.01, 0.1, 1.0):
        for _ in range(20):
            u = cumulated + scale * np.append(rng.normal(size=t.before - 1), 0.0)
            pre = _levels(u)
            weights = np.concatenate([pre, t.weights])
            sigma = np.sqrt(weights @ t.covariance @ weights)
            length = (
                folded_quantile(0.95, np.array([bound * (constant + np.abs(u).sum()) / sigma]))[0] * sigma
            )
            assert length >= half - 1e-7


def _levels(cumulated: np.ndarray) -> np.ndarray:
    steps = np.diff(cumulated, prepend=0.0)
    return np.diff(steps, prepend=0.0)


@few
@given(seed=st.integers(0, 10_000))
def test_intervals_grow_with_the_departure_allowed(seed) -> None:
    """More departure, longer interval; the folded quantile solves its equation."""
    t = event_study(seed)
    lengths = [(lambda s: s.high - s.low)(smoothness_interval(t, m)) for m in (0.0, 0.01, 0.05, 0.2)]
    assert (np.diff(lengths) > -1e-9).all()
    wide = [(lambda s: s.high - s.low)(magnitudes_interval(t, m)) for m in (0.5, 1.0, 2.0)]
    assert all(b >= a - 1e-6 for a, b in pairwise(wide))
    m = np.array([0.0, 0.3, 2.0, 9.0])
    x = folded_quantile(0.95, m)
    np.testing.assert_allclose(stats.norm.cdf(x - m) - stats.norm.cdf(-x - m), 0.95, atol=1e-12)


def test_single_post_period_and_flat_pretrends() -> None:
    """M̄ = 0 assumes parallel trends after treatment; one coefficient of each side is enough."""
    t = Trends(np.array([0.01, 0.5]), np.diag([0.01, 0.01]), 1, np.ones(1))
    assert original_interval(t).excludes_zero and magnitudes_interval(t, 0.0).excludes_zero
    assert magnitudes_interval(t, 1.0).high > magnitudes_interval(t, 0.0).high
    with pytest.raises(Refusal, match="sans trou"):
        trends(np.array([-4.0, -2.0, 0.0]), np.zeros(3), np.eye(3))
    with pytest.raises(Refusal, match="au moins un coefficient"):
        trends(np.array([0.0, 1.0]), np.zeros(2), np.eye(2))


def test_pretrend_power_matches_simulation() -> None:
    """Lattice integration against a million draws: power, and the mean given a pass."""
    t = event_study(2)
    slope = detectable_slope(t, power=0.5)
    found = pretrend_power(t, linear_trend(t, slope))
    assert found.power == pytest.approx(0.5, abs=1e-6)
    draws = np.random.default_rng(0).multivariate_normal(found.delta, t.covariance, size=1_000_000)
    passed = (np.abs(draws[:, :4]) < 1.959964 * np.sqrt(np.diag(t.covariance)[:4])).all(axis=1)
    assert 1 - passed.mean() == pytest.approx(found.power, abs=2e-3)
    np.testing.assert_allclose(draws[passed].mean(axis=0), found.mean_after_pass, atol=3e-4)
    inside, _ = box_probability(np.zeros(2), np.eye(2), np.full(2, -1.0), np.full(2, 1.0))
    assert inside == pytest.approx((2 * stats.norm.cdf(1) - 1) ** 2, abs=1e-4)


def test_variations_name_what_matters() -> None:
    """Placebo dates near zero, the influential département named, refusals kept with their reason."""
    frame = rollout(3, periods=8, entries=(5, 7), effect=1.5, shock=0.02, units=480)
    panel = read(frame)

    def estimate(p: Panel) -> float:
        return imputation(p).overall.value

    dates = placebo_dates(panel, estimate, (1, 2, 6))
    assert np.abs(dates.values).max() < 0.25 < dates.reference and dates.refused[0][0].startswith("6")
    outcomes = placebo_outcomes(panel, estimate, {"bruit": np.random.default_rng(1).normal(size=panel.rows)})
    assert abs(outcomes.values[0]) < 0.1
    shifted = frame.assign(y=frame.y + 20 * ((frame.dep == frame.dep[frame.g == 5].iloc[0]) & (frame.t >= 5)))
    one_out = leave_one_cluster_out(read(shifted), estimate, treated_only=True)
    assert one_out.most_influential == str(frame.dep[frame.g == 5].iloc[0]) and len(one_out.names) == 12
    assert one_out.spread[0] < one_out.reference


def test_donor_exclusion_removes_each_used_donor() -> None:
    """Every donor with weight is left out once."""
    rng = np.random.default_rng(4)
    import pandas as pd

    y = rng.normal(size=(9, 14)).cumsum(axis=1)
    y[0] = 0.7 * y[3] + 0.3 * y[5] + 2 * (np.arange(14) >= 10)
    rows = [(u, t + 1, y[u, t], 11 if u == 0 else 0) for u in range(9) for t in range(14)]
    panel = Panel.read(
        pd.DataFrame(rows, columns=["u", "t", "y", "g"]), unit="u", time="t", outcome="y", cohort="g"
    )
    found = donor_exclusion(control_data(panel))
    assert found.names == ("3", "5") and found.reference == pytest.approx(2, abs=1e-2)
