"""Each role signs in, finds what awaits it, does its job, and sees nothing outside its scope."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import openpyxl
import pytest
from python_calamine import load_workbook

from journeys.people import AUTHORITY, LEAD, Visitor, accept, withdraw
from journeys.test_hands_and_eyes import DESK, OVERFLOWS, PHONE
from journeys.workbooks import deliveries, messy

DIRECTOR = "direction.ecole"
EVERYONE = ("pilotage.national", LEAD, AUTHORITY, DIRECTOR, "evaluation", "audit", "administration")


def _school_of(site, account: str) -> tuple[str, str, str]:
    scope = site.ask(
        "SELECT scope FROM foundation_mandate m JOIN foundation_account a ON a.id = m.account_id WHERE a.username = ?", account
    )[0][0]
    return site.ask("SELECT uai, name, commune_name FROM territories_establishment WHERE uai = ?", scope.rsplit("/", 1)[-1])[0]


def _owner(site, uai: str) -> str:
    return site.ask("SELECT owner_code FROM territories_establishment WHERE uai = ?", uai)[0][0]


@pytest.mark.parametrize("account", EVERYONE)
def test_each_role_signs_in_and_every_door_it_is_shown_opens(visit, account):
    """From the home page: what awaits, places and jobs all lead somewhere; the menu too; nothing sticks out, on a telephone nor on
    the same page made as wide as a desk."""
    person = visit(account, width=PHONE, height=800)
    page = person.go("/")
    assert page.inner_text("h1").strip() and page.locator("text=Ce qui vous attend").count() == 1
    links = {item.get_attribute("href") for item in page.locator("main section a, main .fr-btns-group a, main p a, #menu .fr-nav__link").all()}
    assert len(links) >= 8
    for path in sorted(link for link in links if link and link.startswith("/")):
        answer = page.goto(person.site.address + path)
        assert answer.status == 200, (account, path)
        for width in (PHONE, DESK):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(OVERFLOWS) <= 0, (account, path, width)
        page.set_viewport_size({"width": PHONE, "height": 800})


def test_a_director_confirms_in_two_taps_on_a_telephone(visit, site):
    """A delivery is announced; from the home page, one tap shows it, a second confirms it. Asked again, nothing counts twice."""
    uai, name, commune = _school_of(site, DIRECTOR)
    lead = visit(LEAD)
    lead.go("/depots/nouveau/")
    lead.page.select_option("select[name=contract]", "equipment.deliveries")
    lead.page.fill("input[name=sender]", _owner(site, uai))
    row = [uai, name, commune, "tablette", 3, "12/03/2026", "16/03/2026", "R1", None]
    content = messy("Livraison annoncée", [row])
    lead.page.set_input_files("input[type=file]", {"name": "annonce.xlsx", "mimeType": "application/octet-stream", "buffer": content})
    lead.page.click("text=Envoyer et vérifier")
    lead.page.wait_for_selector("#resultat")
    path = lead.page.url.removeprefix(site.address)
    accept(lead)

    director = visit(DIRECTOR, width=360, height=640, has_touch=True)
    page = director.go("/")
    waiting = int(re.search(r"(\d+) livraisons? à confirmer", page.inner_text("main"))[1])
    page.tap("a:has-text('à confirmer')")
    page.wait_for_selector("article:has-text('bon R1')")
    page.locator("article:has-text('bon R1') button").tap()
    page.wait_for_selector("text=Réception de 3 appareils enregistrée")
    assert page.locator("article:has-text('bon R1')").count() == 0
    text = director.go("/").inner_text("main")
    assert (f"{waiting - 1} livraison" in text) if waiting > 1 else ("à confirmer" not in text)
    lead.go(path)
    withdraw(lead)


def test_nobody_reads_past_their_scope(visit, site):
    """A director opens another school's sheet: the public part only. An authority and a director guess the number of somebody
    else's deposit, contradiction and origin: not found."""
    uai = _school_of(site, DIRECTOR)[0]
    other = next(item for item in site.schools if item.uai != uai)
    foreign = site.ask("SELECT id, number FROM foundation_submission WHERE sender != ? AND contract LIKE 'equipment.%' AND state = 'accepted'", site.sender)
    director = visit(DIRECTOR)
    assert "réservé à celles et ceux" in director.go(f"/etablissements/{other.uai}/").inner_text("main")
    for person in (director, visit(AUTHORITY)):
        for identifier, number in foreign[:2]:
            for path in (f"/depots/{identifier}/", f"/depots/{identifier}/fichier/", f"/origine/{number}/2/?feuille=Feuil1"):
                assert person.page.goto(site.address + path).status == 404, path
        person.complaints = [text for text in person.complaints if "404" not in text]


