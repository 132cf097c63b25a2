"""Every set of departures of R HonestDiD: rays against a linear programme, intervals against another program and against one another."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog
from tests.impact_estimation.rollouts import rollout

from essaim.engines.impact.did import aggregate, group_time_effects
from essaim.engines.impact.panel import Panel
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.sensitivity import conditional
from essaim.engines.impact.sensitivity.conditional import (
    default_method,
    sensitivity_breakdown,
    sensitivity_interval,
)
from essaim.engines.impact.sensitivity.dual_cone import extreme_rays
from essaim.engines.impact.sensitivity.restrictions import Restriction, polyhedra
from essaim.engines.impact.sensitivity.smoothness import Trends, original_interval, smoothness_interval
from essaim.engines.impact.sun_abraham import sun_abraham

SHAPES = [(None, None), ("positive", None), ("negative", None), (None, "increasing"), (None, "decreasing"), ("positive", "increasing")]


def example(before: int = 3, after: int = 3) -> Trends:
    """Coefficients and covariance drawn once: three before, three after, as given to moderndid for the numbers below."""
    root = np.random.default_rng(3).normal(size=(before + after, before + after + 3))
    value = np.array([0.02, -0.03, 0.01, 0.25, 0.3, 0.4])[: before + after]
    return Trends(value, root @ root.T / 9 * 0.01, before, np.eye(after)[0])


@pytest.mark.parametrize("base", ["SD", "RM", "SDRM"])
@pytest.mark.parametrize(("bias", "monotone"), SHAPES)
@pytest.mark.parametrize("weights", [np.array([0.5, 0.3, 0.2]), np.array([0.0, 0.0, 1.0])])
def test_rays_give_the_value_of_the_linear_programme(base, bias, monotone, weights) -> None:
    """The largest moment over the rays is the programme of Andrews, Roth & Pakes (their equation 14) for any outcome and θ."""
    t = Trends(example().value, example().covariance, 3, weights)
    rng = np.random.default_rng(0)
    restriction = Restriction(base, bias, monotone)
    nuisance = np.linalg.svd(weights[None])[2][1:].T
    for p, d in zip(polyhedra(t, restriction, 0.7), conditional._duals(t, restriction, 0.7, 0.0), strict=True):
        p = conditional._tested(t, p)
        after = p.matrix[:, 3:]
        scale = np.sqrt(np.einsum("ri,ij,rj->r", p.matrix, t.covariance, p.matrix))
        for theta in rng.normal(size=2):
            beta = rng.normal(size=6)
            y = p.matrix @ beta - p.limit - after @ weights / (weights @ weights) * theta
            solved = linprog([1, *[0] * 2], A_ub=-np.column_stack([scale, after @ nuisance]), b_ub=-y, bounds=(None, None))
            assert (d.rows @ beta - d.limit - theta * d.slope).max() == pytest.approx(solved.fun, abs=1e-7)


def test_rays_of_a_cone_are_those_of_all_its_bases() -> None:
    """Double description finds exactly the rays that trying every basis finds."""
    from itertools import combinations

    x = np.random.default_rng(1).normal(size=(8, 3))
    found = extreme_rays(x)
    tried = []
    for chosen in combinations(range(8), 4):
        null = np.linalg.svd(x[list(chosen)].T)[2][-1]
        for side in (null, -null):
            if (side > 1e-12).all():
                ray = np.zeros(8)
                ray[list(chosen)] = side / side.max()
                tried.append(ray)
    order = [sorted(r.round(9).tolist() for r in rays) for rays in (found, np.array(tried))]
    np.testing.assert_allclose(order[0], order[1], atol=1e-8)


@pytest.mark.parametrize(("method", "shape", "ends"), [
    ("C-LF", (None, None), (0.0181, 0.5039)), ("Conditional", (None, None), (0.0148, 0.5039)),
    ("C-F", ("positive", None), (0.0242, 0.3721)), ("C-LF", ("positive", None), (0.0153, 0.3695)),
    ("C-F", ("negative", None), (0.1268, 0.4778)), ("Conditional", ("negative", None), (0.1312, 0.5047)),
    ("C-F", (None, "increasing"), (0.0242, 0.3721)), ("C-LF", (None, "decreasing"), (0.1297, 0.5064)),
])  # fmt: skip
def test_smoothness_sets_as_moderndid(method, shape, ends) -> None:
    """ΔSD(0.05) and its signs and directions: moderndid 0.2.0 on 800 points, whose step is at most 0.006 (ours is bisected, hence wider)."""
    found = sensitivity_interval(example(), 0.05, Restriction("SD", *shape), method=method)
    assert found.low == pytest.approx(ends[0], abs=7e-3) and found.low <= ends[0] + 1e-3
    assert found.high == pytest.approx(ends[1], abs=7e-3) and found.high >= ends[1] - 1e-3


@pytest.mark.parametrize(("base", "method", "shape", "ends"), [
    ("RM", "C-LF", (None, None), (0.0951, 0.4302)), ("RM", "Conditional", ("negative", None), (0.0761, 0.4429)),
    ("RM", "C-LF", (None, "decreasing"), (0.0888, 0.4492)), ("RM", "C-LF", (None, "increasing"), (0.0761, 0.4049)),
    ("SDRM", "C-LF", (None, None), (-0.0377, 0.6009)), ("SDRM", "Conditional", (None, None), (-0.0440, 0.6073)),
    ("SDRM", "C-LF", ("negative", None), (0.1014, 0.6136)), ("SDRM", "C-LF", (None, "decreasing"), (0.1077, 0.6073)),
])  # fmt: skip
def test_relative_sets_as_moderndid(base, method, shape, ends) -> None:
    """M̄ = 0.5: moderndid 0.2.0 on 400 points over ±20 standard errors (steps of 0.0063), where its solver does not give up."""
    found = sensitivity_interval(example(), 0.5, Restriction(base, *shape), method=method)
    assert (found.low, found.high) == pytest.approx(ends, abs=2.2e-2)
    assert found.low <= ends[0] + 1e-3 and found.high >= ends[1] - 1e-3


def test_sets_are_nested() -> None:
    """A sign or a direction can only remove biases: identified sets shrink, and so do conditional intervals at their population value."""
    t = Trends(example().value, example().covariance * 1e-10, 3, np.eye(3)[0])
    for base, bound in (("SD", 0.1), ("RM", 1.0), ("SDRM", 1.0)):
        wide = sensitivity_interval(t, bound, Restriction(base), method="Conditional")
        above = sensitivity_interval(t, bound, Restriction(base, "positive"), method="Conditional")
        below = sensitivity_interval(t, bound, Restriction(base, "negative"), method="Conditional")
        assert above.high == pytest.approx(0.25, abs=1e-4) and below.low == pytest.approx(0.25, abs=1e-4)
        assert wide.low == pytest.approx(above.low, abs=1e-4) and wide.high == pytest.approx(below.high, abs=1e-4)


def test_every_method_contains_the_usual_interval_at_bound_zero_or_so() -> None:
    """With one period after, conditional intervals are defined too; with bound 0 and a flat past they stay near the usual one."""
    t = Trends(np.array([0.0, 0.0, 0.3]), np.diag([0.01, 0.01, 0.01]), 2, np.ones(1))
    usual = original_interval(t)
    for base in ("RM", "SDRM", "SD"):
        found = sensitivity_interval(t, 0.0, Restriction(base), method="C-LF")
        assert found.low < usual.low + 0.12 and found.high > usual.high - 0.12
        assert np.isfinite([found.low, found.high]).all()


def test_breakdown_is_where_the_interval_meets_zero() -> None:
    """At the breakdown bound the interval just excludes zero; a little above, it does not."""
    t = example()
    for restriction in (Restriction(), Restriction("SD", "positive"), Restriction("RM"), Restriction("SDRM", None, "decreasing")):
        found = sensitivity_breakdown(t, restriction, largest=5.0)
        if 0 < found < 5:
            assert sensitivity_interval(t, found * 0.99, restriction).low > 0 or restriction.base != "SD"
            assert sensitivity_interval(t, found * 1.02, restriction).low <= 1e-3


def test_defaults_are_those_of_the_reference_program() -> None:
    """FLCI for ΔSD, C-F with a sign or a direction, C-LF for relative magnitudes; names as printed by HonestDiD."""
    assert [default_method(Restriction(*r)) for r in (("SD",), ("SD", "negative"), ("RM",), ("SDRM", None, "increasing"))] == [
        "FLCI", "C-F", "C-LF", "C-LF"]  # fmt: skip
    assert [Restriction("SD", "negative").name, Restriction("RM", None, "increasing").name, Restriction("SDRM", "positive").name] == [
        "DeltaSDNB", "DeltaRMI", "DeltaSDRMPB"]  # fmt: skip
    t = example()
    assert sensitivity_interval(t, 0.1).low == smoothness_interval(t, 0.1).low


@pytest.mark.parametrize(("make", "code"), [
    (lambda t: sensitivity_interval(t, 0.1, Restriction("XX")), "restriction"),
    (lambda t: sensitivity_interval(t, 0.1, Restriction("RM"), method="FLCI"), "method"),
    (lambda t: sensitivity_interval(t, 0.1, Restriction("SD", "positive"), method="FLCI"), "method"),
    (lambda t: sensitivity_interval(t, 0.1, Restriction("SD"), method="bayes"), "method"),
    (lambda t: sensitivity_interval(t, -1.0, Restriction("RM")), "bound"),
    (lambda t: sensitivity_interval(Trends(t.value[2:], t.covariance[2:, 2:], 1, t.weights), 1.0, Restriction("SDRM")), "past"),
])  # fmt: skip
def test_what_is_not_a_set_or_a_method_is_refused(make, code) -> None:
    """Unknown sets, methods that do not apply, negative bounds and too short a past: a sentence, not a number."""
    with pytest.raises(Refusal) as refused:
        make(example())
    assert refused.value.code == code


def test_sun_abraham_is_the_never_treated_event_study() -> None:
    """Balanced, without covariates, against never-treated units: the same effects as Callaway–Sant'Anna's universal base, whatever the cohort."""
    panel = Panel.read(rollout(5, units=60, clusters=12, share=0.4, entries=(3, 5)), unit="uai", cluster="dep", time="t", outcome="y", cohort="g")
    found, other = sun_abraham(panel), aggregate(group_time_effects(panel, base="universal"), "dynamic")
    kept = other.at != -1
    np.testing.assert_allclose(found.event_study.event_time, other.at[kept])
    np.testing.assert_allclose(found.event_study.value, other.value[kept], atol=1e-10)
    assert found.overall.value == pytest.approx(aggregate(other.effects, "simple").overall.value, abs=1e-10)
    assert found.overall.std_error is not None and found.overall.std_error > 0


def test_sun_abraham_without_never_treated_units() -> None:
    """The last cohort stands in for them until it enters, which is told."""
    frame = rollout(5, units=60, clusters=12, share=1.0, entries=(3, 5))
    panel = Panel.read(frame, unit="uai", cluster="dep", time="t", outcome="y", cohort="g", require_never_treated=False)
    found = sun_abraham(panel)
    assert "sert de comparaison" in found.overall.warnings[0] and found.event_study.event_time.max() == 1
