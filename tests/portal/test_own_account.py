"""One's own account: who one is, what one may do, one's data, one's erasure; and a journal that anybody can read."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from essaim.foundation.models import Account, Act, Mandate, Role
from essaim.portal.reads.wording import LABELS, scope_words
from portal_world import (  # noqa: F401
    AISNE_MARK,
    AISNE_SCHOOLS,
    AISNE_SENDER,
    PASSWORD,
    built,
    world,
)


def test_a_person_reads_their_mandates_in_words(world):  # noqa: F811
    """Role and place by name, never the code of a scope alone."""
    page = world.client(Role.DIRECTOR).get("/mon-compte/").content.decode()
    assert "Direction d&#x27;école" in page and "Laon" in page and AISNE_SCHOOLS[0] in page and "establishment/" not in page
    assert "pas de mandat" in world.client("nobody").get("/mon-compte/").content.decode()


def test_a_person_takes_their_data_away(world):  # noqa: F811
    """A file with what they handed in, and an act in the journal; nothing of anybody else's."""
    answer = world.client(Role.AUTHORITY).post("/mon-compte/donnees/")
    told = json.loads(answer.content)
    assert "attachment" in answer.headers["Content-Disposition"]
    assert told["compte"]["username"] == f"compte-{Role.AUTHORITY}" and f"{AISNE_MARK}.csv" in [item["filename"] for item in told["depots"]]
    assert "paris" not in answer.content.decode() and Act.objects.filter(name="export_person").exists()


def test_erasure_asks_for_a_word_then_closes_the_door(world):  # noqa: F811
    """Without the word nothing happens; with it the name is gone, the session over, the figures the same."""
    browser = world.client(Role.AUTHORITY)
    key = world.accounts[Role.AUTHORITY].pk
    before = Client().get("/territoires/02/?periode=2026-06").content.decode().count("essaim-value")
    browser.post("/mon-compte/effacement/", {"confirmation": "oui"})
    assert Account.objects.get(pk=key).erased_at is None
    answer = browser.post("/mon-compte/effacement/", {"confirmation": " Effacer "}, follow=True)
    found = Account.objects.get(pk=key)
    assert found.erased_at is not None and found.email == "" and "effacée" in answer.content.decode()
    assert browser.get("/mon-compte/").status_code == 302
    assert Client().get("/territoires/02/?periode=2026-06").content.decode().count("essaim-value") == before


def test_the_last_administrator_is_told_why_they_stay(world):  # noqa: F811
    """The refusal of the act is shown, and the account remains."""
    browser = world.client(Role.ADMINISTRATOR)
    page = browser.post("/mon-compte/effacement/", {"confirmation": "effacer"}, follow=True).content.decode()
    assert "dernier administrateur" in page and browser.get("/mon-compte/").status_code == 200


def test_the_journal_speaks_french(world):  # noqa: F811
    """Acts, details and mandates in words: no key of a program, no fingerprint, no code of a scope."""
    page = world.client(Role.ADMINISTRATOR).get("/journal/").content.decode()
    assert "fichier\u202f: " in page and "lignes\u202f: " in page and "Livraisons de matériel" in page and "Contributeur de collectivité, organisation\u202f: " in page
    for word in ("sha256", "filename", "rows\u202f:", "owner/organisation", "status\u202f:", world.aisne.sha256):
        assert word not in page
    assert {item.name for item in Act.objects.all()} <= set(LABELS)


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ("national", "France entière"), ("programme/territory/02", "territoire : Aisne (02)"), ("administrative/departement/2A", "département : Corse-du-Sud (2A)"),
        ("owner/organisation/217500016", "organisation : Organisme sans nom (SIREN\u00a0217500016)"), ("establishment/0020011B", "établissement (0020011B)"), ("x/y/z", "y : z"),
    ],
)  # fmt: skip
def test_scopes_are_written_for_people(scope, words):
    """Whatever was granted, known or not."""
    assert scope_words(scope) == words


def test_a_mandate_that_ended_is_shown_as_ended(world):  # noqa: F811
    """History stays readable."""
    from datetime import date

    Mandate.objects.filter(account=world.accounts[Role.TEACHER]).update(ends_on=date(2021, 6, 30))
    assert "terminé le 30/06/2021" in world.client(Role.TEACHER).get("/mon-compte/").content.decode()


def test_a_person_changes_their_password_and_stays(world):  # noqa: F811
    """Mistakes are told beside the fields; once changed this session goes on, the others end, the old password opens nothing."""
    here, elsewhere = world.client(Role.TEACHER), world.client(Role.TEACHER)
    address, new = "/mon-compte/mot-de-passe/", "trois-essaims-sous-le-tilleul"
    for given, said in (
        ({"current": PASSWORD, "password": new, "again": new + "x"}, "ne sont pas les mêmes"),
        ({"current": "faux", "password": new, "again": new}, "actuel est inexact"), ({}, "obligatoire"),
    ):  # fmt: skip
        answer = here.post(address, given)
        assert answer.status_code == 400 and said in answer.content.decode()
    done = here.post(address, {"current": PASSWORD, "password": new, "again": new}, follow=True)
    assert "Mot de passe changé" in done.content.decode()
    assert here.get("/mon-compte/").status_code == 200 and elsewhere.get("/mon-compte/").status_code == 302
    for word, status in ((PASSWORD, 200), (new, 302)):
        assert Client().post("/connexion/", {"username": world.accounts[Role.TEACHER].username, "password": word}).status_code == status


def test_an_open_session_does_not_let_the_password_be_guessed(world, same_minute):  # noqa: F811
    """After a few tries in a minute even the right one waits."""
    browser, new = world.client(Role.TEACHER), "trois-essaims-sous-le-tilleul"
    for _ in range(5):
        browser.post("/mon-compte/mot-de-passe/", {"current": "faux", "password": new, "again": new})
    answer = browser.post("/mon-compte/mot-de-passe/", {"current": PASSWORD, "password": new, "again": new})
    assert answer.status_code == 400 and "attendez une minute" in answer.content.decode()
