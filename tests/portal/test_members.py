"""Accounts and mandates in the hands of their administrator: opened, given, ended, and nobody else's business."""

from __future__ import annotations

from datetime import date
from html import unescape

import pytest
from django.urls import reverse

from essaim.foundation.models import Account, Act, Mandate, Role
from portal_world import AISNE_SCHOOLS, built, world  # noqa: F401

PASSWORD = "ruche-au-soleil-de-mai"


def _text(answer) -> str:
    return answer.content.decode()


def test_an_administrator_opens_an_account_and_gives_it_a_mandate(world):  # noqa: F811
    """From nothing to someone who signs in and sees their territory; each step is in the journal."""
    browser = world.client(Role.ADMINISTRATOR)
    opened = browser.post(reverse("comptes"), {"username": "lea.martin", "email": "lea.martin@exemple.fr", "password": PASSWORD}, follow=True)
    assert "Compte «\u202flea.martin\u202f» ouvert" in _text(opened)
    person = Account.objects.get(username="lea.martin")
    given = {"role": Role.TERRITORY, "level": "programme/territory", "code": "02", "ends_on": "2030-08-31"}
    for _ in range(2):  # a double click gives one mandate
        assert "Mandat donné" in _text(browser.post(reverse("comptes-mandat", args=[person.pk]), given, follow=True))
    mandate = Mandate.objects.get(account=person)
    assert (mandate.scope, mandate.ends_on) == ("programme/territory/02", date(2030, 8, 31))
    assert "Aisne" in _text(browser.get(reverse("comptes") + "?q=martin")) and "Aucun compte" in _text(browser.get(reverse("comptes") + "?q=zzz"))
    assert {"open_account", "grant_mandate"} <= set(Act.objects.values_list("name", flat=True))
    assert reverse("comptes") in _text(browser.get("/"))
    signed = world.client(None).post(reverse("connexion"), {"username": "lea.martin", "password": PASSWORD})
    assert signed.status_code == 302


@pytest.mark.parametrize(
    ("level", "code", "scope"),
    [
        ("administrative/departement", " 2a ", "administrative/departement/2A"), ("establishment", AISNE_SCHOOLS[0].lower(), f"establishment/{AISNE_SCHOOLS[0]}"),
        ("owner/organisation", "relais-aisne", "owner/organisation/relais-aisne"), ("national", "", "national"),
    ],
)  # fmt: skip
def test_a_place_is_written_as_the_register_does(world, level, code, scope):  # noqa: F811
    """Départements and schools in capitals, a sender's own code as it is."""
    person = world.accounts[Role.TEACHER]
    world.client(Role.ADMINISTRATOR).post(reverse("comptes-mandat", args=[person.pk]), {"role": Role.AUDITOR, "level": level, "code": code})
    assert person.mandates.get(role=Role.AUDITOR).scope == scope


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"role": Role.TERRITORY, "level": "programme/territory", "code": ""}, "Écrivez le code du lieu"),
        ({"role": Role.TERRITORY, "level": "programme/territory", "code": "999"}, "inconnu"),
        ({"role": Role.NATIONAL, "level": "national", "code": "02"}, "videz ce champ"),
        ({"role": "reine", "level": "national"}, "reine"),
        ({"role": Role.AUDITOR, "level": "national", "starts_on": "2026-09-01", "ends_on": "2026-08-31"}, "finir avant de commencer"),
    ],
)
def test_a_mandate_that_makes_no_sense_is_told(world, given, told):  # noqa: F811
    """What is wrong is said beside the form, and nothing is given."""
    person = world.accounts[Role.TEACHER]
    before = person.mandates.count()
    answer = world.client(Role.ADMINISTRATOR).post(reverse("comptes-mandat", args=[person.pk]), given)
    assert answer.status_code == 200 and told in _text(answer)
    assert person.mandates.count() == before


