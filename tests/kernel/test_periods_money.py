"""Periods, school calendar and amounts."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from essaim.kernel import calendar, periods
from essaim.kernel.money import Money, Tax, parse_money, share_of, to_euros
from essaim.kernel.periods import Month, SchoolYear, parse_period, parse_school_year


@pytest.mark.parametrize(
    ("text", "kind", "first", "last"),
    [("2022-03", "month", date(2022, 3, 1), date(2022, 3, 31)), ("2024-02", "month", date(2024, 2, 1), date(2024, 2, 29)),
     ("2021-2022", "school_year", date(2021, 9, 1), date(2022, 8, 31)), ("2022", "year", date(2022, 1, 1), date(2022, 12, 31)),
     ("2022-T1", "quarter", date(2022, 1, 1), date(2022, 3, 31)), ("2022-T4", "quarter", date(2022, 10, 1), date(2022, 12, 31)),
     ("2022-03-15", "day", date(2022, 3, 15), date(2022, 3, 15)), ("mars 2022", "month", date(2022, 3, 1), date(2022, 3, 31))],
)  # fmt: skip
def test_periods_have_their_ends(text, kind, first, last):
    """Each spelling gives its kind, first and last day, leap years included."""
    period = parse_period(text)
    assert (period.kind, period.first_day, period.last_day) == (kind, first, last)
    assert parse_period(period.code) == period


@pytest.mark.parametrize("text", ["", "2022-13", "2021-2023", "2022-T5", "31/02/2022", "hier", "0000"])
def test_what_is_not_a_period_is_refused_in_french(text):
    """The refusal says how to write one."""
    with pytest.raises(ValueError, match="n'est pas une période"):
        parse_period(text)


@given(st.dates(date(1900, 1, 1), date(2150, 12, 31)))
def test_every_day_is_in_its_month_and_school_year(day):
    """Months and school years tile the calendar without hole or overlap."""
    year = SchoolYear.of(day)
    assert day in periods.school_year_period(year)
    assert SchoolYear.of(year.last_day + timedelta(1)) == SchoolYear(year.rentree + 1)
    assert day in periods.month_period(Month.of(day))
    assert len(list(periods.school_year_period(year).months())) == 12
    assert Month.of(day).shifted(13).shifted(-13) == Month.of(day)


@pytest.mark.parametrize("text", ["2021-2022", "2021/2022", "2021-22", "rentrée 2021", "2021", "année scolaire 2021-2022", "2021.0", "Rentrée scolaire 2021"])
def test_school_year_spellings(text):
    """A rentrée or two years name the same school year."""
    assert str(parse_school_year(text)) == "2021-2022"


def test_school_year_must_be_two_following_years():
    """2021-2023 is not a school year; 1999-00 is."""
    assert parse_school_year("2021-2023") is None and parse_school_year("N/A") is None
    assert str(parse_school_year("1999-00")) == "1999-2000"


def test_labels_are_french():
    """Labels shown to people."""
    assert parse_period("2022-03").label == "mars 2022"
    assert parse_period("2022-T2").label == "2e\u202ftrimestre 2022"
    assert parse_period("2021-2022").label == "année scolaire 2021-2022"


def test_calendar_reads_days_and_refuses_the_unknown(tmp_path):
    """Holidays by zone, an explicit refusal outside the file."""
    file = tmp_path / "jours.csv"
    file.write_text("date,vacances_zone_a,vacances_zone_b,vacances_zone_c,nom_vacances\n2022-02-11,False,False,False,\n"
                    "2022-02-14,True,False,False,Vacances d'hiver\n", encoding="utf-8")  # fmt: skip
    school = calendar.load_school_calendar(file)
    assert school.is_holiday(date(2022, 2, 14), "A") and not school.is_holiday(date(2022, 2, 14), "B")
    assert school.teaching_days(date(2022, 2, 11), date(2022, 2, 14), "A") == 1
    with pytest.raises(ValueError, match="inconnu"):
        school.is_holiday(date(2022, 2, 15), "A")
    file.write_text("jour\n2022-02-11\n", encoding="utf-8")
    with pytest.raises(ValueError, match="absente"):
        calendar.load_school_calendar(file)


@pytest.mark.data
def test_published_calendar_loads(data_dir):
    """The published file covers 2016–2028 and knows the winter holidays of zone B (Aisne) in 2022."""
    school = calendar.load_school_calendar(data_dir / "calendrier" / "vacances_scolaires_zones.csv")
    assert calendar.zone_of_departement("02") == "B"
    assert school.is_holiday(date(2022, 2, 9), "B") and not school.is_holiday(date(2022, 2, 9), "A")


def test_amounts_round_to_the_cent_away_from_zero_and_keep_their_tax():
    """Half cents go up, HT and TTC never mix, floats are refused."""
    assert Money(Decimal("0.125")).amount == Decimal("0.13") and Money(Decimal("-0.125")).amount == Decimal("-0.13")
    assert to_euros(Decimal("2.5")) == 3
    assert (Money(Decimal(100)) + Money(Decimal("0.10"))).amount == Decimal("100.10")
    assert Money(Decimal(120), Tax.TTC).without_tax() == Money(Decimal(100))
    assert Money(Decimal(100)).with_tax() == Money(Decimal(120), Tax.TTC)
    with pytest.raises(ValueError, match="ne s'additionnent"):
        Money(Decimal(1)) + Money(Decimal(1), Tax.TTC)
    with pytest.raises(TypeError):
        Money(1.5)
    assert share_of(Decimal("200000"), Decimal(70)) == Decimal("140000.00")


def test_amounts_as_written():
    """Units and tax marks are read; a percentage is not an amount."""
    assert parse_money("12 k€") == Money(Decimal(12000))
    assert parse_money("1 200,50 € TTC") == Money(Decimal("1200.5"), Tax.TTC)
    assert parse_money("3 %") is None and parse_money("douze") is None
    assert str(Money(Decimal("1234.5"))) == "1\u202f234,50\u00a0€ HT"
