"""One suite, three engines: DuckDB, Spark and the naive reference give the same figures from the same declarations."""

from __future__ import annotations

from typing import Any

import pytest

from essaim.engines.measures import DuckEngine, SparkEngine, figures
from essaim.engines.measures.reference import Reference

from . import world

NUMBERS = ("numerator", "denominator", "value", "low", "high", "coverage")
PERIODS = ("2020-12", "2021-T1", "2021", "2020-2021", "2021-11")
CASES = [
    ("departement", (), ()),
    ("wave", (), ()),
    ("national", ("sector", "rep"), ()),
    ("commune", (), ("category",)),
    ("departement", ("ips_quartile",), ("category",)),
    ("establishment", (), ()),
]


def expected(
    entries: dict[str, list[dict[str, Any]]], case: tuple[str, Any, Any], asked: list[Any], known_at: int | None
) -> dict[tuple[str, ...], dict[str, Any]]:
    level, groups, categories = case
    judge = Reference(entries, world.hierarchies().to_dicts(), world.attributes().to_dicts(), known_at)
    found = {}
    for item in asked:
        for code in PERIODS:
            for row in judge.rows(item, level=level, period=code, by=categories, attributes=groups):
                found[item.code, row["unit"], code, row["breakdown"]] = row
    return found


def _asked(categories: tuple[str, ...]) -> list[Any]:
    plain = ("gap", "pupils", "ips") if categories else ()
    return [item for item in world.INDICATORS if item.code not in plain]


def assert_same(computed: list[dict[str, Any]], truth: dict[tuple[str, ...], dict[str, Any]]) -> None:
    held = {(row["indicator"], row["unit"], row["period"], row["breakdown"]): row for row in computed}
    assert set(held) == set(truth)
    for key, row in truth.items():
        for name in NUMBERS:
            got = held[key][name]
            if got is None or row[name] is None:
                assert got is row[name], (key, name)
            else:
                assert got == pytest.approx(row[name], rel=1e-12, abs=1e-12), (key, name)


def check(engine: Any, seed: int, case: tuple[str, Any, Any], known_at: int | None = None) -> None:
    level, groups, categories = case
    asked = [item for item in _asked(categories) if set(groups) <= set(item.breakdowns)]
    computed = figures(
        asked, world.frames(world.entries(seed)), world.hierarchies(), level=level, period=PERIODS,
        by=groups + categories, known_at=known_at, attributes=world.attributes(), engine=engine,
    )  # fmt: skip
    truth = expected(world.entries(seed), case, asked, known_at)
    assert any(row["value"] is not None for row in truth.values())
    assert_same(computed.rows(), truth)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize(("seed", "known_at"), [(1, None), (2, 6)])
def test_duckdb_gives_the_figures_of_the_naive_reference(case: Any, seed: int, known_at: int | None) -> None:
    """Every indicator, level and breakdown computed by DuckDB equals what plain Python counts row by row."""
    check(DuckEngine(threads=1), seed, case, known_at)


@pytest.mark.spark
@pytest.mark.parametrize("case", CASES[:1] + CASES[4:5], ids=str)
def test_spark_gives_the_figures_of_the_naive_reference(spark: SparkEngine, case: Any) -> None:
    """The same declarations run unchanged on Spark and give the same figures."""
    check(spark, 3, case, 7)


def test_a_category_that_the_filter_excludes_is_no_group() -> None:
    """« Screens » of an indicator that counts tablets and laptops is not worth zero: it has no row."""
    (item,) = [held for held in world.INDICATORS if held.code == "devices_per_100_named"]
    found = figures(
        [item], world.frames(world.entries(1)), world.hierarchies(), level="national", period="2021-11", by=("category",), attributes=world.attributes(),
    )  # fmt: skip
    assert {row["breakdown"] for row in found.rows()} == {"portable", "tablette"}
