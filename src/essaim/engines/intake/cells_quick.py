"""Columns of text at a glance: what is already canonical is typed by expressions, in one pass over the whole batch."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import polars as pl

from essaim.kernel.departements import BY_CODE
from essaim.kernel.identity import Same
from essaim.kernel.money import STANDARD_VAT

from .cells_missing import plain_markers
from .cells_readers import GROUPED, PLAIN, ColumnSense
from .contract import Field, FieldType
from .masks import true_rows
from .threads import side_by_side

NUMBERS = (FieldType.DECIMAL, FieldType.MONEY, FieldType.PERCENT)
DATES = (FieldType.DATE, FieldType.MONTH)
DTYPES: dict[FieldType, pl.DataType] = {
    FieldType.INTEGER: pl.Int64(),
    **dict.fromkeys(NUMBERS, pl.Float64()),
    **dict.fromkeys(DATES, pl.Date()),
    FieldType.BOOLEAN: pl.Boolean(),
}
# Five characters that begin with a département: what the kernel accepts as it stands, in one pass.
COMMUNE_PATTERN = "^(?:" + "|".join(f"{code}[0-9]{{{5 - len(code)}}}" for code in BY_CODE) + ")$"
_GROUPED = f"^{GROUPED.pattern}$"
_AS_WRITTEN = pl.QueryOptFlags.none()  # a short column is read faster than its plan is rewritten
_NO_ROW, _NO_TEXT = pl.Series([], dtype=pl.UInt32), pl.Series([], dtype=pl.String)
_MARKERS = list(plain_markers())
_ODD_TEXT = ["Ã", "â€", "Â", "ï»¿", "  ", "\u00a0", "\u202f", "\u2009", "\n", "\t", "\r"]
_FIRST_DAY = date(1000, 1, 1)
_LONG, _SAMPLE = 50_000, 16_384
# From here on, pieces that stay in the processor's cache, on every processor, go faster than whole columns.
_STREAMED = 50_000
# Above this many codes one hash lookup beats as many comparisons.
_FEW_CODES = 16
ODD, BLANK, GROUPS = "\x00odd", "\x00blank", "\x00groups"
_RAW, _VALUE, _RANK, _SEVEN = "\x00raw", "\x00value", "\x00rank", "\x00seven"


def dtype_of(field: Field) -> pl.DataType:
    """The polars type of accepted values of ``field``."""
    return DTYPES.get(field.type, pl.String())


@dataclass(frozen=True, slots=True)
class Glance:
    """``values`` of canonical cells, null elsewhere; ``rest``: positions of the non-empty cells left to be read one by one, ``texts``
    what they hold; ``grouped``: whether a number read as decimals may have been written with a mark of thousands; ``distinct``: the values of a
    long column that repeats a few of them."""

    values: pl.Series
    rest: pl.Series
    texts: pl.Series
    grouped: bool = False
    distinct: pl.Series | None = None


def glances(text: MappingOf[str, pl.Series], asked: list[tuple[Field, ColumnSense]]) -> dict[str, Glance]:
    """A Glance of each column asked, with what its header says; ``text``: field → String column, all of one length."""
    fields = [field for field, _ in asked]
    looked = side_by_side(lambda field: _repeated(text[field.name], field), fields, len(text[fields[0].name]))
    plain = {field.name: found for field, found in zip(fields, looked, strict=True) if found is not None}
    asked = [(field, sense) for field, sense in asked if field.name not in plain]
    return plain | (_computed(text, asked) if asked else {})


def _repeated(text: pl.Series, field: Field) -> Glance | None:
    """A long column of a few texts, none of them odd, needs no look at each cell."""
    if field.type is not FieldType.TEXT or len(text) < _LONG:
        return None
    sample = text.gather_every(max(1, len(text) // _SAMPLE))
    if sample.n_unique() > len(sample) // 2:
        return None
    distinct = text.unique()
    seen = _computed({field.name: distinct}, [(field, PLAIN)])[field.name]
    return Glance(text, _NO_ROW, _NO_TEXT, distinct=distinct) if seen.values is distinct else None


def _computed(text: MappingOf[str, pl.Series], asked: list[tuple[Field, ColumnSense]]) -> dict[str, Glance]:
    frame = pl.DataFrame([text[field.name].alias(field.name) for field, _ in asked])
    plans = [_plan(Same(field), sense) for field, sense in asked]
    work = frame.lazy()
    for step in ("first", "second"):
        work = work.with_columns(item for plan in plans for item in getattr(plan, step))
    work = work.select(item for plan in plans for item in plan.told)
    found = work.collect(engine="streaming").rechunk() if frame.height >= _STREAMED else work.collect(optimizations=_AS_WRITTEN)
    columns = {series.name: series for series in found.get_columns()}
    return {field.name: _glance(text[field.name], field, columns) for field, _ in asked}


def glance(text: pl.Series, field: Field, sense: ColumnSense) -> Glance:
    """The Glance of one column."""
    return glances({field.name: text}, [(field, sense)])[field.name]


def _glance(text: pl.Series, field: Field, columns: dict[str, pl.Series]) -> Glance:
    written = text
    if field.type in (FieldType.SIREN, FieldType.SIRET):
        odd = _odd_numbers(text, field)
    else:
        odd = columns[field.name + ODD]
    if field.type is FieldType.TEXT and columns[field.name + BLANK].any():
        text = text.str.strip_chars()
        text = text.set(text == "", None)
        odd = pl.select(_odd_text(text)).to_series().fill_null(False)
    # Filtered, not gathered: columns come from the reader in many pieces, which a gather lays end to end first.
    rest, texts = (true_rows(odd), written.filter(odd)) if odd.any() else (_NO_ROW, _NO_TEXT)
    if field.type in DTYPES:
        grouped = field.name + GROUPS in columns and _any_grouped(text, columns[field.name + GROUPS])
        return Glance(columns[field.name], rest, texts, grouped)
    return Glance(text.set(odd, None) if len(rest) else text, rest, texts)


def _any_grouped(text: pl.Series, suspects: pl.Series) -> bool:
    return bool(suspects.any()) and bool(text.filter(suspects).str.contains(_GROUPED).any())


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is computed of one column: ``first`` from its text, ``second`` from the first, ``told`` in the end. In steps, so that
    nothing is computed twice."""

    told: tuple[pl.Expr, ...]
    first: tuple[pl.Expr, ...] = ()
    second: tuple[pl.Expr, ...] = ()


