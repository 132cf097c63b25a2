"""French notation of numbers, dates and yes/no, read and written."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from essaim.kernel import french


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [("1 234,5", "1234.5", None), ("1\u00a0234,5", "1234.5", None), ("1\u202f234\u202f567", "1234567", None),
     ("12 k€", "12000", "€"), ("1,2 M€", "1200000", "€"), ("3,5 %", "3.5", "%"), ("(12)", "-12", None), ("+1", "1", None),
     ("-1,1", "-1.1", None), ("−1,1", "-1.1", None), ("9.3", "9.3", None), ("1.234,50", "1234.50", None),
     ("1,234.50", "1234.50", None), ("1.234.567", "1234567", None), ("12 €", "12", "€"), ("€12", "12", "€"),
     ("1 200 € HT", "1200", "€"), ("12-", "-12", None), (",5", "0.5", None), ("1'234", "1234", None), ("007", "7", None),
     ("1,5 milliard", "1500000000", None), ("2E3", "2000", None), ("1234,", "1234", None), ("12 euros", "12", "€")],
)  # fmt: skip
def test_numbers_as_french_people_write_them(text, value, unit):
    """Blanks, marks, units, signs and parentheses all read to the same number."""
    number = french.read_number(text)
    assert number is not None and (number.value, number.unit) == (Decimal(value), unit)


@pytest.mark.parametrize("text", ["", "abc", "1 23", "12 34 56", "1,2,3", "1.2.3", "(12", "12)", "--1", "12 chaises", "1e999", "31/08/2021", "ND"])
def test_what_is_not_a_number_is_none(text):
    """Nothing is guessed from text that is not written as a number."""
    assert french.read_number(text) is None


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-10**12, max_value=10**12))
def test_numbers_written_in_french_read_back(value):
    """format_number and read_number are inverse."""
    number = french.read_number(french.format_number(value))
    assert number is not None and number.value == value


@pytest.mark.parametrize(
    ("text", "day", "precision"),
    [("31/08/2021", date(2021, 8, 31), "day"), ("31/8/21", date(2021, 8, 31), "day"), ("31 août 2021", date(2021, 8, 31), "day"),
     ("31 AOUT 2021", date(2021, 8, 31), "day"), ("1er mars 2022", date(2022, 3, 1), "day"), ("août 2021", date(2021, 8, 1), "month"),
     ("2019-03-05+01:00", date(2019, 3, 5), "day"), ("2019-03-05T23:30:00Z", date(2019, 3, 5), "day"), ("20210831", date(2021, 8, 31), "day"),
     ("31.08.2021", date(2021, 8, 31), "day"), ("31-08-2021", date(2021, 8, 31), "day"), ("lundi 5 avril 2021", date(2021, 4, 5), "day"),
     ("03/2022", date(2022, 3, 1), "month"), ("2022-03", date(2022, 3, 1), "month"), ("févr. 2022", date(2022, 2, 1), "month"),
     ("31/08/2021 14:05", date(2021, 8, 31), "day"), ("2021-08-31 00:00:00", date(2021, 8, 31), "day"), ("05/06/69", date(2069, 6, 5), "day")],
)  # fmt: skip
def test_dates_as_french_people_write_them(text, day, precision):
    """Figures, words, time zones: the day is kept as written."""
    written = french.read_date(text)
    assert written is not None and (written.value, written.precision, written.problem) == (day, precision, None)


def test_impossible_and_american_dates_are_told_apart():
    """31/02 cannot be; 03/14/2021 is proposed month first but not applied."""
    assert french.read_date("31/02/2021").problem == "impossible"
    assert french.read_date("29/02/2023").problem == "impossible"
    assert french.read_date("29/02/2024").value == date(2024, 2, 29)
    american = french.read_date("03/14/2021")
    assert american.value is None and american.problem == "us_order" and american.suggestion == date(2021, 3, 14)
    assert french.read_date("demain") is None and french.read_date("12") is None


@given(st.dates(date(1970, 1, 1), date(2068, 12, 31)))
def test_dates_written_in_french_read_back(day):
    """Every way we write a date is one we read."""
    for text in (french.format_date(day), french.format_long_date(day), day.isoformat(), f"{day.day}/{day.month}/{day.year % 100:02d}"):
        assert french.read_date(text).value == day
    assert french.read_date(french.format_month(day)).value == day.replace(day=1)


def test_excel_serials_of_both_epochs():
    """44439 is 31 August 2021 in a 1900 workbook, 42977 in a 1904 one; the leap day that never was has no date."""
    assert french.from_excel_serial(44439) == date(2021, 8, 31)
    assert french.from_excel_serial(42977, epoch_1904=True) == date(2021, 8, 31)
    assert french.from_excel_serial(1) == date(1900, 1, 1)
    assert french.from_excel_serial(61) == date(1900, 3, 1)
    assert french.from_excel_serial(60) is None and french.from_excel_serial(0) is None and french.from_excel_serial(9e9) is None


@pytest.mark.parametrize(("text", "value"), [("Oui", True), ("x", True), ("✓", True), ("1", True), ("VRAI", True), ("non", False),
                                             ("0", False), ("Faux", False), ("✗", False), ("✔️", True), ("peut-être", None), ("", None)])  # fmt: skip
def test_yes_and_no(text, value):
    """Ticks, words and figures; doubt is neither."""
    assert french.read_boolean(text) is value


def test_formats_are_french():
    """Comma, narrow space, no-break before the sign."""
    assert french.format_number(1234567.5) == "1\u202f234\u202f567,5"
    assert french.format_percent(3.5) == "3,5\u00a0%"
    assert french.format_date(date(2021, 8, 31)) == "31/08/2021"
    assert french.folded("Œuvre  d’ÉCOLE-") == "oeuvre d ecole"
