"""Pages that lead on: what belongs to a reader is given in full, a link opens what it shows, nothing is chosen in one's place."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from essaim.foundation.models import Role, Submission
from essaim.portal.templatetags.essaim import agreeing
from essaim.portal.views import places
from essaim.territories.models import Establishment
from portal_world import AISNE_SCHOOLS, AISNE_SENDER, built, hand_in, upload, world

__all__ = ["built", "world"]

CODE = "equipment.devices_delivered"
OWN, NEIGHBOUR = (f"/chiffres/establishment/{uai}/{CODE}/" for uai in AISNE_SCHOOLS[:2])
MONTH = "?periode=2026-03"


def test_the_figures_of_a_school_are_given_in_full_to_who_answers_for_it(world):
    """Its director goes from the figure to its entries; for the school next door the same person is the public."""
    browser = world.client(Role.DIRECTOR)
    page = browser.get(OWN + MONTH)
    assert page.context["public"] is False and f"{OWN}origine/" in page.content.decode()
    assert browser.get(f"{OWN}origine/{MONTH}").status_code == 200
    assert browser.get(NEIGHBOUR + MONTH).context["public"] is True
    assert browser.get(f"{NEIGHBOUR}origine/{MONTH}").status_code == 404


def test_entries_lead_to_the_files_that_the_reader_may_open_and_to_no_other(world):
    """The file of the authority is named to the director, who may not open it; its sender and the territory go to the cells."""
    for role, expected in ((Role.DIRECTOR, 404), (Role.TERRITORY, 200)):
        browser = world.client(role)
        text = browser.get(f"{OWN}origine/{MONTH}").content.decode()
        assert world.aisne.filename in text
        assert ("/origine/" in text.split("<table")[1]) is (expected == 200)
        assert browser.get(f"/origine/{world.aisne.number}/2/?feuille={world.aisne.filename.split('.')[0]}").status_code == expected


def test_what_an_entry_says_bears_the_labels_of_its_own_file(world):
    """The same column is « Quantité livrée » in a delivery and « Quantité retirée » in a disposal."""
    browser = world.client(Role.TERRITORY)
    for address in (f"{OWN}origine/{MONTH}", f"/depots/{world.aisne.pk}/ecritures/"):
        text = browser.get(address).content.decode()
        assert "Quantité livrée" in text and "Quantité retirée" not in text


def test_from_the_cells_one_goes_up_to_all_that_the_file_changed(world):
    """The page of a line leads to the entries of its file, which name each school."""
    browser = world.client(Role.TERRITORY)
    line = browser.get(f"/origine/{world.aisne.number}/2/?feuille={world.aisne.filename.split('.')[0]}").content.decode()
    assert f"/depots/{world.aisne.pk}/ecritures/" in line
    assert "École" in browser.get(f"/depots/{world.aisne.pk}/ecritures/").content.decode().split("<table")[1]


def test_acceptance_is_not_offered_while_a_question_holds_it(world):
    """The page leads to the question instead of a button that would be refused."""
    content = f"Ref;UAI;Matériel;Nb;Reçu le\n1;{AISNE_SCHOOLS[0]};tablette;4;03/03/2026\n2;{AISNE_SCHOOLS[1]};tablette;5;04/03/2026\n".encode()
    found = hand_in(content, "doute.csv", AISNE_SENDER, world.accounts[Role.AUTHORITY], accepted=False)
    assert [item["holds"] for item in found.report["questions"]].count(True) and found.rows_accepted
    page = world.client(Role.AUTHORITY).get(f"/depots/{found.pk}/").content.decode()
    assert "Répondez d'abord" in page and f"/depots/{found.pk}/accepter/" not in page


def test_the_kind_of_file_is_never_chosen_in_place_of_its_sender(world):
    """Nothing is selected but by a link that says what to hand in; without a choice nothing is received."""
    browser, before = world.client(Role.AUTHORITY), Submission.objects.count()
    fresh = browser.get("/depots/nouveau/").content.decode()
    assert '<option value="" selected>Choisissez…</option>' in fresh
    assert '<option value="equipment.orders" selected>' in browser.get("/depots/nouveau/?contrat=equipment.orders").content.decode()
    answer = browser.post("/depots/nouveau/", {"contract": "", "files": upload(b"UAI;Nb\n1;2\n", "a.csv")})
    assert answer.status_code == 400 and Submission.objects.count() == before


@pytest.mark.parametrize(("unit", "value", "said"), [
    ("établissements", 1, "établissement"), ("lignes", 0, "ligne"), ("lignes", 2, "lignes"), ("heures pour 100 élèves", 1.9, "heure pour 100 élèves"),
    ("pour 100 élèves", 1, "pour 100 élèves"), ("%", 0.5, "%"), ("jours", None, "jours"), ("jours", -1, "jour"), ("visites par élève", 1, "visite par élève"),
])  # fmt: skip
def test_a_unit_agrees_with_its_value(unit, value, said):
    """French plural begins at two."""
    assert agreeing(unit, value) == said


@pytest.mark.parametrize(("level", "sector", "kind", "said"), [
    ("ecole", "prive", "", "École privée"), ("ecole", "public", "", "École publique"), ("college", "prive", "", "Collège privé"),
    ("autre", "public", "Centre d'information", "Centre d'information"), ("ecole", "", "", "École"), ("autre", "", "", "Établissement"),
])  # fmt: skip
def test_the_nature_of_a_school_is_said_in_french(level, sector, kind, said):
    """An école is feminine."""
    assert Establishment(level=level, sector=sector, kind=kind).nature == said


def test_a_search_that_finds_more_than_it_shows_says_so(world, monkeypatch):
    """Fifty schools are shown; who looks for another is told how to find it."""
    found = [SimpleNamespace(uai=uai, name="École", commune_name="Laon", departement="02") for uai in AISNE_SCHOOLS]
    monkeypatch.setattr(places, "MOST_FOUND", len(found))
    monkeypatch.setattr(places, "search", lambda text, limit: found)
    assert "Précisez la commune" in world.client(None).get("/recherche/?q=ecole").content.decode()
    monkeypatch.setattr(places, "MOST_FOUND", 50)
    assert "Précisez la commune" not in world.client(None).get("/recherche/?q=ecole").content.decode()
