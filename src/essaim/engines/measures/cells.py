"""Additive cells: establishment × month × measure (× category), computed once from the facts, then only added to.

A cell of a flow or a cumul is dated by month; a cell of an observation (LATEST) by day. Cells of new entries are
simply appended: `refresh` never reads the old facts again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa

from essaim.engines.measures.coding import Index, address, coded, codes_of, indexed
from essaim.engines.measures.compiler import Bundle, bundles, has_always_data, scan
from essaim.engines.measures.engines import (
    DuckEngine,
    Engine,
    Facts,
    FactsMissing,
    given,
    opened,
    whole_columns,
)
from essaim.engines.measures.hierarchies import as_frame
from essaim.engines.measures.indicator import Indicator, Kind, Measure, Timing
from essaim.engines.measures.rows import counted

if TYPE_CHECKING:
    import ibis

_OVERLAYS = 12


# Below this, looking at every row costs less than an index.
_INDEXED = 20_000


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells of several measures. ``memory`` keeps the monthly changes of those already asked (see `changes_of`), ``index`` where
    each establishment is in the frames already narrowed: those of one scan share it.

    ``frames``: for each measure, layers with columns ``uai`` (see `coding`), ``when``, ``value`` (exact integer, value × 10^decimals),
    ``n`` (net number of rows with data) and, as needed, ``by`` (fact columns ``by`` joined), ``part``, ``at``. The cells
    of a measure are the sum of its layers.
    """

    frames: Mapping[Measure, tuple[pl.DataFrame, ...]]
    by: tuple[str, ...] = ()
    known_at: int | None = None
    quantiles: frozenset[Measure] = field(default_factory=frozenset)
    memory: dict[Measure, pl.DataFrame] = field(default_factory=dict, repr=False, compare=False)
    index: dict[tuple[int, int], Index] = field(default_factory=dict, repr=False, compare=False)

    @property
    def rows(self) -> int:
        """Number of stored cells, all layers together."""
        return sum(layer.height for layers in self.frames.values() for layer in layers)

    @property
    def held(self) -> tuple[pl.DataFrame, ...]:
        """Every frame: layers and changes."""
        return (*(layer for layers in self.frames.values() for layer in layers), *dict(self.memory).values())

    def of(self, measure: Measure) -> pl.DataFrame:
        """Every layer of a measure, one above the other."""
        layers = self.frames[measure]
        return layers[0] if len(layers) == 1 else pl.concat(layers, how="vertical", rechunk=True)

    def changes_of(self, measure: Measure) -> pl.DataFrame:
        """The monthly changes of a measure (see `events`)."""
        if measure not in self.memory:
            self.memory[measure] = events(measure, self.of(measure)).rechunk()
        return self.memory[measure]


def fact_dimensions(indicators: Sequence[Indicator], by: Sequence[str]) -> tuple[str, ...]:
    """The names of ``by`` that are columns of the facts of ``indicators``."""
    tables = {item.facts for one in indicators for item in one.measures}
    return tuple(name for name in by if any(table.has(name) for table in tables))


def quantile_measures(indicators: Iterable[Indicator]) -> frozenset[Measure]:
    """The measures whose row values are kept apart."""
    found = set()
    for item in indicators:
        inner = item.of if item.kind is Kind.GAP else item
        if inner is not None and inner.kind is Kind.QUANTILE and isinstance(inner.numerator, Measure):
            found.add(inner.numerator)
    return frozenset(found)


def cells(
    indicators: Indicator | Sequence[Indicator],
    facts: Facts,
    *,
    by: Sequence[str] = (),
    known_at: int | None = None,
    engine: str | Engine = "duckdb",
) -> Cells:
    """Cells of every measure of ``indicators``. ``facts``: table name → Arrow table, or Parquet paths, of signed entries.

    ``by``: fact columns to keep apart. ``known_at``: only entries of submissions ≤ this number. FactsMissing when a table
    is not given.
    """
    asked = (indicators,) if isinstance(indicators, Indicator) else tuple(indicators)
    measures = tuple(dict.fromkeys(part for item in asked for part in item.measures))
    quantiles = quantile_measures(asked)
    frames: dict[Measure, list[pl.DataFrame]] = {}
    with opened(engine) as running:
        for bundle in bundles(measures, by, quantiles):
            for measure, frame in _run(bundle, facts, known_at, running):
                frames.setdefault(measure, []).append(frame)
    return Cells({key: tuple(found) for key, found in frames.items()}, tuple(by), known_at, quantiles)


