"""Laws of figures: conserved under roll-up, independent of order, cancelled by opposites, fixed once known."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from essaim.engines.measures import (
    Cells,
    DuckEngine,
    SparkEngine,
    all_figures,
    cells,
    figures,
    places,
    refresh,
    touched_units,
    unplaced,
)
from essaim.engines.measures.cells import summed, touched_establishments

from . import world

cells_module = import_module("essaim.engines.measures.cells")

SEEDS = st.integers(0, 10_000)
ENGINE = DuckEngine(threads=1)
QUICK = settings(max_examples=4, deadline=None)


def ask(facts: Any, level: str = "departement", **more: Any) -> pl.DataFrame:
    chosen = more.pop("indicators", world.INDICATORS)
    settings_ = {"period": ("2021-02", "2020-2021"), "attributes": world.attributes(), "engine": ENGINE, **more}
    return figures(chosen, facts, world.hierarchies(), level=level, **settings_).frame


@QUICK
@given(SEEDS)
def test_totals_are_conserved_under_roll_up(seed: int) -> None:
    """Establishments, communes, départements and the nation add up to the same totals, whatever the breakdown."""
    facts = world.frames(world.entries(seed))
    chosen = [world.BY_CODE[code] for code in ("devices_per_100", "late", "spent", "base")]
    held = cells(chosen, facts, engine=ENGINE)
    seen = []
    for level, by in (("establishment", None), ("commune", None), ("departement", "sector"), ("national", "rep")):
        table = ask(None, level, indicators=chosen, prepared=held, by=by)
        seen.append(table.group_by("indicator", "period").agg(pl.col("numerator").sum()).sort("indicator", "period"))
    for table in seen[1:]:
        assert table["numerator"].to_list() == pytest.approx(seen[0]["numerator"].to_list(), abs=1e-6)


@QUICK
@given(SEEDS, st.randoms())
def test_the_order_of_entries_and_memberships_changes_nothing(seed: int, rng: Any) -> None:
    """Shuffled files give the same figures to the last digit, fingerprints included."""
    found = world.entries(seed)
    before = ask(world.frames(found))
    for rows in found.values():
        rng.shuffle(rows)
    assert ask(world.frames(found)).equals(before)


@QUICK
@given(SEEDS, SEEDS)
def test_an_entry_and_its_opposite_leave_no_trace(seed: int, other: int) -> None:
    """Posting rows then withdrawing them gives the figures from before."""
    found = world.entries(seed)
    before = ask(world.frames(found))
    for name, rows in world.entries(other).items():
        added = [row for row in rows if row["sign"] == 1]
        found[name] += added + [{**row, "sign": -1} for row in added]
    assert ask(world.frames(found)).equals(before)


@QUICK
@given(SEEDS, st.integers(1, 10))
def test_a_figure_known_at_a_date_ignores_what_came_later(seed: int, known_at: int) -> None:
    """The figure shown to a committee is found again whatever was submitted since."""
    found = world.entries(seed)
    early = {name: [row for row in rows if row["submission"] <= known_at] for name, rows in found.items()}
    assert ask(world.frames(found), known_at=known_at).equals(ask(world.frames(early), known_at=known_at))


@pytest.mark.parametrize("own", [ENGINE, None], ids=["scanned", "in memory"])
@QUICK
@given(SEEDS, st.integers(1, 9))
def test_refreshed_cells_equal_cells_computed_again(own: DuckEngine | None, seed: int, cut: int) -> None:
    """Adding the new entries to old cells, scanned by an engine or counted in memory, gives exactly what a full computation
    gives, withdrawals included."""
    found = world.frames(world.entries(seed))
    old = {name: table.filter(pl.col("submission") <= cut) for name, table in found.items()}
    new = {name: table.filter(pl.col("submission") > cut) for name, table in found.items()}
    full = cells(world.INDICATORS, found, by=("category",), engine=ENGINE)
    step = refresh(cells(world.INDICATORS, old, by=("category",), engine=ENGINE), new, engine=own)
    for measure in full.frames:
        left, right = summed(step.of(measure)), summed(full.of(measure))
        assert left.sort(pl.all()).equals(right.sort(pl.all()))
    assert ask(None, prepared=step).equals(ask(None, prepared=full))


def test_many_small_refreshes_are_summed_and_stay_equal() -> None:
    """Layers do not pile up without end, and summing them changes nothing."""
    found = world.frames(world.entries(4, count=90))
    held = cells(world.INDICATORS, {name: table.head(0) for name, table in found.items()}, engine=ENGINE)
    for number in range(1, 18):
        step = {name: table.filter(pl.col("submission") == number) for name, table in found.items()}
        held = refresh(held, step, engine=ENGINE)
    assert max(len(layers) for layers in held.frames.values()) <= 13
    assert ask(None, prepared=held).equals(ask(found))


def test_a_refresh_touches_only_the_ancestors_of_the_schools_it_speaks_of() -> None:
    """The units to compute again are those of the touched establishments, and computing them alone gives the same."""
    found = world.frames(world.entries(5))
    changed = {"orders": found["orders"].filter(pl.col("uai") == world.SCHOOLS[1]).head(3)}
    held = cells(world.PER_100, found, engine=ENGINE)
    delta: Cells = cells(world.BY_CODE["late"], changed, engine=ENGINE)
    schools = touched_establishments(delta)
    assert schools == [world.SCHOOLS[1]]
    units = touched_units(schools, world.hierarchies(), "commune")
    assert units == ["02001"]
    whole = ask(None, "commune", indicators=world.PER_100, prepared=held)
    part = ask(None, "commune", indicators=world.PER_100, prepared=held, units=units)
    assert part.equals(whole.filter(pl.col("unit").is_in(units)))


def test_missing_is_never_zero() -> None:
    """Without data the value is null and the coverage 0; a zero that was handed in is a zero."""
    facts = world.frames(world.entries(1, count=0))
    rows = ask(facts, indicators=[item for item in world.INDICATORS if item.code != "gap"])
    assert rows["value"].null_count() == rows.height > 0
    assert rows.filter(pl.col("indicator") == "late")["coverage"].to_list() == [0.0] * 4
    zero = world.observation(__import__("random").Random(1)) | {"uai": world.SCHOOLS[1], "quantity": 0, "in_use": 0}
    found = {"orders": [], "profile": [], "inventory": [{**zero, "sign": 1, "submission": 1}]}
    used = ask(world.frames(found), indicators=world.BY_CODE["used"], period="2021-07")
    assert used.filter(pl.col("unit") == "02").select("numerator", "value", "coverage").row(0)[:2] == (0.0, None)


def test_the_interval_goes_from_proved_to_declared() -> None:
    """Where the acknowledgement proves less than is declared, the figure says from how much to how much."""
    row = world.order(__import__("random").Random(3)) | {
        "uai": world.SCHOOLS[1], "delivered_on": world.date(2021, 1, 5), "delivered": 10, "acknowledged": 7,
    }  # fmt: skip
    pupils = {"uai": world.SCHOOLS[1], "school_year": "2020-2021", "pupils": 50, "classes": 2, "ips": 100.0}
    found = {
        "orders": [{**row, "sign": 1, "submission": 1}],
        "profile": [{**pupils, "sign": 1, "submission": 1}],
        "inventory": [],
    }
    rows = ask(world.frames(found), indicators=world.PER_100, period="2021-02", units=["02"]).to_dicts()
    assert [(row["low"], row["value"], row["high"]) for row in rows] == [(14.0, 20.0, 20.0)]


def test_fingerprints_tell_figures_apart() -> None:
    """The same question, or the same figure as it was known then, gives the same fingerprint; another value or declaration
    gives another."""
    facts = world.frames(world.entries(8))
    base = ask(facts, indicators=world.PER_100)["fingerprint"].to_list()
    assert base == ask(facts, indicators=world.PER_100)["fingerprint"].to_list()
    assert len(set(base)) == len(base)
    assert base == ask(facts, indicators=world.PER_100, known_at=99)["fingerprint"].to_list()
    early = ask(facts, indicators=world.PER_100, known_at=3)
    assert not set(base) & set(early["fingerprint"].to_list())
    from dataclasses import replace

    revised = replace(world.PER_100, version=2)
    assert not set(base) & set(ask(facts, indicators=revised)["fingerprint"].to_list())


def test_all_figures_equal_the_figures_asked_one_by_one() -> None:
    """Computing every level and breakdown together gives what each question alone gives."""
    facts = world.frames(world.entries(6))
    together = list(all_figures(
        world.INDICATORS, facts, world.hierarchies(), levels=("departement", "wave", "establishment"),
        period=("2021-02", "2020-2021"), breakdowns=(None, "sector"), attributes=world.attributes(), engine=ENGINE,
    ))  # fmt: skip
    assert len(together) == 6
    for made in together:
        alone = ask(facts, made.level, by=made.by, fingerprints=False)
        assert made.frame.equals(alone)


def test_parquet_files_partitioned_by_departement_give_the_same(tmp_path: Any) -> None:
    """The ledger's files, whose folder holds the département, read the same as the entries in memory."""
    facts = world.frames(world.entries(7))
    files = {}
    for name, table in facts.items():
        folder = tmp_path / name / "departement=02"
        folder.mkdir(parents=True)
        paths = [folder / f"{part}.parquet" for part in range(2)]
        half = table.height // 2
        for path, piece in zip(paths, (table[:half], table[half:]), strict=True):
            pq.write_table(piece.drop("departement").to_arrow(), path)
        files[name] = [f"file://{paths[0]}", str(paths[1])]
    assert ask(files).equals(ask(facts))


