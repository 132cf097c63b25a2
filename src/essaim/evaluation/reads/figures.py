"""Figures for pages, command line and API: the engine of measures on the facts of this installation."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl
import pyarrow as pa
from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from essaim.engines import measures
from essaim.engines.measures import Cells, Figures, Indicator
from essaim.engines.measures.figures import declaration_digest, kept_apart
from essaim.engines.measures.secrecy import hides_in
from essaim.evaluation.reads.catalogue import IndicatorUnknown, derived_facts, indicator
from essaim.evaluation.reads.facts import derived_difference, fact_names, facts_for, ledger_tables
from essaim.evaluation.reads.keeping import STORE, moved
from essaim.evaluation.reads.published import Question, asked_lately, kept
from essaim.evaluation.reads.register import departements_of, register
from essaim.foundation.contracts import contract
from essaim.foundation.models import Posting, Submission
from essaim.foundation.reads.facts import ledger, number_known_at, table_spec
from essaim.foundation.reads.submissions import accepted_rows

_KEPT = 2_000


class Answers:
    """Tables already computed, the most recently read last. A key holds everything an answer depends on."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._found: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self._lock = threading.Lock()
        self._size = kept

    def get(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """What ``key`` was answered, or what ``make`` answers."""
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]
        made = make()
        with self._lock:
            self._found[key] = made
            while len(self._found) > self._size:
                self._found.popitem(last=False)
        return made

    def clear(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._found.clear()


ANSWERS, PAST = Answers(), Answers(24)


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
    asked = tuple(indicator(code) for code in dict.fromkeys(codes))
    names = (by,) if isinstance(by, str) else tuple(by or ())
    wanted = (period,) if isinstance(period, str) else tuple(period)
    number = number_known_at(known_at) if isinstance(known_at, date) else known_at
    last, latest = last_numbers(asked, number)
    whole = _Asked(asked, level, hierarchy, wanted, tuple(units) if units is not None else None, names, public, last, latest)

    def shown() -> pl.DataFrame:
        return measures.with_fingerprints(_table(whole), asked, "")

    stamp, _ = register()
    table = ANSWERS.get(("shown", *whole.key(stamp)), shown) if stamp and units is not None else shown()
    return Figures(table, level, names, number)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question about some indicators: what each argument of ``figures`` says, ``last`` and ``latest`` as in ``last_numbers``."""

    indicators: tuple[Indicator, ...]
    level: str
    hierarchy: str | None
    periods: tuple[str, ...]
    units: tuple[str, ...] | None
    by: tuple[str, ...]
    public: bool
    last: int
    latest: int

    def key(self, stamp: str) -> tuple[Any, ...]:
        """Everything the answer depends on; ``stamp``: of the register."""
        declared = tuple(declaration_digest(item) for item in self.indicators)
        threshold = self.public and settings.ESSAIM_SECRECY_THRESHOLD
        return (str(settings.ESSAIM_LEDGER_URL), declared, self.level, self.hierarchy, self.periods, self.units, self.by, threshold, stamp, self.last)


def _table(asked: _Asked) -> pl.DataFrame:
    # Secrecy compares the units of a level: its figures are made for all of them, and serve every page.
    secret = tuple(item for item in asked.indicators if asked.public and hides_in(item, asked.by))
    open_ = tuple(item for item in asked.indicators if item not in secret)
    tables = []
    if open_:
        tables.append(_answered(replace(asked, indicators=open_, public=False)).frame)
    if secret:
        table = _answered(replace(asked, indicators=secret, units=None)).frame
        tables.append(table if asked.units is None else table.filter(pl.col("unit").is_in(list(asked.units))))
    if not tables:
        return measures.empty_figures()
    return tables[0] if len(tables) == 1 else _in_order(pl.concat(tables), asked.indicators)


def last_numbers(asked: Sequence[Indicator], number: int | None) -> tuple[int, int]:
    """(last submission up to ``number``, last of all) of those that the facts of ``asked`` come from: what cannot have changed
    a figure is no part of what it depends on."""
    tables = ledger_tables(fact_names(asked))
    done = Posting.objects.filter(status=Posting.Status.DONE, submission__contract__in=tables)
    latest = done.aggregate(last=Max("number"))["last"] or 0
    if number is None or number >= latest:
        return latest, latest
    return done.filter(number__lte=number).aggregate(last=Max("number"))["last"] or 0, latest


def _answered(asked: _Asked) -> Figures:
    stamp, places = register()
    key = asked.key(stamp)

    def make() -> Figures:
        dimensions = kept_apart(asked.indicators, asked.by, places.attributes.columns)
        apart = None if asked.units is None or asked.last == asked.latest else departements_of(places, asked.level, asked.hierarchy, asked.units)
        return measures.figures(
            asked.indicators, None, places, level=asked.level, period=asked.periods, units=asked.units, by=asked.by, public=asked.public,
            threshold=settings.ESSAIM_SECRECY_THRESHOLD, hierarchy=asked.hierarchy, prepared=_cells(dimensions, asked.last, asked.latest, apart),
            fingerprints=False,
        )  # fmt: skip

    def found() -> Figures:
        if asked.units is not None or not asked.public or asked.last < asked.latest:
            return make()
        return kept(Question(tuple(item.code for item in asked.indicators), asked.level, asked.hierarchy, asked.periods, asked.by), key, make)

    return ANSWERS.get(key, found) if stamp else make()  # type: ignore[no-any-return]


def answer_ahead() -> int:
    """Makes again, for the last submission, the protected figures that pages asked lately; how many questions there were."""
    done = 0
    for question in asked_lately():
        try:
            figures(
                question.codes, level=question.level, period=question.periods, by=question.by, public=True,
                hierarchy=question.hierarchy,
            )  # fmt: skip
        except (IndicatorUnknown, measures.IndicatorRefused, measures.LevelUnknown, ValueError):
            continue  # asked of another catalogue or another register
        done += 1
    return done


def _cells(by: tuple[str, ...], last: int, latest: int, departements: tuple[str, ...] | None) -> Cells:
    """Cells at submission ``last``: those of the present, less what came since."""
    held = STORE.current(by, number_known_at(timezone.now()))
    if last >= latest:
        return held.cells
    key = (str(settings.ESSAIM_LEDGER_URL), by, last, departements)
    return PAST.get(key, lambda: moved(held, by, last, departements).cells)  # type: ignore[no-any-return]


def _in_order(table: pl.DataFrame, asked: Sequence[Indicator]) -> pl.DataFrame:
    ranks = {item.code: index for index, item in enumerate(asked)}
    return table.sort(pl.col("indicator").replace_strict(ranks, return_dtype=pl.Int64), maintain_order=True)


def figures_if_accepted(
    submission: Submission, codes: Sequence[str], *, level: str, period: str | Sequence[str], units: Sequence[str] | None = None
) -> Figures:
    """The same figures as they would be if ``submission`` (checked, not accepted) were accepted now; writes nothing.

    A table that a room derives without knowing how to add planned entries stays as it is.
    """
    asked = tuple(indicator(code) for code in codes)
    held = STORE.current((), number_known_at(timezone.now()))
    spec = table_spec(contract(submission.contract))
    planned = ledger().planned(spec, accepted_rows(submission).to_arrow(), sender=submission.sender)
    used = fact_names(asked)
    changed = {spec.name: planned} if spec.name in used else {}
    for name in used:
        if name in held.derived and spec.name in derived_facts()[name][0]:
            found = derived_difference(name, held.derived[name], planned, spec.name)
            if found is not None:
                changed[name] = found[0]
    return measures.figures(
        asked, None, register()[1], level=level, period=period, units=units,
        prepared=measures.refresh(held.cells, changed), fingerprints=False,
    )  # fmt: skip


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
    places = register()[1]
    apart = departements_of(places, level, None, [unit])
    return measures.trace(
        item,
        facts_for([item], known_at=number, departements=apart),
        places.frame,
        level=level,
        unit=unit,
        period=period,
        by=by,
        breakdown=breakdown,
        known_at=number,
        attributes=places.attributes,
    )
