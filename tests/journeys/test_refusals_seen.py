"""Refusals as people meet them: a file too large, a password missed too often. Said once, clearly, with what to do, still at home."""

from __future__ import annotations

import re

import pytest

from journeys.people import AUTHORITY, PASSWORD, WAIT_MS

KIND = "equipment.deliveries"
ATTEMPTS = 8


def _huge(site):
    path = site.home / "énorme.csv"
    with path.open("wb") as target:
        target.truncate(102 * 2**20)
    return path


def _fits(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("width", [1280, 360])
def test_a_file_too_large_leads_to_a_page_that_helps(visit, site, width):
    """Sent whole, without a script: refused before it is read, by a page that still knows who reads it and leads back to the form."""
    sender, path = visit(AUTHORITY, width=width, java_script_enabled=False), _huge(site)
    page = sender.go("/depots/nouveau/")
    page.select_option("select[name=contract]", KIND)
    page.set_input_files("input[type=file]", path)
    page.click("text=Envoyer et vérifier", timeout=WAIT_MS)
    path.unlink()
    assert page.inner_text("h1") == "Fichier trop volumineux" and page.locator("text=Se déconnecter").count() == 1
    told = page.inner_text("main")
    assert "100 Mo" in told and "Rien n'a été enregistré" in told and "zip" in told
    page.click("main >> text=Revenir à l'envoi d'un fichier")
    assert page.inner_text("h1") == "Déposer un fichier"
    sender.complaints = [text for text in sender.complaints if "413" not in text]


def test_with_a_script_it_is_said_once_and_nothing_is_offered_in_vain(visit, site):
    """One sentence beside the file, read aloud too; no button to try again what would be refused again."""
    sender, path = visit(AUTHORITY, width=360), _huge(site)
    page = sender.go("/depots/nouveau/")
    page.select_option("select[name=contract]", KIND)
    page.set_input_files("input[type=file]", path)
    page.click("text=Envoyer et vérifier")
    page.wait_for_selector(".essaim-upload .is-blocking")
    path.unlink()
    assert page.locator("text=Réessayer maintenant").is_visible() is False and _fits(page)
    assert "dépasse 100\u00a0Mo\u00a0:" in page.inner_text(".essaim-upload")
    said = page.locator("[data-uploads-said]")
    assert "dépasse" in said.text_content() and "fr-sr-only" in said.get_attribute("class")


@pytest.mark.parametrize("width", [1280, 360])
def test_too_many_missed_passwords_say_until_when_and_what_to_do(visit, width):
    """The hour is told, and stays the same whatever is tried meanwhile; another account still signs in from there."""
    person = visit(width=width)
    seen = []
    for _ in range(ATTEMPTS + 1):
        page = person.go("/connexion/?next=/depots/")
        page.fill("input[name=username]", f"personne.{width}")
        page.fill("input[name=password]", "un mot de passe inexact")
        page.click("main button[type=submit]")
        page.wait_for_load_state()
        if "Trop d'essais" in page.inner_text("h1"):
            seen.append(re.search(r"jusqu'à (\d{2}\u00a0h\u00a0\d{2})", page.inner_text("main"))[1])
    assert len(seen) == 2 and seen[0] == seen[1] and _fits(page)
    assert page.inner_text("main").count(seen[0]) == 2 and "administration" in page.inner_text("main")
    assert page.get_attribute("main >> text=reconnectez-vous", "href") == "/connexion/?next=/depots/"
    person.complaints = [text for text in person.complaints if "429" not in text]
    page.click("main >> text=reconnectez-vous")
    page.fill("input[name=username]", AUTHORITY)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_selector("text=Se déconnecter", state="attached")
    assert page.inner_text("h1") == "Dépôts"
