"""Cells as senders write them, read as typed values; wrong ones told, missing ones explained."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from essaim.engines.intake.cells import read_column
from essaim.engines.intake.cells_readers import ColumnSense
from essaim.engines.intake.contract import Code, Field, FieldType
from essaim.kernel.french import format_date, format_number

T = FieldType


def read(kind, texts, sense=ColumnSense(), **named):  # noqa: B008
    """Values and {position: code} of a column."""
    column = read_column(pl.Series(texts, dtype=pl.String), Field("f", "Champ", kind, **named), sense)
    return column.values.to_list(), {i: f.code for f in column.findings for i in f.frame["index"].to_list()}, column


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [(T.INTEGER, "1 234", 1234), (T.INTEGER, "133.0", 133), (T.DECIMAL, "1 234,5", 1234.5), (T.DECIMAL, "+1", 1.0), (T.DECIMAL, "9.3", 9.3),
     (T.DECIMAL, "-1,1", -1.1), (T.MONEY, "12 k€", 12000.0), (T.MONEY, "1,2 M€", 1.2e6), (T.MONEY, "(12)", -12.0), (T.PERCENT, "3,5 %", 3.5),
     (T.DATE, "31/08/2021", date(2021, 8, 31)), (T.DATE, "31 août 2021", date(2021, 8, 31)), (T.DATE, "2019-03-05+01:00", date(2019, 3, 5)),
     (T.DATE, "44439", date(2021, 8, 31)), (T.MONTH, "août 2021", date(2021, 8, 1)), (T.MONTH, "2021-08-31", date(2021, 8, 1)),
     (T.SCHOOL_YEAR, "2021", "2021-2022"), (T.SCHOOL_YEAR, "2021-2022", "2021-2022"), (T.SCHOOL_YEAR, "2022-01-01T00:00:00+00:00", "2022-2023"), (T.BOOLEAN, "✓", True), (T.BOOLEAN, "non", False),
     (T.COMMUNE, "1004", "01004"), (T.COMMUNE, "1004.0", "01004"), (T.COMMUNE, "97105", "97105"), (T.DEPARTEMENT, "2", "02"), (T.DEPARTEMENT, "AISNE", "02"),
     (T.DEPARTEMENT, "069", "69"), (T.UAI, "0020001r", "0020001R"), (T.SIREN, "213 500 168", "213500168"), (T.TEXT, " a\u00a0b ", "a b"), (T.TEXT, "Ã©cole", "école"),
     (T.SIRET, "35600000049837", "35600000049837")],
)  # fmt: skip
def test_a_cell_as_written_becomes_its_value(kind, text, value):
    """Each notation met in the field reads to one typed value, refused nowhere."""
    values, problems, column = read(kind, [text, None])
    assert values == [value, None] and not len(column.wrong)
    assert set(problems.values()) <= {"leading_zero", "uai_spelling", "date_serial", "mojibake"}


@pytest.mark.parametrize(
    ("kind", "text", "code", "suggestion"),
    [(T.INTEGER, "12,5", "integer_format", None), (T.INTEGER, "douze", "number_format", None), (T.INTEGER, "12 tablettes", "number_format", "12"),
     (T.MONEY, "3 %", "number_unit", None), (T.DATE, "31/02/2021", "date_impossible", None), (T.DATE, "03/14/2021", "date_us_order", "14/03/2021"),
     (T.DATE, "bientôt", "date_format", None), (T.BOOLEAN, "peut-être", "boolean_format", None), (T.UAI, "0020001", "uai_letter_missing", "0020001R"),
     (T.UAI, "0020001B", "uai_letter", "0020001R"), (T.SIRET, "2,17003E+13", "siret_scientific", None), (T.SIRET, "21350016800026", "siret_key", None),
     (T.DEPARTEMENT, "20", "departement_ambiguous", "2A ou 2B"), (T.COMMUNE, "Laon", "commune_format", None), (T.SCHOOL_YEAR, "2021-2023", "school_year_format", None)],
)  # fmt: skip
def test_a_wrong_cell_is_told_and_its_correction_only_proposed(kind, text, code, suggestion):
    """The value stays empty; the suggestion is beside it."""
    values, problems, column = read(kind, [text])
    assert values == [None] and problems == {0: code} and column.wrong.to_list() == [0]
    assert column.findings[0].frame["suggestion"].to_list() == [suggestion]


@pytest.mark.parametrize(("text", "why"), [("ND", "non_disponible"), ("NS", "non_significatif"), ("n.s", "non_significatif"), ("N.C.", "non_communique"),
                                           ("-", "tiret"), ("s.o.", "sans_objet"), ("#N/A", "erreur_formule"), ("#DIV/0!", "erreur_formule")])  # fmt: skip
@pytest.mark.parametrize("kind", [T.DECIMAL, T.DATE, T.UAI, T.CODE, T.BOOLEAN])
def test_a_cell_may_say_why_it_is_empty(kind, text, why):
    """ND and its kin are missing values with a reason, never zero, never an error of format."""
    values, problems, column = read(kind, [text], codes=(Code("a", "A"),))
    assert values == [None] and column.missing["why"].to_list() == [why] and not len(column.wrong)
    assert problems == ({0: "formula_error"} if why == "erreur_formule" else {})


def test_a_code_that_looks_like_a_missing_mark_is_a_code():
    """NC is a class of communes in a list that has it, and may be a real word in a text."""
    assert read(T.CODE, ["NC"], codes=(Code("NC", "Non classée"),))[0] == ["NC"]
    assert read(T.TEXT, ["NC"])[0] == ["NC"]


def test_close_codes_are_proposed_not_applied():
    """Accents, case and plural are the same code; a misspelling is only proposed."""
    codes = (Code("ecran", "Écran interactif", ("ENI",)), Code("tablette", "Tablette"))
    assert read(T.CODE, ["ECRAN INTERACTIF", "eni", "Tablettes"], codes=codes)[0] == ["ecran", "ecran", "tablette"]
    values, problems, column = read(T.CODE, ["Tablete"], codes=codes)
    assert values == [None] and problems == {0: "code_unknown"} and column.findings[0].frame["suggestion"].to_list() == ["Tablette"]


def test_headers_carry_units_tax_and_epoch():
    """k€ multiplies, TTC comes back to HT where HT is wanted, a 1904 serial counts from 1904."""
    thousands = ColumnSense(factor=1000)
    assert read(T.MONEY, ["0.45", "1,5", "2 k€"], thousands)[0] == [450.0, 1500.0, 2000.0]
    assert read(T.MONEY, ["120", "1 200,00"], ColumnSense(tax_included=True), unit="€ HT")[0] == [100.0, 1000.0]
    values, problems, _ = read(T.MONEY, ["120 € TTC"], unit="€ HT")
    assert values == [100.0] and problems == {0: "amount_ttc"}
    assert read(T.DATE, ["42977"], ColumnSense(epoch_1904=True))[0] == [date(2021, 8, 31)]


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(-(10**9), 10**9)), min_size=1, max_size=30))
def test_integers_written_in_french_or_plainly_read_alike(numbers):
    """The vectorised way and the way by distinct texts give the same values."""
    plain = read(T.INTEGER, [None if n is None else str(n) for n in numbers])[0]
    french = read(T.INTEGER, [None if n is None else format_number(n) for n in numbers])[0]
    assert plain == french == numbers


@settings(deadline=None)
@given(st.lists(st.dates(date(1970, 1, 1), date(2068, 1, 1)), min_size=1, max_size=20))
def test_dates_written_in_french_or_iso_read_alike(days):
    """Round trip through both notations in one column."""
    texts = [day.isoformat() if i % 2 else format_date(day) for i, day in enumerate(days)]
    assert read(T.DATE, texts)[0] == days


@settings(deadline=None)
@given(st.lists(st.text(max_size=12), min_size=1, max_size=20), st.sampled_from(list(T)))
def test_no_text_can_break_a_column(texts, kind):
    """Whatever the text: a value, an explained absence, a problem, or blank; never an exception, never two at once."""
    values, _, column = read(kind, texts, codes=(Code("a", "A"),))
    wrong = set(column.wrong.to_list())
    assert all(values[i] is None for i in wrong)
    assert len(values) == len(texts)
