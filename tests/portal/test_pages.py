"""Every page: its status, how many queries it makes, what strange addresses get, what a name full of markup becomes."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from essaim.portal import guide
from essaim.portal.paging import page_number
from essaim.portal.reads import places
from essaim.portal.reads.sheets import asked
from portal_world import AISNE_SCHOOLS, AISNE_SENDER, built, deliveries, hand_in, world

__all__ = ["built", "world"]

SCHOOL = AISNE_SCHOOLS[0]
FIGURE = "/chiffres/departement/02/equipment.devices_delivered/"

# Address → most queries that it may make for a person signed in, whatever is in the installation.
PUBLIC = {
    "/": 14, "/territoires/02/": 14, "/territoires/02/etablissements/": 12, f"/etablissements/{SCHOOL}/": 15, "/indicateurs/": 4,
    FIGURE: 12, f"{FIGURE}?par=category": 14, "/chiffres/national/FR/equipment.late_orders/": 12,
    "/chiffres/territory/02/equipment.late_orders/": 12, "/chiffres/commune/02408/equipment.late_orders/": 12,
    f"/chiffres/establishment/{SCHOOL}/equipment.late_orders/": 12, "/recherche/?q=laon": 8, "/contrats/": 4,
    "/contrats/equipment.deliveries/": 4, "/contrats/equipment.deliveries/schema.json": 4, "/contrats/equipment.deliveries/modele.xlsx": 4,
    "/aide/": 4, "/aide/deposer/": 4, "/accessibilite/": 4, "/mentions-legales/": 4, "/donnees-ouvertes/": 6, "/connexion/": 4,
}  # fmt: skip
SIGNED = {
    "/etablissements/": 14, "/depots/": 10, "/depots/nouveau/": 8, "/equipement/suivi/": 14, "/equipement/contradictions/": 20, "/reception/": 8,
    f"{FIGURE}etablissements/": 14, f"{FIGURE}origine/?periode=2026-03": 14, "/origine/{number}/2/?feuille=temoin-de-l-aisne": 8,
}  # fmt: skip


def _queries(browser: Client, address: str) -> tuple[int, int]:
    with CaptureQueriesContext(connection) as made:
        status = browser.get(address).status_code
    return status, len(made)


def test_public_pages_answer_everybody_in_few_queries(world):
    """Each public page answers 200 to a passer-by and to the steering, and never asks the database row by row."""
    wrong = []
    for role in (None, "national_steering"):
        browser = world.client(role)
        for address, most in PUBLIC.items():
            status, made = _queries(browser, address)
            expected = 302 if address == "/connexion/" and role else 200
            if status != expected or made > most:
                wrong.append((role, address, status, made))
    assert not wrong


def test_private_pages_send_a_passer_by_to_the_sign_in_and_answer_members(world):
    """A page of work asks to sign in (or hides); signed in, it answers in few queries."""
    passer_by, member, wrong = world.client(None), world.client("national_steering"), []
    for address, most in SIGNED.items():
        address = address.format(number=world.aisne.number)
        away = passer_by.get(address)
        if away.status_code not in (302, 404) or (away.status_code == 302 and not away.url.startswith("/connexion/?next=")):
            wrong.append(("passer-by", address, away.status_code))
        status, made = _queries(member, address)
        if status != 200 or made > most:
            wrong.append(("member", address, status, made))
    assert not wrong


def test_queries_do_not_grow_with_what_is_held(world):
    """Ten submissions more, not one query more on the list, nor on the page of a submission."""
    browser = world.client("national_steering")
    pages = ("/depots/", f"/depots/{world.aisne.pk}/", f"/depots/{world.waiting.pk}/")
    for page in pages:
        browser.get(page)
    before = [_queries(browser, page) for page in pages]
    for n in range(10):
        hand_in(deliveries(AISNE_SCHOOLS, f"lot-{n}"), f"lot-{n}.csv", AISNE_SENDER, world.admin, accepted=False)
    assert [_queries(browser, page) for page in pages] == before


STRANGE = (
    "/territoires/02/?periode=abc", "/territoires/02/?periode=0001-01", "/territoires/02/?periode=9999-12", "/territoires/02/?periode=2026-13",
    "/territoires/02/?periode=%F0%9F%90%9D", "/territoires/02/?connu=31/02/2026", "/territoires/02/?connu=0001-01-01", "/territoires/02/?connu=demain",
    f"/etablissements/{SCHOOL}/?periode=9999-12", f"/etablissements/{SCHOOL.lower()}/", f"{FIGURE}?par=xxx", f"{FIGURE}?periode=0001-01",
    f"{FIGURE}etablissements/?page=abc&tri=zz&format=zz", f"{FIGURE}origine/?page=-1&partie=zz&par=zz&groupe=yy", f"{FIGURE}origine/?par=category&groupe=zz",
    "/territoires/02/etablissements/?page=-1", "/territoires/02/etablissements/?page=" + "9" * 30, "/territoires/02/etablissements/?q=%00&type=%00",
    "/recherche/?q=%00", "/recherche/?q=" + "a" * 3000, "/depots/?page=-1&etat=zz&contrat=zz&q=%00", "/depots/nouveau/?contrat=zz",
    "/depots/{pk}/remarques/?page=abc", "/depots/{pk}/remarques/?page=" + "9" * 30, "/depots/{pk}/remarques/?page=0&severity=zz&code=zz&field=zz",
    "/depots/{pk}/corrections/?page=abc", "/depots/{pk}/corrections/?page=-1", "/depots/{pk}/corrections/?page=" + "9" * 20,
    "/equipement/suivi/?page=-1&periode=abc&connu=31/02/2026&tri=zz", "/equipement/contradictions/?page=-1&etat=zz&nature=zz", "/reception/?bon=zz",
)  # fmt: skip


def test_strange_addresses_still_get_a_page(world):
    """Whatever is written after the question mark, a page answers."""
    browser = world.client("national_steering")
    browser.raise_request_exception = False
    answers = {address: browser.get(address.format(pk=world.waiting.pk)).status_code for address in STRANGE}
    assert {address: status for address, status in answers.items() if status != 200} == {}


UNKNOWN = (
    "/territoires/zz/", "/territoires/75/", "/territoires/zz/etablissements/", "/etablissements/zzz/", "/etablissements/9999999Z/",
    "/chiffres/departement/zz/equipment.late_orders/", "/chiffres/national/zz/equipment.late_orders/", "/chiffres/commune/zz/equipment.late_orders/",
    "/chiffres/territory/75/equipment.late_orders/", "/chiffres/establishment/zz/equipment.late_orders/", "/chiffres/zz/02/equipment.late_orders/",
    "/chiffres/departement/02/zz/", "/chiffres/departement/zz/equipment.late_orders/origine/", "/depots/99999/", "/depots/99999999999999999999/",
    "/origine/1/2/?feuille=zz", "/origine/1/99999999999999999999/?feuille=temoin-de-l-aisne", "/origine/99999999999999999999/2/", "/contrats/zz/",
    "/aide/zz/", "/equipement/contradictions/99999/", "/reception/0020011B/?bon=zz", "/nimporte/quoi/",
)  # fmt: skip


def test_what_does_not_exist_gets_the_french_404(world):
    """Unknown school, territory, indicator, unit or page: our own page, in French, with a way on."""
    browser = world.client("national_steering")
    browser.raise_request_exception = False
    wrong = []
    for address in UNKNOWN:
        answer = browser.get(address)
        if answer.status_code != 404 or "Cette page n'existe pas" not in answer.content.decode() or "Revenir à l'accueil" not in answer.content.decode():
            wrong.append((address, answer.status_code))
    assert not wrong


def test_a_failure_of_ours_is_told_in_plain_french(world, monkeypatch):
    """500: our page, without the trace; and when no page can be made at all, a sentence."""
    from essaim.portal.views import pages

    browser = world.client(None)
    browser.raise_request_exception = False
    monkeypatch.setattr(pages, "guide_page", lambda name: 1 / 0)
    answer = browser.get("/aide/")
    text = answer.content.decode()
    assert answer.status_code == 500 and "Une erreur est survenue de notre côté" in text and "ZeroDivisionError" not in text
    monkeypatch.setattr(pages, "render", lambda *args, **named: 1 / 0)
    answer = browser.get("/aide/")
    assert answer.status_code == 500 and "Une erreur est survenue de notre côté" in answer.content.decode()


def test_a_stale_form_is_explained(world):
    """A form without its token is refused with an explanation, and does nothing."""
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(world.accounts["authority_contributor"], backend="django.contrib.auth.backends.ModelBackend")
    answer = browser.post(f"/depots/{world.aisne.pk}/retirer/", {"reason": "essai"})
    world.aisne.refresh_from_db()
    assert answer.status_code == 403 and "Rien n'a été enregistré" in answer.content.decode() and world.aisne.state == "accepted"


MARKUP = '<img src=x onerror=alert(1)>"\'{{7*7}}.csv'


def test_markup_in_names_and_cells_stays_text(world):
    """A file named with markup, holding markup, is shown as written on every page where its name or its cells appear."""
    content = deliveries(AISNE_SCHOOLS, "<script>alert(2)</script>") + f"BL-X;{SCHOOL};<svg onload=alert(3)>;beaucoup;pas une date;</td>\n".encode()
    made = hand_in(content, MARKUP, AISNE_SENDER, world.admin)
    browser = world.client("national_steering")
    pages = (
        "/depots/", f"/depots/{made.pk}/", f"/depots/{made.pk}/remarques/", f"/depots/{made.pk}/corrections/", "/depots/?q=%3Cscript%3E",
        f"/origine/{made.number}/2/?feuille={made.report['tables'][0]['sheet']}", f"{FIGURE}origine/?periode=2026-03", f"/etablissements/{SCHOOL}/",
        "/recherche/?q=%3Cscript%3Ealert(4)%3C/script%3E", "/territoires/02/?periode=%3Cscript%3E", "/territoires/02/?connu=%3Cscript%3E",
    )  # fmt: skip
    shown = 0
    for page in pages:
        text = browser.get(page).content.decode()
        assert "<img src=x" not in text and "<script>" not in text.replace("<script>\n", "") and "<svg onload" not in text, page
        assert "49.csv" not in text
        shown += "&lt;img src=x" in text or "&lt;script&gt;" in text or "&lt;svg" in text
    assert shown >= 7
    for address in (f"/depots/{made.pk}/fichier/", f"/depots/{made.pk}/classeur-annote/"):
        answer = browser.get(address)
        assert answer.headers["Content-Disposition"].startswith("attachment") and "\n" not in answer.headers["Content-Disposition"]


@pytest.mark.parametrize(("text", "page"), [(None, 1), ("", 1), ("3", 3), ("-1", 1), ("0", 1), ("abc", 1), ("²", 1), ("9" * 30, 1), ("999999999", 1_000_000)])
def test_page_numbers(text, page):
    """Any text gives a page that exists or could."""
    assert page_number(text) == page


@pytest.mark.parametrize(
    ("query", "period", "known", "says"),
    [
        ({"periode": "2026-03", "connu": "2026-03-31"}, "2026-03", "2026-03-31", ""),
        ({"periode": "2026-03", "connu": "31/03/2026"}, "2026-03", "2026-03-31", ""),
        ({"periode": "2026-03", "connu": "1/4/2026"}, "2026-03", "2026-04-01", ""),
        ({"periode": "2026-13"}, None, None, "2026-13"),
        ({"periode": "0001-01"}, None, None, "0001-01"),
        ({"periode": "2026-03", "connu": "31/02/2026"}, "2026-03", None, "31/02/2026"),
        ({"periode": "2026-03", "connu": "0001-01-01"}, "2026-03", None, "0001-01-01"),
    ],
)
def test_what_a_page_of_figures_is_asked(query, period, known, says):
    """Months and days as browsers send them or as people type them; nonsense is told, and today shown instead."""
    wanted, remark = asked(query)
    assert period in (None, wanted.period) and (wanted.known_at.isoformat() if wanted.known_at else None) == known
    assert says in remark and bool(says) == bool(remark)


def test_an_installation_writes_its_own_legal_page(client, settings, tmp_path):
    """Its page instead of ours, text only; the others stay; a name that is no page of the guide opens nothing."""
    (tmp_path / "mentions-legales.md").write_text("# Mentions légales\n\nÉditée par l'académie d'Amiens. <b>gras</b>\n")
    (tmp_path / "secret.md").write_text("# secret\n")
    settings.ESSAIM_GUIDE_DIR = str(tmp_path)
    for kept in (guide.guide_page, guide.guide_pages):
        kept.cache_clear()
    text = client.get("/mentions-legales/").content.decode()
    assert "Éditée par l&#x27;académie d&#x27;Amiens" in text or "Éditée par l'académie d'Amiens" in text
    assert "<b>gras</b>" not in text and client.get("/aide/secret/").status_code == 404
    assert "Déclaration" in client.get("/accessibilite/").content.decode()
    for kept in (guide.guide_page, guide.guide_pages):
        kept.cache_clear()


def test_the_twelve_territories_too_are_shown_as_known_on_a_day(client, world, monkeypatch):
    """The home page is a page of figures: month and day of knowledge are chosen, kept in its links, and told when they make no sense."""
    asked_of_figures = []
    monkeypatch.setattr(places, "figure_rows", lambda _codes, **wanted: asked_of_figures.append(wanted) or [])
    places._programme.cache_clear()
    text = client.get("/?periode=2026-03&connu=2020-01-01").content.decode()
    client.get("/?periode=2026-03")
    places._programme.cache_clear()
    assert [(item["period"], item["known_at"]) for item in asked_of_figures] == [("2026-03", date(2020, 1, 1)), ("2026-03", None)]
    assert 'name="connu" value="2020-01-01"' in text and "1 janvier 2020" in text and "?periode=2026-03&amp;connu=2020-01-01" in text
    assert "n'existe pas" in client.get("/?periode=abc").content.decode().replace("&#x27;", "'")


def test_each_figure_of_the_home_page_leads_to_its_own_page(client, world):
    """From the first page one click goes to the figure: its definition, its coverage, and below the sender's cell; the month asked is kept."""
    text = client.get("/?periode=2026-03").content.decode()
    links = re.findall(r'href="(/chiffres/departement/[^"]+)"', text)
    assert links and all(link.endswith("?periode=2026-03") for link in links)
    assert {client.get(link).status_code for link in links[:3]} == {200}


def test_every_column_of_a_contract_says_what_is_written_in_it(client, world):
    """No empty cell under « Ce qu'on y écrit »: a date is written like this, yes or no, a whole number; technical names are for programs."""
    page = client.get("/contrats/equipment.deliveries/").content.decode()
    written = re.findall(r'<td class="essaim-whole">(.*?)</td>', page, re.DOTALL)
    assert len(written) > 10 and all(text.strip() for text in written)
    assert "Une date, par exemple 31/08/2021" in page and "Oui ou non" in page and "Un nombre entier (unités)" in page
    assert "equipment.deliveries" not in page.partition("<caption>")[2].partition("</caption>")[0]