def test_rows_without_establishment_are_counted_apart() -> None:
    """What cannot be placed enters no unit, and is not lost silently."""
    found = world.entries(9)
    lost = [{**row, "uai": None} for row in found["orders"] if row["sign"] == 1][:3]
    held = cells(world.BY_CODE["late"], world.frames({**found, "orders": lost}), engine=ENGINE)
    assert unplaced(held) == {"late": 3}
    assert unplaced(cells(world.BY_CODE["late"], world.frames(found), engine=ENGINE)) == {}


@pytest.mark.parametrize("name", [None, "sector", "category"])
def test_an_index_of_establishments_changes_no_figure(monkeypatch: pytest.MonkeyPatch, name: str | None) -> None:
    """Units asked one by one through the index, before and after a refresh, are those of the whole level computed again."""
    monkeypatch.setattr(cells_module, "_INDEXED", 0)
    plain = ("gap", "pupils", "ips") if name == "category" else ()
    asked = [item for item in world.INDICATORS if item.code not in plain and (name is None or name in item.breakdowns)]
    by = (name,) if name == "category" else ()
    before, after = world.entries(31, count=60), world.entries(32, count=60)
    held = cells(asked, world.frames(before), by=by, engine=ENGINE)
    more = {key: [*rows, *after[key]] for key, rows in before.items()}

    def told(prepared: Cells | None, facts: Any, units: list[str] | None) -> list[dict[str, Any]]:
        return ask(facts, indicators=asked, by=name, prepared=prepared, units=units, fingerprints=False).to_dicts()

    for prepared, facts in ((held, before), (refresh(held, world.frames(after)), more), (held, before)):
        whole = told(None, world.frames(facts), None)
        assert any(row["value"] for row in whole)
        for _ in range(2):
            assert [row for unit in ("02", "95") for row in told(prepared, None, [unit]) if row["indicator"] == asked[0].code] == [
                row for row in whole if row["indicator"] == asked[0].code
            ]
            assert sorted(map(str, (row for unit in ("02", "95") for row in told(prepared, None, [unit])))) == sorted(map(str, whole))
    assert held.index


