"""The same figures by hand on other engines: DuckDB, PostgreSQL and Spark run one text, pandas its own, each from facts already
in its hands. What they answer is compared, number by number, with the engine of figures.

The text is what a good hand would write: one grouped scan a table, a dense grid cumulated over months, one roll-up a level
and breakdown.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from essaim.engines.measures import FactTable, Measure

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from databases import Cluster, NoPostgreSQL

__all__ = ["DuckPeer", "NoPostgreSQL", "PandasPeer", "Peer", "PostgresPeer", "Question", "SparkPeer", "differences"]

# (level, breakdown) → rows ``unit, part, m`` then ``v0, t0, b0, c0, v1…``: value, numerator, denominator, coverage.
Answer = Mapping[tuple[str, str], pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: measures by table, pairs (numerator, denominator), levels, breakdowns, first month and their number."""

    groups: Mapping[FactTable, Sequence[Measure]]
    pairs: Sequence[tuple[Measure, Measure]]
    levels: Sequence[str]
    breakdowns: Sequence[str | None]
    first: int
    months: int

    def scopes(self) -> Iterable[tuple[str, str | None]]:
        return ((level, name) for level in self.levels for name in self.breakdowns)


class Peer(Protocol):
    """An engine that holds the facts. ``answer`` is what is timed; ``frames`` reads what it answered, for the comparison."""

    name: str

    def answer(self) -> int: ...
    def frames(self) -> Answer: ...
    def close(self) -> None: ...


def _measure_sql(measure: Measure) -> str:
    value = f"sign * {measure.value.name}"  # type: ignore[union-attr]
    if measure.where is not None:
        value = f"CASE WHEN kind = {measure.where.right.value} THEN {value} ELSE 0 END"  # type: ignore[attr-defined]
    return f"CAST(sum({value}) AS BIGINT) AS {measure.code}"


def statements(asked: Question, dialect: str) -> tuple[list[tuple[str, str]], dict[tuple[str, str], str]]:
    """(name, select) of the tables to make in order, then the select of each scope."""
    months = {
        "duckdb": f"SELECT {asked.first} + i AS m FROM range({asked.months}) r(i)",
        "postgresql": f"SELECT {asked.first} + i AS m FROM generate_series(0, {asked.months - 1}) r(i)",
        "spark": f"SELECT {asked.first} + id AS m FROM range({asked.months})",
    }[dialect]
    part = (lambda unit, day: f"CAST(extract({unit} FROM {day}) AS INTEGER)") if dialect == "postgresql" else (lambda unit, day: f"{unit}({day})")
    tables, sums, joins = [], [], []
    for table, measures in asked.groups.items():
        day = table.columns[1].name
        columns = [*(_measure_sql(item) for item in measures), f"CAST(sum(sign) AS BIGINT) AS n_{table.name}"]
        month = f"{part('year', day)} * 12 + {part('month', day)} - 1"
        tables.append((f"c_{table.name}", f"SELECT uai, {month} AS m, {', '.join(columns)} FROM {table.name} GROUP BY 1, 2"))
        names = [*(item.code for item in measures), f"n_{table.name}"]
        sums += [f"CAST(sum(coalesce({item}, 0)) OVER w AS BIGINT) AS {item}" for item in names]
        joins.append(f"LEFT JOIN c_{table.name} USING (uai, m)")
    tables.append((
        "grid", f"SELECT uai, m, sector, rep, ips_quartile, {', '.join(sums)} FROM attributes CROSS JOIN ({months}) months "
        f"{' '.join(joins)} WINDOW w AS (PARTITION BY uai ORDER BY m)",
    ))  # fmt: skip
    return tables, {(level, name or ""): _scope(asked, level, name) for level, name in asked.scopes()}


def _scope(asked: Question, level: str, name: str | None) -> str:
    ratios = ", ".join(
        f"100.0 * sum({top.code}) / nullif(sum({bottom.code}), 0) AS v{index}, sum({top.code}) AS t{index}, sum({bottom.code}) AS b{index}, "
        f"1.0 * count(CASE WHEN n_{top.facts.name} > 0 THEN 1 END) / count(*) AS c{index}"
        for index, (top, bottom) in enumerate(asked.pairs)
    )
    source = "grid" if level == "national" else f"grid JOIN hier USING (uai) WHERE level = '{level}'"
    unit = "'FR'" if level == "national" else "unit"
    return f"SELECT {unit} AS unit, {name or chr(39) * 2} AS part, m, {ratios} FROM {source} GROUP BY 1, 2, 3"


