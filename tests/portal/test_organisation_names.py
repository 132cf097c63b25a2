"""Senders are shown by their names; those that nobody knows are named by the administration, once for every page."""

from __future__ import annotations

from html import unescape

import pytest
from django.urls import reverse

from essaim.equipment.reads.naming import nameless, sender_names
from essaim.foundation import acts
from essaim.foundation.models import Role
from portal_world import AISNE_SCHOOLS, built, deliveries, hand_in, world  # noqa: F401

STRANGER = "252100011"


@pytest.fixture
def stranger(world):  # noqa: F811
    """A submission of a sender that no register knows."""
    return hand_in(deliveries(AISNE_SCHOOLS, "inconnu"), "inconnu.csv", STRANGER, world.admin)


def _text(answer) -> str:
    return unescape(answer.content.decode()).replace("\u00a0", " ").replace("\u202f", " ")


def test_an_unnamed_sender_is_named_once_for_every_page(world, stranger):  # noqa: F811
    """Said to be without a name on its submission, in the list and in the journal; named from the link, then called so everywhere."""
    browser = world.client(Role.ADMINISTRATOR)
    pages = [reverse("depots"), reverse("depot", args=[stranger.pk]), reverse("journal")]
    for page in pages:
        assert f"Organisme sans nom (SIREN {STRANGER})" in _text(browser.get(page))
    naming = f"{reverse('organismes')}?siren={STRANGER}"
    assert naming in browser.get(pages[1]).content.decode()
    form = _text(browser.get(naming))
    assert f'value="{STRANGER}"' in form and "Lui donner un nom" in form and [item.siren for item in nameless(world.admin)] == [STRANGER]
    told = browser.post(reverse("organismes"), {"siren": STRANGER, "name": "Syndicat de la Vallée", "kind": "syndicat"}, follow=True)
    assert "« Syndicat de la Vallée »" in _text(told) and "Changer ce nom" in _text(told)
    assert "1 nom donné par l'administration" in _text(told) and "Noms donnés</h2>" not in told.content.decode()  # one heading, not two
    for page in (*pages, f"{pages[0]}?q=syndicat+de+la+vallee"):
        text = _text(browser.get(page))
        assert f"Syndicat de la Vallée (SIREN {STRANGER})" in text and f"Organisme sans nom (SIREN {STRANGER})" not in text
    assert naming not in browser.get(pages[1]).content.decode()
    assert "Aucun dépôt ne correspond" in _text(browser.get(f"{pages[0]}?q=syndicat+du+plateau"))


def test_what_is_wrong_is_told_beside_the_form(world):  # noqa: F811
    """A number that is no SIREN names nothing."""
    answer = world.client(Role.ADMINISTRATOR).post(reverse("organismes"), {"siren": "123", "name": "Syndicat"})
    assert answer.status_code == 400 and "n'est pas un SIREN" in _text(answer)


@pytest.mark.parametrize("role", [item for item in Role.values if item not in (Role.ADMINISTRATOR, Role.NATIONAL)] + ["nobody", None])
def test_nobody_else_knows_of_the_page(world, stranger, role):  # noqa: F811
    """Neither the page nor the link to it, and nothing is named."""
    browser = world.client(role)
    assert browser.get(reverse("organismes")).status_code == 404
    assert browser.post(reverse("organismes"), {"siren": STRANGER, "name": "Syndicat"}).status_code == 404
    assert reverse("organismes") not in browser.get(reverse("depot", args=[stranger.pk])).content.decode()
    assert "sans nom" in sender_names([STRANGER])[STRANGER]


def test_a_buyer_is_known_by_the_contracts_it_publishes(world):  # noqa: F811
    """The name that a buyer writes in its public contracts is better than none; the one that an administrator gives is better still."""
    content = f"id;acheteur.id;acheteur.nom;objet;montant;dateNotification\n1;{STRANGER}00011;SIVOS DE LA VALLEE;Tablettes;1000;2024-01-03\n"
    found = acts.receive(content=content.encode(), filename="decp.csv", contract="equipment.public_contracts", sender=STRANGER, by=world.admin)
    acts.check(submission=found, by=world.admin)
    acts.accept(submission=found, by=world.admin)
    assert sender_names([STRANGER]) == {STRANGER: "SIVOS DE LA VALLEE"}
    world.client(Role.ADMINISTRATOR).post(reverse("organismes"), {"siren": STRANGER, "name": "Syndicat de la Vallée"})
    assert sender_names([STRANGER]) == {STRANGER: "Syndicat de la Vallée"}
