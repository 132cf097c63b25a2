"""Estimators without a published number to six digits, recomputed here another way."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.optimize import minimize

from essaim.engines.impact.experiments import stratified_effect
from essaim.engines.impact.experiments_bounds import lee_bounds
from essaim.engines.impact.panel import Panel
from essaim.engines.impact.synthetic_augmented import augmented_control
from essaim.engines.impact.synthetic_control import control_data
from essaim.engines.impact.synthetic_did import synthetic_block, synthetic_did

T = 9


def wide(seed: int, entries: list[int]) -> tuple[pd.DataFrame, np.ndarray]:
    """One row a département and year, two factors; (U, T) outcomes."""
    rng = np.random.default_rng(seed)
    units = len(entries)
    y = rng.normal(size=(units, 2)) @ rng.normal(size=(2, T)).cumsum(axis=1) + rng.normal(size=(units, T)) * 0.3
    y += (np.array(entries)[:, None] > 0) * (np.arange(1, T + 1) >= np.array(entries)[:, None]) * 1.0
    rows = [(f"D{u:02d}", t + 1, entries[u], y[u, t]) for u in range(units) for t in range(T)]
    return pd.DataFrame(rows, columns=["d", "t", "g", "y"]), y


def read(frame: pd.DataFrame) -> Panel:
    return Panel.read(frame, unit="d", time="t", outcome="y", cohort="g")


def plain_did(y: np.ndarray, treated: np.ndarray, controls: np.ndarray, entry: int) -> float:
    after = np.arange(1, T + 1) >= entry
    gained = y[:, after].mean(axis=1) - y[:, ~after].mean(axis=1)
    return float(gained[treated].mean() - gained[controls].mean())


def test_staggered_value_and_placebo_error_by_hand() -> None:
    """Clarke et al. (2023): cohorts weighted by treated unit-periods; the placebo error gives the same cohort sizes and dates to
    comparison units drawn without replacement, and is the standard deviation (ddof 0) of the same weighted average."""
    entries = [4, 4, 4, 7, 7] + [0] * 14
    frame, y = wide(3, entries)
    found = synthetic_did(read(frame), kind="did", placebos=60, seed=11)
    cohort, controls = np.array(entries), np.flatnonzero(np.array(entries) == 0)
    share = {4: 3 * 6, 7: 2 * 3}
    total = sum(share.values())
    value = sum(w / total * plain_did(y, np.flatnonzero(cohort == g), controls, g) for g, w in share.items())
    assert found.value == pytest.approx(value, abs=1e-12)
    np.testing.assert_allclose(found.cohort_weights, [18 / 24, 6 / 24])
    rng, placebos = np.random.default_rng(11), []
    for _ in range(60):
        chosen = controls[rng.permutation(controls.size)[:5]]
        others = np.setdiff1d(controls, chosen)
        parts = {4: chosen[:3], 7: chosen[3:]}
        placebos.append(sum(w / total * plain_did(y, parts[g], others, g) for g, w in share.items()))
    np.testing.assert_allclose(found.placebos, placebos, atol=1e-12)
    assert found.std_error == pytest.approx(float(np.std(placebos)), abs=1e-12)


def test_synthetic_did_block_reaches_the_published_criterion() -> None:
    """Unit and period weights minimise equations 4 and 6 of Arkhangelsky et al.: a general solver finds nothing better, and the
    estimate is the doubly weighted difference of equation 1."""
    y = wide(5, [0] * 12 + [6] * 2)[1]
    block = synthetic_block(y, 2, 5)
    n0, before = 12, 5
    pre, target = y[:n0, :before].T, y[n0:, :before].mean(axis=0)
    centred, goal = pre - pre.mean(axis=0), target - target.mean()

    def loss(w: np.ndarray) -> float:
        return float(((centred @ w - goal) ** 2).mean() + block.zeta[0] ** 2 * (w @ w))

    best = minimize(loss, np.full(n0, 1 / n0), method="SLSQP", bounds=[(0, 1)] * n0, tol=1e-14,
                    constraints={"type": "eq", "fun": lambda w: w.sum() - 1})  # fmt: skip
    assert loss(block.omega) <= best.fun * (1 + 1e-3)
    assert block.omega.sum() == pytest.approx(1) and block.lamda.sum() == pytest.approx(1)
    gap = y[n0:].mean(axis=0) - block.omega @ y[:n0]
    assert block.value == pytest.approx(gap[before:].mean() - block.lamda @ gap[:before], abs=1e-12)


@pytest.mark.parametrize("penalty", [0.05, 1.0, 40.0])
def test_ridge_augmentation_is_the_bias_correction(penalty) -> None:
    """Ben-Michael et al., equation 7: the synthetic control's estimate, less the ridge prediction of what its imbalance is worth."""
    frame, y = wide(8, [0] * 11 + [6])
    found = augmented_control(control_data(read(frame)), penalty=penalty)
    before, donors = 5, y[:11]
    x0, x1 = donors[:, :before] - donors[:, :before].mean(axis=0), y[11, :before] - donors[:, :before].mean(axis=0)
    simple = y[11] - found.simplex_weights @ donors
    for t in range(before, T):
        centred = donors[:, t] - donors[:, t].mean()
        slope = np.linalg.solve(x0.T @ x0 + penalty * np.eye(before), x0.T @ centred)
        corrected = simple[t] - (x1 - found.simplex_weights @ x0) @ slope
        assert found.gap[t] == pytest.approx(corrected, abs=1e-9)


