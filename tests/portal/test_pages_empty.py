"""Pages of an installation that was just created: nothing to show yet, and every page says what to do."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import Client

from essaim.evaluation.reads import STORE
from essaim.foundation import acts
from portal_world import AISNE_SCHOOLS, PASSWORD

SCHOOL = AISNE_SCHOOLS[0]


@pytest.fixture
def nothing(db, own_stores, settings):
    """An installation just created: no register, no file, one person of each of a few roles."""
    settings.ESSAIM_CACHE_DIR = own_stores / "cache"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    STORE.clear()
    admin, people = acts.local_administrator(), {}
    for role, scope in (("national_steering", "national"), ("authority_contributor", "owner/organisation/210204086"), ("school_director", f"establishment/{SCHOOL}")):
        account = acts.open_account(username=role, password=PASSWORD, by=admin)
        acts.grant_mandate(account=account, role=role, scope=scope, starts_on=date(2020, 9, 1), by=admin)
        people[role] = account
    yield people
    STORE.clear()


EMPTY = {
    "/": "Le registre national n'est pas encore chargé", "/territoires/02/": "aucune donnée", "/territoires/02/etablissements/": "le registre national n'est pas encore chargé",
    "/chiffres/departement/02/equipment.late_orders/": "aucune donnée", "/chiffres/departement/02/equipment.late_orders/origine/": "Aucune écriture",
    "/depots/": "Aucun dépôt pour l'instant", "/depots/nouveau/": "Déposer un fichier", "/recherche/?q=laon": "Aucun établissement ne ressemble",
    "/equipement/suivi/": "Aucune commande n'est connue", "/equipement/contradictions/": "Aucune contradiction", "/indicateurs/": "Catalogue",
    "/donnees-ouvertes/": "Données ouvertes", "/contrats/": "Les fichiers que nous comprenons",
}  # fmt: skip


@pytest.mark.parametrize("role", [None, "national_steering", "authority_contributor", "school_director"])
def test_an_empty_installation_says_what_to_do(nothing, role):
    """Without register nor file, every page answers, and those that have nothing to show say so."""
    browser, wrong = Client(), []
    browser.raise_request_exception = False
    if role:
        browser.force_login(nothing[role], backend="django.contrib.auth.backends.ModelBackend")
    for address, words in EMPTY.items():
        answer = browser.get(address)
        no_territory = answer.status_code == 404 and address.startswith("/territoires/")  # the programme is what the register says
        kept_away = no_territory or (answer.status_code in (302, 404) and role != "national_steering" and address not in ("/", "/indicateurs/"))
        if not kept_away and (answer.status_code != 200 or words not in answer.content.decode()):
            wrong.append((address, answer.status_code))
    assert not wrong
