"""Figures against hand-written DuckDB SQL, pandas, PostgreSQL and Spark: all figures, refresh, as-of, and the cost of Ibis.

``ESSAIM_BENCH_SCALE`` multiplies the number of facts (1.0: 10 M deliveries, 5 M orders, 6.5 M inventory lines over 60 000
schools; default 0.1). Times are medians of interleaved runs.
"""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from bench.peer_engines import (
    DuckPeer,
    NoPostgreSQL,
    PandasPeer,
    Peer,
    PostgresPeer,
    Question,
    SparkPeer,
    differences,
)
from essaim.engines.measures import (
    Cells,
    FactColumn,
    FactTable,
    Figures,
    Indicator,
    Measure,
    Role,
    Timing,
    all_figures,
    cells,
    col,
    figures,
    places,
    refresh,
)

SCALE = float(os.environ.get("ESSAIM_BENCH_SCALE", "0.1"))
# Spark and PostgreSQL answer in minutes what takes seconds here: fewer facts, as many results.
SMALL_SCALE = min(SCALE, 0.05)
MONTHS = [f"{2020 + (8 + i) // 12}-{(8 + i) % 12 + 1:02d}" for i in range(36)]
LEVELS = ("circonscription", "departement", "academie", "region", "national")
BREAKDOWNS = (None, "sector", "rep", "ips_quartile")
Result = dict[str, Any]


def _table(name: str, day: str, *numbers: str) -> FactTable:
    columns = [FactColumn("uai", "text"), FactColumn(day, "date"), FactColumn("kind", "integer")]
    return FactTable(name, (*columns, *(FactColumn(item, "integer", Role.FLOW) for item in numbers)))


DELIVERIES = _table("deliveries", "delivered_on", "quantity", "acknowledged")
ORDERS = _table("orders", "ordered_on", "quantity", "amount")
USES = _table("uses", "used_on", "hours", "devices")


def _cumul(code: str, table: FactTable, day: str, value: str, kind: int | None = None) -> Measure:
    where = None if kind is None else col("kind").equals(kind)
    return Measure(code, table, day, col(value), where=where, timing=Timing.CUMULATIVE)


D = [_cumul("d", DELIVERIES, "delivered_on", "quantity")] + [
    _cumul(f"d{kind}", DELIVERIES, "delivered_on", "quantity", kind) for kind in range(4)
]
A = _cumul("a", DELIVERIES, "delivered_on", "acknowledged")
O = [_cumul("o", ORDERS, "ordered_on", "quantity"), _cumul("e", ORDERS, "ordered_on", "amount")] + [  # noqa: E741
    _cumul(f"e{kind}", ORDERS, "ordered_on", "amount", kind) for kind in range(2)
]
U = [_cumul("h", USES, "used_on", "hours"), _cumul("u", USES, "used_on", "devices"),
     _cumul("u0", USES, "used_on", "devices", 0)]  # fmt: skip
PAIRS = [(D[0], O[0]), (A, D[0]), *((D[k], D[0]) for k in (1, 2, 3, 4)), (O[2], O[1]), (O[3], O[1]), (U[0], D[0]),
         (U[1], D[0]), (U[2], U[1]), (O[1], D[0])]  # fmt: skip
INDICATORS = tuple(
    Indicator(f"i{index}", 1, "i", "i", "ratio", top, bottom, breakdowns=BREAKDOWNS[1:], scale=100)  # type: ignore[arg-type]
    for index, (top, bottom) in enumerate(PAIRS)
)


@dataclass(frozen=True, slots=True)
class Country:
    """Facts, hierarchies and attributes of the bench."""

    facts: dict[str, pa.Table]
    hierarchies: pl.DataFrame
    attributes: pl.DataFrame


