"""Inference: exactness against brute force, seeds, refusals, and the size of the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from essaim.engines.impact.did import aggregate, group_time_effects
from essaim.engines.impact.inference.assignments import assignments, possible_assignments
from essaim.engines.impact.inference.choice import CONLEY_TABER, WILD, agreement, choose_inference
from essaim.engines.impact.inference.conley_taber import conley_taber
from essaim.engines.impact.inference.multiplicity import holm, sharpened_q
from essaim.engines.impact.inference.randomisation import randomisation_test, romano_wolf
from essaim.engines.impact.inference.statistics import (
    difference_in_means,
    stack,
    staggered_att,
    staggered_att_of,
)
from essaim.engines.impact.inference.wild_bootstrap import wild_cluster_bootstrap
from essaim.engines.impact.panel import Panel, PanelRefused
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.regression import regress
from essaim.engines.impact.twfe import twfe

sys.path.insert(0, str(Path(__file__).parent))
from rollouts import rollout

ROLES = {"unit": "uai", "cluster": "dep", "time": "t", "outcome": "y", "cohort": "g"}
few = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def read(frame, **options) -> Panel:
    return Panel.read(frame, **ROLES, **options)


def small(seed: int, clusters: int = 8, share: float = 0.25) -> Panel:
    return read(rollout(seed, units=4 * clusters, clusters=clusters, share=share, entries=(3, 5)))


@few
@given(seed=st.integers(0, 10_000))
def test_the_statistic_is_the_simple_aggregate(seed) -> None:
    """From département sums alone: the same number as Callaway–Sant'Anna on schools."""
    panel = read(rollout(seed, units=96))
    effect = staggered_att(panel, event_times=(0, 1))(panel.cluster_cohort()[None])[0]
    effects = group_time_effects(panel)
    dynamic = aggregate(effects, "dynamic")
    assert effect[0] == pytest.approx(aggregate(effects, "simple").overall.value, abs=1e-10)
    np.testing.assert_allclose(effect[1:], dynamic.value[(dynamic.at == 0) | (dynamic.at == 1)], atol=1e-10)


@few
@given(seed=st.integers(0, 10_000))
def test_interval_by_inversion_equals_brute_force(seed) -> None:
    """Just inside the interval the constant effect is not rejected, just outside it is — recomputed from cleared outcomes."""
    panel = small(seed)
    cohort, sums = panel.cluster_cohort(), panel.cluster_sums()
    found = randomisation_test(staggered_att(panel), cohort, level=0.8)
    treated = panel.periods[None] >= cohort[:, None]

    def p_of(effect: float) -> float:
        cleared = staggered_att_of(sums.mean - effect * treated, sums.weight, cohort, panel.periods)
        return randomisation_test(cleared, cohort).p_value

    assert found.enumerated and p_of(0.0) == found.p_value
    for end, side in ((found.low, -1), (found.high, 1)):
        if np.isfinite(end):
            assert p_of(end - side * 1e-7) > 0.2 >= p_of(end + side * 1e-7)
        else:
            assert p_of(found.observed + side * 1e6) > 0.2


def test_enumeration_is_the_limit_of_sampling() -> None:
    """Twenty thousand draws give the enumerated p value and interval."""
    panel = small(3)
    cohort, statistic = panel.cluster_cohort(), staggered_att(panel)
    exact = randomisation_test(statistic, cohort, level=0.8)
    sampled = randomisation_test(statistic, cohort, draws=20_000, enumerate_up_to=0, level=0.8)
    assert exact.possible == possible_assignments(cohort) == exact.draws.size == 56
    assert sampled.p_value == pytest.approx(exact.p_value, abs=0.015)
    assert sampled.low == pytest.approx(exact.low, abs=0.15) and sampled.high == pytest.approx(
        exact.high, abs=0.15
    )