def test_two_people_take_the_same_contradiction(visit, site):
    """Both have it on screen; the first takes it; the second, who presses the same button, is told, and nothing is overwritten."""
    lead, other = visit(LEAD), visit("administration")
    (pk,) = site.ask("SELECT id FROM equipment_contradiction WHERE status = 'open' AND departement = '02' ORDER BY id")[0]
    for person in (lead, other):
        person.go(f"/equipement/contradictions/{pk}/")
    lead.page.click("button:has-text(\"Je m'en occupe\")")
    lead.page.wait_for_selector("text=suivie par")
    other.page.click("button:has-text(\"Je m'en occupe\")")
    other.page.wait_for_selector(".fr-alert--error, .fr-alert--warning")
    owner = site.ask("SELECT username FROM equipment_contradiction c JOIN foundation_account a ON a.id = c.owner_id WHERE c.id = ?", pk)
    assert owner == [(LEAD,)]
    lead.go(f"/equipement/contradictions/{pk}/")
    lead.page.click("text=Je ne m'en occupe plus")
    lead.page.wait_for_selector("text=personne ne la suit")
    other.complaints = [text for text in other.complaints if "409" not in text]


def test_two_people_end_the_same_mandate(visit, site):
    """Two administrators have the same account on screen; the first ends its mandate, to give another; the second, who presses the
    same button, is told what it has become: its date stays, the mandate given meanwhile too, and one act is in the journal."""
    first = visit("administration")
    (other_pk,) = site.ask("SELECT id FROM foundation_account WHERE username = 'pilotage.national'")[0]
    (pk,) = site.ask("SELECT id FROM foundation_account WHERE username = 'audit'")[0]
    _give(first, other_pk, "administrator")
    second = visit("pilotage.national")
    for person in (first, second):
        person.go(f"/comptes/{pk}/")
    first.page.click("button:has-text('Terminer ce mandat')")
    first.page.wait_for_selector("text=Mandat terminé")
    _give(first, pk, "auditor")
    held = site.ask("SELECT id, ends_on FROM foundation_mandate WHERE account_id = ? ORDER BY id", pk)
    second.page.click("button:has-text('Terminer ce mandat')")
    second.page.wait_for_selector(".fr-alert--error:has-text('a changé depuis')")
    assert second.page.locator("text=terminé le").count() == 1 and second.page.locator("button:has-text('Terminer ce mandat')").count() == 1
    assert site.ask("SELECT id, ends_on FROM foundation_mandate WHERE account_id = ? ORDER BY id", pk) == held and [end for _, end in held][1:] == [None]
    acts = site.ask("SELECT count(*) FROM foundation_act WHERE name = 'end_mandate' AND object_id = ?", str(held[0][0]))
    assert acts == [(1,)]
    first.go(f"/comptes/{other_pk}/")
    first.page.locator("li:has-text('dministrat') button:has-text('Terminer ce mandat')").first.click()
    first.page.wait_for_selector("text=Mandat terminé")


def _give(person, pk: int, role: str) -> None:
    """A mandate over the whole country, from today."""
    page = person.go(f"/comptes/{pk}/")
    page.select_option("[name=role]", role)
    page.select_option("[name=level]", "national")
    page.click("button:has-text('Donner ce mandat')")
    page.wait_for_selector("text=Mandat donné")