class DuckPeer:
    """DuckDB on Arrow tables in memory."""

    name = "DuckDB SQL"

    def __init__(self, asked: Question, held: Mapping[str, pa.Table]) -> None:
        self.connection = duckdb.connect()
        for name, table in held.items():
            self.connection.register(name, table)
        self.tables, self.scopes = statements(asked, "duckdb")
        self.found: dict[tuple[str, str], pa.Table] = {}

    def answer(self) -> int:
        for name, text in self.tables:
            self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {text}")
        self.found = {scope: self.connection.sql(text).to_arrow_table() for scope, text in self.scopes.items()}
        return sum(table.num_rows for table in self.found.values())

    def frames(self) -> Answer:
        return {scope: pl.DataFrame(table) for scope, table in self.found.items()}

    def close(self) -> None:
        self.connection.close()


class PandasPeer:
    """pandas on Arrow tables turned into frames beforehand."""

    name = "pandas"

    def __init__(self, asked: Question, held: Mapping[str, pa.Table]) -> None:
        self.asked = asked
        self.held = {name: table.to_pandas() for name, table in held.items()}
        self.found: dict[tuple[str, str], pd.DataFrame] = {}

    def answer(self) -> int:
        grid = self._grid()
        hierarchy = self.held["hier"]
        placed = grid
        for level, name in self.asked.scopes():
            if name == self.asked.breakdowns[0]:
                own = hierarchy.loc[hierarchy["level"] == level, ["uai", "unit"]]
                placed = grid.assign(unit="FR") if level == "national" else grid.merge(own, on="uai")
            self.found[level, name or ""] = self._rolled(placed, name)
        return sum(len(table) for table in self.found.values())

    def _grid(self) -> pd.DataFrame:
        attributes, asked = self.held["attributes"], self.asked
        index = pd.MultiIndex.from_product([attributes["uai"], range(asked.first, asked.first + asked.months)], names=["uai", "m"])
        grids = []
        for table, measures in asked.groups.items():
            frame = self.held[table.name]
            day = pd.to_datetime(frame[table.columns[1].name])
            columns = {"uai": frame["uai"], "m": day.dt.year * 12 + day.dt.month - 1, f"n_{table.name}": frame["sign"]}
            for item in measures:
                value = frame["sign"] * frame[item.value.name]  # type: ignore[union-attr]
                columns[item.code] = value if item.where is None else value.where(frame["kind"] == item.where.right.value, 0)  # type: ignore[attr-defined]
            summed = pd.DataFrame(columns).groupby(["uai", "m"]).sum().reindex(index, fill_value=0)
            grids.append(summed.groupby(level=0).cumsum())
        return pd.concat(grids, axis=1).reset_index().merge(attributes, on="uai")

    def _rolled(self, placed: pd.DataFrame, name: str | None) -> pd.DataFrame:
        keys = ["unit", *((name,) if name else ()), "m"]
        codes = [item.code for measures in self.asked.groups.values() for item in measures]
        counts = [f"n_{table.name}" for table in self.asked.groups]
        grouped = placed.groupby(keys, observed=True)
        total, size = grouped[codes].sum(), grouped.size()
        seen = placed[keys].assign(**{item: placed[item] > 0 for item in counts}).groupby(keys, observed=True)[counts].sum()
        made = {}
        for index, (top, bottom) in enumerate(self.asked.pairs):
            below = total[bottom.code].where(total[bottom.code] != 0)
            made |= {f"v{index}": 100 * total[top.code] / below, f"t{index}": total[top.code], f"b{index}": total[bottom.code]}
            made[f"c{index}"] = seen[f"n_{top.facts.name}"] / size
        return pd.DataFrame(made)

    def frames(self) -> Answer:
        made = {}
        for (level, name), table in self.found.items():
            frame = pl.from_pandas(table.reset_index())
            made[level, name] = frame.rename({name: "part"}) if name else frame.with_columns(pl.lit("").alias("part"))
        return made

    def close(self) -> None:
        self.held.clear()


