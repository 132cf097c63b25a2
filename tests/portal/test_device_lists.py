"""A file of one line a device through the pages: understood, accepted, and a figure followed down to every line it counts."""

from __future__ import annotations

import re
from urllib.parse import quote

from django.urls import reverse

from essaim.evaluation.reads import trace
from essaim.evaluation.reads.lineage import described_entries, told_lines
from essaim.foundation import acts
from essaim.foundation.models import Role, Submission
from essaim.portal.templatetags.essaim import changed, keyof, said
from portal_world import AISNE_SCHOOLS, AISNE_SENDER, built, world  # noqa: F401

SCHOOL, OTHER = AISNE_SCHOOLS[:2]
HEADERS = "Nom;Numéro de série;Modèle;Type;UAI;Utilisateur;Date de livraison"


def _lines(*schools: str, start: int = 1) -> bytes:
    rows = [f"TAB-{n};XYZ{n:04d};iPad 9;Tablette;{school};DURAND Marie;14/05/2026" for n, school in enumerate(schools, start)]
    return "\n".join([HEADERS, *rows]).encode()


def _received(world, content: bytes, contract: str = "equipment.deliveries", name: str = "parc.csv"):  # noqa: F811
    by = world.accounts[Role.AUTHORITY]
    found = acts.receive(content=content, filename=name, contract=contract, sender=AISNE_SENDER, by=by)
    return acts.check(submission=found, by=by), by


def test_a_figure_leads_to_every_line_that_it_counts(world):  # noqa: F811
    """Trace, page of the entries, page of the sender's line: the same lines, and no name anywhere."""
    found, by = _received(world, _lines(SCHOOL, SCHOOL, OTHER, SCHOOL))
    acts.accept(submission=found, by=by)
    entries = trace("equipment.devices_delivered", level="establishment", unit=SCHOOL, period="2026-05")
    (entry,) = [item for item in described_entries(entries) if item["file"] == "parc.csv"]
    assert (entry["row"], entry["cell"], entry["lines"], entry["values"]["quantity"]) == (2, "B2", "2, 3, 5", 3)
    client = world.client(Role.NATIONAL)
    pages = [
        reverse("origine", args=[found.number, 2]) + f"?feuille={quote('parc')}",
        reverse("depot-ecritures", args=[found.pk]),
        reverse("chiffre-trace", args=["establishment", SCHOOL, "equipment.devices_delivered"]) + "?periode=2026-05",
    ]
    for page in pages:
        told = client.get(page).content.decode()
        assert "2, 3, 5" in told and "DURAND" not in told and "XYZ0001" not in told, page


def test_lines_added_up_are_not_told_as_repeated_nor_corrected_one_by_one(world):  # noqa: F811
    """A line corrected alone would replace the sum of its school: the file is handed in again."""
    again = b"\nTAB-8;XYZ0001;iPad 9;Tablette;%s;DURAND Marie;14/05/2026" % SCHOOL.encode()
    twice, _by = _received(world, _lines(SCHOOL, SCHOOL) + again, name="parc-double.csv")
    told = world.client(Role.AUTHORITY).get(reverse("depot", args=[twice.pk])).content.decode()
    assert "Lignes additionnées" in told and "Lignes répétées, comptées une fois</h3><p class=\"essaim-value\">1<" in told
    found, by = _received(world, _lines(SCHOOL, SCHOOL, "0029999Z"))
    told = world.client(Role.AUTHORITY).get(reverse("depot", args=[found.pk])).content.decode()
    assert "Lignes additionnées" in told and "Lignes répétées" not in told and reverse("depot-corrections", args=[found.pk]) not in told
    acts.accept(submission=found, by=by)
    line = {"source_sheet": "parc", "source_row": 4, "uai": SCHOOL, "category": "tablette", "quantity": "1", "delivered_on": "14/05/2026"}
    try:
        acts.correct_rows(submission=found, rows=[line], by=by)
    except acts.ActRefused as refusal:
        assert "de nouveau en entier" in str(refusal)
    else:
        raise AssertionError("a line of a sum was corrected alone")


def test_the_date_of_an_inventory_is_asked_as_a_date_and_asked_again_next_year(world):  # noqa: F811
    """An export without date: the page says what is missing and offers a date to fill in; the answer holds for this file only."""
    content = _lines(SCHOOL, SCHOOL).replace(b"Date de livraison", b"Date de mise en service")
    found, _by = _received(world, content, "equipment.inventory")
    client = world.client(Role.AUTHORITY)
    page = client.get(reverse("depot", args=[found.pk])).content.decode()
    (question,) = found.report["questions"]
    assert f'type="date" id="q1libre" name="libre-{question["id"]}"' in page
    assert "Il manque une information à ce fichier" in page and "Répondez ci-dessous, ou corrigez-le" in page and "pas pu être compris" not in page
    client.post(reverse("depot-repondre", args=[found.pk]), {f"question-{question['id']}": "", f"libre-{question['id']}": "2026-06-30"})
    found = Submission.objects.get(pk=found.pk)
    assert (found.rows_accepted, found.rows_refused, found.report["questions"]) == (1, 0, [])
    later, _ = _received(world, _lines(SCHOOL, start=9).replace(b"Date de livraison", b"Date de mise en service"), "equipment.inventory", "parc-2027.csv")
    assert [item["id"] for item in later.report["questions"]] == [question["id"]]


