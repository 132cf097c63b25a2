"""What the public sees never gives a small count back, even to someone who solves the published tables."""

from __future__ import annotations

import itertools
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from essaim.engines.measures import FactColumn, FactTable, Indicator, Measure, Role, col, figures
from essaim.engines.measures.suppression import Level, hide

THRESHOLD = 5
LOANS = FactTable(
    "loans", (FactColumn("uai", "text"), FactColumn("pupils", "integer", Role.FLOW), FactColumn("day", "date"))
)
LOANED = Indicator(
    "loaned", 1, "Prêts", "Élèves équipés d'un prêt.", "flow", Measure("loaned", LOANS, "day", col("pupils")),
    unit="élèves", breakdowns=("sector",),
)  # fmt: skip


def country(counts: dict[str, int], regions: dict[str, tuple[str, str]], sectors: dict[str, str]):
    facts = pl.DataFrame({"uai": list(counts), "pupils": list(counts.values())}).with_columns(
        pl.lit(date(2021, 3, 1)).alias("day"), pl.lit(1, pl.Int8).alias("sign"), pl.lit(1, pl.Int64).alias("submission")
    )
    rows = []
    for uai, (region, departement) in regions.items():
        rows.append({"uai": uai, "hierarchy": "administrative", "level": "region", "unit": region})
        rows.append({"uai": uai, "hierarchy": "administrative", "level": "departement", "unit": departement})
    attributes = pl.DataFrame({"uai": list(sectors), "sector": list(sectors.values())})
    return {"loans": facts}, pl.DataFrame(rows), attributes


def published(world, level: str, by: str | None) -> list[dict[str, object]]:
    facts, hierarchy, attributes = world
    return figures(
        LOANED, facts, hierarchy, level=level, period="2021-03", by=by, attributes=attributes, public=True,
        threshold=THRESHOLD,
    ).rows()  # fmt: skip


def bounds(equations: list[tuple[list[int], float]], size: int, target: int) -> tuple[float, float]:
    """What an attacker can deduce of one unknown cell: least and greatest non-negative values that fit."""
    matrix = np.zeros((len(equations), size))
    for row, (cells, _) in enumerate(equations):
        matrix[row, cells] = 1
    right = np.array([total for _, total in equations])
    found = []
    for sense in (1, -1):
        cost = np.zeros(size)
        cost[target] = sense
        answer = linprog(cost, A_eq=matrix, b_eq=right, bounds=(0, None), method="highs")
        found.append(answer.x[target] if answer.status == 0 else np.inf)
    return found[0], found[1]


def attack(world, truth: dict[str, int], regions, sectors) -> dict[tuple[str, ...], tuple[float, float]]:
    """Interval of each small, hidden département × sector cell, from everything published at every level."""
    names = sorted({(regions[uai][1], sectors[uai]) for uai in regions})
    position = {name: index for index, name in enumerate(names)}
    equations: list[tuple[list[int], float]] = []
    for level, by in itertools.product(("national", "region", "departement"), (None, "sector")):
        for row in published(world, level, by):
            if row["suppressed"]:
                assert row["numerator"] is row["value"] is row["denominator"] is None
                continue
            held = [
                position[departement, sector]
                for uai, (region, departement) in regions.items()
                for sector in (sectors[uai],)
                if row["unit"] in ("FR", region, departement) and row["breakdown"] in ("", sector)
            ]
            equations.append((sorted(set(held)), float(row["numerator"] or 0)))  # type: ignore[arg-type]
    small = dict.fromkeys(names, 0)
    for uai, count in truth.items():
        small[regions[uai][1], sectors[uai]] += count
    return {
        name: bounds(equations, len(names), position[name]) for name, count in small.items() if 0 < count < THRESHOLD
    }


def _tables(counts: list[int]) -> tuple[dict, dict, dict]:
    """Two regions of two and three départements, three sectors, one school a cell."""
    places = [("A", "01"), ("A", "02"), ("B", "03"), ("B", "04"), ("B", "05")]
    cells = list(itertools.product(places, ("public", "privé", "autre")))
    uais = [f"{number:07d}A" for number in range(len(cells))]
    return (
        dict(zip(uais, counts, strict=True)),
        {uai: place for uai, (place, _) in zip(uais, cells, strict=True)},
        {uai: sector for uai, (_, sector) in zip(uais, cells, strict=True)},
    )


@settings(max_examples=5, deadline=None)
@given(st.lists(st.sampled_from([1, 2, 4, 6, 9, 12, 20, 40, 75]), min_size=15, max_size=15))
def test_an_attacker_never_recovers_a_small_cell(counts: list[int]) -> None:
    """Whatever the table, every small cell stays unknown to who knows all published totals of all levels."""
    truth, regions, sectors = _tables(counts)
    world = country(truth, regions, sectors)
    for name, (low, high) in attack(world, truth, regions, sectors).items():
        assert high - low >= 1, name


def test_one_small_cell_costs_at_least_three_others() -> None:
    """A lone small cell is not hidden alone: its row and its column would give it back."""
    counts = [20] * 15
    counts[0] = 2
    truth, regions, sectors = _tables(counts)
    world = country(truth, regions, sectors)
    rows = published(world, "departement", "sector")
    hidden = {(row["unit"], row["breakdown"]) for row in rows if row["suppressed"]}
    assert ("01", "public") in hidden and len(hidden) == 4
    ((low, high),) = attack(world, truth, regions, sectors).values()
    assert low == 0 and high >= THRESHOLD


