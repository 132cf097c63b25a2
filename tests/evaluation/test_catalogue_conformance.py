"""Every indicator of the catalogue, by every breakdown it allows: DuckDB, Spark and plain Python agree on any facts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from essaim.engines.measures import (
    FactTable,
    Indicator,
    Kind,
    SparkEngine,
    cells,
    figures,
    refresh,
)
from essaim.engines.measures.expressions import Binary, Column, IsIn, Literal, walk
from essaim.engines.measures.reference import Reference
from essaim.evaluation.reads import indicators

SCHOOLS = tuple(f"{number:07d}A" for number in range(1, 10))
PERIODS = ("2024-12", "2025-T2", "2025", "2024-2025", "2026-02")
NUMBERS = ("numerator", "denominator", "value", "low", "high", "coverage")
GROUPS = {
    "sector": ("public", "privé"), "school_level": ("école", "collège"), "rep": ("REP", "hors EP", None), "ips_quartile": ("1", "2", "4", None),
    "commune_size": ("moins de 2 000 habitants", None), "fragility": ("1 (la plus forte)", "2", None),
}  # fmt: skip
TYPES = {"integer": pl.Int64, "decimal": pl.Float64, "date": pl.Date, "boolean": pl.Boolean}
TRAIL = {"sign": pl.Int8, "submission": pl.Int64, "origin": pl.Int64, "source_sheet": pl.String, "source_row": pl.Int64}


def tables(given_: Sequence[Indicator]) -> list[FactTable]:
    return list(dict.fromkeys(part.facts for item in given_ for part in item.measures))


@cache
def words(table: FactTable) -> dict[str, set[Any]]:
    """The texts that the catalogue looks for in each column of ``table``: those that make a difference."""
    found: dict[str, set[Any]] = {}
    for measure in (part for item in indicators() for part in item.measures if part.facts == table):
        for expr in (part for whole in (measure.value, measure.where) if whole is not None for part in walk(whole)):
            match expr:
                case IsIn(Column(name), values):
                    found.setdefault(name, set()).update(values)
                case Binary("==", Column(name), Literal(value)):
                    found.setdefault(name, set()).add(value)
    return found


def cell(rng: random.Random, kind: str, texts: list[Any]) -> Any:
    if rng.random() < 0.12:
        return None
    if kind == "date":
        return date(2024, 8, 1) + timedelta(days=rng.randrange(560))
    if kind == "school_year":
        return rng.choice(("2023-2024", "2024-2025", "2025-2026"))
    made = {"integer": rng.randrange(0, 40), "decimal": rng.randrange(0, 12_000) / 100, "boolean": rng.random() < 0.6}
    return made[kind] if kind in made else rng.choice([*texts, "autre"])


def entries(read: Sequence[FactTable], seed: int, count: int = 40) -> dict[str, list[dict[str, Any]]]:
    """Signed entries of fact tables of the catalogue, some withdrawn by a later submission."""
    rng, found = random.Random(seed), {}
    for table in read:
        looked, rows = words(table), []
        for number in range(count):
            row = {item.name: cell(rng, item.type, sorted(looked.get(item.name, ()))) for item in table.columns}
            row |= {"uai": rng.choice((*SCHOOLS, None)), "departement": "02", "sender": rng.choice(("a", "b"))}
            trail = {"origin": number // 8 + 1, "source_sheet": "F", "source_row": number}
            rows.append({**row, **trail, "sign": 1, "submission": number // 8 + 1})
            if rng.random() < 0.2:
                rows.append({**row, **trail, "sign": -1, "submission": number // 8 + 2})
        found[table.name] = rows
    return found


def frames(read: Sequence[FactTable], found: dict[str, list[dict[str, Any]]]) -> dict[str, pl.DataFrame]:
    schemas = {table.name: {item.name: TYPES.get(item.type, pl.String) for item in table.columns} for table in read}
    extra = {"departement": pl.String, "sender": pl.String, **TRAIL}
    return {name: pl.DataFrame(rows, schema={**schemas[name], **extra}, orient="row") for name, rows in found.items()}


def places() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Two départements (a school moves, another closes), and what every school is each year."""
    rows = []
    for index, uai in enumerate(SCHOOLS):
        end = date(2025, 4, 30) if index in (0, 1) else None
        rows.append(("administrative", "departement", "02" if index < 5 else "95", uai, None, end))
        if index == 0:
            rows.append(("administrative", "departement", "95", uai, date(2025, 5, 1), None))
    names = {"hierarchy": pl.String, "level": pl.String, "unit": pl.String, "uai": pl.String, "valid_from": pl.Date, "valid_to": pl.Date}
    rng = random.Random(5)
    profile = [
        {"uai": uai, "school_year": year, **{name: rng.choice(texts) for name, texts in GROUPS.items()}}
        for uai in SCHOOLS[:-1] for year in ("2023-2024", "2025-2026")
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=names, orient="row"), pl.DataFrame(profile)