def test_permutation_p_is_uniform_under_the_null() -> None:
    """Over all assignments of fixed outcomes, P(p ≤ a) ≤ a, with equality at the attainable levels."""
    rng = np.random.default_rng(1)
    y = rng.normal(size=9)
    cohort = np.where(np.arange(9) < 3, 1.0, np.inf)
    space = assignments(cohort)
    p = np.array(
        [randomisation_test(difference_in_means(y), row, space=space).p_value for row in space.cohort]
    )
    for level in (0.05, 0.1, 0.25, 0.5):
        assert (p <= level).mean() == pytest.approx(np.floor(level * 84 + 1e-9) / 84, abs=1 / 84)


def test_strata_and_rerandomisation_restrict_the_assignments() -> None:
    """Permuting within strata and under the design's balance rule only gives assignments that could have happened."""
    cohort = np.array([1, np.inf, np.inf, 1, np.inf, np.inf, np.inf, 2.0])
    strata = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    space = assignments(cohort, strata=strata)
    assert space.enumerated and len(space.cohort) == 6 * 4 == possible_assignments(cohort, strata)
    assert (np.isfinite(space.cohort[:, :4]).sum(axis=1) == 2).all()

    def accept(c: np.ndarray) -> np.ndarray:
        return np.isfinite(c) @ np.arange(8.0) <= 10

    ruled = assignments(cohort, strata=strata, accept=accept)
    assert 0 < len(ruled.cohort) < 24 and accept(ruled.cohort).all()
    sampled = assignments(cohort, strata=strata, accept=accept, enumerate_up_to=0, draws=500)
    assert accept(sampled.cohort).all() and len(sampled.cohort) == 500
    with pytest.raises(Refusal, match="re-tirage"):
        assignments(cohort, accept=lambda c: np.zeros(len(c), bool))
    with pytest.raises(Refusal, match="Une seule affectation"):
        assignments(np.full(4, np.inf))


def test_romano_wolf_controls_the_family() -> None:
    """Adjusted p values are ordered, above the raw ones, below Holm's bound in spirit; one effect alone is unchanged."""
    panels = [small(s, clusters=12) for s in (1, 2, 3)]
    cohort = panels[0].cluster_cohort()
    statistics = [
        staggered_att_of(p.cluster_sums().mean, panels[0].cluster_sums().weight, cohort, p.periods)
        for p in panels
    ]
    space = assignments(cohort)
    family = romano_wolf(stack(statistics), cohort, space, ("a", "b", "c"))
    assert (family.adjusted >= family.p_value - 1e-12).all() and (
        family.adjusted <= 3 * family.p_value + 1e-12
    ).all()
    order = np.argsort(-np.abs(family.observed / stack(statistics)(space.cohort).std(axis=0)))
    assert (np.diff(family.adjusted[order]) >= 0).all()
    alone = romano_wolf(statistics[0], cohort, space)
    assert (
        alone.adjusted[0]
        == alone.p_value[0]
        == randomisation_test(statistics[0], cohort, space=space).p_value
    )


@pytest.mark.parametrize("null_imposed", [True, False])
def test_wild_bootstrap_equals_refitting(null_imposed) -> None:
    """Cluster sums give, sign vector by sign vector, the t statistics of full refits with absorbed effects."""
    panel = small(5, clusters=6, share=0.5)
    fit = twfe(panel, kind="CR1S")
    found = wild_cluster_bootstrap(fit, "traitement", panel.cluster, null=0.1, null_imposed=null_imposed)
    beta = fit.of("traitement")[0]
    treatment = panel.treated
    restricted = regress(
        panel.outcome - 0.1 * treatment, {"zero": panel.unit * 0.0}, absorb=[panel.unit, panel.period]
    )
    base = fit.residual if not null_imposed else restricted.residual
    centre = 0.1 if null_imposed else beta
    fitted = panel.outcome - base
    t = []
    for signs in product((1.0, -1.0), repeat=6):
        again = twfe(panel.with_outcome(fitted + base * np.array(signs)[panel.cluster]), kind="CR1S")
        value, error = again.of("traitement")
        t.append((value - centre) / error * np.sqrt(fit.covariance.factor))
    np.testing.assert_allclose(found.draws, t, atol=1e-6)
    low, high = found.low, found.high
    assert low < beta < high


