"""A column of text read as a field's type: vectorised where the text is canonical, by distinct texts elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import date

import polars as pl

from essaim.kernel.departements import BY_CODE
from essaim.kernel.french import format_number
from essaim.kernel.money import STANDARD_VAT
from essaim.kernel.uai import KEY_LETTERS

from .cells_missing import plain_markers
from .cells_readers import GROUPED, PLAIN, CellReading, ColumnSense, read_cell
from .contract import Field, FieldType
from .issues import Finding, finding
from .issues_messages import expected_of

_NUMBERS = (FieldType.DECIMAL, FieldType.MONEY, FieldType.PERCENT)
_IDENTIFIERS = frozenset(
    (FieldType.UAI, FieldType.SIREN, FieldType.SIRET, FieldType.RNA, FieldType.COMMUNE, FieldType.DEPARTEMENT, FieldType.CODE, FieldType.SCHOOL_YEAR)
)
DTYPES: dict[FieldType, pl.DataType] = {
    FieldType.INTEGER: pl.Int64(),
    **dict.fromkeys(_NUMBERS, pl.Float64()),
    FieldType.DATE: pl.Date(),
    FieldType.MONTH: pl.Date(),
    FieldType.BOOLEAN: pl.Boolean(),
}
# Five characters that begin with a département: what the kernel accepts as it stands, in one pass.
COMMUNE_PATTERN = "^(?:" + "|".join(f"{code}[0-9]{{{5 - len(code)}}}" for code in BY_CODE) + ")$"
_KEYS = pl.Series(list(KEY_LETTERS))
_GROUPED = f"^{GROUPED.pattern}$"
_NO_ROW = pl.Series([], dtype=pl.UInt32)
_MARKERS = list(plain_markers())
_ODD_TEXT = ["Ã", "â€", "Â", "ï»¿", "  ", "\u00a0", "\u202f", "\u2009", "\n", "\t", "\r"]


def dtype_of(field: Field) -> pl.DataType:
    """The polars type of accepted values of ``field``."""
    return DTYPES.get(field.type, pl.String())


@dataclass(frozen=True, slots=True)
class TypedColumn:
    """``values`` aligned with the text read (null where missing or wrong), ``findings`` on rows, ``missing``: frame
    ``index, why, written`` of cells that say why they are empty; ``wrong``: rows whose cell has a blocking problem."""

    values: pl.Series
    findings: tuple[Finding, ...] = ()
    missing: pl.DataFrame | None = None
    wrong: pl.Series = dataclass_field(default_factory=lambda: pl.Series([], dtype=pl.UInt32))


def read_column(text: pl.Series, field: Field, sense: ColumnSense = PLAIN) -> TypedColumn:
    """Reads every cell of a String column. Findings carry positions in ``text``."""
    values, rest = _quickly(text, field, sense)
    values = values.rename(field.name)
    if not len(rest):
        return TypedColumn(values)
    table = _read_distinct(text.gather(rest).unique(), field, sense)
    cells = pl.DataFrame({"index": rest, "text": text.gather(rest)}).join(table, on="text", how="left", maintain_order="left")
    found = cells.filter(pl.col("value").is_not_null())
    if found.height:
        values = values.scatter(found["index"], found["value"])
    wrong = cells.filter(pl.col("problem").is_not_null())
    missing = cells.filter(pl.col("why").is_not_null())
    return TypedColumn(
        values,
        (*_findings(wrong, "problem", field), *_findings(cells.filter(pl.col("remark").is_not_null()), "remark", field), *_errors(missing, field)),
        missing.select("index", "why", pl.col("text").alias("written")) if missing.height else None,
        wrong["index"],
    )


def _findings(cells: pl.DataFrame, column: str, field: Field) -> list[Finding]:
    expected = expected_of(field)
    return [
        finding(str(code), field.name, group["index"], value=group["text"], suggestion=group["suggestion"], expected=expected)
        for (code,), group in cells.partition_by(column, as_dict=True, maintain_order=True).items()
    ]


def _errors(missing: pl.DataFrame, field: Field) -> list[Finding]:
    errors = missing.filter(pl.col("why") == "erreur_formule")
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
    if reading.remark == "thousands_mark":
        return CellReading(reading.value, suggestion=format_number(reading.value), remark=reading.remark)
    if reading.remark in ("leading_zero", "siret_given") and reading.suggestion is None:
        return CellReading(reading.value, suggestion=str(reading.value), remark=reading.remark)
    return reading


def _quickly(text: pl.Series, field: Field, sense: ColumnSense) -> tuple[pl.Series, pl.Series]:
    """Values of canonical cells, and positions of the non-empty cells left to read one by one."""
    if field.type is FieldType.TEXT:
        return _quick_text(text)
    if field.type in _IDENTIFIERS:
        return _quick_identifier(text, field)
    if field.type in _NUMBERS:
        plain = text.set(text.str.contains(_GROUPED), None) if sense.thousands == "." else text
        values = plain.cast(pl.Float64, strict=False)
        values = values.set(~values.is_finite(), None) if not values.is_finite().all() else values
        values = _scaled(values, field, sense)
    elif field.type is FieldType.INTEGER:
        values = text.cast(pl.Int64, strict=False)
    elif field.type in (FieldType.DATE, FieldType.MONTH):
        values = _quick_date(text, field)
    else:
        values = text == "true"
        values = values.set(~(values | (text == "false")), None)
    if values.null_count() == text.null_count():
        return values, _NO_ROW
    return values, (values.is_null() & text.is_not_null()).arg_true()


def _scaled(values: pl.Series, field: Field, sense: ColumnSense) -> pl.Series:
    if field.type is not FieldType.MONEY:
        return values
    if sense.factor != 1:
        values = values * sense.factor
    if sense.tax_included and "HT" in (field.unit or ""):
        values = (values / float(1 + STANDARD_VAT)).round(2)
    return values


def _quick_date(text: pl.Series, field: Field) -> pl.Series:
    values = text.str.to_date("%Y-%m-%d", strict=False)
    first = values.min()
    if isinstance(first, date) and first.year < 1000:
        values = values.set(values.dt.year() < 1000, None)
    return values.dt.truncate("1mo") if field.type is FieldType.MONTH else values


def _quick_text(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Texts stand for themselves; those with odd blanks, damaged accents or a mark of absence are left to be read."""
    values = text
    if (text < "!").any() or text.str.ends_with(" ").any():
        values = text.str.strip_chars()
        blank = values == ""
        values = values.set(blank, None) if blank.any() else values
    odd = values.str.contains_any(_ODD_TEXT) | values.is_in(_MARKERS) | values.str.starts_with("Err:")
    if not odd.any():
        return values, _NO_ROW
    return values.set(odd, None), odd.fill_null(False).arg_true()


