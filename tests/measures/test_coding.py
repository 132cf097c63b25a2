"""Establishments as numbers, engines at rest, and measures counted together: shortcuts that change no cell."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from essaim.engines.measures import DuckEngine, FactColumn, FactTable, Indicator, Measure, Role, Timing, col
from essaim.engines.measures.cells import cells, refresh
from essaim.engines.measures.coding import address, coded, codes_of, indexed, seated
from essaim.engines.measures.engines import opened

TABLE = FactTable("t", (
    FactColumn("uai", "text"), FactColumn("on", "date"), FactColumn("kind", "text"), FactColumn("n", "integer", Role.FLOW),
))  # fmt: skip
ALL = Measure("all", TABLE, "on", col("n"), timing=Timing.CUMULATIVE)
SOME = Measure("some", TABLE, "on", col("n"), where=col("kind").equals("a"), timing=Timing.CUMULATIVE)
SHARE = Indicator("i", 1, "i", "i", "ratio", SOME, ALL)


def _facts(n: list[int | None], kind: list[str | None]) -> pl.DataFrame:
    size = len(n)
    return pl.DataFrame(
        {"uai": ["0A", "0B", "0A", "0C"][:size], "on": [date(2024, 1, 5)] * size, "kind": kind, "n": n, "sign": [1] * size},
        schema_overrides={"n": pl.Int64, "kind": pl.String},
    )


def test_an_index_gives_every_position_of_the_establishments_asked_and_no_other():
    column = coded(pl.Series(["b", "a", "b", "", "c", "b"]))
    asked = codes_of(coded(pl.Series(["c", "b", "never met before"])))
    assert sorted(indexed(column).of(asked).tolist()) == [0, 2, 4, 5]
    assert indexed(column.clear()).of(asked).tolist() == []


def test_an_establishment_met_after_the_seats_were_given_has_none():
    seats = seated(coded(pl.Series(["x1", "x2"])))
    assert seats.of(coded(pl.Series(["x2", "met later", "x1"]))).tolist() == [1, -1, 0]
    assert seated(coded(pl.Series([], dtype=pl.String))).of(coded(pl.Series(["x1"]))).tolist() == [-1]


def test_only_columns_that_share_their_memory_share_their_address():
    """Two columns in pieces are copied to be read: where the first copy was, the second may be."""
    frame = pl.DataFrame({"uai": coded(pl.Series(["a", "b"])), "v": [1, 2]})
    assert address(frame["uai"]) == address(frame.select("v", "uai")["uai"]) != address(frame["v"])
    pieces = pl.concat([frame, frame], rechunk=False)
    assert address(pieces["v"]) != address(pieces["v"])


@pytest.mark.parametrize("missing", [False, True], ids=["whole", "a missing value"])
def test_cells_do_not_depend_on_knowing_that_a_column_is_whole(tmp_path, missing):
    """A table in memory says which columns have a value in every row, files do not: same cells."""
    facts = _facts([3, None if missing else 4, 5, 6], ["a", "a", None, "b"])
    facts.write_parquet(tmp_path / "t.parquet")
    known, unknown = cells(SHARE, {"t": facts}), cells(SHARE, {"t": str(tmp_path / "t.parquet")})
    for measure in (ALL, SOME):
        one, other = (held.of(measure).sort("uai").select("uai", "when", "value", "n") for held in (known, unknown))
        assert one.equals(other)
    assert known.of(ALL)["n"].sum() == (3 if missing else 4)


def test_an_engine_goes_to_rest_empty_and_serves_one_at_a_time():
    with opened("duckdb") as first:
        first.table("t", _facts([1], ["a"]))
        with opened("duckdb") as second:
            assert second is not first
    with opened("duckdb") as again:
        assert isinstance(again, DuckEngine)
        held = again.connection.con.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
        assert held == []


def test_an_engine_that_failed_serves_no_more():
    failed: list[object] = []
    with pytest.raises(RuntimeError), opened("duckdb") as engine:
        failed.append(engine)
        raise RuntimeError
    with opened("duckdb") as other:
        assert other is not failed[0]


def test_an_engine_at_rest_reads_other_columns_under_the_same_name():
    held = cells(SHARE, {"t": _facts([1, 2], ["a", "b"])})
    more = refresh(held, {"t": _facts([5], ["a"]).with_columns(pl.col("n").cast(pl.Int32), pl.lit("x").alias("extra"))})
    assert more.of(ALL)["value"].sum() == 8 and np.sum(more.of(SOME)["value"].to_numpy()) == 6