def country(scale: float, seed: int = 7) -> Country:
    """A country of 60 000 schools × √scale and facts × scale."""
    rng = np.random.default_rng(seed)
    schools = max(int(60_000 * scale**0.5), 500)
    uai = np.array([f"{i:07d}A" for i in range(schools)])
    facts = {}
    for table, rows in ((DELIVERIES, 10e6), (ORDERS, 5e6), (USES, 6.5e6)):
        count = int(rows * scale)
        days = np.datetime64("2020-09-01") + rng.integers(0, 36 * 30, count).astype("timedelta64[D]")
        held = {"uai": pa.DictionaryArray.from_arrays(pa.array(rng.integers(0, schools, count, dtype=np.int32)), pa.array(uai)).cast(pa.string())}
        held[table.columns[1].name] = pa.array(days)
        held["kind"] = pa.array(rng.integers(0, 4, count))
        for column in table.columns[3:]:
            held[column.name] = pa.array(rng.integers(1, 40, count))
        held["sign"] = pa.array(np.ones(count, dtype=np.int8))
        held["submission"] = pa.array(np.sort(rng.integers(1, 1000, count)))
        facts[table.name] = pa.table(held)
    circonscription = rng.integers(0, 1000, schools)
    departement = circonscription % 101
    units = {"circonscription": circonscription, "departement": departement, "academie": departement % 30, "region": departement % 18}
    frames = [
        pl.DataFrame({"uai": uai, "hierarchy": "h", "level": level, "unit": [f"{level}{n}" for n in held]})
        for level, held in units.items()
    ]
    attributes = pl.DataFrame({
        "uai": uai,
        "sector": rng.choice(["public", "privé"], schools),
        "rep": rng.choice(["REP", "REP+", "hors"], schools),
        "ips_quartile": rng.choice(list("1234"), schools),
    })  # fmt: skip
    return Country(facts, pl.concat(frames), attributes)


def answered(world: Country) -> Iterator[Figures]:
    """All figures by the engine."""
    return all_figures(INDICATORS, world.facts, world.hierarchies, levels=LEVELS, period=MONTHS,
                       breakdowns=BREAKDOWNS, attributes=world.attributes)  # fmt: skip


def ours(world: Country) -> int:
    """Number of results."""
    return sum(item.frame.height for item in answered(world))


QUESTION = Question({DELIVERIES: (*D, A), ORDERS: O, USES: U}, PAIRS, LEVELS, BREAKDOWNS, 2020 * 12 + 8, len(MONTHS))


def against(make: Callable[[Question, Mapping[str, pa.Table]], Peer], world: Country, repeat: int, limit: str) -> Result:
    """All figures, ours and a peer's in turn, once their answers have been compared number by number."""
    held = {**world.facts, "hier": world.hierarchies.to_arrow(), "attributes": world.attributes.to_arrow()}
    peer = make(QUESTION, held)
    try:
        count = peer.answer() * len(PAIRS)
        wrong = differences(QUESTION, answered(world), peer.frames())
        assert not wrong, wrong[:5]
        mine, other = _pairs(repeat, lambda: ours(world), peer.answer)
    finally:
        peer.close()
    return _row(f"all figures, {sum(table.num_rows for table in world.facts.values()):,} facts ({count:,} results, all equal)", mine, peer.name, other, limit)


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _pairs(repeat: int, mine: Callable[[], object], other: Callable[[], object]) -> tuple[float, float]:
    times = [(_timed(mine), _timed(other)) for _ in range(repeat)]
    return statistics.median(a for a, _ in times), statistics.median(b for _, b in times)


def _row(job: str, mine: float, peer: str, other: float, limit: str) -> Result:
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"job": job, "ours": mine, "peer": f"{peer} {other:.3f} s", "limit": limit, "ratio": mine / other, "memory": memory}


