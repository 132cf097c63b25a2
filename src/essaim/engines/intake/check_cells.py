"""Every column of a batch typed; required cells, bounds, lengths and shapes checked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from datetime import UTC, date, datetime

import polars as pl

from essaim.kernel.french import format_date, format_number

from .cells import TypedColumn, dtype_of, read_column
from .cells_habits import doubtful_marks, habits, may_have_habits
from .cells_missing import WHY_LABELS
from .cells_quick import Glance, glance, glances
from .cells_readers import PLAIN, ColumnSense
from .check_batch import Batch
from .contract import Field, FieldType, is_year
from .issues import Finding, finding, remark_on_table
from .issues_messages import expected_of
from .masks import true_rows
from .threads import side_by_side

_SHARES = 3  # from so many values on, none above 1 makes one think of shares rather than points


@dataclass(slots=True)
class Typed:
    """Typed columns of a batch, completed step by step. ``wrong[field]``: rows whose cell has a blocking problem;
    ``distinct``: the values of columns that repeat a few of them, where known."""

    columns: dict[str, pl.Series] = dataclass_field(default_factory=dict)
    findings: list[Finding] = dataclass_field(default_factory=list)
    missing: list[pl.DataFrame] = dataclass_field(default_factory=list)
    wrong: dict[str, pl.Series] = dataclass_field(default_factory=dict)
    attributes: dict[str, pl.DataFrame] = dataclass_field(default_factory=dict)
    distinct: dict[str, pl.Series] = dataclass_field(default_factory=dict)

    def frame(self) -> pl.DataFrame:
        return pl.DataFrame(list(self.columns.values()))


def type_columns(batch: Batch) -> Typed:
    """Reads every field of the contract over the whole batch."""
    typed = Typed()
    seen = _glances(batch)
    # A register may still change the values of a field that refers to it, a default those that are empty.
    own = [f.name for f in batch.contract.fields if f.reference is None and f.default is None and f.name in seen]
    typed.distinct = {name: distinct for name in own if (distinct := seen[name].distinct) is not None}
    columns = side_by_side(lambda field: _read(batch, field, seen.pop(field.name, None)), batch.contract.fields, batch.size)
    for field, column in zip(batch.contract.fields, columns, strict=True):
        typed.columns[field.name] = _filled(column, field)
        typed.findings += column.findings
        typed.wrong[field.name] = column.wrong
        if column.missing is not None:
            typed.missing.append(column.missing.with_columns(pl.lit(field.name).alias("field")))
        typed.findings += _doubtful_dates(batch, field, column)
        typed.findings += _column_remarks(batch, field, column.values)
    return typed


def _filled(column: TypedColumn, field: Field) -> pl.Series:
    """The values, an empty cell taking the field's default; a cell that could not be read stays without value."""
    values = column.values
    if field.default is None or not values.null_count():
        return values
    given = values.fill_null(field.default)
    return given.scatter(column.wrong, None) if len(column.wrong) else given


def _glances(batch: Batch) -> dict[str, Glance]:
    """Every column whose headers say the same in all parts, at once."""
    asked = []
    for field in batch.contract.fields:
        senses = batch.senses(field.name)
        if len(set(senses)) == 1 and batch.text[field.name].null_count() < batch.size:
            asked.append((field, senses[0]))
    return glances(batch.text, asked) if asked else {}


def _read(batch: Batch, field: Field, seen: Glance | None) -> TypedColumn:
    text, senses = batch.text[field.name], batch.senses(field.name)
    if text.null_count() == batch.size:
        return TypedColumn(pl.Series(field.name, [None], dtype=dtype_of(field)).new_from_index(0, batch.size))
    doubtful = may_have_habits(field, seen or glance(text, field, PLAIN))
    if doubtful:
        columns = [text.filter(batch.places.part == part) for part in range(len(senses))] if len(senses) > 1 else [text]
        senses = [habits(column, field, sense) for column, sense in zip(columns, senses, strict=True)]
    elif seen is not None:
        return read_column(text, field, senses[0], seen)
    if len(set(senses)) == 1:
        return _one_sense(text, field, senses[0], doubtful)
    pieces = []
    for sense in dict.fromkeys(senses):
        parts = [number for number, item in enumerate(senses) if item == sense]
        rows = true_rows(batch.places.part.is_in(parts))
        pieces.append((rows, _one_sense(text[rows], field, sense, doubtful)))
    return _gathered(pieces)