def _run(
    bundle: Bundle, facts: Facts, known_at: int | None, engine: Engine | None
) -> Iterable[tuple[Measure, pl.DataFrame]]:
    """The cells of the measures of a bundle; without engine, of facts in memory."""
    near = engine is None or isinstance(engine, DuckEngine)
    whole = whole_columns(given(bundle.facts.name, facts)) & bundle.columns if near else frozenset()
    together = [number for number, one in enumerate(bundle.measures) if near and has_always_data(one, whole)]
    if engine is None:
        rows = as_frame(given(bundle.facts.name, facts), ())  # type: ignore[arg-type]
        _refuse_undated(bundle, rows.columns, known_at)
        wide = counted(bundle, rows, known_at, whole)
    elif isinstance(engine, DuckEngine):
        table = _signed_table(bundle, facts, known_at, engine)
        wide = engine.run_sql(_compiled(bundle, engine.known(table.get_name(), known_at), table.schema(), whole))
    else:
        wide = engine.run(prepared(bundle, facts, known_at, engine))
    wide = _tidy(wide, bundle.latest)
    keys = [name for name in ("uai", "when", "by", "part", "at") if name in wide.columns]
    shared = [wide[name] for name in keys]
    for index, measure in enumerate(bundle.measures):
        value = wide[f"v{index}"].cast(pl.Int64).alias("value")
        own = together[0] if index in together else index
        count = wide[f"n{own}"].cast(pl.Int64).alias("n") if bundle.sign > 0 else pl.zeros(len(value), pl.Int64, eager=True).alias("n")
        told = (value != 0) | (count != 0)
        kept = pl.DataFrame([*shared, value, count])
        # Measures of one scan most often have data on the same rows: they then share its columns.
        yield measure, (kept if told.all() else kept.filter(told)).rechunk()


def _tidy(frame: pl.DataFrame, latest: bool) -> pl.DataFrame:
    return frame.rechunk().with_columns(coded(frame["uai"]), pl.col("when").cast(pl.Date if latest else pl.Int32))


def prepared(bundle: Bundle, facts: Facts, known_at: int | None, engine: Engine) -> ibis.Table:
    """The Ibis expression of a scan on the facts given."""
    return scan(bundle, _with_sign(_signed_table(bundle, facts, known_at, engine)), known_at)


def _signed_table(bundle: Bundle, facts: Facts, known_at: int | None, engine: Engine) -> ibis.Table:
    table = engine.table(bundle.facts.name, given(bundle.facts.name, facts))
    _refuse_undated(bundle, table.columns, known_at)
    return table


def _refuse_undated(bundle: Bundle, columns: Iterable[str], known_at: int | None) -> None:
    if known_at is not None and "submission" not in columns:
        raise FactsMissing(f"La table « {bundle.facts.name} » n'a pas de numéro de dépôt : aucune date de connaissance possible.")


def _with_sign(table: ibis.Table) -> ibis.Table:
    import ibis

    return table if "sign" in table.columns else table.mutate(sign=ibis.literal(1, "int8"))


@lru_cache(maxsize=512)
def _compiled(bundle: Bundle, view: str, schema: ibis.Schema, whole: frozenset[str]) -> str:
    """The SQL of a scan: the same declaration on the same columns is written once, whatever the number it is known at."""
    import ibis

    table = _with_sign(ibis.table(schema, name=view))
    return str(ibis.to_sql(scan(bundle, table, None, whole), dialect="duckdb"))


def refresh(old: Cells, changed: Facts, *, engine: str | Engine | None = None) -> Cells:
    """The cells after the signed entries ``changed`` (tables absent from ``changed`` have not changed). Without ``engine``,
    tables in memory are counted where they are (`rows`), files by DuckDB.

    The index of ``old`` serves both. Cost depends on ``changed`` only; layers are summed together once there are too many. Entries later than
    ``old.known_at`` are ignored, so that a figure dated of a submission stays what it was.
    """
    touched = [item for item in old.frames if item.facts.name in changed]
    new: dict[Measure, list[pl.DataFrame]] = {}
    with _opened_for(changed, engine) as running:
        for bundle in bundles(touched, old.by, old.quantiles):
            for measure, frame in _run(bundle, changed, old.known_at, running):
                new.setdefault(measure, []).append(frame)
    frames = dict(old.frames)
    for measure, layers in new.items():
        frames[measure] = _stacked((*frames[measure], *(item for item in layers if item.height)))
    kept = {measure: frame for measure, frame in dict(old.memory).items() if measure not in new}
    return Cells(frames, old.by, old.known_at, old.quantiles, kept, old.index)


def _opened_for(changed: Facts, engine: str | Engine | None) -> AbstractContextManager[Engine | None]:
    if engine is None and all(isinstance(source, pa.Table | pl.DataFrame) for source in changed.values()):
        return nullcontext()
    return opened(engine or "duckdb")


