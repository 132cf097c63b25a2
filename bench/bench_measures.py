"""Figures against hand-written DuckDB SQL and pandas: all figures, refresh, as-of, and the cost of Ibis.

``ESSAIM_BENCH_SCALE`` multiplies the number of facts (1.0: 10 M deliveries, 5 M orders, 6.5 M inventory lines over 60 000
schools; default 0.1). Times are medians of interleaved runs.
"""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from essaim.engines.measures import (
    Cells,
    FactColumn,
    FactTable,
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


def ours(world: Country) -> int:
    """All figures by the engine; number of results."""
    made = all_figures(INDICATORS, world.facts, world.hierarchies, levels=LEVELS, period=MONTHS,
                       breakdowns=BREAKDOWNS, attributes=world.attributes)  # fmt: skip
    return sum(item.table.num_rows for item in made)


def _measure_sql(measure: Measure) -> str:
    value = f"sign * {measure.value.name}"  # type: ignore[union-attr]
    if measure.where is not None:
        return f"sum(CASE WHEN kind = {measure.where.right.value} THEN {value} ELSE 0 END)::BIGINT AS {measure.code}"  # type: ignore[attr-defined]
    return f"sum({value})::BIGINT AS {measure.code}"


def by_sql(world: Country) -> int:
    """The same by hand in DuckDB: one grouped scan a table, a dense cumulated grid, one roll-up a level and breakdown."""
    con = duckdb.connect()
    for name, table in world.facts.items():
        con.register(name, table)
    con.register("hier", world.hierarchies.to_arrow())
    con.register("attributes", world.attributes.to_arrow())
    groups = {DELIVERIES: [*D, A], ORDERS: O, USES: U}
    sums, joins = [], []
    for table, measures in groups.items():
        day = table.columns[1].name
        con.execute(
            f"CREATE TEMP TABLE c_{table.name} AS SELECT uai, year({day}) * 12 + month({day}) - 1 AS m, "
            f"{', '.join(_measure_sql(item) for item in measures)}, sum(sign)::BIGINT AS n_{table.name} "
            f"FROM {table.name} GROUP BY ALL"
        )
        names = [item.code for item in measures] + [f"n_{table.name}"]
        sums += [f"sum(coalesce({item}, 0)) OVER w AS {item}" for item in names]
        joins.append(f"LEFT JOIN c_{table.name} USING (uai, m)")
    con.execute(
        "CREATE TEMP TABLE grid AS SELECT uai, m, sector, rep, ips_quartile, " + ", ".join(sums)
        + " FROM attributes CROSS JOIN (SELECT 2020 * 12 + 8 + i AS m FROM range(36) r(i)) " + " ".join(joins)
        + " WINDOW w AS (PARTITION BY uai ORDER BY m)"
    )  # fmt: skip
    ratios = ", ".join(
        f"100.0 * sum({top.code}) / nullif(sum({bottom.code}), 0), sum({top.code}), sum({bottom.code}), "
        f"count(*) FILTER (n_{top.facts.name} > 0) / count(*)"
        for top, bottom in PAIRS
    )
    found = 0
    for level in LEVELS:
        source = "grid" if level == "national" else f"grid JOIN hier USING (uai) WHERE level = '{level}'"
        unit = "'FR'" if level == "national" else "unit"
        for name in BREAKDOWNS:
            group = name or "''"
            rows = con.sql(f"SELECT {unit}, {group}, m, {ratios} FROM {source} GROUP BY 1, 2, 3").to_arrow_table()
            found += rows.num_rows * len(PAIRS)
    con.close()
    return found


def by_pandas(world: Country) -> int:
    """The same with pandas."""
    attributes = world.attributes.to_pandas()
    index = pd.MultiIndex.from_product([attributes["uai"], range(2020 * 12 + 8, 2020 * 12 + 44)], names=["uai", "m"])
    grids = []
    for table, measures in ((DELIVERIES, [*D, A]), (ORDERS, O), (USES, U)):
        frame = world.facts[table.name].to_pandas()
        day = pd.to_datetime(frame[table.columns[1].name])
        frame["m"] = day.dt.year * 12 + day.dt.month - 1
        for item in measures:
            value = frame["sign"] * frame[item.value.name]  # type: ignore[union-attr]
            if item.where is not None:
                value = value.where(frame["kind"] == item.where.right.value, 0)  # type: ignore[attr-defined]
            frame["_" + item.code] = value
        summed = frame.groupby(["uai", "m"])[["_" + item.code for item in measures] + ["sign"]].sum()
        summed = summed.rename(columns={"sign": "n_" + table.name}).reindex(index, fill_value=0)
        grids.append(summed.groupby(level=0).cumsum())
    grid = pd.concat(grids, axis=1).reset_index().merge(attributes, on="uai")
    found = 0
    hierarchy = world.hierarchies.to_pandas()
    for level in LEVELS:
        if level == "national":
            placed = grid.assign(unit="FR")
        else:
            placed = grid.merge(hierarchy.loc[hierarchy["level"] == level, ["uai", "unit"]], on="uai")
        for name in BREAKDOWNS:
            keys = ["unit", *((name,) if name else ()), "m"]
            columns = [column for column in placed if column.startswith(("_", "n_"))]
            total = placed.groupby(keys, observed=True)[columns].sum()
            for top, bottom in PAIRS:
                total[f"{top.code}/{bottom.code}"] = 100 * total["_" + top.code] / total["_" + bottom.code].where(lambda x: x != 0)
            found += len(total) * len(PAIRS)
    return found


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
    results: list[Result] = []
    counts = ours(world), by_sql(world)
    assert counts[0] == counts[1], counts
    job = f"all figures ({counts[0]} results)"
    results.append(_row(job, *_interleave(repeat, lambda: ours(world), "DuckDB SQL", lambda: by_sql(world)), "≤ 1.2"))
    pandas = _timed(lambda: by_pandas(world))
    results.append(_row(job, results[0]["ours"], "pandas", pandas, "≤ 0.5"))
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
    cell = statistics.median(_timed(lambda: refresh(held, changed)) for _ in range(repeat))
    page = statistics.median(_timed(lambda: asked(refresh(held, changed), "departement", ["departement2"])) for _ in range(repeat))
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
