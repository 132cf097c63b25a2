"""The main job, end to end: a messy workbook becomes a figure, at any date, down to the sender's cell."""

from __future__ import annotations

import io

import openpyxl
import pytest

from journeys.people import (
    AUTHORITY,
    LABEL,
    LEAD,
    accept,
    number,
    on_territory,
    parts,
    withdraw,
    written,
    yesterday,
)
from journeys.workbooks import FIRST_ROW, SHEET, deliveries, repaired, unidentified


def remarks(page) -> str:
    return page.inner_text("table:has(caption:text('Remarques'))")


def test_from_a_messy_workbook_to_a_figure_and_back_to_the_cell(visit, site):
    """Upload, issues, annotated workbook, acceptance, the figure moved by the known amount, down to the cell, as known
    yesterday; then the repaired workbook; then both withdrawn, and the figure is what it was."""
    schools = site.distinct
    lead, sender, day = visit(LEAD), visit(AUTHORITY), yesterday()
    before, pupils = parts(lead)
    assert on_territory(lead) == written(before, pupils)

    deposit = sender.upload(deliveries(schools, "J1"), "livraisons printemps.xlsx")
    said = remarks(sender.page)
    assert schools[1].misspelt in said and schools[1].uai in said and "31/02/2026" in said and "répète à l'identique" in said
    figures = [number(text) for text in sender.page.locator("section[aria-labelledby=resultat] .essaim-value").all_inner_texts()]
    assert figures == [5, 2, 1, 2]
    assert parts(lead) == (before, pupils)  # nothing counts before the sender agrees

    name, content = sender.download("Télécharger mon classeur annoté")
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert name == "livraisons printemps - annoté.xlsx" and book.sheetnames == ["Anomalies", SHEET]
    faulty = book[SHEET].cell(FIRST_ROW + 2, 1)
    assert faulty.comment is not None and schools[1].uai in faulty.comment.text and faulty.fill.fill_type == "solid"
    assert book[SHEET]["A1"].font.bold and book[SHEET].cell(FIRST_ROW, 5).value == 120

    sender.go(deposit)
    assert LABEL in sender.page.inner_text("section[aria-labelledby=effet]")
    accept(sender)
    assert parts(lead) == (before + 200, pupils)
    assert on_territory(lead) == written(before + 200, pupils) != written(before, pupils)
    assert on_territory(lead, f"?connu={day}") == written(before, pupils)
    assert parts(lead, f"?connu={day}") == (before, pupils)
    _down_to_the_cell(lead, schools[0])

    again = sender.upload(repaired(content, schools), "livraisons printemps - annoté.xlsx")
    assert sender.page.locator("text=Aucune ligne de ce dépôt").count() == 0
    accept(sender)
    assert parts(lead) == (before + 200 + 500 + 700, pupils)

    for path, left in ((again, before + 200), (deposit, before)):
        sender.go(path)
        withdraw(sender)
        assert parts(lead) == (left, pupils)
    assert on_territory(lead) == written(before, pupils)


def _down_to_the_cell(lead, school) -> None:
    """From the territory page, by clicks only, to the sender's cells."""
    page = lead.go("/territoires/02/")
    page.click(f"a:text-is('{LABEL}')")
    page.click("text=D'où vient ce chiffre ?")
    page.click("a.fr-tag:text-is('Numérateur')")
    ours = page.locator("tbody tr", has_text="livraisons printemps.xlsx")
    while ours.count() == 0:
        page.click("a:text-is('Page suivante')")
    row = ours.filter(has_text=school.uai)
    assert "120" in row.inner_text()
    row.locator("a", has_text=f"ligne {FIRST_ROW}").click()
    page.wait_for_selector("h1:has-text('La ligne de l\\'expéditeur')")
    text = page.inner_text("main")
    assert "livraisons printemps.xlsx" in text and f"E{FIRST_ROW}" in text and f"G{FIRST_ROW}" in text
    cells = {line.split("\t")[0]: line for line in page.inner_text("table").splitlines()}
    assert "120" in cells[f"E{FIRST_ROW}"] and "Quantité livrée" in cells[f"E{FIRST_ROW}"] and "Qté" in cells[f"E{FIRST_ROW}"]
    assert school.uai in cells[f"A{FIRST_ROW}"]


def test_a_question_is_asked_answered_and_counts_for_the_right_school(visit, site):
    """Two schools share name and commune: the platform asks which, and takes the answer."""
    one, two = site.twins
    sender = visit(AUTHORITY)
    deposit = sender.upload(unidentified([one, *site.distinct[:3]], "Q1"), "sans identifiants.xlsx")
    question = sender.page.inner_text("section[aria-labelledby=questions]")
    assert one.name in question and one.uai in question + sender.page.content() and two.uai in sender.page.content()
    sender.page.check(f"input[type=radio][value='{two.uai}']", force=True)
    sender.page.click("text=Répondre et revérifier")
    sender.page.wait_for_selector("button:has-text('Accepter 4 lignes')")
    assert sender.page.locator("section[aria-labelledby=questions]").count() == 0
    accept(sender)
    posted = site.ask("SELECT number FROM foundation_submission WHERE id = ?", int(deposit.strip("/").split("/")[-1]))[0][0]
    page = sender.go(f"/origine/{posted}/2/?feuille={SHEET}")
    assert two.uai in page.inner_text("table") and one.uai not in page.inner_text("table")
    sender.go(deposit)
    withdraw(sender)


def test_refused_rows_are_repaired_on_screen(visit, site):
    """The two rows refused are corrected in the page, form a deposit of their own, and count."""
    schools, sender = site.distinct, visit(AUTHORITY)
    deposit = sender.upload(deliveries(schools, "J5", first=7, second=5), "à corriger.xlsx")
    accept(sender)
    sender.page.click("text=Les corriger ici")
    page = sender.page
    assert page.input_value("[name='0-uai']") == schools[1].misspelt
    page.fill("[name='0-uai']", schools[1].uai)
    page.fill("[name='1-delivered_on']", "28/02/2026")
    page.click("text=Envoyer les corrections")
    page.wait_for_selector("#resultat")
    correction = page.url.removeprefix(site.address)
    assert "corrige" in page.inner_text("main") and page.locator("button:has-text('Accepter 2 lignes')").count() == 1
    accept(sender)
    for path in (correction, deposit):
        sender.go(path)
        withdraw(sender)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("vide.xlsx", b"", "vide"),
        ("livraisons.xlsx", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n%%EOF\n", "PDF"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_plain_words(visit, name, content, says):
    """An empty file, a PDF under another name: the page says what it is and what to do."""
    sender = visit(AUTHORITY)
    sender.go("/depots/nouveau/")
    sender.page.select_option("select[name=contract]", "equipment.deliveries")
    sender.page.set_input_files("input[type=file]", {"name": name, "mimeType": "application/octet-stream", "buffer": content})
    sender.page.click("text=Envoyer et vérifier")
    sender.page.wait_for_selector(".fr-alert--error, .fr-error-text, .fr-messages-group .fr-message--error")
    assert says in sender.page.inner_text("main")
    sender.complaints = [text for text in sender.complaints if "400" not in text]  # the browser tells a refused form