def test_a_weak_password_or_a_taken_name_is_told(world):  # noqa: F811
    """Nothing is opened."""
    browser = world.client(Role.ADMINISTRATOR)
    count = Account.objects.count()
    taken = world.accounts[Role.TEACHER].username
    for given in ({"username": "neuf", "password": "1234"}, {"username": taken, "password": PASSWORD}, {"username": ""}):
        answer = browser.post(reverse("comptes"), given)
        assert (answer.status_code == 200 and "fr-error-text" in _text(answer)) or "fr-alert--error" in _text(answer)
    assert Account.objects.count() == count


def test_a_mandate_ended_meanwhile_is_not_overwritten(world):  # noqa: F811
    """Two administrators: the second, whose page is old, is told; the last administrator cannot end their own mandate."""
    browser = world.client(Role.ADMINISTRATOR)
    person = world.accounts[Role.TEACHER]
    mandate = person.mandates.get()
    address = reverse("comptes-fin", args=[person.pk, mandate.pk])
    assert "Mandat terminé" in _text(browser.post(address, {"shown": ""}, follow=True))
    ended = Mandate.objects.get(pk=mandate.pk).ends_on
    assert "a changé depuis" in _text(browser.post(address, {"shown": ""}, follow=True))
    assert Mandate.objects.get(pk=mandate.pk).ends_on == ended


def test_a_mandate_given_today_is_said_to_end_tonight(world):  # noqa: F811
    """Nobody is told that it opens nothing while it still does, until midnight."""
    browser = world.client(Role.ADMINISTRATOR)
    person = world.accounts[Role.TEACHER]
    browser.post(reverse("comptes-mandat", args=[person.pk]), {"role": Role.AUDITOR, "level": "national"})
    given = person.mandates.get(role=Role.AUDITOR)
    assert "il s'arrête ce soir" in unescape(_text(browser.post(reverse("comptes-fin", args=[person.pk, given.pk]), {"shown": ""}, follow=True)))


@pytest.mark.parametrize("role", [role for role in Role.values if role != Role.ADMINISTRATOR] + ["paris", "nobody", None])
def test_nobody_else_knows_of_these_pages(world, role):  # noqa: F811
    """Not found, whatever is asked, and nothing changes."""
    person = world.accounts[Role.TEACHER]
    mandate = person.mandates.get()
    browser = world.client(role)
    assert browser.get(reverse("comptes")).status_code == 404
    assert browser.get(reverse("comptes-un", args=[person.pk])).status_code == 404
    assert browser.post(reverse("comptes"), {"username": "x", "password": PASSWORD}).status_code == 404
    assert browser.post(reverse("comptes-mandat", args=[person.pk]), {"role": Role.AUDITOR, "level": "national"}).status_code == 404
    assert browser.post(reverse("comptes-fin", args=[person.pk, mandate.pk]), {"shown": ""}).status_code == 404
    assert list(person.mandates.all()) == [mandate] and not Account.objects.filter(username="x").exists()


def test_an_administrator_gives_a_password_closes_and_reopens(world):  # noqa: F811
    """What a person who lost their password, or who leaves, asks of the administration; refusals are told on the page."""
    browser, member = world.client(Role.ADMINISTRATOR), world.accounts[Role.TEACHER]
    def post(name: str, given: dict[str, str], pk: int = member.pk) -> str:
        return _text(browser.post(reverse(name, args=[pk]), given, follow=True))

    assert "trop court" in post("comptes-mot-de-passe", {"password": "court"})
    assert "Mot de passe provisoire enregistré" in post("comptes-mot-de-passe", {"password": PASSWORD})
    signing = {"username": member.username, "password": PASSWORD}
    assert world.client(None).post(reverse("connexion"), signing).status_code == 302
    assert "Rouvrir ce compte" in post("comptes-acces", {"acte": "fermer"})
    assert world.client(None).post(reverse("connexion"), signing).status_code == 200
    assert "Compte rouvert" in post("comptes-acces", {"acte": "rouvrir"})
    own = world.accounts[Role.ADMINISTRATOR].pk
    assert "propre compte" in post("comptes-acces", {"acte": "fermer"}, own)