def breakdowns() -> list[str]:
    return sorted({name for item in indicators() for name in item.breakdowns})


def asked(name: str | None) -> list[Indicator]:
    return [item for item in indicators() if name is None or name in item.breakdowns]


def agree(engine: Any, seed: int, level: str, name: str | None, known_at: int | None) -> int:
    """Compares every figure of the catalogue by ``name``; how many have a value."""
    given_ = [item for item in asked(name) if item.kind is not Kind.GAP or name is None]
    read = tables(given_)
    found, (frame, profile) = entries(read, seed), places()
    by = (name,) if name else ()
    if engine is None:  # rows counted in memory, added to cells of nothing
        nothing = {code: rows.clear() for code, rows in frames(read, found).items()}
        held = cells(given_, nothing, by=[each for each in by if each not in GROUPS], known_at=known_at)
        given = {"facts": None, "prepared": refresh(held, frames(read, found))}
    else:
        given = {"facts": frames(read, found), "engine": engine, "known_at": known_at}
    computed = figures(given_, hierarchies=frame, level=level, period=PERIODS, by=by, attributes=profile, **given).rows()
    judge = Reference(found, frame.to_dicts(), profile.to_dicts(), known_at)
    attributes, categories = ((name,), ()) if name in GROUPS else ((), (name,) if name else ())
    truth = {
        (item.code, row["unit"], code, row["breakdown"]): row
        for item in given_ for code in PERIODS
        for row in judge.rows(item, level=level, period=code, by=categories, attributes=attributes)
    }  # fmt: skip
    held = {(row["indicator"], row["unit"], row["period"], row["breakdown"]): row for row in computed}
    assert set(held) == set(truth)
    for key, row in truth.items():
        for column in NUMBERS:
            got, wanted = held[key][column], row[column]
            assert (got is None) == (wanted is None) and (got is None or got == pytest.approx(wanted, rel=1e-9, abs=1e-9)), (key, column)
    return sum(row["value"] is not None for row in truth.values())


@pytest.mark.parametrize("name", [None, *breakdowns()], ids=str)
@settings(max_examples=3, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(("departement", "national", "establishment")), st.sampled_from((None, 3)))
def test_duckdb_agrees_with_plain_python_on_the_whole_catalogue(name: str | None, seed: int, level: str, known_at: int | None) -> None:
    """Whatever the facts, the level and the submission known: every indicator that allows the breakdown, number by number."""
    assert agree("duckdb", seed, level, name, known_at) > 0


@pytest.mark.parametrize("name", [None, *(name for name in breakdowns() if name not in GROUPS)], ids=str)
@settings(max_examples=3, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from((None, 3)))
def test_rows_counted_in_memory_agree_with_plain_python_on_the_whole_catalogue(name: str | None, seed: int, known_at: int | None) -> None:
    """What a submission adds to the cells is counted without an engine, by the same declarations."""
    assert agree(None, seed, "departement", name, known_at) > 0


@pytest.mark.spark
def test_spark_agrees_with_plain_python_on_the_whole_catalogue(spark: SparkEngine) -> None:
    """The whole catalogue without breakdown, then by each column of the facts: attributes are added after the scan, alike."""
    facts = [name for name in breakdowns() if name not in GROUPS]
    assert facts
    for name in (None, *facts):
        assert agree(spark, 11, "departement", name, 4) > 0
