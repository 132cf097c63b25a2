"""Published files are recognised by their content, in every header style, without a question."""

from __future__ import annotations

import pytest

import essaim.evaluation.contracts as evaluation
import essaim.territories.contracts as territories
from essaim.engines.intake import check
from essaim.territories.acts.guessing import guess, year_of

from . import files

CONTRACTS = (*territories.CONTRACTS, *evaluation.CONTRACTS)
EXPECTED = {
    "COMMUNES": ("territories.places", "cog-communes"),
    "EPCI": ("territories.places", "cog-epci"),
    "DIRECTORY_LABELS": ("territories.establishments", "annuaire"),
    "DIRECTORY_TECHNICAL": ("territories.establishments", "annuaire"),
    "GEOLOCATION": ("territories.establishments", "geolocalisation"),
    "PRIORITY": ("territories.establishments", "education-prioritaire"),
    "CLOSED": ("territories.closures", "fermetures"),
    "POSITION_SCHOOLS": ("territories.social_position", "ips"),
    "POSITION_COLLEGES": ("territories.social_position", "ips"),
    "POSITION_LYCEES": ("territories.social_position", "ips-lycees"),
    "ENROLMENT_SCHOOLS": ("territories.enrolment", "effectifs-ecoles"),
    "ENROLMENT_COLLEGES": ("territories.enrolment", "effectifs-colleges"),
    "ENROLMENT_LYCEES_GT": ("territories.enrolment", "effectifs-lycees-gt"),
    "ENROLMENT_LYCEES_PRO": ("territories.enrolment", "effectifs-lycees-pro"),
    "COMPILED": ("territories.enrolment", "effectifs-compiles"),
    "RESULTS": ("evaluation.school_results", "autre"),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_published_file_is_recognised_and_asks_nothing(name, tmp_path):
    """Contract and source are found from the columns; every row is accepted and nothing is asked."""
    path = tmp_path / "fichier.csv"
    path.write_text(getattr(files, name), encoding="utf-8", newline="")
    found = guess(path, CONTRACTS)
    assert found is not None
    assert (found.contract.code, found.source.code) == EXPECTED[name]
    outcome = check(path, path.name, found.contract, sender=found.sender)
    assert outcome.questions == ()
    assert outcome.refused.height == 0, outcome.summary
    assert outcome.rows.height > 0


@pytest.mark.parametrize("name", ["ENROLMENT_COLLEGES", "ENROLMENT_LYCEES_GT", "ENROLMENT_LYCEES_PRO"])
def test_technical_headers_of_enrolment_are_known_not_guessed(name):
    """``numero_college``, ``numero_lycee``, ``code_dept``, ``rep0`` are what the publisher calls them: known names, no resemblance. In the file
    of vocational lycées ``code_commune`` is a postal code: no field takes it."""
    table = check(getattr(files, name).encode(), "a.csv", territories.ENROLMENT).tables[0]
    scores = {item.field: item.score for item in table.mapping}
    assert min(scores[field] for field in ("uai", "school_year", "departement_code", "pupils", "name")) >= 94 and "code_commune" in table.unmapped
    assert name != "ENROLMENT_COLLEGES" or min(scores["rep_plus"], scores["pupils_sixth"]) >= 94


def test_signed_numbers_and_non_published_values_are_read(tmp_path):
    """``+1``, ``-1,1``, ``9.3`` and ``ND`` in one row: numbers with their sign, and why one is missing."""
    outcome = check(files.RESULTS.encode(), "ivac.csv", evaluation.SCHOOL_RESULTS)
    row = outcome.rows.row(0, named=True)
    assert (row["success_added_general"], row["mark_added_general"], row["written_mark_general"]) == (1.0, -1.1, 9.3)
    assert row["written_mark_vocational"] is None
    assert "written_mark_vocational" in outcome.missing_why["field"].to_list()


def test_the_index_of_a_lycee_is_that_of_all_its_tracks():
    """Among the indices of a lycée file, the whole-school one is retained, and national means are not mistaken for it."""
    lycee = check(files.POSITION_LYCEES.encode(), "a.csv", territories.SOCIAL_POSITION).rows.row(0, named=True)
    college = check(files.POSITION_COLLEGES.encode(), "b.csv", territories.SOCIAL_POSITION).rows.row(0, named=True)
    assert (lycee["ips"], lycee["ips_gt"], lycee["ips_pro"]) == (121.0, 121.0, None)
    assert (college["ips"], college["ips_national"], college["ips_std"]) == (92.1, 105.2, 31.0)


@pytest.mark.parametrize(
    ("name", "year"),
    [
        ("effectifs_compiles_rentree2024.csv", "2024-2025"),
        ("fr-en-ips-ecoles-ap2022_2023-2024.csv", "2023-2024"),
        ("ecoles_2022-23.csv", "2022-2023"),
        ("annuaire_2026.csv", "2025-2026"),
        ("fr-en-ips-ecoles-ap2022.csv", None),
        ("ecoles.csv", None),
    ],
)
def test_the_year_told_by_a_file_name(name, year):
    """The rentrée, the school year or the year of publication; the number of the data set is none of them."""
    assert year_of(name) == year


def test_another_file_is_not_taken_for_the_register(tmp_path):
    """A table without schools nor places is not loaded as one."""
    path = tmp_path / "cantine.csv"
    path.write_text("siret;description;fournisseur;date;prix_ht\n21010054500013;Pommes;Coop;2022-05-02;90.11\n")
    assert guess(path, CONTRACTS) is None
