"""Roll-ups that add what a finer one summed: the same figures as from establishments, and only when nothing overlaps."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from essaim.engines.measures import (
    FactColumn,
    FactTable,
    Indicator,
    Measure,
    Role,
    Timing,
    all_figures,
    col,
    figures,
    places,
)
from essaim.engines.measures.cells import cells
from essaim.engines.measures.computing import Scope, groups_of, workspace
from essaim.engines.measures.nesting import told_by
from essaim.engines.measures.periods import periods

MONTHS = ("2023-11", "2023-12", "2024-01")
TABLE = FactTable("t", (FactColumn("uai", "text"), FactColumn("on", "date"), FactColumn("n", "integer", Role.FLOW)))
TOTAL = Measure("n", TABLE, "on", value=col("n"), timing=Timing.CUMULATIVE)
COUNT = Indicator("i", 1, "i", "i", "stock", TOTAL, breakdowns=("sector",))
SCHOOLS = [f"{index:07d}A" for index in range(60)]
LEVELS = ("district", "departement", "national")


def _world(*more: tuple[str, str, str, date | None, date | None]) -> tuple[dict, pl.DataFrame, pl.DataFrame]:
    """60 schools in 12 districts of 3 départements; ``more`` memberships replace those of the same school and level."""
    replaced = {(uai, level) for uai, level, *_ in more}
    rows = [
        (uai, level, unit, None, None)
        for index, uai in enumerate(SCHOOLS)
        for level, unit in (("district", f"d{index % 12:02d}"), ("departement", f"D{index % 3}"))
        if (uai, level) not in replaced
    ]
    schema = {"uai": pl.String, "level": pl.String, "unit": pl.String, "valid_from": pl.Date, "valid_to": pl.Date}
    hierarchy = pl.DataFrame([*rows, *more], schema=schema, orient="row").with_columns(pl.lit("h").alias("hierarchy"))
    draw = np.random.default_rng(3)
    days = (date(2023, 10, 5), date(2023, 12, 31), date(2024, 1, 2))
    facts = pl.DataFrame({
        "uai": draw.choice(SCHOOLS, 400), "on": [days[index] for index in draw.integers(0, 3, 400)],
        "n": draw.integers(0, 9, 400), "sign": draw.choice([1, 1, 1, -1], 400),
    })  # fmt: skip
    attributes = pl.DataFrame({"uai": SCHOOLS, "sector": [("public", "privé")[index % 7 == 0] for index in range(60)]})
    return {"t": facts}, hierarchy, attributes


def _finer(hierarchy: pl.DataFrame, facts: dict, attributes: pl.DataFrame, fine: str, coarse: str) -> bool:
    """Whether the roll-up of ``coarse`` adds what that of ``fine`` summed."""
    register, held = places(hierarchy, attributes), cells(COUNT, facts)
    space = workspace([COUNT], held, register, periods(MONTHS))
    groups_of(Scope(fine, None, (), register), space)
    return groups_of(Scope(coarse, None, (), register), space).finer is not None


MOVE = [
    ("0000001A", "district", "d01", None, date(2023, 12, 15)),
    ("0000001A", "district", "d02", date(2023, 12, 16), None),
    ("0000001A", "departement", "D1", None, date(2023, 12, 15)),
    ("0000001A", "departement", "D2", date(2023, 12, 16), None),
]
CLOSED = [("0000004A", "district", "d04", None, date(2023, 12, 1)), ("0000004A", "departement", "D1", None, date(2023, 12, 1))]
ELSEWHERE = [("0000005A", "departement", "D0", None, None)]
TWICE = [("0000006A", "district", "d06", None, None), ("0000006A", "district", "d07", None, None)]
OUTSIDE = [("0000007A", "district", "d07", date(2024, 1, 1), None)]


@pytest.mark.parametrize(
    ("more", "nested"),
    [((), True), (MOVE, True), (CLOSED, True), (ELSEWHERE, False), (TWICE, False), (OUTSIDE, False)],
    ids=["plain", "a move", "a closing", "a split district", "two districts", "no district yet"],
)
def test_a_roll_up_adds_a_finer_one_only_when_each_of_its_runs_lies_whole_in_one(more, nested):
    facts, hierarchy, attributes = _world(*more)
    assert _finer(hierarchy, facts, attributes, "district", "departement") is nested
    together = {
        (item.level, item.by): item.frame
        for item in all_figures(
            [COUNT], facts, hierarchy, levels=LEVELS, period=MONTHS, breakdowns=(None, "sector"), attributes=attributes
        )
    }
    for (level, by), frame in together.items():
        alone = figures(
            COUNT, facts, hierarchy, level=level, period=MONTHS, by=by, attributes=attributes, fingerprints=False
        )
        assert alone.frame.equals(frame), (level, by)


def test_a_coarser_roll_up_never_tells_a_finer_one():
    facts, hierarchy, attributes = _world()
    assert not _finer(hierarchy, facts, attributes, "departement", "district")


def test_a_roll_up_without_any_establishment_tells_nothing_and_breaks_nothing():
    """A breakdown that nobody belongs to, asked twice: figures are still made."""
    facts, hierarchy, attributes = _world()
    register, held = places(hierarchy, attributes), cells(COUNT, facts)
    some = groups_of(Scope("district", None, (), register), workspace([COUNT], held, register, periods(MONTHS)))
    nobody = replace(some, schools=np.zeros(0, dtype=np.int64), starts=np.zeros(0, dtype=np.int64))
    assert told_by(nobody, [nobody]).finer is None
