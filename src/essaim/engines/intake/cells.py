"""A column of text read as a field's type: vectorised where the text is canonical, by distinct texts elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field

import polars as pl

from essaim.kernel.french import format_number

from .cells_quick import Glance, dtype_of, glance
from .cells_readers import PLAIN, CellReading, ColumnSense, read_cell
from .contract import Field
from .issues import Finding, finding
from .issues_messages import expected_of

_FEW = 2_000  # so few cells are counted faster one by one

__all__ = ["TypedColumn", "dtype_of", "read_column"]


@dataclass(frozen=True, slots=True)
class TypedColumn:
    """``values`` aligned with the text read (null where missing or wrong), ``findings`` on rows, ``missing``: frame
    ``index, why, written`` of cells that say why they are empty; ``wrong``: rows whose cell has a blocking problem."""

    values: pl.Series
    findings: tuple[Finding, ...] = ()
    missing: pl.DataFrame | None = None
    wrong: pl.Series = dataclass_field(default_factory=lambda: pl.Series([], dtype=pl.UInt32))


def read_column(text: pl.Series, field: Field, sense: ColumnSense = PLAIN, seen: Glance | None = None) -> TypedColumn:
    """Reads every cell of a String column, from what a first glance gave. Findings carry positions in ``text``."""
    seen = seen or glance(text, field, sense)
    values, rest = seen.values.rename(field.name), seen.rest
    if not len(rest):
        return TypedColumn(values)
    read = _read_rest(seen.texts, rest, field, sense)
    wrong = read.having([item.problem for item in read.readings])
    return TypedColumn(
        read.set_in(values),
        (*read.findings("problem", field), *read.findings("remark", field), *read.errors(field)),
        read.missing(),
        rest if wrong is None else rest.filter(wrong),
    )


@dataclass(frozen=True, slots=True)
class _Rest:
    """Cells read one distinct text at a time: ``texts`` and ``rows`` of the cells, ``which`` reading each has."""

    texts: pl.Series
    rows: pl.Series
    which: pl.Series
    readings: list[CellReading]
    dtype: pl.DataType

    def having(self, values: Sequence[object]) -> pl.Series | None:
        """Mask of the cells whose reading has one of the ``values``, given by reading; None when all have."""
        held = [value is not None for value in values]
        return None if all(held) else pl.Series(held, dtype=pl.Boolean)[self.which]

    def set_in(self, column: pl.Series) -> pl.Series:
        """``column`` with the values found."""
        given = [item.value for item in self.readings]
        if all(value is None for value in given):
            return column
        values, mask = pl.Series(given, dtype=self.dtype)[self.which], self.having(given)
        return column.scatter(self.rows, values) if mask is None else column.scatter(self.rows.filter(mask), values.filter(mask))

    def findings(self, name: str, field: Field) -> list[Finding]:
        """One for each problem or remark (``name``), those met first before."""
        told: list[str | None] = [getattr(item, name) for item in self.readings]
        codes = dict.fromkeys(code for code in told if code)
        found = [self._finding(code, [item == code or None for item in told], field) for code in codes]
        return sorted(found, key=lambda item: int(item.frame["index"][0]))

    def errors(self, field: Field) -> list[Finding]:
        """Cells that hold an error of the sender's spreadsheet."""
        wrong = [item.why == "erreur_formule" or None for item in self.readings]
        return [self._finding("formula_error", wrong, field, suggested=False)] if any(wrong) else []

    def _finding(self, code: str, values: Sequence[bool | None], field: Field, *, suggested: bool = True) -> Finding:
        mask = self.having(values)
        rows, texts, which = (item if mask is None else item.filter(mask) for item in (self.rows, self.texts, self.which))
        hints = pl.Series([item.suggestion for item in self.readings], dtype=pl.String)[which] if suggested else None
        return finding(code, field.name, rows, value=texts, suggestion=hints, expected=expected_of(field))

    def missing(self) -> pl.DataFrame | None:
        """Cells that say why they are empty."""
        reasons = [item.why for item in self.readings]
        if not any(reasons):
            return None
        why, mask = pl.Series(reasons, dtype=pl.String)[self.which], self.having(reasons)
        columns = {"index": self.rows, "why": why, "written": self.texts}
        return pl.DataFrame({name: column if mask is None else column.filter(mask) for name, column in columns.items()})


def _read_rest(texts: pl.Series, rows: pl.Series, field: Field, sense: ColumnSense) -> _Rest:
    if len(texts) < _FEW:
        cells = texts.to_list()
        listed = sorted(set(cells))
        place = {text: at for at, text in enumerate(listed)}
        which = pl.Series([place[text] for text in cells], dtype=pl.UInt32)
    else:
        distinct = texts.unique().sort()
        listed, which = distinct.to_list(), distinct.search_sorted(texts)
    return _Rest(texts, rows, which, [_with_suggestion(read_cell(text, field, sense), field) for text in listed], dtype_of(field))


def _with_suggestion(reading: CellReading, field: Field) -> CellReading:
    """Repairs that are told show the value retained."""
    if reading.remark in ("thousands_mark", "number_words"):
        return CellReading(reading.value, suggestion=format_number(reading.value), remark=reading.remark)
    if reading.remark in ("leading_zero", "siret_given") and reading.suggestion is None:
        return CellReading(reading.value, suggestion=str(reading.value), remark=reading.remark)
    return reading
