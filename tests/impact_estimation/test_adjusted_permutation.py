"""Permutation with covariates: the analysis of covariance it is, its size, its precision, its interval."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.impact_estimation.rollouts import rollout

from essaim.engines.impact.inference.adjusted import adjusted_att
from essaim.engines.impact.inference.assignments import assignments
from essaim.engines.impact.inference.randomisation import randomisation_test
from essaim.engines.impact.inference.statistics import staggered_att
from essaim.engines.impact.panel import Panel


def read(frame: pd.DataFrame, covariates: tuple[str, ...] = ("x",)) -> Panel:
    return Panel.read(frame, unit="uai", cluster="dep", time="t", outcome="y", cohort="g", covariates=covariates)


def two_periods(seed: int) -> pd.DataFrame:
    return rollout(seed, units=60, clusters=10, periods=2, entries=(2,), share=0.4)


def test_two_periods_are_an_analysis_of_covariance() -> None:
    """One wave, two periods, clusters of equal size: the coefficient of treatment in the regression of the change on treatment and x."""
    frame = two_periods(3)
    panel = read(frame)
    wide = frame.pivot(index="uai", columns="t", values="y")
    first = frame.drop_duplicates("uai").set_index("uai")
    design = np.column_stack([np.ones(60), first.g > 0, first.x])
    expected = np.linalg.lstsq(design, (wide[2] - wide[1]).to_numpy(), rcond=None)[0][1]
    found = adjusted_att(panel)(panel.cluster_cohort()[None])[0, 0]
    assert found == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_assignment_is_its_own_analysis_of_covariance(seed) -> None:
    """The permuted effects are those a re-estimation under each assignment gives, so a constant effect of one comes back as one."""
    panel = read(two_periods(seed))
    statistic, cohort = adjusted_att(panel), panel.cluster_cohort()
    space = assignments(cohort)
    for row in space.cohort[::60]:
        moved = panel.with_cohort(row[panel.cluster])
        assert adjusted_att(moved)(row[None])[0, 0] == pytest.approx(statistic(row[None])[0, 0], abs=1e-10)
    assert statistic.constant_effect(cohort)(cohort[None])[0, 0] == pytest.approx(1.0, abs=1e-10)
    staggered = read(rollout(seed, units=120, clusters=12, entries=(3, 5)))
    again = staggered.cluster_cohort()
    assert adjusted_att(staggered).constant_effect(again)(again[None])[0, 0] == pytest.approx(1.0, abs=1e-10)


def test_without_variation_in_covariates_nothing_changes() -> None:
    """A constant covariate adjusts for nothing."""
    frame = rollout(4, units=120, clusters=12).assign(one=2.0)
    panel, cohort = read(frame, ("one",)), read(frame, ()).cluster_cohort()
    space = assignments(cohort, draws=199)
    np.testing.assert_allclose(adjusted_att(panel)(space.cohort)[:, 0], staggered_att(panel)(space.cohort)[:, 0], atol=1e-10)


def test_interval_is_the_set_of_effects_not_rejected() -> None:
    """Clearing the outcome of an effect just inside or just outside the interval moves p across the level."""
    frame = rollout(6, units=120, clusters=12, share=0.4)
    panel = read(frame)
    cohort, space = panel.cluster_cohort(), assignments(panel.cluster_cohort(), draws=999)
    found = randomisation_test(adjusted_att(panel), cohort, space=space, level=0.9)
    for end, inward in ((found.low, 1e-6), (found.high, -1e-6)):
        p = [randomisation_test(adjusted_att(panel.with_outcome(panel.outcome - (end + step) * panel.treated)), cohort, space=space).p_value
             for step in (inward, -inward)]  # fmt: skip
        assert p[0] > 0.1 >= p[1]


def test_size_and_precision_when_covariates_drive_trends() -> None:
    """Outcomes whose trend follows a covariate: the adjusted test keeps its size and its intervals are shorter."""
    rejected, shorter = 0, []
    for seed in range(60):
        frame = rollout(seed, units=80, clusters=16, share=0.3, effect=0.0, shock=0.02)
        frame["y"] += 0.6 * frame.x * frame.t
        panel, plain = read(frame), read(frame, ())
        space = assignments(panel.cluster_cohort(), draws=199, seed=seed)
        adjusted = randomisation_test(adjusted_att(panel), panel.cluster_cohort(), space=space)
        unadjusted = randomisation_test(staggered_att(plain), panel.cluster_cohort(), space=space)
        rejected += adjusted.p_value <= 0.1
        shorter.append((adjusted.high - adjusted.low) / (unadjusted.high - unadjusted.low))
    assert 1 <= rejected <= 13 and np.median(shorter) < 0.5
