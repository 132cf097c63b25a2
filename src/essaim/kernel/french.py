"""French notation: numbers, amounts, percentages, dates, yes/no, text without accents; read and written.

Readers take text as found in spreadsheets; they answer None when the text is not of the kind, never a guess.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from zoneinfo import ZoneInfo

NARROW_SPACE = "\u202f"
NO_BREAK_SPACE = "\u00a0"
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
_MONTH_STARTS = {
    "janv": 1, "jan": 1, "fevr": 2, "fev": 2, "mars": 3, "mar": 3, "avr": 4, "avril": 4, "mai": 5, "juin": 6, "jun": 6,
    "feb": 2, "apr": 4, "may": 5, "aug": 8, "january": 1, "february": 2, "march": 3, "april": 4, "june": 6, "july": 7, "august": 8, "september": 9,
    "october": 10, "november": 11, "december": 12, "juil": 7, "jul": 7, "aout": 8, "aou": 8, "sept": 9, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
_SPACES = re.compile(r"[\s\u00a0\u202f\u2007\u2009\u200a\u2002-\u2008\u200b\ufeff]+")
_INVISIBLE = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_LIGATURES = str.maketrans({"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "’": "'", "ʼ": "'"})
_DASHES = str.maketrans({"−": "-", "–": "-", "—": "-", "‑": "-", "‐": "-"})


def visible(text: str) -> str:
    """The text without the marks that no reader sees: direction, soft hyphens, joiners, byte order marks."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def squeezed(text: str) -> str:
    """Every run of blanks (non-breaking, thin and invisible ones too) as one space, none at the ends."""
    return _SPACES.sub(" ", visible(text)).strip()


@lru_cache(maxsize=65_536)
def folded(text: str) -> str:
    """Lower case, without accents nor punctuation, words separated by one space: what one compares names by."""
    plain = unicodedata.normalize("NFKD", visible(text).translate(_LIGATURES))
    plain = "".join(ch for ch in plain if not unicodedata.combining(ch)).casefold()
    return " ".join(re.findall(r"[a-z0-9]+", plain))


@dataclass(frozen=True, slots=True)
class WrittenNumber:
    """A number as written. ``value`` already holds the multiplier of ``k``/``M``; ``unit`` is ``€``, ``%`` or None."""

    value: Decimal
    unit: str | None = None


_NUMBER = re.compile(
    r"""^(?P<open>\()?\s*(?P<sign>[+-])?\s*(?P<lead>€|eur(?:os?)?(?=\s?\d))?\s*(?P<digits>\d[\d .,']*|[.,]\d+)(?P<exponent>[eE][+-]?\d+)?
    \s*(?P<mult>k|m|md|mds|milliers?|millions?|milliards?)?\s*(?P<unit>€|eur|euros?|%|pct|‰)?\s*(?P<tax>h\.?t\.?|t\.?t\.?c\.?)?
    \s*(?P<after>-)?\s*(?P<close>\))?$""",
    re.VERBOSE | re.IGNORECASE,
)
_MULTIPLIERS = {"k": 3, "m": 6, "md": 9, "mds": 9, "mill": 3}
_GROUPED = re.compile(r"^\d{1,3}(?: \d{3})+$")
_CENTS_AFTER = re.compile(r"(?<=\d) ?€ ?(\d{2})$")
_AMOUNT = re.compile(r"^(?:€|eur|euros?)$", re.IGNORECASE)


def read_number(text: str) -> WrittenNumber | None:
    """``1 234,5`` ``1.234,5`` ``12 k€`` ``1,2 M€`` ``3,5 %`` ``(12)`` ``+1`` ``12-`` → number; None when it is not one.

    A lone comma or point is the decimal mark (``1.234`` is 1.234, as exported by software). Points or commas used
    several times, or before the other mark, group thousands.
    """
    match = _NUMBER.match(_CENTS_AFTER.sub(r",\1 €", squeezed(text).translate(_DASHES)))
    if match is None or bool(match["open"]) != bool(match["close"]):
        return None
    digits = _plain_digits(match["digits"].strip())
    if digits is None:
        return None
    try:
        value = Decimal(digits + (match["exponent"] or "").lower())
    except InvalidOperation:  # pragma: no cover - the pattern leaves none
        return None
    if abs(value.adjusted()) > 300:
        return None
    value = value.scaleb(_multiplier(match["mult"]))
    if match["sign"] == "-" or match["open"] or match["after"]:
        value = -value
    return WrittenNumber(value, _unit(match))


def _multiplier(word: str | None) -> int:
    word = (word or "").lower()
    if not word:
        return 0
    if word.startswith("milliard"):
        return 9
    if word.startswith("million"):
        return 6
    return _MULTIPLIERS.get(word, 3)