def test_wild_bootstrap_interval_contains_what_it_does_not_reject() -> None:
    """The interval's ends are where the p value crosses the level."""
    panel = small(6, clusters=14, share=0.5)
    fit = twfe(panel)
    found = wild_cluster_bootstrap(fit, "traitement", panel.cluster, draws=999, level=0.9)
    for end, outward in ((found.low, -1), (found.high, 1)):
        inside = wild_cluster_bootstrap(
            fit, "traitement", panel.cluster, draws=999, null=end - outward * 1e-4, level=None
        )
        outside = wild_cluster_bootstrap(
            fit, "traitement", panel.cluster, draws=999, null=end + outward * 1e-4, level=None
        )
        assert inside.p_value > 0.1 >= outside.p_value


def test_wild_bootstrap_refuses_effects_across_clusters() -> None:
    """Signs drawn by cluster do not commute with demeaning by an effect that crosses clusters: refused, not approximated."""
    panel = small(5, clusters=6, share=0.5)
    with pytest.raises(Refusal, match="grappes"):
        wild_cluster_bootstrap(twfe(panel), "traitement", panel.period)


def test_conley_taber_with_one_treated_is_a_rank() -> None:
    """One treated département: p is its rank among the comparison départements' own fluctuations."""
    panel = read(rollout(4, units=400, clusters=40, share=1 / 40, entries=(4,), effect=3.0))
    plain = conley_taber(panel, corrected=False)
    assert plain.enumerated and plain.draws.size == 39 and plain.p_value == 0.0
    assert plain.low < 3.0 < plain.high
    with pytest.raises(PanelRefused, match="trois jamais traités"):
        conley_taber(small(1, clusters=4, share=0.5))


def test_ferman_pinto_widens_for_small_treated_clusters() -> None:
    """When small clusters are noisier, a small treated one gets a wider interval."""
    rng = np.random.default_rng(2)
    size = np.where(np.arange(40) % 2 == 0, 4, 60)
    rows = [
        (c * 100 + i, c, t, 3 if c == 0 else 0)
        for c in range(40)
        for i in range(size[c])
        for t in range(1, 5)
    ]
    u, dep, t, g = np.array(rows).T
    import pandas as pd

    frame = pd.DataFrame({"uai": u, "dep": dep, "t": t, "g": g, "y": rng.normal(size=u.size)})
    raw, corrected = (conley_taber(read(frame), corrected=c, level=0.6) for c in (False, True))
    assert corrected.p_value >= raw.p_value
    assert corrected.high - corrected.low > 1.2 * (raw.high - raw.low)
    assert corrected.variance_fit is not None and corrected.variance_fit[1] > 0


def test_choice_follows_the_written_rule() -> None:
    """Few treated: permutation, checked by Conley–Taber; two of five cannot conclude; disagreement is told."""
    assert choose_inference(2, 96).checks == (CONLEY_TABER,)
    assert choose_inference(12, 96).checks == (WILD,)
    tiny = choose_inference(2, 5)
    assert tiny.smallest_p == 0.1 and not tiny.can_conclude and "ne permet pas de conclure" in tiny.reason
    with pytest.raises(Refusal):
        choose_inference(0, 10)
    told = agreement({"permutation": 0.2, "cr2": 0.01, "wild-bootstrap": 0.3})
    assert not told.agree and told.dissenting == ("cr2",) and "divergent" in told.sentence
    assert agreement({"permutation": 0.01, "cr2": 0.02}).agree


@few
@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=12))
def test_adjusted_p_values_are_monotone(p_values) -> None:
    """Adjusted values keep the order of the p values and stay in [0, 1]."""
    p = np.array(p_values)
    for adjusted in (sharpened_q(p), holm(p)):
        order = np.argsort(p, kind="stable")
        assert (np.diff(adjusted[order]) >= -1e-12).all() and adjusted.max() <= 1
    with pytest.raises(Refusal):
        sharpened_q(np.array([1.5]))