class SparkPeer:
    """Spark on two threads of this machine, facts in Parquet files."""

    name = "Spark local[2]"

    def __init__(self, asked: Question, held: Mapping[str, pa.Table]) -> None:
        from pyspark.sql import SparkSession

        builder = SparkSession.builder.master("local[2]").appName("essaim-bench")
        for key, value in {
            "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "4", "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1", "spark.driver.memory": "3g", "spark.driver.maxResultSize": "0",
        }.items():  # fmt: skip
            builder = builder.config(key, value)
        self.session = builder.getOrCreate()
        self.session.sparkContext.setLogLevel("ERROR")
        self._folder = tempfile.TemporaryDirectory(prefix="essaim-bench-")
        for name, table in held.items():
            path = Path(self._folder.name) / f"{name}.parquet"
            pq.write_table(table, path)
            self.session.read.parquet(str(path)).createOrReplaceTempView(name)
        self.tables, self.scopes = statements(asked, "spark")
        self.found: dict[tuple[str, str], pa.Table] = {}

    def answer(self) -> int:
        self.session.catalog.clearCache()
        for name, text in self.tables:
            frame = self.session.sql(text)
            (frame.cache() if name == "grid" else frame).createOrReplaceTempView(name)
        self.found = {scope: self.session.sql(text).toArrow() for scope, text in self.scopes.items()}
        return sum(table.num_rows for table in self.found.values())

    def frames(self) -> Answer:
        return {scope: pl.DataFrame(table) for scope, table in self.found.items()}

    def close(self) -> None:
        self.session.stop()
        self._folder.cleanup()


class PostgresPeer:
    """PostgreSQL on tables loaded, analysed and kept in memory; results are stored in tables, none travels."""

    name = "PostgreSQL"

    def __init__(self, asked: Question, held: Mapping[str, pa.Table]) -> None:
        import psycopg

        self.cluster = Cluster()
        self.connection = psycopg.connect(self.cluster.url, autocommit=True)
        for text in ("SET work_mem = '512MB'", "SET max_parallel_workers_per_gather = 2", "SET jit = off"):
            self.connection.execute(text)
        for name, table in held.items():
            self._load(name, pl.DataFrame(table))
        self.tables, self.scopes = statements(asked, "postgresql")

    def _load(self, name: str, frame: pl.DataFrame) -> None:
        kinds = {pl.String: "TEXT", pl.Date: "DATE", pl.Int8: "SMALLINT"}
        columns = ", ".join(f"{column} {kinds.get(kind.base_type(), 'BIGINT')}" for column, kind in frame.schema.items())
        self.connection.execute(f"CREATE UNLOGGED TABLE {name} ({columns})")
        with self.connection.cursor().copy(f"COPY {name} FROM STDIN (FORMAT csv)") as copy:
            stream = io.BytesIO()
            frame.write_csv(stream, include_header=False)
            copy.write(stream.getvalue())
        self.connection.execute(f"ANALYZE {name}")

    def answer(self) -> int:
        found = 0
        for name, text in (*self.tables, *((_stored(scope), text) for scope, text in self.scopes.items())):
            self.connection.execute(f"DROP TABLE IF EXISTS {name}")
            done = self.connection.execute(f"CREATE TEMP TABLE {name} AS {text}")
            found += done.rowcount if name.startswith("r_") else 0
            if name == "grid":
                self.connection.execute("ANALYZE grid")
        return found

    def frames(self) -> Answer:
        found = {}
        for scope in self.scopes:
            rows = self.connection.execute(f"SELECT * FROM {_stored(scope)}")
            assert rows.description is not None
            names = [item.name for item in rows.description]
            table = [[float(cell) if hasattr(cell, "as_tuple") else cell for cell in row] for row in rows]
            found[scope] = pl.DataFrame(table, schema=names, orient="row", infer_schema_length=None)
        return found

    def close(self) -> None:
        self.connection.close()
        self.cluster.stop()


def _stored(scope: tuple[str, str]) -> str:
    return f"r_{scope[0]}_{scope[1]}"


def differences(asked: Question, mine: Iterable[Any], other: Answer) -> list[str]:
    """Scopes where an answer differs from the figures ``mine`` (`all_figures`): other rows, or a number apart by more than 1e-9."""
    wrong = []
    for figures in mine:
        scope = (figures.level, figures.by[0] if figures.by else "")
        theirs = other[scope].with_columns(pl.col("m").cast(pl.Int64), pl.col("part").cast(pl.String))
        frame = figures.frame.with_columns(
            (pl.col("period").str.slice(0, 4).cast(pl.Int64) * 12 + pl.col("period").str.slice(5).cast(pl.Int64) - 1).alias("m")
        )
        for index, (code, own) in enumerate(frame.group_by("indicator", maintain_order=True)):
            joined = own.join(theirs, left_on=["unit", "breakdown", "m"], right_on=["unit", "part", "m"], how="full", coalesce=True)
            same = joined.height == own.height == theirs.height
            for column, letter in (("value", "v"), ("numerator", "t"), ("denominator", "b"), ("coverage", "c")):
                ours, peer = joined[column].fill_null(0.0), joined[f"{letter}{index}"].cast(pl.Float64).fill_null(0.0)
                same = same and bool(((ours - peer).abs() <= 1e-9 * ours.abs().clip(lower_bound=1.0)).all())
            if not same:
                wrong.append(f"{scope} {code}")
    return wrong