def test_lines_are_told_in_spans():
    """Neighbours as a span, other sheets by their name."""
    assert told_lines([("A", 2), ("A", 3), ("A", 4), ("A", 9), ("A", 12), ("A", 11), ("B", 2)], "A") == "2 à 4, 9, 11, 12 ; feuille « B » : 2"
    assert told_lines([], "A") == ""


def test_a_second_list_of_the_same_day_says_what_it_replaces_before_it_is_accepted(world):  # noqa: F811
    """Two lists of one school, kind and day in two files are not added up: the page says how many devices take the place of how many,
    and what would have told them apart. Both lists in one file are added up, without a word."""
    first, by = _received(world, _lines(SCHOOL, SCHOOL, SCHOOL, SCHOOL, SCHOOL), name="batiment-a.csv")
    client = world.client(Role.AUTHORITY)
    assert "en remplacent" not in client.get(reverse("depot", args=[first.pk])).content.decode()
    acts.accept(submission=first, by=by)
    second, _by = _received(world, _lines(SCHOOL, SCHOOL, SCHOOL, start=6), name="batiment-b.csv")
    page = client.get(reverse("depot", args=[second.pk])).content.decode()
    assert "3 appareils en remplacent 5 déjà inscrits, sur 1 ligne" in page and "N° de livraison" in page.split("en remplacent")[1]
    assert '>5</td><td data-label="Après">3</td>' in page
    told = client.get(f"/api/v1/submissions/{second.pk}", headers=world.bearer(Role.AUTHORITY)).json()["replaced"]
    assert (told["rows"], told["before"], told["after"], told["unit"]) == (1, 5, 3, "appareils") and "N° de livraison" in told["message"]
    both, _by = _received(world, _lines(*[SCHOOL] * 8), name="deux-batiments.csv")
    assert "8 appareils en remplacent 5" in client.get(reverse("depot", args=[both.pk])).content.decode()
    apart, _by = _received(world, _lines(SCHOOL, start=6).replace(b"iPad 9", b"iPad 10"), name="autre-modele.csv")
    assert "en remplacent" not in client.get(reverse("depot", args=[apart.pk])).content.decode()


def test_what_would_change_is_said_in_words(world):  # noqa: F811
    """Before acceptance: the row by what a person calls it, the values before and after as French writes them."""
    heads, line = "n° BL;UAI;Catégorie;Quantité livrée;Date de livraison;Date d'installation;État", "B7;%s;tablette;%s;2026-05-14;%s;%s"
    first, by = _received(world, "\n".join([heads, line % (SCHOOL, 3, "2026-05-20", "neuf")]).encode(), name="un.csv")
    acts.accept(submission=first, by=by)
    second, _by = _received(world, "\n".join([heads, line % (SCHOOL, 1200, "2026-06-01", "reconditionné")]).encode(), name="deux.csv")
    told = world.client(Role.AUTHORITY).get(reverse("depot", args=[second.pk])).content.decode()
    table = told[told.index("Premières modifications") :].split("</table>")[0]
    rows = {row[1]: row for row in (re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line) for line in table.split("<tr>")[2:])}
    assert {row[0] for row in rows.values()} == {f"B7 · {SCHOOL} · Tablette · 14/05/2026"}
    assert {name: row[2:] for name, row in rows.items()} == {
        "Quantité livrée": ["3", "1\u202f200"], "Date d&#x27;installation": ["20/05/2026", "01/06/2026"],
        "Neuf ou reconditionné": ["Neuf", "Reconditionné"],
    }  # fmt: skip


def test_two_amounts_that_differ_are_not_shown_alike():
    """A changed number keeps every decimal it has; what is missing is a dash."""
    told = [changed(text, "unit_price_eur") for text in ("1234.50", "1234.6", "300.0", None)]
    assert told == ["1\u202f234,5", "1\u202f234,6", "300", "—"]


def test_a_year_is_no_quantity():
    """Without a space of thousands: in the key of a changed row, among what changed and in what an entry says."""
    assert keyof({"uai": "0020011B", "session": 2023, "column": "x", "old": "1", "new": "2"}) == "0020011B · 2023"
    assert changed("2021", "purchase_year") == "2021" and said({"purchase_year": 2021}).endswith(" : 2021")
