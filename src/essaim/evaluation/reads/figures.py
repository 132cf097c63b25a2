"""Figures for pages, command line and API: the engine of measures on the facts of this installation."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl
import pyarrow as pa
from django.conf import settings
from django.utils import timezone

from essaim.engines import measures
from essaim.engines.measures import Cells, Figures, Indicator
from essaim.engines.measures.figures import kept_apart
from essaim.evaluation.reads.catalogue import Derived, derived_facts, indicator
from essaim.evaluation.reads.facts import fact_names, facts_for
from essaim.foundation.contracts import contract
from essaim.foundation.models import Submission
from essaim.foundation.reads.facts import ledger, number_known_at, table_spec
from essaim.foundation.reads.submissions import accepted_rows
from essaim.territories.reads import hierarchy_frame, profile_frame, register_stamp

_KEPT = 48


@dataclass(frozen=True, slots=True)
class Held:
    """Cells kept in memory, the submission number they stand at and the derived rows they came from."""

    cells: Cells
    number: int
    derived: dict[str, pa.Table]


class CellStore:
    """Cells of the present, one set per group of indicators and breakdown, brought up to date by adding what was accepted
    since. A cache: it can be dropped at any time."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[tuple[str, ...], tuple[str, ...]], Held] = OrderedDict()
        self._lock = threading.Lock()

    def current(self, asked: Sequence[Indicator], by: tuple[str, ...], number: int) -> Cells:
        """Cells that count every submission up to ``number``, which must be the last one accepted."""
        return self.held(asked, by, number).cells

    def held(self, asked: Sequence[Indicator], by: tuple[str, ...], number: int) -> Held:
        """The same, with the derived tables they were made from."""
        key = (tuple(f"{item.code}@{item.version}" for item in asked), by)
        with self._lock:
            held = self._held.get(key)
            if held is None or held.number > number:
                held = _computed(asked, by, number)
            elif held.number < number:
                held = _refreshed(held, asked, number)
            self._held[key] = held
            self._held.move_to_end(key)
            while len(self._held) > _KEPT:
                self._held.popitem(last=False)
        return held

    def clear(self) -> None:
        """Forgets everything (used after a restore)."""
        with self._lock:
            self._held.clear()


STORE = CellStore()


def _engine() -> str:
    return f"spark:{settings.ESSAIM_SPARK_MASTER}" if settings.ESSAIM_ENGINE == "spark" else "duckdb"


def _computed(asked: Sequence[Indicator], by: tuple[str, ...], number: int) -> Held:
    facts = facts_for(asked)
    derived = {name: table for name, table in facts.items() if name in derived_facts()}
    return Held(measures.cells(asked, facts, by=by, engine=_engine()), number, derived)


def _refreshed(held: Held, asked: Sequence[Indicator], number: int) -> Held:
    """Adds the entries posted since ``held.number``; derived tables are made again for the départements touched only."""
    changed: dict[str, pa.Table] = {}
    derived = dict(held.derived)
    for name in fact_names(asked):
        if name in derived:
            difference, derived[name] = _derived_change(name, derived[name], held.number, number)
        else:
            difference = ledger().changes(table_spec(contract(name)), after=held.number, upto=number)
        if difference.num_rows:
            changed[name] = difference
    cells = measures.refresh(held.cells, changed) if changed else held.cells
    return Held(cells, number, derived)


def _derived_change(name: str, before: pa.Table, after: int, upto: int) -> tuple[pa.Table, pa.Table]:
    bases, compute = derived_facts()[name]
    posted = [ledger().changes(table_spec(contract(base)), after=after, upto=upto) for base in bases]
    touched = {value for table in posted for value in table.column("departement").unique().to_pylist() if value is not None}
    if not touched:
        return before.slice(0, 0), before
    return _replaced(before, compute(known_at=None, departements=sorted(touched)), touched)


def _derived_difference(
    name: str, before: pa.Table, planned: pa.Table, compute: Derived, base: str
) -> tuple[pa.Table, pa.Table]:
    """A derived table as entries planned for ``base`` would change it."""
    touched = {value for value in planned.column("departement").unique().to_pylist() if value is not None}
    if not touched:
        return before.slice(0, 0), before
    return _replaced(before, compute(known_at=None, departements=sorted(touched), planned={base: planned}), touched)


