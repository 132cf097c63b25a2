"""Files of training, resources and families: what is understood, what is told, what is never dropped."""

from __future__ import annotations

import pytest

from essaim.engines.intake import check
from essaim.engines.measures import IndicatorRefused, Measure, col
from essaim.families.contracts import ACTIONS
from essaim.resources.contracts import AUDIENCE, USES
from essaim.resources.indicators import uses
from essaim.training.contracts import ATTENDANCE


def _checked(contract, text):
    return check(text.encode(), "envoi.csv", contract)


def _rows(result):
    return result.rows.to_dicts()


def _issues(result):
    return result.issues.to_dicts()


def test_an_empty_profile_is_counted_as_unknown():
    """61 % of trainees had no profile and vanished from the charts: here the row stays, under « inconnu »."""
    found = _checked(
        ATTENDANCE,
        "Session;Date;UAI;Profil;Présents\nF1;12/03/2025;0020011B;PE;4\nF1;12/03/2025;0020011B;;3\nF2;13/03/2025;0020011B;astronaute;2\n",
    )  # fmt: skip
    assert (found.rows_read, found.rows.height) == (3, 2)
    assert [row["profile"] for row in _rows(found)] == ["enseignant_1d", "inconnu"]
    assert [(item["field"], item["value"]) for item in _issues(found) if item["severity"] == "blocking"] == [("profile", "astronaute")]


def test_more_people_than_registered_is_worth_a_look():
    """More present than registered, more families come than invited: kept, with a warning."""
    trained = _checked(ATTENDANCE, "Session;Date;UAI;Profil;Inscrits;Présents\nF1;12/03/2025;0020011B;PE;4;6\n")
    assert trained.rows.height == 1 and "presents_superieurs_aux_inscrits" in {item["code"] for item in _issues(trained)}
    met = _checked(ACTIONS, "N° action;Nature;Date;UAI;Invités;Familles venues;Relais formés\nP1;atelier;12/03/2025;0020011B;4;6;7\n")
    codes = {item["code"] for item in _issues(met)}
    assert met.rows.height == 1 and {"venues_superieures_aux_invitees", "relais_superieurs_aux_venues"} <= codes


def test_the_national_audience_is_read_as_published():
    """Technical headers of the DNMA, durations and labels left aside."""
    found = _checked(
        AUDIENCE,
        "debutSemaine;UAI;académie;visites_globales;utilisateurs_globales;duree_globales;visites_eleve;visites_parent;visites_enseignant\n"
        "2026-01-05;0020011B;Amiens;1729;312;12:30:05;1117;344;221\n",
    )  # fmt: skip
    row = _rows(found)[0]
    assert (row["visits"], row["users"], row["visits_pupils"], row["visits_parents"], row["visits_teachers"]) == (1729, 312, 1117, 344, 221)


def test_accounts_of_several_months_are_never_added():
    """Distinct accounts overlap from one month and resource to another: their sum is refused at declaration."""
    with pytest.raises(IndicatorRefused):
        Measure("accounts_since", uses, date="month", value=col("accounts"), timing="cumulative")


@pytest.mark.data
def test_real_uses_of_a_resource_are_understood(data_dir):
    """A published count of openings by school, month and role: only rows without a valid UAI are refused, and said."""
    path = data_dir / "usage/usages_ressource_mathadata_par_uai_mois_2023-2026.csv"
    found = check(path, path.name, USES)
    assert (found.rows_read, found.rows.height) == (696, 586)
    assert {item["field"] for item in _issues(found) if item["severity"] == "blocking"} == {"uai"}
