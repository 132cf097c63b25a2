"""From a figure to the entries that make it, and from a declaration to words."""

from __future__ import annotations

import importlib.util

import polars as pl
import pytest

from essaim.engines.measures import (
    DuckEngine,
    IndicatorRefused,
    catalogue_markdown,
    explain,
    figures,
    sql,
    trace,
)

from . import world

ADDITIVE = [item for item in world.INDICATORS if item.code in {
    "devices_per_100", "delivered_share", "late", "used", "reconditioned", "spent", "pupils", "ips",
}]  # fmt: skip


def _sum(rows: pl.DataFrame, part: str) -> float:
    held = rows.filter(pl.col("part") == part)
    return float((held["contribution"].fill_null(0) * held["sign"]).sum())


@pytest.mark.parametrize("indicator", ADDITIVE, ids=lambda item: item.code)
@pytest.mark.parametrize("period", ["2021-02", "2020-2021"])
def test_the_entries_of_a_figure_add_up_to_it(indicator, period) -> None:
    """Σ sign × contribution of the traced entries is the numerator and the denominator shown."""
    engine, facts = DuckEngine(threads=1), world.frames(world.entries(11, count=120))
    shown = figures(
        indicator, facts, world.hierarchies(), level="departement", period=period, known_at=15, engine=engine,
        by="sector", attributes=world.attributes(),
    )  # fmt: skip
    assert any(row["numerator"] for row in shown.rows())
    for row in shown.rows():
        rows = pl.from_arrow(trace(
            indicator, facts, world.hierarchies(), level="departement", unit=row["unit"], period=period, known_at=15,
            by="sector", breakdown=row["breakdown"], attributes=world.attributes(),
        ))  # fmt: skip
        assert isinstance(rows, pl.DataFrame)
        assert _sum(rows, "numerator") == pytest.approx(row["numerator"] or 0)
        assert _sum(rows, "denominator") == pytest.approx(row["denominator"] or 0)
        assert {"submission", "sender", "source_sheet", "source_row", "sign", "table"} <= set(rows.columns)


def test_the_trace_of_a_category_holds_only_that_category() -> None:
    """Clicking one category of a breakdown shows its rows and no other."""
    facts = world.frames(world.entries(12))
    shown = figures(world.BY_CODE["spent"], facts, world.hierarchies(), level="wave", period="2021", by="category").rows()
    for row in shown:
        rows = pl.from_arrow(trace(
            world.BY_CODE["spent"], facts, world.hierarchies(), level="wave", unit=row["unit"], period="2021",
            by="category", breakdown=row["breakdown"],
        ))  # fmt: skip
        assert set(rows["category"]) == {row["breakdown"]}  # type: ignore[call-overload, index]
        assert _sum(rows, "numerator") == pytest.approx(row["numerator"])  # type: ignore[arg-type]


def test_a_breakdown_that_the_figure_does_not_have_is_refused() -> None:
    """Entries are never shown for a breakdown that no figure has: they would be those of the whole."""
    with pytest.raises(IndicatorRefused, match="ne se ventile pas"):
        trace(
            world.BY_CODE["spent"], world.frames(world.entries(12)), world.hierarchies(), level="wave", unit="1", period="2021",
            by="nothing", breakdown="x",
        )  # fmt: skip


def test_an_unknown_unit_has_no_entries() -> None:
    """A unit that does not exist at that date traces to nothing, without an error."""
    facts = world.frames(world.entries(12))
    found = trace(world.BY_CODE["spent"], facts, world.hierarchies(), level="wave", unit="vague 9", period="2021")
    assert found.num_rows == 0


@pytest.mark.parametrize("indicator", world.INDICATORS, ids=lambda item: item.code)
def test_every_indicator_explains_itself_and_shows_its_sql(indicator) -> None:
    """The formula names the tables in French, and the SQL is real for both engines."""
    text = explain(indicator)
    assert indicator.definition in text
    assert "somme" in text or "nombre" in text
    dialects = ["duckdb"] + (["pyspark"] if importlib.util.find_spec("pyspark") else [])
    for dialect in dialects:
        assert sql(indicator, dialect=dialect).count("GROUP BY") >= len(indicator.facts)


def test_the_catalogue_shows_every_indicator_with_its_limits() -> None:
    """The generated page holds one section an indicator: definition, nature, facts, breakdowns, formula."""
    page = catalogue_markdown(world.INDICATORS)
    assert page.count("\n## ") == len(world.INDICATORS)
    for item in world.INDICATORS:
        assert f"`{item.code}`" in page and item.definition in page
