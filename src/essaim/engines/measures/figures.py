"""Figures: an indicator, a unit, a period, what was known when, a breakdown → value, coverage, interval, secrecy."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial

import polars as pl
import pyarrow as pa

from essaim.engines.measures import secrecy
from essaim.engines.measures.cells import Cells, cells, fact_dimensions
from essaim.engines.measures.computing import SCHEMA, Scope, compute, groups_of, workspace
from essaim.engines.measures.engines import Engine, Facts
from essaim.engines.measures.facts import IndicatorRefused
from essaim.engines.measures.hierarchies import Frame, as_frame, hierarchy_frame
from essaim.engines.measures.indicator import Indicator
from essaim.engines.measures.periods import Period, periods
from essaim.engines.measures.places import Places, places
from essaim.engines.measures.rollup import values_of
from essaim.kernel.identity import Same


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one level. ``frame``: columns ``indicator, version, level, unit, period, breakdown, numerator,
    denominator, value, low, high, coverage, suppressed, fingerprint``, sorted by indicator, unit, period, breakdown.

    ``value`` is null when nothing is known, never zero; ``breakdown`` is ``""`` for the whole; ``coverage`` is the share
    (0–1) of concerned establishments with data, null when none is concerned; a suppressed row keeps no number.
    """

    frame: pl.DataFrame
    level: str
    by: tuple[str, ...]
    known_at: int | None

    @property
    def table(self) -> pa.Table:
        """The same as an Arrow table, made at each call."""
        return self.frame.to_arrow()

    def rows(self) -> list[dict[str, object]]:
        """The same as dictionaries."""
        return self.frame.to_dicts()


def figures(
    indicators: Indicator | Sequence[Indicator],
    facts: Facts | None,
    hierarchies: Frame | Places | None,
    *,
    level: str,
    period: str | Sequence[str],
    units: Sequence[str] | None = None,
    by: str | Sequence[str] | None = None,
    known_at: int | None = None,
    public: bool = False,
    threshold: int = 5,
    attributes: Frame | None = None,
    hierarchy: str | None = None,
    engine: str | Engine = "duckdb",
    prepared: Cells | None = None,
    inputs: str = "",
    fingerprints: bool = True,
) -> Figures:
    """The figures of ``indicators`` for every unit of ``level`` (or ``units``) and every period.

    ``facts``: table name → Arrow table or Parquet paths of signed entries. ``hierarchies``: columns ``uai, hierarchy,
    level, unit, valid_from, valid_to`` (dates included), or a register made by `places`; an establishment counts where it belongs on the last day of the
    period; ``national`` and ``establishment`` need no declaration. ``attributes``: ``uai, school_year`` and breakdown
    columns. ``by``: attributes or fact columns allowed by the indicators, several are crossed. ``known_at``: last
    submission number taken into account. ``public``: apply statistical secrecy with ``threshold``. ``prepared``: cells
    already computed (then ``facts`` is not read). ``inputs``: anything else the fingerprint must depend on.
    Refuses (IndicatorRefused) a breakdown that an indicator does not allow; ValueError for an unknown period.
    """
    asked = (indicators,) if isinstance(indicators, Indicator) else tuple(indicators)
    names = (by,) if isinstance(by, str) else tuple(by or ())
    register = hierarchies if isinstance(hierarchies, Places) else None
    attribute_frame = register.attributes if register else as_frame(attributes, ("uai",))
    check_breakdowns(asked, names, attribute_frame)
    wanted = periods(period)
    if prepared is None:
        dimensions = kept_apart(asked, names, attribute_frame.columns)
        prepared = cells(asked, facts or {}, by=dimensions, known_at=known_at, engine=engine)
    if register is None:
        register = _register(hierarchies, attributes, prepared)
    scope = Scope(level, hierarchy, names, register)
    table = _answer(asked, prepared, scope, wanted, units, threshold if public else None)
    if units is not None:
        table = table.filter(pl.col("unit").is_in(list(units)))
    if fingerprints:
        table = with_fingerprints(table, asked, inputs)
    return Figures(table.select(*SCHEMA), level, names, prepared.known_at)


def _answer(
    asked: Sequence[Indicator],
    held: Cells,
    scope: Scope,
    wanted: Sequence[Period],
    units: Sequence[str] | None,
    threshold: int | None,
) -> pl.DataFrame:
    """Figures of some units; those under secrecy are computed for every unit of the level, as hiding one hides others."""
    whole = tuple(item for item in asked if threshold is not None and secrecy.is_secret(item, scope))
    only = None if units is None else scope.places.schools_of(scope.level, scope.hierarchy, units)
    plain = asked if not whole else tuple(item for item in asked if item not in whole)
    if only is None and whole:
        plain, whole = (), tuple(asked)
    parts = []
    if plain:
        space = workspace(plain, held, scope.places, wanted, only)
        parts.append(compute(plain, scope, space))
    if whole:
        assert threshold is not None
        space = workspace(whole, held, scope.places, wanted)
        parts.append(secrecy.protected(whole, scope, compute(whole, scope, space), threshold, space))
    if len(parts) == 1:
        return parts[0]
    order = {item.code: index for index, item in enumerate(asked)}
    rank = pl.col("indicator").replace_strict(order, return_dtype=pl.Int64)
    return pl.concat(parts).sort(rank, maintain_order=True)


