"""Concentration of outcomes and effects by sub-group."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from essaim.engines.impact.equity import concentration, subgroups
from essaim.engines.impact.refusal import Refusal


@pytest.mark.data
def test_concentration_equals_the_published_values(expected):
    """Under-five mortality of the World Bank manual and the toy of the three indices, at 1e-6."""
    want = expected["concentration"]
    index, error = concentration.grouped_concentration(want["births"], want["u5mr"])
    assert index == pytest.approx(want["C"], abs=1e-6) and error > 0
    same = concentration.concentration(np.array(want["u5mr"]), np.arange(5), weights=np.array(want["births"], float))
    assert same.standard == pytest.approx(want["C"], abs=1e-6)
    toy = concentration.concentration(np.array(want["toy_h"], float), np.arange(10), bounds=(0, 1))
    got = {"C": toy.standard, "erreygers": toy.erreygers, "wagstaff": toy.wagstaff}
    assert got == pytest.approx(want["toy"], abs=1e-6)


def test_standard_errors_are_those_of_resampling():
    """Linearised errors of the three indices agree with a bootstrap, weights and ties included."""
    rng = np.random.default_rng(0)
    r = rng.normal(size=800)
    h = (rng.normal(size=800) + 0.5 * r > 0).astype(float)
    r, w = np.round(r, 1), rng.uniform(0.5, 2, 800)
    found = concentration.concentration(h, r, bounds=(0, 1), weights=w)
    drawn = []
    for _ in range(300):
        i = rng.integers(0, 800, 800)
        k = concentration.concentration(h[i], r[i], bounds=(0, 1), weights=w[i])
        drawn.append((k.standard, k.erreygers, k.wagstaff))
    errors = (found.standard_error, found.erreygers_error, found.wagstaff_error)
    assert errors == pytest.approx(np.std(drawn, axis=0), rel=0.12)


@settings(max_examples=40, deadline=None)
@given(values=st.lists(st.integers(0, 1), min_size=6, max_size=30), seed=st.integers(0, 99))
def test_erreygers_mirrors_and_ignores_order_and_the_unit_of_rank(values, seed):
    """Attainment and shortfall have opposite Erreygers indices; row order and any increasing rescaling of rank change nothing."""
    h = np.array([0.0, 1.0, *values])
    rank = np.random.default_rng(seed).normal(size=h.size)
    one = concentration.concentration(h, rank, bounds=(0, 1))
    assert concentration.concentration(1 - h, rank, bounds=(0, 1)).erreygers == pytest.approx(-one.erreygers, abs=1e-12)
    assert concentration.concentration(1 - h, rank, bounds=(0, 1)).wagstaff == pytest.approx(-one.wagstaff, abs=1e-12)
    order = np.random.default_rng(seed + 1).permutation(h.size)
    again = concentration.concentration(h[order], np.exp(rank[order]), bounds=(0, 1))
    assert again.standard == pytest.approx(one.standard, abs=1e-12)
    assert again.standard_error == pytest.approx(one.standard_error, abs=1e-12)


def test_clustered_error_counts_clusters_not_persons():
    """Duplicating every person inside its cluster leaves the clustered error unchanged and shrinks the naive one."""
    rng = np.random.default_rng(2)
    h, r, c = rng.uniform(size=60), rng.normal(size=60), np.repeat(np.arange(20), 3)
    once = concentration.concentration(h, r, clusters=list(c))
    twice = concentration.concentration(np.tile(h, 2), np.tile(r, 2), clusters=list(np.tile(c, 2)))
    assert twice.standard_error == pytest.approx(once.standard_error, rel=1e-9)
    naive = concentration.concentration(np.tile(h, 2), np.tile(r, 2)).standard_error
    assert naive < concentration.concentration(h, r).standard_error * 0.75


def test_within_group_spread_adds_to_the_grouped_error():
    """Kakwani's grouped error with persons counts the spread inside groups."""
    args = ([1, 1, 1, 1, 1], [10, 11, 12, 13, 14])
    _, none = concentration.grouped_concentration(*args, deviations=np.zeros(5), persons=500)
    _, some = concentration.grouped_concentration(*args, deviations=np.full(5, 4.0), persons=500)
    assert some > none > 0


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: concentration.concentration(np.ones(5), np.ones(5)), "no-rank"),
        (lambda: concentration.concentration(np.zeros(5), np.arange(5)), "zero-mean"),
        (lambda: concentration.concentration(np.array([0, 1, 3.0]), np.arange(3), bounds=(0, 1)), "bounds"),
        (lambda: concentration.concentration(np.array([0, 1, 1.0]), np.arange(3), clusters=["a"] * 3), "one-cluster"),
        (lambda: subgroups.subgroup_effects({"a": np.ones((4, 3))}, [1, 1, -1, -1]), "one-subgroup"),
        (lambda: subgroups.subgroup_effects({"a": np.ones((2, 3)), "b": np.ones((2, 3))}, [1, 1]), "one-arm"),
        (lambda: subgroups.subgroup_effects({"a": np.ones((3, 3)), "b": np.ones((3, 3))}, [0, -1, -1]), "no-baseline"),
    ],
)
def test_equity_questions_without_an_answer_are_refused(call, code):
    """Each refusal has its code."""
    with pytest.raises(Refusal) as refusal:
        call()
    assert refusal.value.code == code


def cells(seed: int, extra: float = 0.0) -> tuple[dict[str, np.ndarray], list[int]]:
    rng = np.random.default_rng(seed)
    base = np.cumsum(rng.normal(size=(24, 6)) * 0.3, axis=1)
    start = [3] * 4 + [4] * 4 + [-1] * 16
    low, high = base + rng.normal(size=(24, 6)) * 0.1, base + 1 + rng.normal(size=(24, 6)) * 0.1
    for c, s in enumerate(start):
        if s >= 0:
            low[c, s:] += 1.0 + extra
            high[c, s:] += 1.0
    return {"défavorisés": low, "favorisés": high}, start


def test_interaction_is_found_when_it_exists_and_the_gap_narrows():
    """A larger effect among the disadvantaged: interaction significant, gap change of that size, common effect adjusted."""
    means, start = cells(5, extra=0.5)
    found = subgroups.subgroup_effects(means, start, draws=999, seed=1)
    assert found.interactions[0].difference == pytest.approx(0.5, abs=0.15)
    assert found.interactions[0].p_value < 0.01
    assert all(e.adjusted_p >= e.p_value - 1e-12 for e in found.effects)
    gap = subgroups.gap_change(means["favorisés"], means["défavorisés"], start, draws=999, seed=1)
    assert gap.change == pytest.approx(-found.interactions[0].difference)
    assert gap.p_value < 0.01


def test_interaction_permutation_keeps_its_size_without_interaction():
    """Same effect in both groups: p-values of the interaction are spread, not concentrated near zero."""
    p = []
    for seed in range(60):
        means, start = cells(seed)
        p.append(subgroups.subgroup_effects(means, start, draws=199, seed=seed).interactions[0].p_value)
    assert 0.3 < np.mean(p) < 0.7 and np.mean(np.array(p) < 0.05) < 0.15


def test_incomplete_clusters_are_dropped_and_counted():
    """A cluster where one sub-group is missing at one period leaves both sub-groups."""
    means, start = cells(3)
    means["favorisés"][20, 2] = np.nan
    found = subgroups.subgroup_effects(means, start, draws=99)
    assert found.dropped_clusters == 1 and found.effects[0].clusters == 23