def _quick_identifier(text: pl.Series, field: Field) -> tuple[pl.Series, pl.Series]:
    """A canonical identifier stands for itself; the others are left to be read."""
    if field.type in (FieldType.SIREN, FieldType.SIRET):
        distinct = text.unique().drop_nulls()
        odd = text.is_in(distinct.filter(~_canonical(distinct, field)).implode())
    else:
        odd = ~_canonical(text, field) & text.is_not_null()
    if not odd.any():
        return text, _NO_ROW
    return text.set(odd, None), odd.fill_null(False).arg_true()


def _canonical(text: pl.Series, field: Field) -> pl.Series:
    """Whether each text is a canonical value of ``field``. False only sends it to the reader, which decides."""
    match field.type:
        case FieldType.UAI:
            number = text.str.slice(0, 7).cast(pl.Int32, strict=False).fill_null(0).abs()
            return text.str.contains(r"^[0-9]{7}[A-HJ-NPR-Z]$") & (_KEYS.gather(number % 23) == text.str.slice(7))
        case FieldType.COMMUNE:
            return text.str.contains(COMMUNE_PATTERN)
        case FieldType.CODE:
            return text.is_in([code.value for code in field.codes])
        case FieldType.DEPARTEMENT:
            return text.is_in(list(BY_CODE))
        case FieldType.SCHOOL_YEAR:
            first, last = (text.str.slice(at, 4).cast(pl.Int32, strict=False) for at in (0, 5))
            return text.str.contains("^(?:18|19|20|21)[0-9]{2}-[0-9]{4}$") & (last - first == 1).fill_null(False)
        case FieldType.SIREN | FieldType.SIRET:
            return _luhn(text, 9 if field.type is FieldType.SIREN else 14)
    return text.str.contains(r"^W[0-9]{9}$") if field.type is FieldType.RNA else pl.repeat(False, len(text), dtype=pl.Boolean, eager=True)


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