@lru_cache(maxsize=4_096)
def _plan(same: Same[Field], sense: ColumnSense) -> _Plan:
    """Built once: values where text is not the value, which cells are odd, what is doubtful."""
    field = same.value
    name, cell = field.name, pl.col(field.name)
    if field.type is FieldType.TEXT:
        blank = (cell < "!") | cell.str.ends_with(" ")
        return _Plan((_odd_text(cell).fill_null(False).alias(name + ODD), blank.alias(name + BLANK)))
    if field.type in (FieldType.SIREN, FieldType.SIRET):
        return _Plan(())
    if field.type is FieldType.UAI:
        return _uai_plan(name)
    if field.type not in DTYPES:
        odd = ~_canonical(cell, field).fill_null(False) & cell.is_not_null()
        return _Plan((odd.alias(name + ODD),))
    raw, value = pl.col(name + _RAW), pl.col(name + _VALUE)
    told = [_scaled(value, field, sense).alias(name), (value.is_null() & cell.is_not_null()).alias(name + ODD)]
    if field.type in (FieldType.DECIMAL, FieldType.MONEY) and sense.thousands != ".":
        told.append(_may_be_grouped(cell, value).alias(name + GROUPS))
    return _Plan(tuple(told), (_raw(cell, field, sense).alias(name + _RAW),), (_value(raw, field).alias(name + _VALUE),))


def _raw(cell: pl.Expr, field: Field, sense: ColumnSense) -> pl.Expr:
    if field.type in NUMBERS:
        plain = pl.when(~cell.str.contains(_GROUPED)).then(cell) if sense.thousands == "." else cell
        return plain.cast(pl.Float64, strict=False)
    if field.type is FieldType.INTEGER:
        return cell.cast(pl.Int64, strict=False)
    return cell.str.to_date("%Y-%m-%d", strict=False, cache=False) if field.type in DATES else cell == "true"


def _value(raw: pl.Expr, field: Field) -> pl.Expr:
    if field.type in NUMBERS:
        return pl.when(raw.is_finite()).then(raw)
    if field.type in DATES:
        day = pl.when(raw >= _FIRST_DAY).then(raw)
        return day.dt.truncate("1mo") if field.type is FieldType.MONTH else day
    return pl.when(raw | (pl.col(field.name) == "false")).then(raw) if field.type is FieldType.BOOLEAN else raw


def _scaled(value: pl.Expr, field: Field, sense: ColumnSense) -> pl.Expr:
    if sense.minutes and field.unit == "heures":
        return (value / 60).round(4)
    if field.type is not FieldType.MONEY:
        return value
    if sense.factor != 1:
        value = value * sense.factor
    if sense.tax_included and "HT" in (field.unit or ""):
        value = (value / float(1 + STANDARD_VAT)).round(2)
    return value


