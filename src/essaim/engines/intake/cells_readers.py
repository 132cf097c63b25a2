"""One cell's text read as a field's type. Plain Python, called on distinct texts only."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from rapidfuzz import fuzz, process

from essaim.kernel import communes, departements, organisations, uai
from essaim.kernel.french import (
    folded,
    format_date,
    from_excel_serial,
    read_boolean,
    read_date,
    read_number,
    squeezed,
    visible,
)
from essaim.kernel.money import STANDARD_VAT, to_cents
from essaim.kernel.periods import parse_school_year
from essaim.kernel.verdict import Verdict

from .cells_codes import code_spellings, head_code, product_code, singular
from .cells_missing import why_missing
from .contract import Field, FieldType


@dataclass(frozen=True, slots=True)
class ColumnSense:
    """What the header adds to the cells. ``factor`` multiplies amounts (1000 for k€), ``tax_included`` when the header says TTC,
    ``epoch_1904`` for bare serial numbers in date columns. What the other cells of the column add: ``thousands``, the mark
    that groups digits in it (``2.500`` beside ``1.234,56``); ``month_first``, dates written the American way. ``minutes``: durations in minutes."""

    factor: int = 1
    tax_included: bool = False
    epoch_1904: bool = False
    thousands: str = ""
    month_first: bool = False
    minutes: bool = False


PLAIN = ColumnSense()


@dataclass(frozen=True, slots=True)
class CellReading:
    """``value`` typed for the column; or ``problem`` (blocking), with a written ``suggestion``; or ``why`` it is missing.
    ``remark`` is the code of a warning or notice on a value that is kept."""

    value: Any = None
    problem: str | None = None
    suggestion: str | None = None
    why: str | None = None
    remark: str | None = None


# 1.234 or 2,500: three digits after the mark, which may group or begin decimals.
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:[.,]\d{3})+")
SLASHED = re.compile(r"^(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4}|\d{2})")
Reader = Callable[[str, Field, ColumnSense], CellReading]


def _number(text: str, field: Field, sense: ColumnSense) -> CellReading:
    grouped = bool(sense.thousands) and sense.thousands in text and GROUPED.fullmatch(text.strip()) is not None
    number = read_number(text.replace(sense.thousands, "") if grouped else text)
    if number is None:
        counted = (_COUNTED if field.type is FieldType.INTEGER else _STARRED).fullmatch(squeezed(text))
        if counted is not None:
            return replace(_number(next(filter(None, counted.groups())), field, sense), remark="number_words")
        if field.unit == "heures" and (hours := _hours(text)) is not None:
            return CellReading(hours)
        return CellReading(problem="number_format", suggestion=_digits_of(text))
    wanted = {FieldType.MONEY: "€", FieldType.PERCENT: "%"}.get(field.type)
    if number.unit not in (None, wanted):
        return CellReading(problem="number_unit")
    value = number.value
    remark = "thousands_mark" if grouped else None
    if field.type is FieldType.MONEY:
        amount = _amount(text, value, field, sense)
        return replace(amount, remark=amount.remark or remark)
    if sense.minutes and field.unit == "heures":
        return CellReading(round(float(value) / 60, 4), remark=remark)
    return CellReading(float(value), remark=remark)


_HOURS = re.compile(r"(\d{1,3}) ?(?:h|heures?) ?(?:(\d{1,2}) ?(?:min|mn|minutes?|m)?)?|(\d{1,3}):(\d{2})(?::\d{2})?|(\d{1,4}) ?(?:min|mn|minutes?)", re.IGNORECASE)


def _hours(text: str) -> float | None:
    """``2 h 30``, ``02:30:00``, ``90 min`` in hours."""
    found = _HOURS.fullmatch(squeezed(text))
    if found is None:
        return None
    hours, minutes = found[1] or found[3] or 0, found[2] or found[4] or found[5] or 0
    return round(int(hours) + int(minutes) / 60, 4)


_TEXT_MARKS = ("'", "’", "‘")
# Words that only say that things are counted one by one, and the star of a footnote.
_STARRED = re.compile(r"([^*]*?\d ?%?) ?\*{1,3}")
_COUNTED = re.compile(_STARRED.pattern + r"|[x×] ?(\d[\d ]*)|(\d[\d ]*?) ?(?:u|unit[ée]s?|pi[èe]ces?|pcs?|pces?|ex|exemplaires?|appareils?)\.?", re.IGNORECASE)
_A_DATE = re.compile(r"(?<!\d)\d{1,2}[/.\-]\d{1,2}[/.\-](?:\d{4}|\d{2})(?!\d)")


def _digits_of(text: str) -> str | None:
    """The number in ``12 tablettes`` or ``≈ 12``, when there is just one."""
    words = squeezed(text).strip("≈~<>+-").split()
    numbers = [word for word in words if read_number(word)]
    return numbers[0] if len(numbers) == 1 and len(words) <= 3 else None


def _amount(text: str, value: Decimal, field: Field, sense: ColumnSense) -> CellReading:
    mark = text.upper().replace(".", "").rstrip(" )")
    if sense.factor != 1 and not any(unit in mark for unit in ("K", "M")):
        value *= sense.factor
    if "HT" not in (field.unit or "") or mark.endswith("HT"):
        return CellReading(float(value))
    if mark.endswith("TTC") or sense.tax_included:
        remark = None if sense.tax_included else "amount_ttc"
        return CellReading(float(to_cents(value / (1 + STANDARD_VAT))), remark=remark)
    return CellReading(float(value))


def _integer(text: str, field: Field, sense: ColumnSense) -> CellReading:
    reading = _number(text, field, sense)
    if reading.problem and field.holds_years:
        written = read_date(text)  # Opendatasoft keeps years as days: 2023-01-01
        return CellReading(written.value.year) if written is not None and written.value is not None else reading
    if reading.problem:
        return reading
    if not math.isfinite(reading.value) or abs(reading.value) > 2**53:
        return CellReading(problem="number_format")
    if reading.value != int(reading.value):
        return CellReading(problem="integer_format")
    return CellReading(int(reading.value), remark=reading.remark)


def _date(text: str, field: Field, sense: ColumnSense) -> CellReading:
    if field.type is FieldType.MONTH and _YEAR_MONTH.fullmatch(text.strip()):
        return CellReading(date(int(text.strip()[:4]), int(text.strip()[4:]), 1))
    swapped = SLASHED.sub(r"\2/\1/\3", text.strip()) if sense.month_first else text
    if swapped != text:
        reading = _date(swapped, field, replace(sense, month_first=False))
        return reading if reading.problem else CellReading(reading.value, remark="date_month_first", suggestion=format_date(reading.value))
    written = read_date(text)
    if written is None:
        return _serial(text, sense)
    if written.problem == "impossible":
        return CellReading(problem="date_impossible")
    if written.problem == "us_order":
        suggestion = format_date(written.suggestion) if written.suggestion else None
        return CellReading(problem="date_us_order" if suggestion else "date_impossible", suggestion=suggestion)
    assert written.value is not None
    if not 1000 <= written.value.year <= 9998:
        return CellReading(problem="date_impossible")
    if field.type is FieldType.MONTH:
        return CellReading(written.value.replace(day=1))
    return CellReading(written.value, remark="date_month_only" if written.precision == "month" else None)


_YEAR_MONTH = re.compile(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])")


def _serial(text: str, sense: ColumnSense) -> CellReading:
    number = read_number(text)
    if number is None or number.unit is not None or not 18_000 <= number.value < 80_000:
        return CellReading(problem="date_format", suggestion=_date_within(text))
    day = from_excel_serial(float(number.value), epoch_1904=sense.epoch_1904)
    return CellReading(day, remark="date_serial") if day else CellReading(problem="date_format")


def _date_within(text: str) -> str | None:
    """The one date written in a longer text (``livré le 31/08/2021``, ``31/08/2021 (partiel)``)."""
    found = {written.value for match in _A_DATE.findall(text[:200]) if (written := read_date(match))}
    day = found.pop() if len(found) == 1 else None
    return format_date(day) if day else None


# The first day of a school year, and the day under which Opendatasoft keeps a bare year: that of the rentrée.
_RENTREE_DAYS = ((9, 1), (1, 1))


def _school_year(text: str, field: Field, sense: ColumnSense) -> CellReading:
    year = parse_school_year(text)
    if year is not None:
        return CellReading(str(year))
    written = read_date(text)
    if written is not None and written.value is not None and (written.value.month, written.value.day) in _RENTREE_DAYS:
        return CellReading(f"{written.value.year}-{written.value.year + 1}")
    return CellReading(problem="school_year_format")


def _boolean(text: str, field: Field, sense: ColumnSense) -> CellReading:
    value = read_boolean(text)
    return CellReading(problem="boolean_format") if value is None else CellReading(value)


def _from_verdict(verdict: Verdict, remarks: dict[str, str]) -> CellReading:
    if verdict.value is not None:
        return CellReading(verdict.value, remark=remarks.get(verdict.repaired or ""))
    return CellReading(problem=verdict.problem, suggestion=verdict.suggestion or " ou ".join(verdict.choices) or None)


def _uai(text: str, field: Field, sense: ColumnSense) -> CellReading:
    verdict = uai.check(text)
    if verdict.problem == "uai_spelling":
        # The key letter proves the identity: kept, and said as a warning, never silently.
        return CellReading(verdict.suggestion, remark="uai_spelling", suggestion=verdict.suggestion)
    if verdict.problem == "uai_format" and verdict.suggestion is None:
        within = uai_within(text)
        if within and _NAMED_UAI.fullmatch(text.strip()):
            return CellReading(within, remark="uai_within", suggestion=within)
        several = within is None and len(_uais_in(text)) > 1
        return CellReading(problem="uai_several" if several else "uai_format", suggestion=within)
    return _from_verdict(verdict, {})


# « 0020011B Collège Truffaut », « UAI : 0020011B », « Laon (0020011B) »: one identifier among words.
_NAMED_UAI = re.compile(r"[^\W\d][^\d]*[\W_]\d{7}[A-Za-z][\W_]*|\d{7}[A-Za-z][\W_]+[^\W\d][^\d]*")


def uai_within(text: str) -> str | None:
    """The one valid UAI written inside a longer text (``UAI : 0020011B``, ``0020011B / Laon``), if there is exactly one."""
    if re.fullmatch(r"[0-9]{4,6}", text.strip()):  # zeros lost with the letter: a number as a spreadsheet left it
        digits = text.strip().zfill(7)
        return digits + uai.key_letter(digits)
    sure = _uais_in(text)
    return sure[0] if len(sure) == 1 else None


def _uais_in(text: str) -> list[str]:
    found = {match.upper() for match in re.findall(r"(?<![0-9A-Za-z])[0-9]{7}[A-Za-z](?![0-9A-Za-z])", text[:200])}
    return [match for match in found if uai.check(match).value is not None]


def _commune(text: str, field: Field, sense: ColumnSense) -> CellReading:
    return _from_verdict(communes.check(text), {"leading_zero": "leading_zero"})


def _departement(text: str, field: Field, sense: ColumnSense) -> CellReading:
    return _from_verdict(departements.parse(text), {"leading_zero": "leading_zero"})


def _siren(text: str, field: Field, sense: ColumnSense) -> CellReading:
    return _from_verdict(organisations.check_siren(text), {"siret_given": "siret_given"})


def _siret(text: str, field: Field, sense: ColumnSense) -> CellReading:
    return _from_verdict(organisations.check_siret(text), {})


def _rna(text: str, field: Field, sense: ColumnSense) -> CellReading:
    return _from_verdict(organisations.check_rna(text), {})


_ACRONYM = re.compile(r"[a-z0-9]( [a-z0-9])+$")


def _code(text: str, field: Field, sense: ColumnSense) -> CellReading:
    spellings = code_spellings(field)
    key = folded(text) or text.strip()
    value = spellings.get(key) or spellings.get(singular(key)) or (spellings.get(key.replace(" ", "")) if _ACRONYM.match(key) else None)
    if value is not None:
        return CellReading(value)
    product = product_code(key, field, spellings)
    if product is not None:
        return CellReading(product, remark="code_product", suggestion=next(c.label for c in field.codes if c.value == product))
    head = head_code(key, spellings)
    if head is not None:
        return CellReading(head, remark="code_head", suggestion=next(c.label for c in field.codes if c.value == head))
    close = process.extractOne(key, spellings.keys(), scorer=fuzz.WRatio, score_cutoff=80)
    label = next((c.label for c in field.codes if close and c.value == spellings[close[0]]), None)
    return CellReading(problem="code_unknown", suggestion=label)


_MOJIBAKE = ("Ã", "â€", "Â", "ï»¿")


def repaired_mojibake(text: str) -> str | None:
    """UTF-8 read as Windows-1252 put right (``Ã©`` → ``é``); None when the text is not that."""
    if not any(mark in text for mark in _MOJIBAKE):
        return None
    for encoding in ("cp1252", "latin-1"):
        try:
            fixed = text.encode(encoding).decode("utf-8")
        except (UnicodeEncodeError, UnicodeDecodeError):
            continue
        return fixed if fixed != text else None
    return None


def _text(text: str, field: Field, sense: ColumnSense) -> CellReading:
    fixed = repaired_mojibake(text)
    if fixed is not None:
        return CellReading(squeezed(fixed), remark="mojibake", suggestion=squeezed(fixed))
    return CellReading(squeezed(text) or None)


READERS: dict[FieldType, Reader] = {
    FieldType.TEXT: _text, FieldType.INTEGER: _integer, FieldType.DECIMAL: _number, FieldType.MONEY: _number,
    FieldType.PERCENT: _number, FieldType.DATE: _date, FieldType.MONTH: _date, FieldType.SCHOOL_YEAR: _school_year,
    FieldType.BOOLEAN: _boolean, FieldType.CODE: _code, FieldType.UAI: _uai, FieldType.SIREN: _siren, FieldType.SIRET: _siret,
    FieldType.RNA: _rna, FieldType.COMMUNE: _commune, FieldType.DEPARTEMENT: _departement,
}  # fmt: skip


def read_cell(text: str, field: Field, sense: ColumnSense = PLAIN) -> CellReading:
    """Reads one text: a value, a problem, or why there is none. Blank text gives nothing at all."""
    text = visible(text)
    if not text.strip():
        return CellReading()
    if text.startswith(_TEXT_MARKS) and field.type is not FieldType.TEXT:  # how spreadsheets mark a text
        return read_cell(text.lstrip("".join(_TEXT_MARKS)), field, sense)
    reading = READERS[field.type](text, field, sense)
    if reading.problem is not None or field.type is FieldType.TEXT:
        why = why_missing(text, field.type)
        if why is not None:
            return CellReading(why=why)
    if reading.problem is not None and (fixed := repaired_mojibake(text)) is not None:
        again = READERS[field.type](fixed, field, sense)
        if again.problem is None and again.value is not None:
            return CellReading(again.value, remark="mojibake", suggestion=squeezed(fixed))
    return reading


def reads_as(text: str, field: Field) -> bool:
    """Whether ``text`` looks like a value of ``field`` (corrections and lower case included), for mapping by content."""
    reading = read_cell(text, field)
    return reading.problem is None or (reading.suggestion is not None and field.type is FieldType.UAI)
