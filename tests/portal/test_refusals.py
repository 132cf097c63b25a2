"""Refusals lead on: no empty page, no sign-in inside a page, nothing sent in vain without a word."""

from __future__ import annotations

from html import unescape

import pytest
from django.test import Client

from essaim.foundation.models import Role
from portal_world import built, world

__all__ = ["built", "world"]

PROGRAM = {"Accept": "application/json"}


def test_an_address_that_only_receives_a_form_says_so(world):
    """405 is a page with a way on for a person, and stays bare for a program; the methods allowed are told to both."""
    browser, address = world.client(Role.AUTHORITY), f"/depots/{world.aisne.pk}/accepter/"
    page = browser.get(address, headers={"Accept": "text/html", "Referer": f"http://testserver/depots/{world.aisne.pk}/?page=2"})
    assert (page.status_code, page.headers["Allow"]) == (405, "POST")
    assert "ne s'ouvre pas directement" in page.content.decode() and f'href="/depots/{world.aisne.pk}/?page=2"' in page.content.decode()
    bare = browser.get(address, headers=PROGRAM)
    assert (bare.status_code, bare.content, bare.headers["Allow"]) == (405, b"", "POST")


@pytest.mark.parametrize("elsewhere", ["https://ailleurs.example/depots/", "javascript:alert(1)", "//ailleurs.example/", ""])
def test_the_way_back_never_leaves_the_site(world, elsewhere):
    """An address of elsewhere is not offered as the page before."""
    page = world.client(Role.AUTHORITY).get("/deconnexion/", headers={"Accept": "text/html", "Referer": elsewhere})
    assert page.status_code == 405 and "page précédente" not in page.content.decode() and "Revenir à l'accueil" in page.content.decode()


def test_a_page_that_refreshes_itself_leads_to_the_sign_in_when_the_session_ends(world):
    """htmx is told to open the sign-in whole, which comes back to the page; it never lands inside it."""
    answer = Client().get(f"/depots/{world.aisne.pk}/", headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver/depots/{world.aisne.pk}/"})
    assert answer.headers["HX-Redirect"] == f"/connexion/?next=/depots/{world.aisne.pk}/" and not answer.content


def test_what_was_sent_after_the_session_ended_is_said_to_be_lost(world):
    """The sign-in says that nothing was recorded, and comes back to the page of the form rather than to where it was sent."""
    passer_by = Client()
    address = f"/depots/{world.aisne.pk}/retirer/"
    answer = passer_by.post(address, {"reason": "x"}, headers={"Referer": f"http://testserver/depots/{world.aisne.pk}/"})
    assert answer.headers["Location"] == f"/connexion/?next=/depots/{world.aisne.pk}/&perdu=1"
    assert "n'a pas été enregistré" in unescape(passer_by.get(answer.headers["Location"]).content.decode())
    assert passer_by.post(address).headers["Location"] == "/connexion/?next=/&perdu=1"


def test_the_sign_in_says_why_it_is_shown(world):
    """Reserved page, session that ended, or nothing for who came by themselves."""
    browser = Client()
    told = browser.get("/depots/", follow=True).content.decode()
    assert "Cette page est réservée" in told
    browser.cookies["sessionid"] = "terminee"
    ended = browser.get("/depots/?page=2")
    assert ended.headers["Location"] == "/connexion/?next=/depots/%3Fpage%3D2&fin=1" and not ended.cookies["sessionid"].value
    assert "Votre session est terminée" in browser.get(ended.headers["Location"]).content.decode()
    assert "fr-alert" not in Client().get("/connexion/").content.decode()


def test_the_sign_in_speaks_french(client, db):
    """The label is the one that people see, not the one of the framework."""
    page = client.get("/connexion/").content.decode()
    assert "Identifiant ou adresse électronique" in page and "Username" not in page


def test_a_stale_form_leads_back_to_its_page(world):
    """Who comes from a page of the site goes back to it, loaded again, with one link."""
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(world.accounts[Role.AUTHORITY], backend="django.contrib.auth.backends.ModelBackend")
    page = browser.post("/depots/nouveau/", {}, headers={"Referer": "http://testserver/depots/nouveau/"})
    assert page.status_code == 403 and 'href="/depots/nouveau/"' in page.content.decode()


def test_too_many_downloads_are_a_page_for_a_person_and_a_sentence_for_a_program(world, settings):
    """Both say when to come back."""
    settings.ESSAIM_API_PUBLIC_PER_MINUTE = 0
    address = "/donnees-ouvertes/indicateurs/equipment.late_orders/csv"
    page, text = Client().get(address, headers={"Accept": "text/html,*/*"}), Client().get(address, headers={"Accept": "*/*"})
    assert page.status_code == text.status_code == 429 and 0 < int(page.headers["Retry-After"]) <= 60
    assert "Revenir aux données ouvertes" in page.content.decode()
    assert [answer.headers["Content-Type"].partition(";")[0] for answer in (page, text)] == ["text/html", "text/plain"]


def test_a_failure_of_the_database_is_still_told_on_a_page(world, monkeypatch):
    """The account, the messages and the menu cannot be read: the page does without them, and keeps a way on."""
    from essaim.portal.views import pages

    browser = world.client(Role.AUTHORITY)
    browser.raise_request_exception = False

    def away(*args, **named):
        raise RuntimeError("base injoignable")

    monkeypatch.setattr(pages, "guide_page", away)
    monkeypatch.setattr(pages, "render", away)
    answer = browser.get("/aide/")
    text = answer.content.decode()
    assert answer.status_code == 500 and "<h1>Une erreur est survenue de notre côté</h1>" in text and 'href="/"' in text and "injoignable" not in text
    monkeypatch.setattr(pages, "render_to_string", away)
    assert "Une erreur est survenue de notre côté" in browser.get("/aide/").content.decode()
