"""Columns recognised by what their cells hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache

import polars as pl

from essaim.kernel import communes, uai
from essaim.kernel.french import folded, read_date
from essaim.kernel.identity import Same

from .cells_codes import code_spellings
from .cells_missing import why_missing
from .cells_readers import read_cell, reads_as
from .contract import NUMERIC, Field, FieldType

SAMPLE = 60
_PLAIN_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,7})(?:\.[0-9]{1,2})?")
_PLAIN_DAY = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}")
# How much a column of this type stands out: chance that random cells would read as it is small.
SPECIFICITY = {
    FieldType.UAI: 1.0, FieldType.SIRET: 1.0, FieldType.SIREN: 0.98, FieldType.RNA: 1.0, FieldType.CODE: 0.95, FieldType.DATE: 0.9,
    FieldType.MONTH: 0.8, FieldType.SCHOOL_YEAR: 0.85, FieldType.COMMUNE: 0.75, FieldType.DEPARTEMENT: 0.6, FieldType.BOOLEAN: 0.7,
    FieldType.INTEGER: 0.5, FieldType.MONEY: 0.45, FieldType.DECIMAL: 0.45, FieldType.PERCENT: 0.4, FieldType.TEXT: 0.35,
}  # fmt: skip


def sample_of(column: pl.Series, *, few: bool = False) -> list[str]:
    """Up to SAMPLE distinct non-empty texts that hold a value, from the first rows; a few are enough under a known header."""
    size = 16 if few else SAMPLE
    seen: set[str] = set()
    holding: list[str] = []
    for text in _first_texts(column, 8 * size):
        if text in seen:
            continue
        seen.add(text)
        if text[:1].isdigit() or (text.strip() and not why_missing(text, FieldType.INTEGER)):
            holding.append(text)
        if len(holding) == size or len(seen) == 2 * size:
            break
    return holding


def _first_texts(column: pl.Series, enough: int) -> Iterator[str]:
    """Up to ``enough`` texts among the first ``8 * enough`` rows, taken a few rows at a time: the first ones mostly tell."""
    given, step = 0, enough // 6
    for start in range(0, min(len(column), 8 * enough), step):
        for text in column.slice(start, step).to_list():
            if text is not None:
                yield text
                given += 1
                if given == enough:
                    return


def fit(texts: list[str], field: Field) -> float:
    """Share (0–1) of ``texts`` that read as ``field``, within its bounds; 0.5 when there is nothing to judge by."""
    if not texts:
        return 0.5
    if field.type is FieldType.TEXT:
        return _text_fit(texts, field)
    if field.type in NUMERIC:
        return sum(_number_fit(text, field) for text in texts) / len(texts)
    if field.type is FieldType.DATE:
        return sum(_is_plain_day(text) or (reads_as(text, field) and not text.replace(".", "", 1).isdigit()) for text in texts) / len(texts)
    if field.type is FieldType.UAI:
        return sum(_uai_fit(text, field) for text in texts) / len(texts)
    if field.type is FieldType.COMMUNE:
        return sum(communes.is_code(text) or reads_as(text, field) for text in texts) / len(texts)
    if field.type is FieldType.CODE:
        values = _values(Same(field))
        return sum(text in values or reads_as(text, field) for text in texts) / len(texts)
    return sum(reads_as(text, field) for text in texts) / len(texts)


@lru_cache(maxsize=512)
def _values(same: Same[Field]) -> frozenset[str]:
    """The codes of a field that are read when written as they are."""
    return frozenset(code.value for code in same.value.codes if reads_as(code.value, same.value))


def _is_plain_day(text: str) -> bool:
    """Whether a text is a day as software writes it, of a year that can be one: ``2021-08-31``."""
    if not _PLAIN_DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _uai_fit(text: str, field: Field) -> float:
    """An identifier without its letter is a plain number (a year, a count): only seven digits make one think of it."""
    if uai.PATTERN.match(text):  # with another key letter too, which is then proposed
        return 1.0
    if any(character.isalpha() for character in text):
        return float(reads_as(text, field))
    return 0.5 if len(text.strip()) == 7 and text.strip().isdigit() else 0.0


def _number_fit(text: str, field: Field) -> float:
    # What is written as any software writes it reads the same in every way.
    plain = float(text) if _PLAIN_NUMBER.fullmatch(text) else None
    value = plain if plain is not None and (field.type is not FieldType.INTEGER or plain.is_integer()) else read_cell(text, field).value
    if value is None:
        return 0.0
    low, high = field.minimum, field.maximum
    if (isinstance(low, int | float) and value < low) or (isinstance(high, int | float) and value > high):
        return 0.0
    if plain is not None:
        return 1.0
    digits = text.strip()
    return 0.3 if digits.isdigit() and (len(digits) >= 9 or digits.startswith("00")) else 1.0


def _text_fit(texts: list[str], field: Field) -> float:
    """Words rather than figures, nothing for dates and identifiers of schools; the start of an example (``BC-2022…``, ``École``) counts."""
    if _mostly_dates(texts) or all(uai.PATTERN.match(text) for text in texts):
        return 0.0
    words = sum(sum(map(str.isalpha, text)) * 2 >= len(text) for text in texts) / len(texts)
    starts = {folded(example).split()[0] for example in field.examples if folded(example)}
    alike = sum(folded(text).split()[:1] == [start] for text in texts for start in starts) / len(texts) if starts else 0.0
    return min(1.0, 0.3 + 0.5 * words + 0.6 * alike)


def _mostly_dates(texts: list[str]) -> bool:
    """Whether at least four texts in five are dates; known as soon as too many are not."""
    others = 0
    for text in texts:
        others += read_date(text) is None
        if len(texts) - others < 0.8 * len(texts):
            return False
    return True


def code_share(headers: list[str], field: Field) -> list[str | None]:
    """Code named by each header, None where it names none (columns per category)."""
    spellings = code_spellings(field)
    return [spellings.get(folded(header)) for header in headers]
