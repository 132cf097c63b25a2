"""Dates, counts and amounts in the other ways people write them."""

from datetime import date

import pytest

from essaim.engines.intake.cells_readers import read_cell
from essaim.engines.intake.contract import Field, FieldType

T = FieldType
DAY = date(2021, 8, 31)


def reading(kind, text):
    return read_cell(text, Field("x", "X", kind, unit="€ HT" if kind is T.MONEY else None))


@pytest.mark.parametrize("text", ["le 31/08/2021", "Le 31 août 2021", "31082021", "31-Aug-21", "31 Aug 2021", "Aug 31, 2021", "August 31st, 2021", "31st August 2021", "mardi 31 août 2021", "31/08/2021 à 14h30", "31AUG2021", "31AOU2021:00:00:00", "2021-08-31 UTC", "2021-08-30 22:00:00 UTC"])
def test_a_date_is_read_whoever_wrote_it(text):
    """« le », English months, eight digits in a row, what SAS and R write."""
    assert reading(T.DATE, text).value == DAY


@pytest.mark.parametrize("text", ["prévu le 31/08/2021", "31/08/2021 (partiel)", "livré le 31/08/2021"])
def test_a_date_among_other_words_is_proposed_not_taken(text):
    """The words may say that it did not happen."""
    found = reading(T.DATE, text)
    assert (found.value, found.problem, found.suggestion) == (None, "date_format", "31/08/2021")


@pytest.mark.parametrize("text", ["31022021", "13132021", "du 31/08/2021 au 02/09/2021"])
def test_an_impossible_or_double_date_proposes_nothing(text):
    """Nothing to propose where nothing is sure."""
    found = reading(T.DATE, text)
    assert found.value is None and found.problem and found.suggestion is None


@pytest.mark.parametrize(("text", "value"), [("12 u", 12), ("12 unités", 12), ("12 pcs", 12), ("x12", 12), ("1 200 ex.", 1200), ("3 appareils", 3)])
def test_a_count_followed_by_a_word_for_counting_is_read_aloud(text, value):
    """Units that only say that things are counted; « 12 tablettes » says more and stays a question for the sender."""
    found = reading(T.INTEGER, text)
    assert (found.value, found.remark) == (value, "number_words")
    assert reading(T.INTEGER, "12 tablettes").problem == "number_format" and reading(T.MONEY, "12 u").problem == "number_format"


@pytest.mark.parametrize(("kind", "text", "value"), [(T.INTEGER, "'12", 12), (T.DATE, "'31/08/2021", DAY), (T.UAI, "'0020011B", "0020011B"), (T.TEXT, "'12", "'12")])
def test_the_mark_of_a_text_cell_is_no_part_of_the_value(kind, text, value):
    """The apostrophe that spreadsheets, and our own workbooks, put before a text."""
    assert reading(kind, text).value == value and reading(kind, text).remark is None


@pytest.mark.parametrize(("text", "value"), [("12€50", 12.5), ("1 234 € 05", 1234.05), ("12,50€", 12.5), ("€12.50", 12.5)])
def test_amounts_with_cents_after_the_sign(text, value):
    """As spoken: twelve euros fifty."""
    assert reading(T.MONEY, text).value == value