def _stacked(layers: tuple[pl.DataFrame, ...]) -> tuple[pl.DataFrame, ...]:
    if len(layers) <= _OVERLAYS:
        return layers
    base, *small = layers
    return (base, summed(pl.concat(small)))


def summed(frame: pl.DataFrame) -> pl.DataFrame:
    """Cells with the same keys added together; null cells dropped."""
    keys = [name for name in frame.columns if name not in ("value", "n")]
    total = frame.group_by(keys).agg(pl.col("value").sum(), pl.col("n").sum())
    return total.filter((pl.col("value") != 0) | (pl.col("n") != 0))


def narrowed(held: Cells, measures: Iterable[Measure], schools: pl.Series) -> Cells:
    """The cells of some measures and some establishments (coded) only. Those of a measure whose changes are known are left out
    when figures need nothing but the changes."""
    codes, places = codes_of(schools), dict[tuple[int, int], np.ndarray]()

    def inside(frame: pl.DataFrame) -> pl.DataFrame:
        if frame.height < _INDEXED:
            return frame.filter(np.isin(codes_of(frame["uai"]), codes))
        key = address(frame["uai"])
        if key not in places:
            places[key] = _index(held, key, frame).of(codes)
        return frame[places[key]]

    asked = tuple(dict.fromkeys(measures))
    # The changes of an establishment do not depend on the others.
    kept = {item: inside(held.memory[item]) for item in asked if item in held.memory}
    frames = {
        item: tuple(layer.clear() if _is_told(item, kept, held) else inside(layer) for layer in held.frames[item]) for item in asked
    }
    return Cells(frames, held.by, held.known_at, held.quantiles, kept)


def _index(held: Cells, key: tuple[int, int], frame: pl.DataFrame) -> Index:
    """The index of a frame; those of frames that are gone are let go when one is made."""
    if key not in held.index:
        present = {address(one["uai"]) for one in held.held}
        for gone in set(held.index) - present:
            held.index.pop(gone, None)
        held.index[key] = indexed(frame["uai"])
    return held.index[key]


def _is_told(measure: Measure, changes: Mapping[Measure, pl.DataFrame], held: Cells) -> bool:
    """Whether the changes of a measure say all that figures need of it: neither its row values nor its distinct ones."""
    return measure in changes and measure not in held.quantiles and measure.distinct is None


def touched_establishments(changed: Cells) -> list[str]:
    """The establishments that cells speak of, sorted."""
    found: set[str] = set()
    for layers in changed.frames.values():
        for layer in layers:
            found.update(layer["uai"].unique().to_list())
    return sorted(found)


def unplaced(held: Cells) -> dict[str, int]:
    """Net number of rows with data but without UAI, by measure code (only those that have some): they enter no unit."""
    found: dict[str, int] = {}
    for measure in held.frames:
        count = held.of(measure).filter(pl.col("uai") == "")["n"].sum()
        if count:
            found[measure.code] = found.get(measure.code, 0) + int(count)
    return found


def events(measure: Measure, frame: pl.DataFrame) -> pl.DataFrame:
    """Cells as monthly changes: ``uai``, ``by`` if kept apart, ``month``, ``value``, ``n``.

    Summed up to a month, the changes give the state at its end; an observation adds itself and, when the next one comes
    (or when it is too old), removes itself.
    """
    keys = ["uai", "by"] if "by" in frame.columns else ["uai"]
    if measure.timing is not Timing.LATEST:
        return frame.select(*keys, pl.col("when").alias("month"), "value", "n")
    return _observed(measure, frame, keys)


def _observed(measure: Measure, frame: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    place = ["uai", "part"] if "part" in frame.columns else ["uai"]
    by = ["by"] if "by" in keys else []
    net = frame.group_by(*place, *by, "when").agg(pl.col("value").sum(), pl.col("n").sum())
    month = pl.col("when").dt.year() * 12 + pl.col("when").dt.month().cast(pl.Int32) - 1
    seen = (
        net.group_by(*place, "when").agg(pl.col("n").sum().alias("rows")).filter(pl.col("rows") > 0)
        .with_columns(month.cast(pl.Int32).alias("month"))
        .group_by(*place, "month").agg(pl.col("when").max())
        .sort(*place, "month")
        .with_columns(pl.col("month").shift(-1).over(place).alias("next"))
    )
    if measure.max_age_months is not None:
        expiry = pl.col("month") + measure.max_age_months + 1
        seen = seen.with_columns(pl.min_horizontal(expiry, pl.col("next")).cast(pl.Int32).alias("next"))
    kept = net.join(seen, on=[*place, "when"])
    gone = kept.filter(pl.col("next").is_not_null())
    return pl.concat([
        kept.select(*keys, "month", "value", "n"),
        gone.select(*keys, pl.col("next").alias("month"), -pl.col("value"), -pl.col("n")),
    ])