def _one_sense(text: pl.Series, field: Field, sense: ColumnSense, doubtful: bool) -> TypedColumn:
    column = read_column(text, field, sense)
    return replace(column, findings=(*column.findings, *doubtful_marks(text, field, sense))) if doubtful else column


def _gathered(pieces: list[tuple[pl.Series, TypedColumn]]) -> TypedColumn:
    rows = pl.concat([rows for rows, _ in pieces])
    values = pl.concat([column.values for _, column in pieces])[rows.arg_sort()]
    findings = []
    missing, wrong = [], []
    for at, column in pieces:
        findings += [Finding(f.code, f.severity, f.field, _moved(f.frame, at), f.expected, f.message) for f in column.findings]
        if column.missing is not None:
            missing.append(_moved(column.missing, at))
        wrong.append(at[column.wrong])
    return TypedColumn(values, tuple(findings), pl.concat(missing) if missing else None, pl.concat(wrong))


def _moved(frame: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    return frame.with_columns(rows[frame["index"]].cast(pl.UInt32).alias("index"))


def _doubtful_dates(batch: Batch, field: Field, column: TypedColumn) -> list[Finding]:
    """Where one date of a column is month first, the others that could be either are worth a look."""
    american = [f.frame["index"] for f in column.findings if f.code == "date_us_order"]
    if not american:
        return []
    parts = batch.places.part[pl.concat(american)].unique()
    text = batch.text[field.name]
    mask = batch.places.part.is_in(parts.implode()) & text.str.contains(r"^\s*(0?[1-9]|1[0-2])[/.\-](0?[1-9]|1[0-2])[/.\-]\d{2,4}")
    rows = true_rows(mask)
    if not len(rows):
        return []
    return [finding("date_order_doubtful", field.name, rows, value=text[rows], expected=expected_of(field))]


def _column_remarks(batch: Batch, field: Field, values: pl.Series) -> list[Finding]:
    found = []
    senses = batch.senses(field.name)
    for part, sense in enumerate(senses):
        if field.type is FieldType.MONEY and sense.tax_included and "HT" in (field.unit or ""):
            found.append(remark_on_table("amount_ttc", part, field.name))
    if field.type is FieldType.PERCENT and len(batch.parts) == 1 and batch.has_column(0, field.name):
        shares = values.drop_nulls()
        if len(shares) >= _SHARES and float(shares.max()) <= 1 and float(shares.min()) >= 0 and shares.n_unique() > 2:  # type: ignore[arg-type]
            found.append(remark_on_table("percent_share", 0, field.name))
    return found


def check_required(batch: Batch, typed: Typed) -> list[Finding]:
    """Empty cells of required fields; a field without column in a table is one finding per table that refuses its rows."""
    found = []
    for field in batch.contract.fields:
        values = typed.columns[field.name]
        if not field.required or not values.null_count():
            continue
        empty = values.is_null()
        if len(typed.wrong[field.name]):
            empty = empty.scatter(typed.wrong[field.name], False)
        absent = [p for p in range(len(batch.parts)) if not batch.has_column(p, field.name) and field.default is None]
        if absent:
            without = batch.places.part.is_in(absent)
            found += _absent_columns(field, absent, empty & without, batch)
            empty = empty & ~without
        if empty.any():
            found.append(_required(field, empty, batch, typed))
    return found


def _absent_columns(field: Field, absent: list[int], empty: pl.Series, batch: Batch) -> list[Finding]:
    """One line a table for the reader; the rows themselves are refused by a silent finding (``message`` empty)."""
    parts = batch.places.part.filter(empty).unique().to_list()
    rows = true_rows(empty)
    lines = [remark_on_table("column_missing", part, field.name) for part in absent if part in parts]
    if len(rows):
        silent = finding("column_missing", field.name, rows)
        lines.append(Finding(SILENT, silent.severity, field.name, silent.frame))
    return lines


SILENT = "_refused_by_table"


def _required(field: Field, empty: pl.Series, batch: Batch, typed: Typed) -> Finding:
    detail: pl.Series | str = ""
    rows, value = true_rows(empty), batch.text[field.name].filter(empty)
    stated = [frame for frame in typed.missing if frame["field"][0] == field.name]
    if stated:
        labels = stated[0].select("index", pl.format(" ({})", pl.col("why").replace_strict(WHY_LABELS)).alias("detail"))
        joined = pl.DataFrame({"index": rows.cast(pl.UInt32)}).join(labels, on="index", how="left", maintain_order="left")
        detail = joined["detail"].fill_null("")
    return finding("required", field.name, rows, value=value, detail=detail, expected=expected_of(field))


def check_bounds(batch: Batch, typed: Typed) -> list[Finding]:
    """Minimum and maximum, length and shape of values."""
    found: list[Finding] = []
    for field in batch.contract.fields:
        values = typed.columns[field.name]
        if field.minimum is not None or field.maximum is not None:
            found += _out_of_range(field, values, batch)
        if field.max_length is not None:
            found += _too_long(field, values, batch, typed)
        if field.pattern is not None:
            found += _misshapen(field, values, batch, typed)
    for item in found:
        if item.field:
            known = typed.wrong[item.field]
            typed.wrong[item.field] = pl.concat([known.cast(pl.UInt32), item.frame["index"]])
    later = (_to_come(field, typed.columns[field.name], batch) for field in batch.contract.fields if field.past)
    return found + [told for told in later if told is not None]


def _to_come(field: Field, values: pl.Series, batch: Batch) -> Finding | None:
    last, today = values.max(), datetime.now(UTC).date()
    if not isinstance(last, date) or last <= today:
        return None
    rows = true_rows(values > today)
    return finding("date_future", field.name, rows, value=batch.text[field.name][rows])


def _bound(field: Field, bound: float | str | None) -> float | date | None:
    if isinstance(bound, str) and field.type in (FieldType.DATE, FieldType.MONTH):
        return date.fromisoformat(bound)
    return float(bound) if bound is not None else None


def _written(bound: float | date) -> str:
    if isinstance(bound, date):
        return format_date(bound)
    return f"{bound:.0f}" if is_year(bound) else format_number(bound)


def _out_of_range(field: Field, values: pl.Series, batch: Batch) -> list[Finding]:
    low, high = _bound(field, field.minimum), _bound(field, field.maximum)
    least, most = values.min(), values.max()
    if least is None or ((low is None or least >= low) and (high is None or most <= high)):  # type: ignore[operator]
        return []
    beyond = [values < low] if low is not None and least < low else []  # type: ignore[operator]
    beyond += [values > high] if high is not None and most > high else []  # type: ignore[operator]
    mask = beyond[0] | beyond[1] if len(beyond) > 1 else beyond[0]
    between = f"entre {_written(low)} et {_written(high)}" if low is not None and high is not None else ""
    single = f"au moins {_written(low)}" if low is not None else f"au plus {_written(high)}" if high is not None else ""
    return [finding("out_of_range", field.name, true_rows(mask), value=batch.text[field.name].filter(mask), expected=between or single)]


def _too_long(field: Field, values: pl.Series, batch: Batch, typed: Typed) -> list[Finding]:
    longest = typed.distinct.get(field.name, values).str.len_bytes().max()
    if not isinstance(longest, int) or longest <= (field.max_length or 0):
        return []
    beyond = values.str.len_chars() > field.max_length
    limit = f"{field.max_length} caractères au plus"
    return [finding("too_long", field.name, true_rows(beyond), value=batch.text[field.name].filter(beyond), expected=limit)] if beyond.any() else []


def _misshapen(field: Field, values: pl.Series, batch: Batch, typed: Typed) -> list[Finding]:
    anchored = f"^(?:{field.pattern})$"
    distinct = typed.distinct.get(field.name)
    if distinct is None:
        wrong = ~values.cast(pl.String).str.contains(anchored)
    else:
        others = distinct.filter(~distinct.str.contains(anchored))
        if not len(others):
            return []
        wrong = values.is_in(others.implode())
    if not wrong.any():
        return []
    shape = f"par exemple {field.examples[0]}" if field.examples else f"forme {field.pattern}"
    return [finding("pattern", field.name, true_rows(wrong), value=batch.text[field.name].filter(wrong), expected=shape)]