def test_ridge_augmentation_tends_to_the_synthetic_control() -> None:
    """An infinite penalty corrects nothing."""
    frame, y = wide(8, [0] * 11 + [6])
    found = augmented_control(control_data(read(frame)), penalty=1e12)
    np.testing.assert_allclose(found.weights, found.simplex_weights, atol=1e-8)
    assert found.effect == pytest.approx(float((y[11] - found.simplex_weights @ y[:11])[5:].mean()), abs=1e-7)


def test_lee_bounds_by_sorting() -> None:
    """Where the trimmed number is whole: drop the highest, then the lowest, of the group that answers more."""
    rng = np.random.default_rng(2)
    treated = np.repeat([1.0, 0.0], 200)
    observed = np.r_[np.ones(200, bool), np.arange(200) < 150]
    y = rng.normal(size=400) + treated
    found = lee_bounds(y, treated, observed)
    more, base = np.sort(y[:200]), y[200:350].mean()
    assert found.trimmed == pytest.approx(0.25) and found.trimmed_group == "treated"
    assert (found.lower, found.upper) == pytest.approx((more[:150].mean() - base, more[50:].mean() - base), abs=1e-12)
    mirrored = lee_bounds(-y, 1 - treated, observed)
    assert (mirrored.lower, mirrored.upper) == pytest.approx((found.lower, found.upper), abs=1e-12)
    assert mirrored.trimmed_group == "control"


def test_lee_errors_match_the_bootstrap() -> None:
    """Proposition 3's variances, trimming share estimated, against two thousand resamples."""
    rng = np.random.default_rng(6)
    n = 1200
    treated = (rng.random(n) < 0.5) * 1.0
    observed = rng.random(n) < np.where(treated > 0, 0.9, 0.75)
    y = rng.normal(size=n) + 0.5 * treated
    found = lee_bounds(y, treated, observed)
    draws = []
    for _ in range(600):
        rows = rng.integers(0, n, n)
        again = lee_bounds(y[rows], treated[rows], observed[rows])
        draws.append((again.lower, again.upper))
    spread = np.std(draws, axis=0)
    assert (found.lower_error, found.upper_error) == pytest.approx(spread, rel=0.12)


def test_matched_pairs_are_a_paired_t_test() -> None:
    """One treated and one comparison unit a stratum: the mean of the differences and its usual error."""
    rng = np.random.default_rng(1)
    pair, treated = np.repeat(np.arange(12), 2), np.tile([1.0, 0.0], 12)
    y = rng.normal(size=24) + pair
    gap = y[0::2] - y[1::2]
    found = stratified_effect(y, treated, pair)
    assert found.value == pytest.approx(gap.mean()) and found.std_error == pytest.approx(stats.sem(gap))
    assert found.value / found.std_error == pytest.approx(stats.ttest_rel(y[0::2], y[1::2]).statistic)