def _may_be_grouped(cell: pl.Expr, value: pl.Expr) -> pl.Expr:
    """Numbers written with three decimals (or a sign and two) after at most three digits, told from their length and size."""
    size = value.abs()
    more = cell.str.len_bytes() - 5 - (size >= 10) - (size >= 100)
    return ((more <= 1) & (size >= 1) & (size < 1000)).fill_null(False)


def _odd_text(cell: pl.Expr | pl.Series) -> pl.Expr:
    """Texts with odd blanks, damaged accents or a mark of absence, which are left to be read."""
    error = (cell >= "Err:") & (cell < "Err;")
    return cell.str.contains_any(_ODD_TEXT) | cell.is_in(_MARKERS) | error  # type: ignore[return-value]


def _canonical(cell: pl.Expr, field: Field) -> pl.Expr:
    """Whether each text is a canonical value of ``field``. False only sends it to the reader, which decides."""
    match field.type:
        case FieldType.COMMUNE:
            return cell.str.contains(COMMUNE_PATTERN)
        case FieldType.CODE:
            return _one_of(cell, [code.value for code in field.codes])
        case FieldType.DEPARTEMENT:
            return _one_of(cell, list(BY_CODE))
        case FieldType.SCHOOL_YEAR:
            first, last = (cell.str.slice(at, 4).cast(pl.Int32, strict=False) for at in (0, 5))
            return cell.str.contains("^(?:18|19|20|21)[0-9]{2}-[0-9]{4}$") & (last - first == 1)
    return cell.str.contains(r"^W[0-9]{9}$") if field.type is FieldType.RNA else pl.lit(False)


def _one_of(cell: pl.Expr, values: list[str]) -> pl.Expr:
    if 0 < len(values) <= _FEW_CODES:
        return pl.any_horizontal([cell == value for value in values])
    return cell.is_in(values)


def _u64(value: int) -> pl.Expr:
    return pl.lit(value, dtype=pl.UInt64)


def _uai_plan(name: str) -> _Plan:
    """Eight bytes read as one integer whose bytes are all worked on at once: seven digits, then the key that their number asks."""
    cell, word, rank = pl.col(name), pl.col(name + _RAW), pl.col(name + _RANK)
    digits = (word & _u64(0x00FF_FFFF_FFFF_FFFF)) ^ _u64(0x0030_3030_3030_3030)
    above_nine = (digits | (digits + _u64(0x0076_7676_7676_7676))) & _u64(0x0080_8080_8080_8080)
    pairs = digits * (256 * 10) + digits
    low, high = pairs & _u64(0x0000_00FF_0000_00FF), (pairs // 65_536) & _u64(0x0000_00FF_0000_00FF)
    number = (low * _u64(100 + (1_000_000 << 32)) + high * _u64(1 + (10_000 << 32))) // (1 << 32)
    # The alphabet of keys leaves out I, O and Q.
    key = 65 + rank + (rank >= 8) + (rank >= 13) + (rank >= 14)
    right = (pl.col(name + _SEVEN) & (word // (1 << 56) == key)).fill_null(False)
    return _Plan(
        ((~right & cell.is_not_null()).alias(name + ODD),),
        (cell.cast(pl.Binary).bin.reinterpret(dtype=pl.UInt64, endianness="little").alias(name + _RAW),),
        ((above_nine == 0).alias(name + _SEVEN), (number % 23).alias(name + _RANK)),
    )


def _odd_numbers(text: pl.Series, field: Field) -> pl.Series:
    """SIREN and SIRET repeat much: their keys are computed on distinct texts."""
    distinct = text.unique().drop_nulls()
    odd = distinct.filter(~_luhn(distinct, 9 if field.type is FieldType.SIREN else 14))
    return text.is_in(odd.implode()).fill_null(False)


def _luhn(text: pl.Series, length: int) -> pl.Series:
    """Luhn keys of whole columns: every digit at once."""
    written = text.str.contains(f"^[0-9]{{{length}}}$")
    total = pl.repeat(0, len(text), dtype=pl.Int32, eager=True)
    for position in range(length):
        digit = text.str.slice(position, 1).cast(pl.Int32, strict=False).fill_null(0)
        if (length - position) % 2 == 0:
            digit = digit * 2
            digit = digit - (digit > 9).cast(pl.Int32) * 9
        total = total + digit
    return written & (total % 10 == 0) & (text != "0" * length)
