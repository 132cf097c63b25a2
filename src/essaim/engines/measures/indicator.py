"""Indicators declared as data: what is counted, over what, how it adds up, and what must not be done with it.

A declaration that would give a wrong figure is refused when it is built (`IndicatorRefused`, French reason).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from essaim.engines.measures import additivity
from essaim.engines.measures.expressions import Expr, admitted, as_column
from essaim.engines.measures.facts import FactTable, IndicatorRefused


class Kind(StrEnum):
    """FLOW: what happened during the period; STOCK: what there is at its end; RATIO: one measure over another;
    DISTINCT: different persons or objects; QUANTILE: of row values; SHARE_OF_UNITS: share of establishments meeting a
    condition; GAP: difference of another indicator between two groups."""

    FLOW = "flow"
    STOCK = "stock"
    RATIO = "ratio"
    DISTINCT = "distinct"
    QUANTILE = "quantile"
    SHARE_OF_UNITS = "share_of_units"
    GAP = "gap"


class Timing(StrEnum):
    """FLOW: rows dated in the period; CUMULATIVE: rows dated up to its end; LATEST: rows of the last observation at or
    before its end (stocks, school-year profiles)."""

    FLOW = "flow"
    CUMULATIVE = "cumulative"
    LATEST = "latest"


class Direction(StrEnum):
    UP = "up"
    DOWN = "down"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Measure:
    """An additive quantity over one fact table: Σ sign × ``value`` over the rows that meet ``where``.

    ``value``: expression on the columns, None counts rows. ``date``: column or expression saying when it happens.
    ``until``: with CUMULATIVE, when it stops counting (a late order stops being late when delivered): a row counts at
    date E if ``date`` ≤ E and ``until`` is missing or > E. ``latest_per``: with LATEST, what an observation describes
    (by default the establishment; ``("uai", "category")`` when each category is counted on its own date).
    ``max_age_months``: a LATEST observation older than that is missing. ``distinct``: column whose different values are
    counted, instead of ``value``. ``decimals``: places kept by exact (integer) sums, by default 0 for integers else 2.
    """

    code: str
    facts: FactTable
    date: Expr | str
    value: Expr | None = None
    where: Expr | None = None
    timing: Timing = Timing.FLOW
    until: Expr | str | None = None
    latest_per: tuple[str, ...] = ()
    max_age_months: int | None = None
    distinct: str | None = None
    decimals: int | None = None
    unit: str = ""
    label: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "timing", Timing(self.timing))
        additivity.check_measure(self)

    def __hash__(self) -> int:
        """Equal declarations share their code: looking one up does not read them whole."""
        return hash(self.code)

    @property
    def date_expr(self) -> Expr:
        return as_column(self.date)

    @property
    def until_expr(self) -> Expr | None:
        return None if self.until is None else as_column(self.until)

    @property
    def observed_per(self) -> tuple[str, ...]:
        """Columns, besides the place, that delimit an observation."""
        return tuple(name for name in self.latest_per if name != self.facts.place)

    @property
    def places_kept(self) -> int:
        """Decimal places of the exact sum."""
        if self.decimals is not None:
            return self.decimals
        return additivity.default_decimals(self)

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (self,)

    def admits(self, values: Mapping[str, str]) -> bool:
        """Whether rows with these values of columns may pass its filter: its filter may name other values as the only ones."""
        named = ((admitted(self.where, name), value) for name, value in values.items())
        return all(held is None or value in held or not all(isinstance(item, str) for item in held) for held, value in named)


@dataclass(frozen=True, slots=True)
class PerEstablishment:
    """A quantity computed in each establishment from several measures, then added over establishments.

    ``value`` reads the codes of ``inputs`` as columns; a true condition counts 1. An input without data is null and
    makes the result missing unless ``coalesce`` says what it is worth. Example, classrooms meeting the *socle*:
    ``least(col("classes"), col("projectors"), col("laptops"))``. ``decimals``: places kept.
    """

    code: str
    inputs: tuple[Measure, ...]
    value: Expr
    decimals: int = 0
    unit: str = ""
    label: str = ""

    def __post_init__(self) -> None:
        additivity.check_per_establishment(self)

    def __hash__(self) -> int:
        return hash(self.code)

    @property
    def measures(self) -> tuple[Measure, ...]:
        return self.inputs

    @property
    def places_kept(self) -> int:
        return self.decimals

    @property
    def timing(self) -> Timing:
        """The time scope shared by the inputs, references (LATEST) apart."""
        scopes = {item.timing for item in self.inputs} - {Timing.LATEST}
        return scopes.pop() if scopes else Timing.LATEST

    @property
    def grain(self) -> str:
        return self.inputs[0].facts.grain


Quantity = Measure | PerEstablishment


@dataclass(frozen=True, slots=True)
class Coverage:
    """Establishments with data over establishments concerned.

    ``concerned``: quantity that is positive where the indicator makes sense (a school with orders); None for every
    establishment of the unit. ``counts``: ``"numerator"`` (an establishment has data if the numerator has) or
    ``"both"``.
    """

    concerned: Quantity | None = None
    counts: str = "numerator"


@dataclass(frozen=True, slots=True)
class Indicator:
    """The declaration of one indicator. ``definition`` is plain French; ``unit`` what the value is counted in;
    ``scale`` multiplies a ratio (100 for a percentage or "for 100 pupils"); ``quantile`` is 0–1; ``proved`` is the
    numerator that evidence supports, when ``numerator`` is what is declared: the figure then carries the interval
    [proved, declared]; ``over``: the denominator covers every establishment of the unit (``"members"``) or those with
    numerator data (``"reporting"``); ``of``, ``gap_by``, ``gap_groups``: for a GAP, the indicator compared, the
    breakdown and its two groups (first minus last); ``small_counts_secret``: counts below the threshold are hidden from
    the public (False for what counts neither persons nor units); ``natural_period``: over what it makes sense and is shown
    (``month``, ``year`` for what a law counts by calendar year, ``school_year``); any other period may still be asked."""

    code: str
    version: int
    label: str
    definition: str
    kind: Kind
    numerator: Quantity | None = None
    denominator: Quantity | None = None
    unit: str = ""
    scale: float = 1.0
    direction: Direction = Direction.NEUTRAL
    target: float | None = None
    objective: str = ""
    limits: str = ""
    breakdowns: tuple[str, ...] = ()
    proved: Quantity | None = None
    coverage: Coverage = field(default_factory=Coverage)
    quantile: float | None = None
    over: str = "members"
    of: Indicator | None = None
    gap_by: str = ""
    gap_groups: tuple[str, str] = ("1", "4")
    small_counts_secret: bool = True
    grain: str = "establishment"
    natural_period: str = "month"

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "kind", Kind(self.kind))
            object.__setattr__(self, "direction", Direction(self.direction))
        except ValueError as error:
            raise IndicatorRefused("nature-inconnue", f"Indicateur « {self.code} » : {error}.") from error
        additivity.check_indicator(self)

    def __hash__(self) -> int:
        return hash(self.code)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """Every quantity the figure needs."""
        own = (self.numerator, self.denominator, self.proved, self.coverage.concerned)
        inner: tuple[Quantity, ...] = self.of.quantities if self.of else ()
        return tuple(dict.fromkeys(item for item in (*own, *inner) if item is not None))

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Every base measure the figure needs, once."""
        return tuple(dict.fromkeys(part for item in self.quantities for part in item.measures))

    @property
    def facts(self) -> tuple[str, ...]:
        """Names of the fact tables used."""
        return tuple(dict.fromkeys(item.facts.name for item in self.measures))