SCRIPT = """
import sys; sys.path.insert(0, {folder!r})
from rollouts import rollout
from essaim.engines.impact.panel import Panel
from essaim.engines.impact.did import aggregate, group_time_effects
from essaim.engines.impact.imputation import imputation
from essaim.engines.impact.inference.randomisation import randomisation_test
from essaim.engines.impact.inference.statistics import staggered_att
from essaim.engines.impact.inference.wild_bootstrap import wild_cluster_bootstrap
from essaim.engines.impact.synthetic_did import synthetic_did
from essaim.engines.impact.twfe import twfe
p = Panel.read(rollout(1, units=6000, periods=8), unit="uai", cluster="dep", time="t", outcome="y", cohort="g", covariates=["x"])
cs = aggregate(group_time_effects(p, cluster="cluster"), "simple").overall
ri = randomisation_test(staggered_att(p), p.cluster_cohort(), draws=999)
w = wild_cluster_bootstrap(twfe(p), "traitement", p.cluster, draws=999)
b, s = imputation(p, cluster="cluster").overall, synthetic_did(p, placebos=5)
print([float(x).hex() for x in (cs.value, cs.std_error, ri.observed, ri.p_value, ri.low, w.t, w.low, b.value, b.std_error, s.value)])
"""


def test_same_bits_under_any_hash_seed_and_thread_count() -> None:
    """Two processes, different PYTHONHASHSEED and BLAS threads: every bit of every number is the same."""
    out = []
    for seed, threads in (("0", "1"), ("77", "2")):
        env = os.environ | {
            "PYTHONHASHSEED": seed,
            "OPENBLAS_NUM_THREADS": threads,
            "OMP_NUM_THREADS": threads,
        }
        script = SCRIPT.format(folder=str(Path(__file__).parent))
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, env=env, timeout=300
        )
        assert done.returncode == 0, done.stderr
        out.append(done.stdout)
    assert out[0] == out[1] and "nan" not in out[0]


@pytest.mark.slow
@pytest.mark.parametrize("treated", [12, 4, 2])
def test_size_with_few_treated_of_96(treated) -> None:
    """Null simulation, AR(.7) département shocks: permutation rejects at 5 % between .03 and .07 whatever the number treated."""
    rng = np.random.default_rng(treated)
    periods, rejected, runs = 8, 0, 1000
    cohort = np.full(96, np.inf)
    cohort[:treated] = np.where(np.arange(treated) % 2 == 0, 5.0, 7.0)
    space = assignments(cohort, draws=999, enumerate_up_to=0)
    for _ in range(runs):
        shock = np.empty((96, periods))
        shock[:, 0] = rng.normal(size=96) / np.sqrt(1 - 0.49)
        for t in range(1, periods):
            shock[:, t] = 0.7 * shock[:, t - 1] + rng.normal(size=96)
        statistic = staggered_att_of(shock, np.ones((96, periods)), cohort, np.arange(1.0, periods + 1))
        rejected += randomisation_test(statistic, cohort, space=space).p_value <= 0.05
    assert 0.03 <= rejected / runs <= 0.07


@pytest.mark.slow
@pytest.mark.parametrize("treated", [12, 4])
def test_coverage_of_the_inverted_interval(treated) -> None:
    """The 95 % interval by inversion covers a constant effect between 93 % and 97 % of the time."""
    rng = np.random.default_rng(treated)
    covered, runs = 0, 1000
    cohort = np.full(60, np.inf)
    cohort[:treated] = 4.0
    periods = np.arange(1.0, 7)
    space = assignments(cohort, draws=999, enumerate_up_to=0)
    for _ in range(runs):
        y = rng.normal(size=(60, 6)).cumsum(axis=1) + 1.0 * (periods[None] >= cohort[:, None])
        found = randomisation_test(
            staggered_att_of(y, np.ones((60, 6)), cohort, periods), cohort, space=space
        )
        covered += found.low <= 1.0 <= found.high
    assert 0.93 <= covered / runs <= 0.97
