"""Identifiers: exact values pass, anything else is a problem with a suggestion that is never applied."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from essaim.kernel import communes, departements, organisations, uai


@given(st.integers(0, 9_999_999))
def test_key_letter_makes_a_valid_uai_and_every_other_letter_is_refused(number):
    """The key letter is the only one accepted, and the wrong ones suggest it."""
    digits = f"{number:07d}"
    good = digits + uai.key_letter(digits)
    assert uai.check(good).value == good
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        if letter != good[7]:
            verdict = uai.check(digits + letter)
            assert verdict.value is None and verdict.suggestion == good


@pytest.mark.parametrize(
    ("text", "problem", "suggestion"),
    [
        ("0350122t", "uai_spelling", "0350122T"),
        ("035 0122 T", "uai_spelling", "0350122T"),
        ("0350122", "uai_letter_missing", "0350122T"),
        ("0350122A", "uai_letter", "0350122T"),
        ("350122T", "uai_format", "0350122T"),
        ("X", "uai_format", None),
        ("", "uai_format", None),
        ("03501222T", "uai_format", None),
    ],
)
def test_uai_corrections_are_proposed_never_applied(text, problem, suggestion):
    """Each way of misspelling a UAI has its problem and its suggestion, and no value."""
    verdict = uai.check(text)
    assert (verdict.value, verdict.problem, verdict.suggestion) == (None, problem, suggestion)


@pytest.mark.parametrize(
    ("code", "departement"),
    [("0020001A", "02"), ("6200001A", "2A"), ("7200001A", "2B"), ("9710001A", "971"), ("9830001A", "988"),
     ("9840001A", "987"), ("9750001A", "975"), ("9860001A", "986"), ("9870001A", "986"), ("9810001A", "976"), ("0990001A", None), ("0690001A", "69")],
)  # fmt: skip
def test_uai_prefix_gives_the_departement(code, departement):
    """The prefix places the school, Corse and the Pacific included."""
    assert uai.departement_of(code) == departement


def test_siret_follows_luhn_with_the_exception_of_la_poste():
    """Published numbers pass; one changed digit does not; La Poste's sites follow their own rule."""
    assert organisations.check_siret("21350016800025").is_valid
    assert organisations.check_siret("213 500 168 00025").repaired == "spelling"
    assert organisations.check_siret("21350016800026").problem == "siret_key"
    assert organisations.check_siret("35600000049837").is_valid
    assert organisations.check_siret("35600000049838").problem == "siret_key"
    assert organisations.check_siren("356000000").is_valid
    assert organisations.check_siren("000000000").problem == "siren_key"


@pytest.mark.parametrize("text", ["2,17003E+13", "2.17003E+13", "2,17E13", "3e+13"])
def test_scientific_siret_is_lost_not_guessed(text):
    """Digits eaten by a spreadsheet cannot come back: no value, no suggestion."""
    verdict = organisations.check_siret(text)
    assert verdict.problem == "siret_scientific" and verdict.value is None and verdict.suggestion is None


def test_siren_given_as_siret_takes_its_first_nine_digits():
    """A valid SIRET holds its SIREN, and the repair is said; an invalid one gives nothing."""
    verdict = organisations.check_siren("213 500 168 00025")
    assert (verdict.value, verdict.repaired) == ("213500168", "siret_given")
    assert organisations.check_siren("21350016800026").value is None


def test_rna_is_w_and_nine_digits():
    """Case and blanks are a suggestion, anything else is refused."""
    assert organisations.check_rna("W123456789").is_valid
    assert organisations.check_rna("w123 456 789").suggestion == "W123456789"
    assert organisations.check_rna("123456789").suggestion is None


@pytest.mark.parametrize(
    ("text", "value", "repaired"),
    [("01004", "01004", None), ("1004", "01004", "leading_zero"), ("1004.0", "01004", "leading_zero"),
     ("2a004", "2A004", "spelling"), ("97105", "97105", None), ("35016.0", "35016", "spelling")],
)  # fmt: skip
def test_commune_leading_zero_comes_back(text, value, repaired):
    """A commune code that lost its zero is repaired and says so."""
    verdict = communes.check(text)
    assert (verdict.value, verdict.repaired) == (value, repaired)


@pytest.mark.parametrize("text", ["Rennes", "20004", "123", "99999", "2C001"])
def test_what_is_not_a_commune_code_is_refused(text):
    """Names, codes of no département and truncated codes are not communes."""
    assert communes.check(text).problem == "commune_format"


def test_arrondissements_belong_to_their_city():
    """Paris, Lyon and Marseille gather their arrondissements."""
    assert {communes.city_of(c) for c in ("75101", "75120")} == {"75056"}
    assert communes.city_of("69381") == "69123" and communes.city_of("13216") == "13055"
    assert communes.departement_of("2A004") == "2A" and communes.departement_of("97801") == "978"


@pytest.mark.parametrize(
    ("text", "code"),
    [("2A", "2A"), ("02A", "2A"), ("2a", "2A"), ("Corse-du-Sud", "2A"), ("CORSE DU SUD", "2A"), ("620", "2A"),
     ("720", "2B"), ("02", "02"), ("2", "02"), ("2.0", "02"), ("002", "02"), ("AISNE", "02"), ("Aisne (02)", "02"),
     ("02 - Aisne", "02"), ("069", "69"), ("Val d’Oise", "95"), ("COTES D'ARMOR", "22"), ("ALPES-DE-HTE-PROVENCE", "04"),
     ("Seine St Denis", "93"), ("971", "971"), ("Réunion", "974"), ("La Reunion", "974"), ("Territoire de Belfort", "90"),
     ("Cote d'or", "21"), ("Val-de-Marne", "94"), ("978", "978"), ("Saint-Martin", "978")],
)  # fmt: skip
def test_departement_in_any_spelling(text, code):
    """Codes, three characters, names with or without accents, prefixes of school identifiers."""
    assert departements.parse(text).value == code


@pytest.mark.parametrize("text", ["20", "020", "Corse", "CORSE (20)"])
def test_corse_alone_is_ambiguous(text):
    """The old code 20 and the island's name name two départements: both are proposed."""
    verdict = departements.parse(text)
    assert verdict.problem == "departement_ambiguous" and verdict.choices == ("2A", "2B")


@pytest.mark.parametrize("text", ["", "96", "099", "Ruritanie", "1234", "Paris (02)"])
def test_unknown_departement_is_refused(text):
    """What names no département, or two at once, has no value."""
    assert departements.parse(text).problem == "departement_unknown"


def test_every_departement_reads_back_and_has_its_region_and_zone():
    """101 départements and the overseas territories; every metropolitan one but Corse has a holiday zone."""
    items = departements.BY_CODE.values()
    assert sum(1 for d in items if d.code[:2] != "97" and d.code[:2] != "98") == 96
    assert {"971", "972", "973", "974", "976", "975", "977", "978", "986", "987", "988"} <= set(departements.BY_CODE)
    for item in items:
        assert departements.parse(item.name).value == item.code
        assert departements.parse(item.code).value == item.code
        assert departements.region_of(item.code)[1]
        if len(item.code) == 2 and item.code not in ("2A", "2B"):
            assert departements.zone_of(item.code) in ("A", "B", "C")
    assert departements.zone_of("2A") is None and departements.academie_of("02").name == "Amiens"
