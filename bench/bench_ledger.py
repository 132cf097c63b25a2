"""The ledger against row-by-row upserts, bulk inserts and a table without history, in one run.

``ESSAIM_BENCH_SCALE`` multiplies the million of entries (default 1.0). Times are medians of interleaved runs; peers that
would take hours are timed on a sample and stated per row.
"""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl

from essaim.engines.ledger import Ledger, TableSpec

SCALE = float(os.environ.get("ESSAIM_BENCH_SCALE", "1.0"))
ROWS = int(1_000_000 * SCALE)
SAMPLE = 20_000
SMALL = 10_000
ORM_EACH, ORM_BULK = 3_000, 50_000
NOW = datetime(2026, 1, 5, tzinfo=UTC)
PLACES = [f"{number:02d}" for number in range(1, 100) if number != 20]


def deliveries(count: int, seed: int, start: int = 0, places: list[str] | None = None) -> pl.DataFrame:
    """``count`` plausible delivery lines, grouped by département."""
    draw = np.random.default_rng(seed)
    names = np.array(places or PLACES)
    place = names[np.arange(count) * len(names) // count]
    return pl.DataFrame(
        {
            "order_number": [f"C{number:09d}" for number in range(start, start + count)],
            "uai": np.char.add(np.char.add("0", place), "00001A"),
            "category": np.array(["tablette", "ordinateur", "vpi"])[draw.integers(0, 3, count)],
            "quantity": draw.integers(1, 30, count),
            "price_eur": (draw.random(count) * 1000).round(2),
            "planned_on": pl.Series(draw.integers(18000, 19000, count)).cast(pl.Int32).cast(pl.Date),
            "delivered_on": pl.Series(draw.integers(18000, 19000, count)).cast(pl.Int32).cast(pl.Date),
            "condition": np.array(["neuf", "reconditionné"])[draw.integers(0, 2, count)],
            "departement": place,
            "source_sheet": ["Livraisons"] * count,
            "source_row": np.arange(2, count + 2),
        }
    )


SPEC = TableSpec(
    "bench.deliveries",
    deliveries(200, 0).drop("departement", "source_sheet", "source_row").to_arrow().schema,
    ("order_number",),
)


def sqlite_table(path: Path) -> sqlite3.Connection:
    """The peers' table: same columns, unique natural key, the settings of production."""
    base = sqlite3.connect(path, isolation_level=None)
    base.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
    base.execute(
        "CREATE TABLE facts (id INTEGER PRIMARY KEY, order_number TEXT UNIQUE, uai TEXT, category TEXT, quantity INTEGER,"
        " price_eur REAL, planned_on TEXT, delivered_on TEXT, condition TEXT, departement TEXT, source_sheet TEXT,"
        " source_row INTEGER)"
    )
    return base


def as_tuples(frame: pl.DataFrame) -> list[tuple]:
    return frame.with_columns(pl.col("planned_on", "delivered_on").cast(pl.String)).rows()


def update_or_create(folder: Path, frame: pl.DataFrame) -> None:
    """What update_or_create sends for each row: a transaction with a SELECT, then an INSERT or an UPDATE."""
    base = sqlite_table(folder / "each.sqlite")
    names = frame.columns
    insert = f"INSERT INTO facts ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    update = f"UPDATE facts SET {', '.join(name + '=?' for name in names)} WHERE id=?"
    for row in as_tuples(frame):
        base.execute("BEGIN IMMEDIATE")
        found = base.execute("SELECT * FROM facts WHERE order_number=?", row[:1]).fetchone()
        if found is None:
            base.execute(insert, row)
        else:
            base.execute(update, (*row, found[0]))
        base.execute("COMMIT")
    base.close()


def executemany(folder: Path, frame: pl.DataFrame) -> None:
    """What bulk_create comes down to without the object layer: one INSERT prepared once, one transaction."""
    base = sqlite_table(folder / "bulk.sqlite")
    names = ", ".join(frame.columns)
    base.execute("BEGIN IMMEDIATE")
    base.executemany(
        f"INSERT INTO facts ({names}) VALUES ({', '.join('?' * len(frame.columns))})", as_tuples(frame)
    )
    base.execute("COMMIT")
    base.close()


def merge(folder: Path, frame: pl.DataFrame) -> None:
    """DuckDB's own bulk insert in a file without index: the floor, with neither history nor comparison."""
    with duckdb.connect(str(folder / "floor.duckdb")) as base:
        base.register("given", frame.to_arrow())
        base.execute("CREATE TABLE facts AS SELECT * FROM given")


def orm(folder: Path) -> dict[str, float]:
    """Seconds a row of Django's ``update_or_create`` (``new``, ``changed``) and ``bulk_create`` (``bulk``), on samples."""
    given = folder / "orm.parquet"
    deliveries(ORM_BULK, 2).write_parquet(given)
    program = Path(__file__).with_name("peer_orm.py")
    done = subprocess.run(
        [sys.executable, str(program), str(given), str(ORM_EACH), str(ORM_BULK)], check=True, capture_output=True, text=True
    )
    told = json.loads(done.stdout)
    return {"new": told["new"] / ORM_EACH, "changed": told["changed"] / ORM_EACH, "bulk": told["bulk"] / ORM_BULK}


def timed(act: Callable[[], Any]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def memory_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def line(job: str, ours: float, peer: str, other: float, target: str) -> dict[str, Any]:
    """One line of the table: seconds of both, how many times faster we are, and what was aimed at."""
    return {
        "job": job,
        "ours": round(ours, 4),
        "peer": f"{peer} {other:.4g} s",
        "limit": target,
        "ratio": round(other / ours, 2),
        "memory": memory_mb(),
    }


def _post(ledger: Ledger, frame: pl.DataFrame, sender: str = "laon") -> Any:
    number = ledger.last(SPEC) + 1
    return ledger.post(SPEC, frame, submission=number, sender=sender, posted_at=NOW)


def measure(folder: Path, seen: dict[str, list[float]]) -> None:
    """One interleaved round of every job."""
    frame, sample = deliveries(ROWS, 1), deliveries(SAMPLE, 2)
    ledger = Ledger(folder / "ledger")

    def note(name: str, act: Callable[[], Any]) -> None:
        seen.setdefault(name, []).append(timed(act))

    for name, seconds in orm(folder).items():
        seen.setdefault(f"orm {name}", []).append(seconds)
    note("each", lambda: update_or_create(folder, sample))
    note("post", lambda: _post(ledger, frame))
    note("many", lambda: executemany(folder, frame))
    note("floor", lambda: merge(folder, frame))
    before = ledger.entries(SPEC, columns=["sign"]).num_rows
    note("again", lambda: _post(ledger, frame))
    assert ledger.entries(SPEC, columns=["sign"]).num_rows == before == ROWS
    fresh = deliveries(SMALL, 3, start=ROWS, places=["02"])
    note("small new", lambda: _post(ledger, fresh))
    note("small changed", lambda: _post(ledger, fresh.with_columns(pl.col("quantity") + 1)))
    note("tiny", lambda: _post(ledger, deliveries(10, 4, start=2 * ROWS, places=["95"])))
    note("withdraw", lambda: ledger.withdraw(SPEC, target=4, submission=ledger.last(SPEC) + 1, posted_at=NOW))
    as_of(folder, ledger, note)


def as_of(folder: Path, ledger: Ledger, note: Callable[[str, Callable[[], Any]], None]) -> None:
    """A breakdown known at a number, against the same over a table that has no history."""
    moved = deliveries(ROWS, 1).sample(fraction=0.05, seed=7).with_columns(pl.col("quantity") + 1)
    _post(ledger, moved)
    known = ledger.last(SPEC) - 1
    plain = folder / "plain"
    pl.DataFrame(ledger.state(SPEC, known_at=known)).write_parquet(
        pl.PartitionBy(plain, key="departement"), mkdir=True
    )
    group = "GROUP BY departement, category ORDER BY 1, 2"
    flat = (
        f"SELECT departement, category, sum(quantity) FROM read_parquet('{plain}/**/*.parquet', "
        f"hive_partitioning = true, hive_types = {{'departement': VARCHAR}}) {group}"
    )
    with duckdb.connect() as sql:
        signed = (
            "SELECT departement, category, sum(sign * quantity) FROM "
            f"{ledger.duckdb_source(SPEC, known_at=known)} {group}"
        )
        assert sql.execute(flat).fetchall() == sql.execute(signed).fetchall()
        for _ in range(5):
            note("flat", lambda: sql.execute(flat).fetchall())
            note("signed", lambda: sql.execute(signed).fetchall())
    note("state", lambda: ledger.state(SPEC, known_at=known))
    note("read", lambda: pl.read_parquet(plain))


def run(repeat: int = 5) -> list[dict[str, Any]]:
    """Medians of ``repeat`` rounds. ``ours`` in seconds, ``ratio`` = peer / ours for the same rows, ``memory`` in MB."""
    seen: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as warm:
        _post(Ledger(warm), deliveries(100, 0))
    for _ in range(repeat):
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), seen)
    took = {name: statistics.median(values) for name, values in seen.items()}
    each = took["each"] / SAMPLE
    created, updated, bulk = (took[f"orm {name}"] for name in ("new", "changed", "bulk"))
    sampled = f"({ORM_EACH:,} rows timed)"
    return [
        line(f"post {ROWS:,} entries", took["post"], f"Django update_or_create {sampled}", created * ROWS, "≥ 50×"),
        line(f"post {ROWS:,} entries", took["post"], f"Django bulk_create ({ORM_BULK:,} rows timed)", bulk * ROWS, "≥ 20×"),
        line(f"post {ROWS:,} entries", took["post"], "the statements of update_or_create without the ORM", each * ROWS, ""),
        line(f"post {ROWS:,} entries", took["post"], "sqlite executemany", took["many"], ""),
        line(f"post {ROWS:,} entries", took["post"], "DuckDB bulk (floor)", took["floor"], ""),
        line("re-post identical (0 entries)", took["again"], f"Django update_or_create {sampled}", updated * ROWS, "≥ 50×"),
        line(f"{SMALL:,} new rows", took["small new"], "Django update_or_create", created * SMALL, "< 1 s"),
        line(f"{SMALL:,} changed rows", took["small changed"], "Django update_or_create", updated * SMALL, "< 1 s"),
        line("10 new rows", took["tiny"], "Django update_or_create", created * 10, ""),
        line(f"withdraw {SMALL:,} rows", took["withdraw"], "Django update_or_create", updated * SMALL, "< 1 s"),
        line("as-of sum", took["signed"], "same sum, no history", took["flat"], "≤ 1.3× (ratio ≥ 0.77)"),
        line("as-of rows", took["state"], "whole read, no history", took["read"], ""),
    ]


if __name__ == "__main__":
    for row in run(int(os.environ.get("ESSAIM_BENCH_REPEAT", "3"))):
        print(row)
