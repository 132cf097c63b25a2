"""Statistical secrecy: primary rules, cheapest secondary suppression, attacker audit, differencing."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from essaim.engines.impact.disclosure import audit, differencing, primary, secondary, tables
from essaim.engines.impact.refusal import Refusal

key = tables.key_of


def sensitive(protection: float = 5, **codes: str) -> primary.Sensitive:
    return primary.Sensitive(key(**codes), "test", protection)


@pytest.mark.data
def test_published_example_is_reproduced_exactly(expected):
    """Cost 59, pattern {II, III} x {A, C}, attacker interval [5, 30]."""
    want = expected["sdc"]
    cells = tables.cells_of_array(want["table"], ["l", "c"])
    row, column = want["primary"]
    target = sensitive(want["protect"], l=str(row), c=str(column))
    found = secondary.suppress(cells, [target])
    hidden = {(int(dict(k)["l"]), int(dict(k)["c"])) for k in (*found.primary, *found.secondary)}
    assert found.cost == want["cost"] and found.is_optimal and not found.exposed
    assert hidden == {tuple(p) for p in want["pattern"]}
    interval = next(i for i in found.intervals if i.key == target.key)
    assert [interval.low, interval.high] == pytest.approx(want["interval"])


@settings(max_examples=5, deadline=None)
@given(inner=st.lists(st.integers(1, 40), min_size=9, max_size=9), cell=st.integers(0, 8), protection=st.integers(1, 6))
def test_suppression_is_the_cheapest_pattern_that_passes_the_audit(inner, cell, protection):
    """Against brute force over every pattern of a 3 x 3 table: same cost, and every total still adds up."""
    body = np.array(inner, float).reshape(3, 3)
    full = np.block([[body, body.sum(1, keepdims=True)], [body.sum(0, keepdims=True), np.array([[body.sum()]])]])
    cells = tables.cells_of_array(full, ["l", "c"])
    target = sensitive(protection, l=str(cell // 3), c=str(cell % 3))
    margins = [k for k in cells.keys if len(k) < 2]
    try:
        found = secondary.suppress(cells, [target], never=margins)
    except Refusal as refusal:
        assert refusal.code == "unprotectable"
        found = None
    value = dict(zip(cells.keys, cells.values, strict=True))
    free = [k for k in cells.keys if len(k) == 2 and k != target.key]
    best = None
    for size in (3, 4):
        for chosen in combinations(free, size):
            cost = value[target.key] + sum(value[k] for k in chosen)
            if (best is None or cost < best) and _ok(cells, target, chosen):
                best = cost
    if found is None:
        assert best is None
    else:
        assert not found.exposed and (best is None or found.cost <= best + 1e-6)
    assert np.abs(cells.equations @ cells.values).max() == 0


def _ok(cells, target, chosen) -> bool:
    for i in audit.audit(cells, (target.key, *chosen)):
        if i.key == target.key:
            return i.protects(target.protection)
    return False


def linked() -> tuple[tables.Cells, list[list[tables.Dimension]]]:
    rng = np.random.default_rng(4)
    regions = {"R1": ("D1", "D2", "D3"), "R2": ("D4", "D5")}
    place = tables.Dimension("lieu", {"": tuple(regions), **regions})
    level = tables.Dimension.flat("niveau", ["école", "collège"])
    sector = tables.Dimension.flat("secteur", ["public", "privé"])
    rows = [{"lieu": f"D{rng.integers(1, 6)}", "niveau": str(rng.choice(["école", "collège"])),
             "secteur": str(rng.choice(["public", "privé"], p=[0.85, 0.15]))} for _ in range(120)]
    specs = [[place, level], [place, sector]]
    return tables.tabulate(rows, rng.integers(1, 50, 120), [f"U{k}" for k in range(120)], specs,
                           persons=rng.integers(1, 30, 120)), specs


def test_linked_hierarchical_tables_share_their_margins():
    """Totals by place are one cell in both tables; regions add up; every relation holds."""
    cells, _ = linked()
    index = cells.index()
    assert sum(1 for k in cells.keys if k == key(lieu="R1")) == 1
    values = cells.values
    assert values[index[key(lieu="R1")]] == sum(values[index[key(lieu=f"D{d}")]] for d in (1, 2, 3))
    assert np.abs(cells.equations @ values).max() < 1e-9
    assert cells.persons is not None and cells.units is not None and cells.units[index[()]] == 120


def test_linked_suppression_resists_the_attacker_both_ways():
    """Exact and cell-by-cell solutions both pass the audit; the exact one is never dearer."""
    cells, _ = linked()
    found = primary.primary_cells(cells, primary.Rules(min_units=6, min_persons=60))
    assert found and all("moins de" in s.reason for s in found)
    exact = secondary.suppress(cells, found, exact=True)
    quick = secondary.suppress(cells, found, exact=False)
    assert not exact.exposed and not quick.exposed
    assert exact.cost <= quick.cost + 1e-6 and exact.is_optimal
    assert not any(i.is_exact for i in exact.intervals if i.key in exact.primary)


def test_hiding_only_the_sensitive_cell_would_disclose_it():
    """Without secondary suppression the attacker subtracts."""
    cells = tables.cells_of_array([[3, 7, 10], [9, 1, 10], [12, 8, 20]], ["l", "c"])
    alone = audit.audit(cells, [key(l="0", c="0")])[0]
    assert alone.is_exact and alone.low == pytest.approx(3) and not alone.protects(1)


def test_an_insider_is_counted_when_declared():
    """Two singletons that hide one another protect from outsiders only; declaring insiders costs more."""
    body = np.array([[5.0, 6, 20], [7, 8, 30], [9, 30, 40]])
    full = np.block([[body, body.sum(1, keepdims=True)], [body.sum(0, keepdims=True), np.array([[body.sum()]])]])
    cells = tables.cells_of_array(full, ["l", "c"])
    one, two = sensitive(2, l="0", c="0"), sensitive(2, l="0", c="1")
    outside = secondary.suppress(cells, [one, two])
    inside = secondary.suppress(cells, [one, two], insiders={one.key: [two.key], two.key: [one.key]})
    hidden = (*inside.primary, *inside.secondary)
    attacked = next(i for i in audit.audit(cells, hidden, known=[two.key]) if i.key == one.key)
    assert attacked.protects(2) and inside.cost >= outside.cost


def test_primary_rules_by_hand():
    """Thresholds, (2, 80 %) dominance and the 10 % rule with their protection levels; empty cells are published."""
    level = tables.Dimension.flat("n", ["a", "b", "c", "d"])
    rows = [{"n": "a"}] * 3 + [{"n": "b"}] * 2 + [{"n": "c"}] * 4
    cells = tables.tabulate(rows, [80, 15, 5, 10, 10, 25, 25, 25, 25], list("uvwxyzrst"), [[level]], persons=[10] * 9)
    caught = primary.primary_cells(cells, primary.Rules(min_persons=11, min_units=3, dominance=(2, 80)))
    reasons = {s.key: (s.reason, s.protection) for s in caught}
    assert reasons[key(n="a")] == ("dominance (2, 80 %)", pytest.approx(100 / 80 * 95 - 100))
    assert "contributeurs" in reasons[key(n="b")][0]
    assert key(n="c") not in reasons and key(n="d") not in reasons
    percent = primary.primary_cells(cells, primary.Rules(None, None, p_percent=10))
    assert {s.key: s.protection for s in percent}[key(n="a")] == pytest.approx(8 - 5)


def test_differencing_two_publications_reveals_a_school():
    """A département with and without one school; the pair of figures is named."""
    schools = frozenset(f"E{k}" for k in range(20))
    figures = [differencing.Figure("mars", "Aisne", 1000.0, schools),
               differencing.Figure("avril", "Aisne hors REP", 940.0, schools - {"E7"}),
               differencing.Figure("avril", "Grandes écoles", 500.0, frozenset(f"E{k}" for k in range(10, 20)))]
    leaks = differencing.differencing(figures, dict.fromkeys(schools, 50.0))
    assert [leak.units for leak in leaks] == [("E7",)]
    assert leaks[0].low == pytest.approx(60) and leaks[0].high == pytest.approx(60)
    assert leaks[0].subtraction == ("mars : Aisne", "avril : Aisne hors REP")


def test_differencing_through_several_figures_and_harmless_pairs():
    """A school found by combining three figures; large differences are not leaks; contradictions are refused."""
    a, b, c = (frozenset({f"{p}{k}" for k in range(5)}) for p in "abc")
    figures = [differencing.Figure("1", "a+b+x", 130.0, a | b | {"x"}), differencing.Figure("1", "a", 60.0, a),
               differencing.Figure("2", "b", 50.0, b)]
    leaks = differencing.differencing(figures, dict.fromkeys(a | b | c | {"x"}, 40.0))
    assert [leak.units for leak in leaks] == [("x",)] and leaks[0].subtraction is None
    safe = [differencing.Figure("1", "a+b", 110.0, a | b), differencing.Figure("2", "a", 60.0, a)]
    assert differencing.differencing(safe, dict.fromkeys(a | b, 40.0)) == ()
    with pytest.raises(Refusal, match="deux valeurs"):
        differencing.differencing([figures[1], differencing.Figure("2", "a bis", 61.0, a)], {})


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: tables.cells_of_array([[1, 2, 4], [1, 2, 3], [2, 4, 6]]), "totals"),
        (lambda: tables.linked_cells([[tables.Dimension.flat("n", ["a"])]], {key(n="a"): 1.0}), "missing-cells"),
        (lambda: tables.Dimension("n", {"": ("a", "a")}).codes(), "hierarchy"),
        (lambda: tables.Dimension.flat("n", ["a"]).ancestors("z"), "unknown-code"),
        (lambda: audit.audit(tables.cells_of_array([[1, 1], [1, 1]]), [key(n="9")]), "unknown-cell"),
        (lambda: primary.primary_cells(tables.cells_of_array([[1, 1], [1, 1]]), primary.Rules()), "no-persons"),
        (lambda: secondary.suppress(tables.cells_of_array([[4, 4], [4, 4]], ["l", "c"]), [sensitive(l="0", c="0")],
                                    never=[(), key(l="0"), key(c="0")]), "unprotectable"),
    ],
)
def test_tables_that_cannot_be_protected_are_refused(call, code):
    """Inconsistent totals, unknown cells, missing ingredients and impossible protections have their own codes."""
    with pytest.raises(Refusal) as refusal:
        call()
    assert refusal.value.code == code
