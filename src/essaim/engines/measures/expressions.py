"""The small language of measures: expressions on a contract's columns, declared as data.

An expression is a frozen tree. It says nothing about the engine that will run it: `compiler` turns it into Ibis,
`reference` evaluates it in plain Python. Null spreads through every operation except ``coalesce``, ``is_missing`` and
the truth tables of and/or; a division by zero gives null.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date

Value = int | float | str | bool | date | None


@dataclass(frozen=True, slots=True)
class Expr:
    """Base of expressions. Arithmetic and ordering use Python's operators; equality is ``equals`` (``==`` compares
    declarations), conditions combine with ``&``, ``|`` and ``~``."""

    def __add__(self, other: Operand) -> Expr:
        return Binary("+", self, operand(other))

    def __sub__(self, other: Operand) -> Expr:
        return Binary("-", self, operand(other))

    def __mul__(self, other: Operand) -> Expr:
        return Binary("*", self, operand(other))

    def __truediv__(self, other: Operand) -> Expr:
        return Binary("/", self, operand(other))

    def __lt__(self, other: Operand) -> Expr:
        return Binary("<", self, operand(other))

    def __le__(self, other: Operand) -> Expr:
        return Binary("<=", self, operand(other))

    def __gt__(self, other: Operand) -> Expr:
        return Binary(">", self, operand(other))

    def __ge__(self, other: Operand) -> Expr:
        return Binary(">=", self, operand(other))

    def __and__(self, other: Operand) -> Expr:
        return Binary("and", self, operand(other))

    def __or__(self, other: Operand) -> Expr:
        return Binary("or", self, operand(other))

    def __invert__(self) -> Expr:
        return Not(self)

    def equals(self, other: Operand) -> Expr:
        """The condition "is equal to" (null if either side is missing)."""
        return Binary("==", self, operand(other))

    def differs(self, other: Operand) -> Expr:
        """The condition "is different from" (null if either side is missing)."""
        return Binary("!=", self, operand(other))

    def isin(self, *values: Value) -> Expr:
        """The condition "is one of ``values``"."""
        return IsIn(self, tuple(values))

    def is_missing(self) -> Expr:
        """The condition "has no value", never null."""
        return IsMissing(self)


Operand = Expr | int | float | str | bool | date | None


@dataclass(frozen=True, slots=True)
class Column(Expr):
    """A column of the fact table (or, in a per-establishment expression, an input measure)."""

    name: str


@dataclass(frozen=True, slots=True)
class Literal(Expr):
    value: Value


@dataclass(frozen=True, slots=True)
class Binary(Expr):
    """``op`` is one of ``+ - * / == != < <= > >= and or``."""

    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Not(Expr):
    of: Expr


@dataclass(frozen=True, slots=True)
class IsIn(Expr):
    of: Expr
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class IsMissing(Expr):
    of: Expr


@dataclass(frozen=True, slots=True)
class Coalesce(Expr):
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Extreme(Expr):
    """The ``least`` or the ``greatest`` of ``args``; null if any is missing."""

    op: str
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class When(Expr):
    """``then`` if ``condition`` is true, else ``otherwise`` (a null condition is not true)."""

    condition: Expr
    then: Expr
    otherwise: Expr


@dataclass(frozen=True, slots=True)
class DaysBetween(Expr):
    """Whole days from ``start`` to ``end``, negative when ``end`` comes first."""

    start: Expr
    end: Expr


@dataclass(frozen=True, slots=True)
class SchoolYearStart(Expr):
    """1 September of a school year written ``2021-2022`` (or of a *rentrée* written ``2021``)."""

    of: Expr


def operand(value: Operand) -> Expr:
    """``value`` itself if it is an expression, else the literal that holds it."""
    return value if isinstance(value, Expr) else Literal(value)


def col(name: str) -> Column:
    """The column called ``name``."""
    return Column(name)


def lit(value: Value) -> Literal:
    """A constant."""
    return Literal(value)


def coalesce(*args: Operand) -> Expr:
    """The first of ``args`` that has a value."""
    return Coalesce(tuple(operand(item) for item in args))


def least(*args: Operand) -> Expr:
    """The smallest of ``args``; null if any is missing."""
    return Extreme("least", tuple(operand(item) for item in args))


def greatest(*args: Operand) -> Expr:
    """The largest of ``args``; null if any is missing."""
    return Extreme("greatest", tuple(operand(item) for item in args))


def when(condition: Expr, then: Operand, otherwise: Operand) -> Expr:
    """``then`` where ``condition`` is true, ``otherwise`` elsewhere."""
    return When(condition, operand(then), operand(otherwise))


def days_between(start: Expr | str, end: Expr | str) -> Expr:
    """Days from ``start`` to ``end``; a text names a column."""
    return DaysBetween(as_column(start), as_column(end))


def school_year_start(of: Expr | str) -> Expr:
    """1 September of the school year held by ``of``."""
    return SchoolYearStart(as_column(of))


def as_column(value: Expr | str) -> Expr:
    """``value`` itself, or the column it names."""
    return Column(value) if isinstance(value, str) else value


def children(expr: Expr) -> tuple[Expr, ...]:
    """Direct sub-expressions."""
    found: list[Expr] = []
    for item in fields(expr):
        held = getattr(expr, item.name)
        if isinstance(held, Expr):
            found.append(held)
        elif isinstance(held, tuple):
            found.extend(part for part in held if isinstance(part, Expr))
    return tuple(found)


def walk(expr: Expr) -> Iterator[Expr]:
    """The expression and every expression inside it."""
    yield expr
    for part in children(expr):
        yield from walk(part)


def column_names(expr: Expr) -> frozenset[str]:
    """Names of the columns an expression reads."""
    return frozenset(part.name for part in walk(expr) if isinstance(part, Column))


def admitted(condition: Expr | None, name: str) -> frozenset[Value] | None:
    """The values of the column ``name`` that ``condition`` names as the only possible ones; None when it names none."""
    match condition:
        case Binary("and", left, right):
            found = [held for part in (left, right) if (held := admitted(part, name)) is not None]
            return frozenset.intersection(*found) if found else None
        case Binary("==", Column(of), Literal(value)) | Binary("==", Literal(value), Column(of)) if of == name:
            return frozenset((value,))
        case IsIn(Column(of), values) if of == name:
            return frozenset(values)
    return None
