"""A column of text read as a field's type: vectorised where the text is canonical, by distinct texts elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dataclass_field

import polars as pl

from essaim.kernel.french import format_number

from .cells_quick import Glance, dtype_of, glance
from .cells_readers import PLAIN, CellReading, ColumnSense, read_cell
from .contract import Field
from .issues import Finding, finding
from .issues_messages import expected_of

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
    texts = text.gather(rest)
    table = _read_distinct(texts.unique(), field, sense)
    cells = pl.DataFrame({"index": rest, "text": texts}).join(table, on="text", how="left", maintain_order="left")
    found = _having("value", cells, table)
    if found.height:
        values = values.scatter(found["index"], found["value"])
    wrong, missing = _having("problem", cells, table), _having("why", cells, table)
    return TypedColumn(
        values,
        (*_findings(wrong, "problem", field), *_findings(_having("remark", cells, table), "remark", field), *_errors(missing, field)),
        missing.select("index", "why", pl.col("text").alias("written")) if missing.height else None,
        wrong["index"],
    )


def _having(column: str, cells: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """The cells whose text has a ``column``: all, none or some of them, as the table of distinct texts says."""
    lacking = table[column].null_count()
    if lacking == table.height:
        return cells.clear()
    return cells.filter(pl.col(column).is_not_null()) if lacking else cells


def _findings(cells: pl.DataFrame, column: str, field: Field) -> list[Finding]:
    if not cells.height:
        return []
    expected = expected_of(field)
    return [
        finding(str(code), field.name, group["index"], value=group["text"], suggestion=group["suggestion"], expected=expected)
        for (code,), group in cells.partition_by(column, as_dict=True, maintain_order=True).items()
    ]


def _errors(missing: pl.DataFrame, field: Field) -> list[Finding]:
    errors = missing.filter(pl.col("why") == "erreur_formule") if missing.height else missing
    if not errors.height:
        return []
    return [finding("formula_error", field.name, errors["index"], value=errors["text"], expected=expected_of(field))]


def _read_distinct(distinct: pl.Series, field: Field, sense: ColumnSense) -> pl.DataFrame:
    texts = distinct.to_list()
    readings = [_with_suggestion(read_cell(text, field, sense), field) for text in texts]
    return pl.DataFrame(
        {
            "text": distinct,
            "value": pl.Series([item.value for item in readings], dtype=dtype_of(field)),
            "problem": pl.Series([item.problem for item in readings], dtype=pl.String),
            "suggestion": pl.Series([item.suggestion for item in readings], dtype=pl.String),
            "why": pl.Series([item.why for item in readings], dtype=pl.String),
            "remark": pl.Series([item.remark for item in readings], dtype=pl.String),
        }
    )


def _with_suggestion(reading: CellReading, field: Field) -> CellReading:
    """Repairs that are told show the value retained."""
    if reading.remark in ("thousands_mark", "count_words"):
        return CellReading(reading.value, suggestion=format_number(reading.value), remark=reading.remark)
    if reading.remark in ("leading_zero", "siret_given") and reading.suggestion is None:
        return CellReading(reading.value, suggestion=str(reading.value), remark=reading.remark)
    return reading