def _unit(match: re.Match[str]) -> str | None:
    unit = match["unit"] or match["lead"]
    if unit is None:
        return "€" if match["tax"] else None
    if _AMOUNT.match(unit):
        return "€"
    return "‰" if unit == "‰" else "%"


def _plain_digits(digits: str) -> str | None:
    """Digits with one point at most, or None when marks are placed as in no notation."""
    digits = digits.replace("'", " ").rstrip()
    commas, points = digits.count(","), digits.count(".")
    if commas and points:
        mark = "," if digits.rindex(",") > digits.rindex(".") else "."
        digits = digits.replace("." if mark == "," else ",", " ")
        commas, points = digits.count(","), digits.count(".")
    for mark, count in ((",", commas), (".", points)):
        if count > 1:
            digits = digits.replace(mark, " ")
            if not _GROUPED.match(digits):
                return None
    whole, mark_found, fraction = digits.replace(",", ".").partition(".")
    if " " in fraction.strip() or (" " in whole.strip() and not _GROUPED.match(whole.strip())):
        return None
    return (whole.replace(" ", "") or "0") + ("." + fraction.strip() if mark_found and fraction.strip() else "")


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """A date as written. ``precision`` is ``day`` or ``month`` (then the first of the month).

    ``problem``: ``impossible`` (31/02), ``us_order`` (03/14/2021: ``suggestion`` is what it would be month first), or None.
    """

    value: date | None
    precision: str = "day"
    problem: str | None = None
    suggestion: date | None = None