def test_a_category_nobody_filled_gives_no_row_and_no_crash() -> None:
    """A breakdown by a fact column of empty facts is an empty table, not an error."""
    facts = world.frames({"orders": [], "inventory": [], "profile": []})
    assert ask(facts, indicators=world.BY_CODE["spent"], by="category").height == 0


def test_a_register_made_once_answers_like_the_frames_it_is_made_of() -> None:
    """Levels, groups and units asked of a ready register give what its frames give, for one unit or all."""
    facts = world.frames(world.entries(21))
    ready = places(world.hierarchies(), world.attributes())
    for level, by in (("departement", "sector"), ("wave", None), ("establishment", "sector")):
        alone = ask(facts, level, by=by)
        again = figures(
            world.INDICATORS, facts, ready, level=level, period=("2021-02", "2020-2021"), by=by, engine=ENGINE,
        ).frame
        assert again.equals(alone)
        unit = alone["unit"][0]
        one = figures(
            world.INDICATORS, facts, ready, level=level, units=[unit], period=("2021-02", "2020-2021"), by=by, engine=ENGINE,
        ).frame
        assert one.equals(alone.filter(pl.col("unit") == unit))


def test_spark_is_given_addresses_that_its_connector_knows() -> None:
    """A ledger in an object store is read by Spark's executors themselves, under the scheme of Hadoop's connector."""
    asked: list[tuple[str, ...]] = []

    class Reader:
        def option(self, *_: str) -> Reader:
            return self

        def parquet(self, *files: str) -> Reader:
            asked.append(files)
            return self

        def createOrReplaceTempView(self, _: str) -> None:
            return None

    engine = object.__new__(SparkEngine)
    engine.session = SimpleNamespace(read=Reader())
    engine.connection = SimpleNamespace(table=lambda name: name)
    engine.table("equipment.orders", ["s3://essaim/registre/t/part=entries/departement=02/a.parquet", "/ledger/b.parquet"])
    assert asked == [("s3a://essaim/registre/t/part=entries/departement=02/a.parquet", "/ledger/b.parquet")]


@pytest.mark.parametrize("category", ["tablette", None])
def test_a_single_category_is_a_category(category: str | None) -> None:
    """When every row falls in one category, known or not, figures still name it, and units nobody speaks of have no row."""
    found = world.entries(13)
    only = {"orders": [{**row, "category": category, "uai": world.SCHOOLS[0]} for row in found["orders"]], "inventory": [], "profile": []}
    table = ask(world.frames(only), indicators=world.BY_CODE["spent"], by="category", period="2021", level="commune")
    assert set(table["breakdown"]) == {category or "non renseigné"}
    assert table["unit"].to_list() == ["02000"]
