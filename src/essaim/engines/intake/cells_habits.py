"""What a whole column says about its doubtful cells: which mark groups digits, which of two numbers is the month."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from .cells_quick import Glance
from .cells_readers import GROUPED, ColumnSense
from .contract import Field, FieldType
from .issues import Finding, finding
from .issues_messages import expected_of
from .masks import true_rows

_GROUPED = f"^{GROUPED.pattern}$"
# The mark that closes the whole part: other than three digits after it, or nothing that could be a group before it.
_POINT_DECIMAL = r"^[^.]*\.(?:\d{1,2}|\d{4,})(?:[^\d.,].*)?$|\d{4,}\.\d+|,\d{3}\.|,\d{3},|^-?0\.\d"
_COMMA_DECIMAL = r"^[^,]*,(?:\d{1,2}|\d{4,})(?:[^\d.,].*)?$|\d{4,},\d+|\.\d{3},|\.\d{3}\.|^-?0,\d"
# ``12,000`` all down a column: how management software writes whole numbers with three decimals.
_THREE_ZEROS = r"^\s*-?\d{1,3}[.,]000-?\s*$"
_SLASHED = r"^\s*(\d{1,2})[/.\-](\d{1,2})[/.\-](?:\d{4}|\d{2})\b"
_ENOUGH = 3
_NUMBERS = (FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY)


def habits(text: pl.Series, field: Field, sense: ColumnSense) -> ColumnSense:
    """``sense`` completed by what the clear cells of the column show; unchanged when they show nothing or disagree."""
    if field.type in _NUMBERS:
        return replace(sense, thousands=_thousands(text, field))
    if field.type in (FieldType.DATE, FieldType.MONTH):
        return replace(sense, month_first=_month_first(text))
    return sense


def may_have_habits(field: Field, seen: Glance) -> bool:
    """Whether any cell of a column could be read two ways: numbers seen as such, and what is left to be read."""
    if field.type in _NUMBERS:
        return seen.grouped or (len(seen.rest) > 0 and bool(seen.texts.str.contains(_GROUPED).any()))
    if field.type in (FieldType.DATE, FieldType.MONTH):
        return len(seen.rest) > 0 and bool(seen.texts.str.contains(_SLASHED).any())
    return False


def _thousands(text: pl.Series, field: Field) -> str:
    doubtful = text.filter(text.str.contains(_GROUPED).fill_null(False))
    if not len(doubtful):
        return ""
    points, commas = bool(text.str.contains(_POINT_DECIMAL).any()), bool(text.str.contains(_COMMA_DECIMAL).any())
    if points != commas:
        return "," if points else "."
    marks = {mark for mark in ".," if doubtful.str.contains(mark, literal=True).any()}
    if bool(text.drop_nulls().str.contains(_THREE_ZEROS).all()):
        return ""
    # Without other evidence, a count is not written with three decimals.
    return marks.pop() if field.type is FieldType.INTEGER and not points and len(marks) == 1 else ""


def _month_first(text: pl.Series) -> bool:
    parts = text.str.extract_groups(_SLASHED).struct.unnest() if len(text) else None
    if parts is None:
        return False
    first, second = (parts[name].cast(pl.Int32, strict=False) for name in ("1", "2"))
    return not bool((first > 12).any()) and int((second > 12).sum() or 0) >= _ENOUGH


def doubtful_marks(text: pl.Series, field: Field, sense: ColumnSense) -> list[Finding]:
    """Numbers like ``2.500`` read with decimals where nothing in the column says so, and ``12,000`` alone among counts: worth a look."""
    if field.type not in _NUMBERS or (sense.thousands and field.type is not FieldType.INTEGER):
        return []
    rows = true_rows(text.str.contains(_GROUPED))
    # In a column of counts, only zeros may be decimals: what is grouped with other digits is thousands.
    if not len(rows) or (sense.thousands and not text[rows].str.contains(_THREE_ZEROS).all()) or text.str.contains(_POINT_DECIMAL).any() != text.str.contains(_COMMA_DECIMAL).any():
        return []
    return [finding("number_mark_doubtful", field.name, rows, value=text[rows], expected=expected_of(field))]