_ISO = re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?\s*(?:Z|[+-]\d{2}:?\d{2})?$")
_INSTANT = re.compile(r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:00(?::00(?:\.0{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})$")
_PARIS = ZoneInfo("Europe/Paris")
_DAY_FIRST = re.compile(r"^(\d{1,2})\s?[/.\- ]\s?(\d{1,2})\s?[/.\- ]\s?(\d{4}|\d{2})(?: (?:à )?\d{1,2}[:h]\d{2}(?::\d{2})?)?$")
_YEAR_FIRST = re.compile(r"^(\d{4})[/.](\d{1,2})[/.](\d{1,2})$")
_COMPACT = re.compile(r"^((?:19|20)\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$")
_DAY_COMPACT = re.compile(r"^(0[1-9]|[12]\d|3[01])(0[1-9]|1[0-2])((?:19|20)\d{2})$")
# How SAS writes a day or an instant: 01MAR2022, 01MAR2022:00:00:00.
_GLUED = re.compile(r"^(\d{1,2})([^\W\d]{3,9})(\d{4}|\d{2})(?::\d{2}:\d{2}:\d{2}(?:\.\d+)?)?$")
_WORDS = re.compile(r"^(?:[a-z]+ )?(?:(?:le )?(\d{1,2})(?:er|st|nd|rd|th)? )?([a-z]+) (\d{4}|\d{2})$")
_MONTH_DAY = re.compile(r"^([a-z]+) (\d{1,2})(?:st|nd|rd|th)? (\d{4})$")
_LE = re.compile(r"^le (?=\d)", re.IGNORECASE)
_MONTH_YEAR = re.compile(r"^(\d{1,2})[/.\-](\d{4})$")
_YEAR_MONTH = re.compile(r"^(\d{4})[/.\-](\d{1,2})$")


def read_date(text: str) -> WrittenDate | None:
    """``31/08/2021`` ``31/8/21`` ``31 août 2021`` ``1er mars 2022`` ``août 2021`` ``2019-03-05+01:00`` ``20210831``
    ``31082021`` ``31-Aug-21`` ``31AUG2021`` ``Aug 31, 2021`` ``le 31/08/2021`` → date.

    The day is kept as written whatever the time zone, but for a midnight of Paris that software wrote in another one
    (``2022-02-28T23:00:00Z`` is 1 March 2022). None when the text is not written as a date at all.
    """
    text = _LE.sub("", squeezed(text).translate(_DASHES))
    text = f"{text[:-4]}Z" if text.endswith(" UTC") else text
    if match := _GLUED.match(text):
        text = f"{match[1]} {match[2]} {match[3]}"
    for pattern in (_ISO, _YEAR_FIRST, _COMPACT):
        if match := pattern.match(text):
            return _midnight(text) or _checked(int(match[1]), int(match[2]), int(match[3]))
    if match := _DAY_COMPACT.match(text):
        return _checked(int(match[3]), int(match[2]), int(match[1]))
    if match := _DAY_FIRST.match(text):
        return _day_first(int(match[1]), int(match[2]), _century(match[3]))
    if match := _MONTH_YEAR.match(text):
        return _checked(int(match[2]), int(match[1]), 1, "month")
    if match := _YEAR_MONTH.match(text):
        return _checked(int(match[1]), int(match[2]), 1, "month")
    return _read_date_in_words(text)


def _midnight(text: str) -> WrittenDate | None:
    """The day that begins in Paris at the instant written; None for any other instant."""
    if not _INSTANT.match(text):
        return None
    moment = datetime.fromisoformat(text).astimezone(_PARIS)
    return WrittenDate(moment.date()) if moment.time() == time(0) else None


def _read_date_in_words(text: str) -> WrittenDate | None:
    key = folded(text)
    if (match := _MONTH_DAY.match(key)) and (month := month_number(match[1])):
        return _checked(int(match[3]), month, int(match[2]))
    match = _WORDS.match(key)
    if match is None or month_number(key.split()[0]) not in (None, month_number(match[2])):  # « mars avril 2022 » is two months
        return None
    month = month_number(match[2])
    if month is None:
        return None
    year = _century(match[3])
    return _checked(year, month, int(match[1]), "day") if match[1] else _checked(year, month, 1, "month")


def month_number(word: str) -> int | None:
    """1–12 for a month's name or usual abbreviation (``févr.``, ``AOUT``, ``sept``)."""
    word = folded(word)
    return _month_names().get(word, _MONTH_STARTS.get(word))


@lru_cache(maxsize=1)
def _month_names() -> dict[str, int]:
    return {folded(name): number for number, name in enumerate(MONTHS, 1)}


def _century(year: str) -> int:
    number = int(year)
    return number if len(year) == 4 else (2000 + number if number < 70 else 1900 + number)


def _day_first(day: int, month: int, year: int) -> WrittenDate:
    if month > 12 and day <= 12:
        other = _checked(year, day, month)
        return WrittenDate(None, problem="us_order", suggestion=other.value)
    return _checked(year, month, day)


def _checked(year: int, month: int, day: int, precision: str = "day") -> WrittenDate:
    try:
        return WrittenDate(date(year, month, day), precision)
    except ValueError:
        return WrittenDate(None, precision, problem="impossible")


def from_excel_serial(serial: float, *, epoch_1904: bool = False) -> date | None:
    """The day a spreadsheet stores as ``serial`` (1 = 1900-01-01; 1904 workbooks count from 1904-01-01 = 0).

    The 29 February 1900 that never was keeps its number: serials up to 60 are shifted by one day. None out of range.
    """
    days = int(serial)
    if epoch_1904:
        return date(1904, 1, 1) + timedelta(days) if 0 <= days < 2_957_004 else None
    if not 1 <= days < 2_958_466 or days == 60:
        return None
    return date(1899, 12, 30) + timedelta(days + (1 if days < 60 else 0))


_YES = frozenset(("oui", "o", "x", "vrai", "true", "yes", "y", "1", "v", "ok", "1 0", "coche", "fait"))
_NO = frozenset(("non", "n", "faux", "false", "no", "0", "f", "0 0", "pas fait"))
_TICKS = frozenset("✓✔☑✅🗸√")
_CROSSES = frozenset("✗✘☐❌")


def read_boolean(text: str) -> bool | None:
    """oui/non, x, ✓, 1/0, vrai/faux… → bool; None otherwise (an empty cell is not « non »)."""
    mark = squeezed(text).rstrip("\ufe0f")
    if mark in _TICKS:
        return True
    if mark in _CROSSES:
        return False
    word = folded(mark)
    if word in _YES:
        return True
    return False if word in _NO else None


def format_number(value: Decimal | float | int, decimals: int | None = None) -> str:
    """``1 234,5``: thousands by a narrow no-break space, decimal comma; ``decimals`` fixes the digits after it."""
    number = value if isinstance(value, Decimal) else Decimal(str(value))
    text = f"{number:,.{decimals}f}" if decimals is not None else f"{number:,f}"
    if decimals is None and "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace(",", NARROW_SPACE).replace(".", ",")


def format_percent(points: Decimal | float, decimals: int = 1) -> str:
    """``3,5 %`` from points (3.5), with a no-break space before the sign."""
    return f"{format_number(points, decimals)}{NO_BREAK_SPACE}%"


def format_date(day: date) -> str:
    """``31/08/2021``."""
    return f"{day.day:02d}/{day.month:02d}/{day.year:04d}"


def format_long_date(day: date) -> str:
    """``1er mars 2022``, ``31 août 2021``."""
    return f"{'1er' if day.day == 1 else day.day} {MONTHS[day.month - 1]} {day.year}"


def format_month(day: date) -> str:
    """``août 2021``."""
    return f"{MONTHS[day.month - 1]} {day.year}"
