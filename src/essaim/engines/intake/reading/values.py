"""Canonical text of spreadsheet values: ISO dates, shortest decimals, displayed percents and codes."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import polars as pl

_PLACES = re.compile(r'\[[^\]]*\]|"[^"]*"|\\.|_.|\*.')
_CODE_FORMAT = re.compile(r"0{2,}(?:[ \u00a0\u202f./-]?0+)*$")
_DIVIDED = re.compile(r"[0#?],+(?![0#?])")
_UNIT = re.compile(r"(?<!\w)([kKM])\s?(?:€|EUR\b|euros?\b)")
_LITERAL = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[[^\]]*\]')


def number_text(value: float) -> str:
    """The shortest decimal text of a number: no exponent below 10²¹, no trailing ``.0``."""
    if value != value or value in (float("inf"), float("-inf")):
        return "#NUM!"
    if value == int(value) and abs(value) < 1e21:
        return str(int(value)) if abs(value) < 1e15 else format(Decimal(repr(float(value))), "f").split(".")[0]
    text = repr(value)
    if "e" in text and -12 < Decimal(text).adjusted() < 21:
        return format(Decimal(text), "f")
    return text


def percent_text(value: float) -> str:
    """What a cell of a percent format shows, with every significant digit: 0.035 → ``3.5%``."""
    points = (Decimal(repr(float(value))) * 100).quantize(Decimal("1e-10")).normalize()
    return format(points, "f") + "%"


def duration_text(value: dt.timedelta) -> str:
    """Hours, minutes and seconds of a duration, hours unbounded."""
    seconds = round(value.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{seconds // 3600:02d}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"


def moment_text(value: dt.datetime) -> str:
    """ISO date when the time is midnight, ISO date and time to the second otherwise."""
    if value.microsecond:
        value = (value + dt.timedelta(microseconds=500_000)).replace(microsecond=0)
    if value.tzinfo is None and value.hour == value.minute == value.second == 0:
        return value.date().isoformat()
    return value.isoformat()


def _time_text(value: dt.time) -> str:
    return value.replace(microsecond=0).isoformat()


_WRITERS: dict[type, Callable[[Any], str]] = {
    float: number_text,
    int: str,
    bool: lambda value: "true" if value else "false",
    dt.datetime: moment_text,
    dt.date: dt.date.isoformat,
    dt.time: _time_text,
    dt.timedelta: duration_text,
    Decimal: lambda value: format(value, "f"),
}


def cell_text(value: Any) -> str | None:
    """Canonical text of one Python value; None when the cell is empty."""
    if value is None:
        return None
    if isinstance(value, str):
        return value if value and not value.isspace() else None
    writer = _WRITERS.get(type(value))
    return writer(value) if writer else str(value)


def text_column(values: Sequence[Any]) -> pl.Series:
    """A String column from values of any spreadsheet types; uniform columns take the vectorised way."""
    kinds = set(map(type, values))
    if kinds <= {str, type(None)}:
        return unshielded(blank_to_null(pl.Series(values, dtype=pl.String)))
    if kinds == {float}:
        return float_column(pl.Series(values, dtype=pl.Float64))
    if kinds <= {str, float, type(None)}:
        return _mixed_column(values)
    if len(kinds) > 1 or next(iter(kinds)) not in (float, int):
        memo: dict[Any, str | None] = {}
        return unshielded(pl.Series([_memo_text(value, memo) for value in values], dtype=pl.String))
    return pl.Series([cell_text(value) for value in values], dtype=pl.String)


def _mixed_column(values: Sequence[Any]) -> pl.Series:
    """Texts and numbers, such as a label above a column of numbers."""
    texts = pl.Series([value if type(value) is str else None for value in values], dtype=pl.String)
    numbers = float_column(pl.Series([value if type(value) is float else None for value in values], dtype=pl.Float64))
    return unshielded(blank_to_null(texts)).zip_with(texts.is_not_null(), numbers)


def _memo_text(value: Any, memo: dict[Any, str | None]) -> str | None:
    if type(value) is str:
        return value if value and not value.isspace() else None
    key = (type(value), value)
    if key not in memo:
        if len(memo) > 50_000:
            memo.clear()
        memo[key] = cell_text(value)
    return memo[key]


def float_column(series: pl.Series) -> pl.Series:
    """Canonical text of a Float64 column (nulls kept)."""
    integral = (series == series.round(0)) & (series.abs() < 1e15)
    if integral.all():
        return series.cast(pl.Int64).cast(pl.String)
    text = series.cast(pl.String)
    exotic = text.str.contains("e", literal=True) | series.is_nan() | series.is_infinite()
    if exotic.any():
        return pl.Series([None if v is None else number_text(v) for v in series.to_list()], dtype=pl.String)
    return text.str.strip_suffix(".0")


def unshielded(series: pl.Series) -> pl.Series:
    """Drop the apostrophe that our own exports put before a text which a spreadsheet would run as a formula."""
    if not series.str.starts_with("'").any():
        return series
    return series.str.replace(r"^'([=+\-@\t\r\n|])", "$1")


def blank_to_null(series: pl.Series) -> pl.Series:
    """Empty and white-space-only texts become null; nothing is copied when there is none."""
    if series.null_count() == series.len():
        return series
    suspects = (series == "") | series.str.starts_with(" ") | series.str.starts_with("\u00a0")
    suspects = suspects | series.str.starts_with("\t") | series.str.starts_with("\n") | series.str.starts_with("\u202f")
    if not suspects.any():
        return series
    kept = pl.when(pl.col("v").str.strip_chars() != "").then(pl.col("v"))
    return pl.DataFrame({"v": series}).select(kept.alias("v")).to_series()


def is_percent_format(code: str) -> bool:
    """Whether a number format shows a percentage."""
    return "%" in _PLACES.sub("", code.split(";")[0])


def unit_of_format(code: str) -> str | None:
    """``k€`` or ``M€`` when a number format writes it after a number kept in thousands or millions; not when it also divides
    what it shows (``0.0,"k€"``)."""
    section = code.split(";")[0]
    if ('"' not in section and "\\" not in section) or _DIVIDED.search(_PLACES.sub("", section)):
        return None
    found = _UNIT.search("".join(one or two for one, two in _LITERAL.findall(section)))
    return f"{found[1].lower() if found[1] in 'kK' else found[1]}€" if found else None


def is_code_format(code: str) -> bool:
    """Whether a number format pads a code with zeros (``00000``, ``000 000``), so that its digits are an identifier."""
    section = code.split(";")[0]
    return "." not in section and "," not in section and bool(_CODE_FORMAT.match(_plain(section)))


def _plain(section: str) -> str:
    return _LITERAL.sub(lambda found: found.group(1) or found.group(2) or "", section)


def code_text(value: float, code: str) -> str:
    """What a cell of a zero-padded format shows: 1004 in ``00000`` → ``01004``."""
    if value != int(value) or value < 0:
        return number_text(value)
    pattern = _plain(code.split(";")[0])
    digits = str(int(value)).zfill(pattern.count("0"))
    extra = len(digits) - pattern.count("0")
    shown, rest = [digits[:extra]], iter(digits[extra:])
    shown.extend(next(rest) if character == "0" else character for character in pattern)
    return "".join(shown)


def displayed(value: str, code: str) -> str | None:
    """The text a number takes under a percent or zero-padded format; None if the format leaves it alone."""
    try:
        number = float(value)
        if is_percent_format(code):
            return percent_text(number)
        if is_code_format(code):
            return code_text(number, code)
        if unit := unit_of_format(code):
            return f"{number_text(number)} {unit}"
    except (ValueError, OverflowError, InvalidOperation):
        return None
    return None