def test_two_people_correct_the_same_rows(visit, site):
    """The same refused row repaired alike from two screens makes one correction, not two."""
    sender, lead = visit(AUTHORITY), visit(LEAD)
    path = sender.upload(deliveries(site.distinct, "DC", first=2, second=1), "à deux corriger.xlsx")
    for person in (sender, lead):
        page = person.go(f"{path}corrections/")
        page.fill("[name='0-uai']", site.distinct[1].uai)
        page.fill("[name='1-delivered_on']", "28/02/2026")
    for person in (sender, lead):
        person.page.click("text=Envoyer les corrections")
        person.page.wait_for_selector("#resultat")
    assert sender.page.url == lead.page.url
    assert site.ask("SELECT count(*) FROM foundation_submission WHERE corrects_id = ?", int(path.strip("/").split("/")[-1])) == [(1,)]


def test_a_worker_killed_in_the_middle_is_replaced_and_the_file_is_read(visit, site):
    """The worker dies while it reads a large file: another takes it up, the page that was left open shows the result, once."""
    sender = visit(AUTHORITY)
    lines = ["n° BL;UAI;Catégorie;Quantité livrée;Date de livraison;Commentaire"]
    lines += [f"K{n};{site.distinct[n % 5].uai};tablette;1;2026-03-10;{'remarque ' * 30}" for n in range(40_000)]
    page = sender.go("/depots/nouveau/")
    page.select_option("select[name=contract]", "equipment.deliveries")
    content = ("\n".join(lines) + "\n").encode()
    page.set_input_files("input[type=file]", {"name": "ouvrier tué.csv", "mimeType": "text/csv", "buffer": content})
    page.click("text=Envoyer et vérifier")
    page.wait_for_url(re.compile(r"/depots/\d+/$"))
    site.kill_worker()
    page.wait_for_selector("#resultat", timeout=180_000)
    found = site.ask("SELECT state, rows_read FROM foundation_submission WHERE filename = 'ouvrier tué.csv'")
    assert found == [("checked", 40_000)]


def _rows(form: str, content: bytes) -> list[list[str]]:
    if form == "csv":
        found: list[list[Any]] = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    elif form == "xlsx":
        found = [list(row) for row in openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)]
    else:
        found = [list(row) for row in load_workbook(io.BytesIO(content)).get_sheet_by_index(0).to_python()]
    return [[_plain(cell) for cell in row] for row in found]


def _plain(cell: Any) -> str:
    """A cell as text, whatever its format: dates as days, numbers without decimals when whole."""
    text = "" if cell is None else f"{cell:%d/%m/%Y}" if hasattr(cell, "year") else str(cell)
    text = re.sub(r"^(\d{4})-(\d{2})-(\d{2})$", r"\3/\2/\1", text)
    return re.sub(r"[.,]0$", "", text)


def test_the_three_exports_of_the_tracking_page_say_the_same(visit):
    """xlsx, csv and ods, each opened: as many lines as the page says, the same cells in each."""
    lead: Visitor = visit(LEAD)
    page = lead.go("/equipement/suivi/?etat=retard")
    shown = int(re.sub(r"\D", "", page.locator(".essaim-sums dd").first.inner_text()))
    tables = {form: _rows(form, lead.download(f"fichier {form}")[1]) for form in ("xlsx", "csv", "ods")}
    assert {form: len(rows) - 1 for form, rows in tables.items()} == dict.fromkeys(tables, shown)
    width = len(tables["csv"][0])
    filled = {form: [row[:width] + [""] * (width - len(row)) for row in rows] for form, rows in tables.items()}
    assert filled["xlsx"][0] == filled["csv"][0] == filled["ods"][0]
    assert [row[:6] for row in filled["xlsx"]] == [row[:6] for row in filled["csv"]] == [row[:6] for row in filled["ods"]]