def test_nothing_is_hidden_when_nothing_is_small() -> None:
    """Secrecy costs nothing where there is nothing to protect."""
    truth, regions, sectors = _tables([30] * 15)
    world = country(truth, regions, sectors)
    assert not any(row["suppressed"] for row in published(world, "departement", "sector"))


def test_agents_see_everything_and_the_public_flag_is_needed() -> None:
    """The same question asked by an agent hides nothing."""
    truth, regions, sectors = _tables([2] * 15)
    facts, hierarchy, _ = country(truth, regions, sectors)
    rows = figures(LOANED, facts, hierarchy, level="departement", period="2021-03").rows()
    assert [row["numerator"] for row in rows] == [6.0] * 5


def test_the_small_complement_of_a_percentage_is_hidden() -> None:
    """98 of 100 pupils tells that 2 are without: such a percentage is hidden too."""
    table = FactTable(
        "t", (FactColumn("uai", "text"), FactColumn("a", "integer", Role.FLOW), FactColumn("b", "integer", Role.FLOW),
              FactColumn("day", "date")),
    )  # fmt: skip
    share = Indicator(
        "s", 1, "Part", "Part.", "ratio", Measure("a", table, "day", col("a")), Measure("b", table, "day", col("b")),
        unit="%", scale=100,
    )  # fmt: skip
    facts = pl.DataFrame({"uai": ["A", "B"], "a": [98, 50], "b": [100, 100], "day": [date(2021, 3, 1)] * 2, "sign": [1, 1]})
    hierarchy = pl.DataFrame({"uai": ["A", "B"], "level": ["departement"] * 2, "unit": ["01", "02"]})
    rows = figures(share, {"t": facts}, hierarchy, level="departement", period="2021-03", public=True, threshold=5).rows()
    assert rows[0]["suppressed"] and rows[0]["value"] is None


@given(
    st.integers(2, 5).flatmap(lambda n: st.lists(st.integers(0, 30), min_size=n, max_size=n)),
)
@settings(max_examples=60, deadline=None)
def test_a_hidden_total_always_has_a_hidden_sibling(values: list[int]) -> None:
    """In a one-way table whose total is published, a hidden unit is never alone."""
    units = np.array(values, dtype=float)
    small = (units > 0) & (units < THRESHOLD)
    empty = np.zeros((len(units), 0))
    top = Level(np.array([-1]), units.sum(keepdims=True), np.array([0 < units.sum() < THRESHOLD]), empty[:1], empty[:1] > 0)
    fine = Level(np.zeros(len(units), dtype=np.int64), units, small, empty, empty > 0)
    mask = hide([top, fine], THRESHOLD)[-1].totals
    assert (mask[small]).all()
    others = units[(units > 0)]
    if small.any() and len(others) > 1 and not top.small[0]:
        assert mask.sum() >= 2


def test_the_decision_of_a_coarse_table_does_not_depend_on_the_finer_one_asked() -> None:
    """What is hidden for a region is the same whether départements are asked or not: two pages cannot be subtracted."""
    counts = [3, 1, 40, 20, 9, 6, 2, 12, 75, 4, 6, 9, 40, 20, 2]
    truth, regions, sectors = _tables(counts)
    world = country(truth, regions, sectors)
    again = [published(world, "region", "sector") for _ in range(2)]
    assert again[0] == again[1]
    ranges = attack(world, truth, regions, sectors)
    assert ranges and all(high - low >= 1 for low, high in ranges.values())


@pytest.mark.parametrize("threshold", [2, 5, 11])
def test_every_count_below_the_threshold_is_hidden(threshold: int) -> None:
    """The threshold is the one given, not a constant."""
    facts, hierarchy, attributes = country(*_tables(list(range(1, 16))))
    rows = figures(
        LOANED, facts, hierarchy, level="departement", period="2021-03", by="sector", attributes=attributes,
        public=True, threshold=threshold,
    ).rows()  # fmt: skip
    shown = [row["numerator"] for row in rows if not row["suppressed"]]
    assert all(value >= threshold for value in shown)


def test_devices_are_hidden_in_the_cells_of_a_breakdown_only() -> None:
    """What counts neither persons nor schools is shown as a total; a cell of a breakdown may tell a school, and is hidden."""
    from dataclasses import replace

    devices = replace(LOANED, small_counts_secret=False)
    counts = [20] * 15
    counts[0] = 2
    counts[1] = counts[2] = 0
    facts, hierarchy, attributes = country(*_tables(counts))

    def asked(by: str | None) -> list[dict[str, object]]:
        return figures(devices, facts, hierarchy, level="departement", period="2021-03", by=by, attributes=attributes, public=True, threshold=THRESHOLD).rows()  # fmt: skip

    assert [row["numerator"] for row in asked(None)] == [2.0, 60.0, 60.0, 60.0, 60.0]
    hidden = {(row["unit"], row["breakdown"]) for row in asked("sector") if row["suppressed"]}
    assert ("01", "public") in hidden
