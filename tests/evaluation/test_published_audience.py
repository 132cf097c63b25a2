"""Audience of the ENT as published: by profile it is read; by service or by device it is never taken for the whole."""

from __future__ import annotations

import pytest

from essaim.engines.intake import check
from essaim.resources.contracts import AUDIENCE

PLACE = "debutsemaine;uai;academie;commune;departement;region;ministere;circonscription;nature_uai;secteur"
ROW = "2024-09-02;0020011B;Amiens;Laon;Aisne;Hauts-de-France;MENJ;;340;Public"


def test_the_audience_by_profile_is_read():
    """Visits and users by profile; durations are left aside."""
    measures = [f"{kind}_{who}" for who in ("globales", "eleve", "parent", "enseignant", "admin_vie_scol_tech") for kind in ("visites", "utilisateurs", "duree")]
    cells = ["812", "210", "12:03:44", "500", "120", "08:00:00", "200", "60", "03:00:00", "100", "25", "01:00:00", "12", "5", "00:03:44"]
    outcome = check(f"{PLACE};{';'.join(measures)}\n{ROW};{';'.join(cells)}\n".encode(), "dnma.csv", AUDIENCE)
    row = outcome.rows.row(0, named=True)
    assert outcome.questions == ()
    assert (row["visits"], row["users"], row["visits_teachers"], row["users_pupils"], row["visits_staff"]) == (812, 210, 100, 120, 12)


@pytest.mark.parametrize("parts", [("accueil", "notes"), ("ordinateur", "smartphone"), ("eleve_ordinateur", "parent_smartphone")])
def test_the_visits_of_a_service_or_of_a_device_are_not_the_visits_of_the_ent(parts):
    """A file without the whole audience is refused, or held until its sender says what a column is: never accepted as it is."""
    header = ";".join(f"{kind}_{part}" for part in parts for kind in ("visites", "utilisateurs", "duree"))
    outcome = check(f"{PLACE};{header}\n{ROW};500;120;08:00:00;200;60;03:00:00\n".encode(), "dnma.csv", AUDIENCE)
    assert outcome.status == "refused" or any(question.holds for question in outcome.questions)