def _register(hierarchies: Frame | None, attributes: Frame | None, held: Cells) -> Places:
    """The register given, or the establishments that cells speak of when it has none."""
    known = as_frame(hierarchies, ("uai",)).height
    met = [] if known else [layer["uai"].unique() for layers in held.frames.values() for layer in layers]
    return places(hierarchies, attributes, schools=pl.concat(met).cast(pl.String) if met else pl.Series("uai", [], pl.String))


def kept_apart(asked: Sequence[Indicator], names: Sequence[str], attributes: Sequence[str]) -> tuple[str, ...]:
    """The breakdowns ``names`` that only the facts can tell; an attribute of the establishment wins over a fact column."""
    return fact_dimensions(asked, [name for name in names if name not in attributes])


def all_figures(
    indicators: Sequence[Indicator],
    facts: Facts | None,
    hierarchies: Frame | Places,
    *,
    levels: Sequence[str],
    period: str | Sequence[str],
    breakdowns: Sequence[str | None] = (None,),
    known_at: int | None = None,
    attributes: Frame | None = None,
    engine: str | Engine = "duckdb",
    prepared: Cells | None = None,
) -> Iterator[Figures]:
    """Every level × breakdown (attributes only), one table each, without fingerprints nor secrecy: what a refresh
    stores. Facts are read once, establishments valued once, then rolled up."""
    asked = tuple(indicators)
    held = prepared or cells(asked, facts or {}, known_at=known_at, engine=engine)
    register = hierarchies if isinstance(hierarchies, Places) else _register(hierarchies, attributes, held)
    space = workspace(asked, held, register, periods(period))
    for item in asked:
        values_of(item.of or item, held, space.axes, space.memory)

    def made(scope: Scope) -> Figures:
        allowed = tuple(item for item in asked if set(scope.by) <= set(item.breakdowns))
        table = compute(allowed, scope, space)
        return Figures(table.select(*SCHEMA), scope.level, scope.by, held.known_at)

    scopes = [Scope(level, None, (name,) if name else (), register) for level in levels for name in breakdowns]
    # The finest first: the others add what these summed.
    for scope in sorted(scopes, key=lambda item: (-len(register.level(item.level).names), -len(item.by))):
        groups_of(scope, space)
    yield from _in_turn([partial(made, scope) for scope in scopes])


def _in_turn(jobs: Sequence[Callable[[], Figures]]) -> Iterator[Figures]:
    """The results of ``jobs`` in order, worked out on every processor, no further ahead than there are processors."""
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        running = deque(pool.submit(job) for job in jobs[:workers])
        for job in (*jobs[workers:], *[None] * len(running)):
            found = running.popleft().result()
            if job is not None:
                running.append(pool.submit(job))
            yield found


def touched_units(schools: Sequence[str], hierarchies: Frame, level: str) -> list[str]:
    """The units of ``level`` to which establishments belong or have belonged: those to refresh, sorted."""
    frame = hierarchy_frame(hierarchies)
    found = frame.filter((pl.col("level") == level) & pl.col("uai").is_in(list(schools)))
    return sorted(found["unit"].drop_nulls().unique().to_list())


def check_breakdowns(asked: Sequence[Indicator], names: Sequence[str], attributes: pl.DataFrame) -> None:
    """Refuse (IndicatorRefused) a breakdown that an indicator does not allow, or that nothing tells."""
    for item in asked:
        dimensions = fact_dimensions((item,), names)
        for name in names:
            if name not in item.breakdowns:
                allowed = ", ".join(item.breakdowns) or "aucune"
                raise IndicatorRefused(
                    "ventilation-refusee",
                    f"L'indicateur « {item.code} » ne se ventile pas par « {name} ». Ventilations permises : {allowed}.",
                )
            if name not in attributes.columns and name not in dimensions:
                raise IndicatorRefused(
                    "ventilation-refusee",
                    f"Aucune donnée de l'indicateur « {item.code} » ne porte la ventilation « {name} ».",
                )


def empty_figures() -> pl.DataFrame:
    """Figures without a row."""
    return pl.DataFrame(schema=SCHEMA)


def with_fingerprints(table: pl.DataFrame, asked: Sequence[Indicator], inputs: str) -> pl.DataFrame:
    """The table with, on each row, 16 hexadecimal digits that change if anything shown or the declaration changes.

    The number of the last submission is no part of it: a figure asked again as it was known then has the digits it had.
    """
    seeds = {item.code: declaration_digest(item) + f"|{inputs}" for item in asked}
    columns = [name for name in SCHEMA if name != "fingerprint"]
    found = []
    for row in table.select(columns).iter_rows():
        text = seeds[row[0]] + "|" + "|".join(_shown(part) for part in row)
        found.append(hashlib.sha256(text.encode()).hexdigest()[:16])
    return table.with_columns(pl.Series("fingerprint", found, dtype=pl.String))


def _shown(part: object) -> str:
    return f"{part:.12g}" if isinstance(part, float) else str(part)


def declaration_digest(item: Indicator) -> str:
    """Digest of what an indicator computes: version and declared quantities."""
    return _digest(Same(item))


@lru_cache(maxsize=1_024)
def _digest(same: Same[Indicator]) -> str:
    return hashlib.sha256(repr(same.value).encode()).hexdigest()[:16]