def run(repeat: int = 5) -> list[Result]:
    """Rows (job, ours in seconds, peer, limit, ratio ours/peer, peak memory in MB)."""
    world = country(SCALE)
    results: list[Result] = [
        against(DuckPeer, world, repeat, "≤ 1.2 (≤ 0.8)"),
        against(PandasPeer, world, repeat, "≤ 0.5"),
    ]
    small = country(SMALL_SCALE)
    for make, limit in ((PostgresPeer, "≤ 1/12"), (SparkPeer, "≤ 1/8")):
        try:
            results.append(against(make, small, min(repeat, 2), limit))
        except (ImportError, OSError, RuntimeError, NoPostgreSQL) as absent:
            results.append({"job": f"all figures against {make.name}", "limit": limit, "peer": f"sauté : {absent}"})
    results.append(_as_of(world, repeat))
    results.append(_ibis(world, repeat))
    results.extend(_refresh(world, repeat))
    return results


def _interleave(
    repeat: int, mine: Callable[[], object], name: str, other: Callable[[], object]
) -> tuple[float, str, float]:
    first, second = _pairs(repeat, mine, other)
    return first, name, second


def _as_of(world: Country, repeat: int) -> Result:
    """Cells known at a date against the same entries scanned without their history."""
    plain = {name: table.drop_columns(["sign", "submission"]) for name, table in world.facts.items()}
    timed = _interleave(repeat, lambda: cells(INDICATORS, world.facts, known_at=10**9), "without history",
                        lambda: cells(INDICATORS, plain))  # fmt: skip
    return _row("as-of date", *timed, "≤ 1.3")


def _ibis(world: Country, repeat: int) -> Result:
    """One indicator through Ibis against its raw SQL."""
    table = world.facts["deliveries"]

    def raw() -> object:
        con = duckdb.connect()
        con.register("deliveries", table)
        return con.sql(
            "SELECT uai, year(delivered_on) * 12 + month(delivered_on) - 1 AS m, sum(sign * quantity)::BIGINT, "
            "sum(CASE WHEN quantity IS NOT NULL THEN sign ELSE 0 END)::BIGINT FROM deliveries "
            "WHERE delivered_on IS NOT NULL GROUP BY ALL"
        ).to_arrow_table()

    one = Indicator("one", 1, "i", "i", "stock", D[0])
    return _row("one scan through Ibis", *_interleave(repeat, lambda: cells(one, world.facts), "raw SQL", raw), "≤ 1.2")


def _refresh(world: Country, repeat: int) -> list[Result]:
    """10 000 new rows in one département: its figures (every indicator, month and breakdown) and those of the nation, against
    the full computation; equal results are checked."""
    register = places(world.hierarchies, world.attributes)
    held = cells(INDICATORS, world.facts)
    schools = set(register.schools.gather(register.schools_of("departement", None, ["departement2"])).to_list())
    rows = pl.DataFrame(world.facts["deliveries"])
    changed = {"deliveries": rows.filter(pl.col("uai").is_in(sorted(schools))).head(10_000)}

    def asked(prepared: Cells, level: str, units: list[str] | None = None) -> list[pl.DataFrame]:
        return [
            figures(INDICATORS, None, register, level=level, units=units, period=MONTHS, by=name, prepared=prepared, fingerprints=False).frame
            for name in BREAKDOWNS
        ]

    asked(held, "national")
    full = _timed(lambda: ours(world))
    times = max(repeat, 5)  # short: one reading alone says little
    cell = statistics.median(_timed(lambda: refresh(held, changed)) for _ in range(times))
    page = statistics.median(_timed(lambda: asked(refresh(held, changed), "departement", ["departement2"])) for _ in range(times))
    after = {**world.facts, "deliveries": pl.concat([rows, changed["deliveries"]])}
    again = asked(cells(INDICATORS, after), "departement", ["departement2"])
    assert all(one.equals(two) for one, two in zip(asked(refresh(held, changed), "departement", ["departement2"]), again, strict=True))
    return [
        _row("refresh of cells, 10 000 rows", cell, "full", full, "≤ 0.01"),
        _row("figures of a département after 10 000 rows", page, "full", full, "≤ 0.1"),
    ]


if __name__ == "__main__":
    for row in run(int(os.environ.get("ESSAIM_BENCH_REPEAT", "3"))):
        print(row)
