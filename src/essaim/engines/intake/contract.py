"""Data contracts: what one kind of file must hold, declared once as data.

A contract is the only description of a kind of file: the checks, the import wizard, the ledger table,
the Table Schema export and the reference documentation are all derived from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class FieldType(StrEnum):
    """Logical type of a field. The unit of MONEY is euros (HT unless the label says otherwise); PERCENT is in
    points (``3,5 %`` is 3.5); MONTH is the first day of the month; SCHOOL_YEAR is written ``2021-2022``."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY = "money"
    PERCENT = "percent"
    DATE = "date"
    MONTH = "month"
    SCHOOL_YEAR = "school_year"
    BOOLEAN = "boolean"
    CODE = "code"
    UAI = "uai"
    SIREN = "siren"
    SIRET = "siret"
    RNA = "rna"
    COMMUNE = "commune"
    DEPARTEMENT = "departement"


# What is counted or measured: never carried from one row to another, where it would count several times.
NUMERIC = (FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY, FieldType.PERCENT)


class Severity(StrEnum):
    """BLOCKING refuses the row, WARNING accepts it and asks for a look, NOTICE tells what was repaired."""

    BLOCKING = "blocking"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Code:
    """One value of a code list, with the spellings met in the field (accents and case are ignored). ``products``: names of what is
    sold and is always of this value (``hp probook``), whatever follows them."""

    value: str
    label: str
    aliases: tuple[str, ...] = ()
    products: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a contract.

    ``synonyms`` are headers seen in real files (accents, case and punctuation ignored). ``reference`` names the
    register in which values are looked up (``"establishment"``, ``"commune"``, ``"organisation"``); ``references_with``
    names the other fields (of this contract) that help to find it when the identifier is missing (name, commune).
    ``reference_severity``: how grave it is that the register does not know a well-formed value (a register is never
    complete, so the default is a warning). ``minimum`` and ``maximum`` of dates are ISO text. ``unit`` holding ``HT`` says
    that amounts are before tax. ``default`` (text and codes only) fills a column that the file does not have, and empty cells. ``past``: a day of what has happened; one still to come is a warning.
    """

    name: str
    label: str
    type: FieldType
    description: str = ""
    required: bool = False
    synonyms: tuple[str, ...] = ()
    unit: str | None = None
    codes: tuple[Code, ...] = ()
    reference: str | None = None
    references_with: tuple[str, ...] = ()
    minimum: float | str | None = None
    maximum: float | str | None = None
    max_length: int | None = None
    pattern: str | None = None
    examples: tuple[str, ...] = ()
    default: str | None = None
    reference_severity: Severity = Severity.WARNING
    past: bool = False

    @property
    def holds_years(self) -> bool:
        """Whether its whole numbers are calendar years, as its bounds say (an exam's session, a year of purchase)."""
        return self.type is FieldType.INTEGER and is_year(self.minimum) and is_year(self.maximum)


def is_year(bound: object) -> bool:
    """Whether a bound reads as a year (1990), which takes no thousands space."""
    return isinstance(bound, (int, float)) and 1900 <= bound <= 2100 and bound == int(bound)


@dataclass(frozen=True, slots=True)
class Rule:
    """Base of cross-field rules. ``code`` names the issue it raises; ``message`` is the French sentence shown."""

    code: str
    message: str
    severity: Severity = field(default=Severity.BLOCKING, kw_only=True)


@dataclass(frozen=True, slots=True)
class InOrder(Rule):
    """``earlier`` must not be after ``later`` (dates) or above it (numbers); missing values pass."""

    earlier: str
    later: str


@dataclass(frozen=True, slots=True)
class AnyOf(Rule):
    """At least one of ``fields`` must be given."""

    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RequiredWhen(Rule):
    """``field_name`` must be given when ``when`` is one of ``values`` (any value if empty)."""

    field_name: str
    when: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProductEquals(Rule):
    """``total`` must equal ``quantity`` × ``price`` within ``tolerance`` (euros, plus 0.5 %)."""

    quantity: str
    price: str
    total: str
    tolerance: float = 1.0


@dataclass(frozen=True, slots=True)
class Plausible(Rule):
    """``field_name`` divided by the reference attribute ``per`` (for instance ``pupils``) should stay ≤ ``at_most``."""

    field_name: str
    reference_field: str
    per: str
    at_most: float


@dataclass(frozen=True, slots=True)
class Listing:
    """Files that list things one by one, as asset management exports them: a line counts for one in the field ``count``.

    ``word``: what a line is, singular and plural. ``serials`` and ``tags``: headers of what identifies a thing, by its maker or by
    its owner; it tells lines given twice and is never kept. ``names``: headers of a thing's own name, which is no school's.
    ``left_out``: fields said of one thing, never kept of several. ``dated``: the date
    of the whole list, which is never one thing's own. ``kind``: the code that ``models`` (headers) may tell, alone or where ``vague``
    words say less. ``states``: field → what a column of status says of a thing that counts in it; ``idle``: of one that counts in
    none. ``years``: field → headers of dates whose year it is. ``places``: headers of where a thing is, of a school's name (``place``)
    within a path.
    """

    count: str
    word: tuple[str, str]
    serials: tuple[str, ...]
    tags: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    dated: str | None = None
    kind: str | None = None
    models: tuple[str, ...] = ()
    vague: tuple[str, ...] = ()
    states: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    idle: tuple[str, ...] = ()
    years: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    place: str | None = None
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Contract:
    """The declaration of one kind of file.

    ``key``: natural key, field names, plus ``"sender"`` when numbers are only unique for one sender.
    ``replaces``: ``"key"`` (upsert by key) or ``"perimeter"`` (a new file replaces every row of the perimeters it
    contains; a perimeter is the value of ``perimeter``, which may hold ``"sender"``).
    ``incidental``: fields that say how a row came to be published (platform, day of publication), not what it states: rows that
    differ by them alone are the same row.
    ``place``: the field that locates a row; the ledger partition ``departement`` is derived from it.
    ``undone``: what a column of status says (folded, or its first words) of a row that did not happen: it is refused, never counted.
    ``partly``: of one that happened in part: whether its number is what was awaited or what came is told to be checked.
    ``listing``: how a file that has one line a thing is counted, None where such a file says nothing.
    ``named``: words (folded) that name such a file in a title or a sheet, ``not_named`` those that name another kind of file with the
    same columns (orders beside deliveries): a table so called is not counted before its sender says so.
    ``adds``: fields whose numbers are added up over lines of one key, in a list of things or when the sender says so (one line a room).
    ``together``: what the headers of one table, in order, mean by being together, where each alone would mean something else
    (``{header: field}``, ``""`` to leave a column out): the lists of a publisher that names its columns its own way.
    ``column_groups``: repeated blocks (one column per category or per month) unpivoted into rows: see Wide.
    """

    code: str
    version: int
    title: str
    description: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    rules: tuple[Rule, ...] = ()
    replaces: str = "key"
    perimeter: tuple[str, ...] = ("sender",)
    place: str | None = None
    wide: tuple[Wide, ...] = ()
    licence: str = ""
    source: str = ""
    incidental: tuple[str, ...] = ()
    undone: tuple[str, ...] = ()
    partly: tuple[str, ...] = ()
    listing: Listing | None = None
    named: tuple[str, ...] = ()
    not_named: tuple[str, ...] = ()
    adds: tuple[str, ...] = ()
    together: Callable[[Sequence[str]], Mapping[str, str]] | None = None

    def field(self, name: str) -> Field:
        """The field called ``name``; KeyError if the contract has none."""
        for item in self.fields:
            if item.name == name:
                return item
        raise KeyError(name)

    @property
    def field_names(self) -> tuple[str, ...]:
        return tuple(item.name for item in self.fields)


@dataclass(frozen=True, slots=True)
class Wide:
    """A file that has one column per code of ``into`` (for instance one column per item category): such columns are
    turned into rows, the header giving ``into`` and the cell giving ``value``."""

    into: str
    value: str
    extra_headers: Mapping[str, str] = field(default_factory=dict)