def _replaced(before: pa.Table, after: pa.Table, touched: set[str]) -> tuple[pa.Table, pa.Table]:
    """Rows of the départements ``touched`` of ``before`` replaced by ``after``: the signed change, and the new table."""
    old, new = pl.from_arrow(before), pl.from_arrow(after)
    assert isinstance(old, pl.DataFrame) and isinstance(new, pl.DataFrame)
    gone = old.filter(pl.col("departement").is_in(sorted(touched)))
    kept = old.filter(~pl.col("departement").is_in(sorted(touched)))
    minus = gone.with_columns((-pl.col("sign")).cast(pl.Int8).alias("sign"))
    return (
        pl.concat([minus, new], how="diagonal_relaxed").to_arrow(),
        pl.concat([kept, new], how="diagonal_relaxed").to_arrow(),
    )


def figures(
    codes: Sequence[str],
    *,
    level: str,
    period: str | Sequence[str],
    units: Sequence[str] | None = None,
    by: str | Sequence[str] | None = None,
    known_at: date | int | None = None,
    public: bool = False,
    hierarchy: str | None = None,
) -> Figures:
    """Figures of the indicators ``codes``. ``known_at``: a date (as known at the end of that day) or a submission number.

    ``public`` applies statistical secrecy with the threshold of the settings. IndicatorUnknown, IndicatorRefused,
    LevelUnknown or ValueError, each with a French message, when the question makes no sense.
    """
    asked = [indicator(code) for code in codes]
    names = (by,) if isinstance(by, str) else tuple(by or ())
    dimensions = kept_apart(asked, names, profile_frame().columns)
    number = number_known_at(known_at) if isinstance(known_at, date) else known_at
    latest = number_known_at(timezone.now())
    if number is None or number >= latest:
        prepared = STORE.current(asked, dimensions, latest)
    else:
        prepared = measures.cells(
            asked, facts_for(asked, known_at=number), by=dimensions, known_at=number, engine=_engine()
        )
    return measures.figures(
        asked,
        None,
        hierarchy_frame(),
        level=level,
        period=period,
        units=units,
        by=names,
        public=public,
        threshold=settings.ESSAIM_SECRECY_THRESHOLD,
        attributes=profile_frame(),
        hierarchy=hierarchy,
        prepared=prepared,
        inputs=f"{register_stamp()}|{min(number, latest) if number is not None else latest}",
    )


def figures_if_accepted(
    submission: Submission, codes: Sequence[str], *, level: str, period: str | Sequence[str], units: Sequence[str] | None = None
) -> Figures:
    """The same figures as they would be if ``submission`` (checked, not accepted) were accepted now; writes nothing."""
    asked = [indicator(code) for code in codes]
    latest = number_known_at(timezone.now())
    held = STORE.held(asked, (), latest)
    spec = table_spec(contract(submission.contract))
    planned = ledger().planned(spec, accepted_rows(submission).to_arrow(), sender=submission.sender)
    changed = {spec.name: planned} if spec.name in fact_names(asked) else {}
    for name in held.derived:
        bases, compute = derived_facts()[name]
        if spec.name in bases:
            changed[name] = _derived_difference(name, held.derived[name], planned, compute, spec.name)[0]
    return measures.figures(
        asked, None, hierarchy_frame(), level=level, period=period, units=units, attributes=profile_frame(),
        prepared=measures.refresh(held.cells, changed), fingerprints=False,
    )


def trace(
    code: str,
    *,
    level: str,
    unit: str,
    period: str,
    by: str | Sequence[str] | None = None,
    breakdown: str = "",
    known_at: date | int | None = None,
) -> pa.Table:
    """The signed entries behind one figure: see ``engines.measures.trace`` for the columns."""
    item = indicator(code)
    number = number_known_at(known_at) if isinstance(known_at, date) else known_at
    return measures.trace(
        item,
        facts_for([item], known_at=number),
        hierarchy_frame(),
        level=level,
        unit=unit,
        period=period,
        by=by,
        breakdown=breakdown,
        known_at=number,
        attributes=profile_frame(),
    )
