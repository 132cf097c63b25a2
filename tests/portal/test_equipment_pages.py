"""Pages of the equipment lever: what they show, to whom, in how many queries, and what they refuse."""

from __future__ import annotations

import copy
import io
import shutil
from datetime import date

import openpyxl
import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse

from equipment_site import FAR, OTHER, SCHOOL, delivery, hand_in, orders, people
from essaim.equipment import acts
from essaim.equipment.models import Contradiction, SavedView, Status
from essaim.equipment.reads import lines, reconciled
from essaim.equipment.reads.lines import lines_of_school
from essaim.foundation.models import Submission
from essaim.foundation.reads.facts import posting
from essaim.territories.models import Establishment
from portal_world import stores_in, undone

TRACKING, QUEUE, RECEPTION = "/equipement/suivi/", "/equipement/contradictions/", "/reception/"


@pytest.fixture(scope="module")
def handed_in(django_db_setup, django_db_blocker, tmp_path_factory):
    """A line completed late, one never delivered, one of another département and sender: made once, to be copied."""
    home = tmp_path_factory.mktemp("equipment")
    with django_db_blocker.unblock(), override_settings(**stores_in(home)), undone():
        found = people()
        first = orders(school_name="École Élise Récamier", commune_name="Laon", revised_on=date(2026, 3, 20), funding="tne", model="=HYPERLINK(1)")
        hand_in("orders", first, orders(uai=OTHER, ref="BC2", category="robot", quantity=4), by=found.admin, at=date(2026, 1, 10))
        hand_in("orders", orders(uai=FAR, ref="BC3"), by=found.admin, sender="219500014", at=date(2026, 1, 10))
        row = delivery(quantity=15, installed_on=date(2026, 4, 9), configured="oui")
        found.delivered = hand_in("deliveries", row, by=found.admin, at=date(2026, 4, 5))
        counted = {"uai": SCHOOL, "category": "tablette", "counted_on": date(2026, 6, 30), "quantity": "12", "in_use": "9"}
        hand_in("inventory", counted, by=found.admin)
        yield home, found


@pytest.fixture
def crew(handed_in, db, tmp_path):
    """Who is concerned, on stores of this test only and with nothing remembered of another."""
    home, found = handed_in
    shutil.copytree(home, tmp_path / "home")
    for held in (lines._by_departement, lines._by_scope):
        held.clear()
    lines._files.cache_clear()
    cache.clear()
    with override_settings(**stores_in(tmp_path / "home")):
        yield copy.deepcopy(found)


@pytest.fixture
def get(client, crew):
    """Text of a page as somebody sees it."""

    def page(address, who, status=200):
        client.force_login(who)
        answer = client.get(address)
        assert answer.status_code == status
        return answer.content.decode()

    return page


def test_a_line_is_followed_from_order_to_use(get, crew):
    """Ordered, delivered, installed, used; late against the planned and the revised date, shown apart."""
    text = get(TRACKING, crew.lead)
    assert "École Élise Récamier" in text and "BC1" in text
    assert "+32 j" in text  # 1 March → 2 April
    assert "+13 j" in text  # 20 March → 2 April
    assert "9<span" in text and "sur 12 au 06/2026" in text
    assert "Installé" in text
    number, row = crew.delivered.number, 2
    assert get(reverse("origine", args=[number, row]) + "?feuille=deliveries", crew.lead, 404) is not None


def test_each_reader_sees_lines_of_its_scope_only(get, crew):
    """Territory, sender, school, country; nobody sees nothing."""
    seen = {name: {ref for ref in ("BC1", "BC2", "BC3") if f">{ref}<" in get(TRACKING, who) or f"{ref} " in get(TRACKING, who)}
            for name, who in vars(crew).items() if name in ("lead", "authority", "director", "stranger", "auditor", "nobody")}  # fmt: skip
    assert seen == {
        "lead": {"BC1", "BC2"}, "authority": {"BC1", "BC2"}, "director": {"BC1"}, "stranger": {"BC3"}, "auditor": {"BC1", "BC2", "BC3"},
        "nobody": set(),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "refs"),
    [
        ("q=elise+recamier", {"BC1"}), ("q=ROBOT", {"BC2"}), ("commune=laon", {"BC1"}), ("categorie=robot", {"BC2"}),
        ("expediteur=217500016", {"BC1", "BC2"}), ("financement=tne", {"BC1"}), ("departement=95", {"BC3"}), ("etat=installe", {"BC1"}),
        ("etat=commande", {"BC2", "BC3"}), ("etat=retard", {"BC2", "BC3"}), ("retard=prevu", {"BC2", "BC3"}),
        ("retard=revise&departement=02", {"BC2"}), ("q=introuvable", set()), ("tri=nimporte&q=bc1", {"BC1"}), ("page=99999", {"BC1", "BC2", "BC3"}),
        ("q=%00", {"BC1", "BC2", "BC3"}),
    ],
)  # fmt: skip
def test_filters_keep_what_they_say(get, crew, query, refs):
    """Accents and case ignored; what makes no sense narrows nothing and breaks nothing."""
    text = get(f"{TRACKING}suivi.csv?{query}", crew.auditor)
    assert {ref for ref in ("BC1", "BC2", "BC3") if f";{ref};" in text} == refs
    get(f"{TRACKING}?{query}", crew.auditor)


def test_every_column_sorts_both_ways(get, crew):
    """The order of the file is the order of the page."""
    from essaim.equipment.reads.lists import SORTS

    for name in SORTS:
        for sign in ("", "-"):
            assert get(f"{TRACKING}suivi.csv?tri={sign}{name}", crew.auditor).count("\n") == 4
    up = get(f"{TRACKING}suivi.csv?tri=commande", crew.auditor)
    down = get(f"{TRACKING}suivi.csv?tri=-commande", crew.auditor)
    assert up.index("BC1") < up.index("BC3") and down.index("BC3") < down.index("BC1")


def test_as_known_on_a_day_before_the_delivery_file(get, crew):
    """On 1 April 2026 nothing was known to be delivered, and the line was late on both dates."""
    text = get(f"{TRACKING}suivi.csv?connu=2026-04-01&q=bc1", crew.lead)
    assert "Commandé, rien de livré" in text and ";31;12;" in text
    assert "Livré" not in text.split("\n")[1]
    assert "telle qu'on la connaissait" in get(f"{TRACKING}?connu=2026-04-01", crew.lead).replace("&#x27;", "'")
    assert "n'existe pas" in get(f"{TRACKING}?connu=2026-02-31", crew.lead).replace("&#x27;", "'")


def test_exports_hold_every_line_in_words_and_run_nothing(client, crew):
    """xlsx, csv and ods open, hold the same lines; a formula in a cell is text."""
    client.force_login(crew.lead)
    book = openpyxl.load_workbook(io.BytesIO(client.get(f"{TRACKING}suivi.xlsx").content))
    rows = list(book.active.iter_rows(values_only=True))
    named = dict(zip(rows[0], next(row for row in rows if "BC1" in row), strict=True))
    assert (named["Quantité commandée"], named["Quantité livrée"], named["Dont installés"]) == (12, 12, 12)
    assert (named["Retard sur la date prévue (jours)"], named["Retard sur la date révisée (jours)"]) == (32, 13)
    assert (named["Utilisés (inventaire de l'établissement)"], named["État"]) == (9, "Installé")
    assert not named["Modèle"].startswith("=") and "HYPERLINK" in named["Modèle"]
    assert len(rows) == 3
    ods = client.get(f"{TRACKING}suivi.ods")
    assert ods.content[:2] == b"PK" and 'filename="suivi-equipement-' in ods["Content-Disposition"]
    assert client.get(f"{TRACKING}suivi.exe").status_code == 404


def test_pages_ask_the_database_little(client, crew, django_assert_max_num_queries):
    """The number of queries does not depend on the number of lines, deliveries or contradictions."""
    acts.refresh_contradictions(departements=["02", "95"], by=None)
    item = Contradiction.objects.filter(departement="02").first()
    client.force_login(crew.lead)
    for address in (TRACKING, QUEUE, f"{QUEUE}{item.pk}/", RECEPTION):
        client.get(address)
        with CaptureQueriesContext(connection, ) as asked:
            client.get(address)
        assert len(asked) <= 24, (address, [query["sql"][:90] for query in asked])


def test_views_are_kept_renamed_and_deleted_by_their_owner(client, get, crew):
    """A name gives the filters back; nobody touches the views of somebody else."""
    client.force_login(crew.lead)
    client.post(f"{TRACKING}vues/", {"nom": " Robots  attendus ", "filtres": "categorie=robot&etat=commande"})
    view = SavedView.objects.get()
    assert (view.name, view.query, view.account) == ("Robots attendus", "categorie=robot&etat=commande", crew.lead)
    assert "Robots attendus" in get(TRACKING, crew.lead) and "Robots attendus" not in get(TRACKING, crew.second)
    client.force_login(crew.second)
    for data in ({"nom": "À moi"}, {"acte": "supprimer"}):
        assert client.post(f"{TRACKING}vues/{view.pk}/", data).status_code == 404
    client.force_login(crew.lead)
    client.post(f"{TRACKING}vues/{view.pk}/", {"nom": "Robots"})
    assert SavedView.objects.get().name == "Robots"
    client.post(f"{TRACKING}vues/", {"nom": "Autre", "filtres": ""})
    answer = client.post(f"{TRACKING}vues/{view.pk}/", {"nom": "Autre"}, follow=True)
    assert "déjà une vue" in answer.content.decode()
    assert "Donnez un nom" in client.post(f"{TRACKING}vues/", {"nom": " "}, follow=True).content.decode()
    client.post(f"{TRACKING}vues/{view.pk}/", {"acte": "supprimer"})
    assert [item.name for item in SavedView.objects.all()] == ["Autre"]


def test_a_saved_view_leads_nowhere_else(client, crew):
    """Filters are filters: no address, no other parameter comes back."""
    client.force_login(crew.lead)
    answer = client.post(f"{TRACKING}vues/", {"nom": "x", "filtres": "q=a&next=//ailleurs.example&retard=prevu"})
    assert answer["Location"] == f"{TRACKING}?q=a&retard=prevu"


@pytest.fixture
def item(crew):
    """Fifteen delivered for twelve ordered."""
    acts.refresh_contradictions(departements=["02", "95"], by=None)
    return Contradiction.objects.get(kind="livre_plus_que_commande")


def test_the_queue_shows_what_waits_and_the_page_what_each_source_says(get, crew, item):
    """Title, numbers, sources with a link to the sender's cells that opens for who may read the file."""
    text = get(QUEUE, crew.lead)
    assert "Livré plus que commandé" in text and f"{QUEUE}{item.pk}/" in text
    page = get(f"{QUEUE}{item.pk}/", crew.lead)
    row = reverse("origine", args=[crew.delivered.number, 2])
    assert "Livraisons déclarées\u202f: 15" in page and row in page and "Ce qui la réglerait" in page
    link = page[page.index(row):].split('"')[0]
    assert "La ligne de l" in get(link, crew.lead)
    assert "Aucune contradiction ne correspond" in get(f"{QUEUE}?q=zzz", crew.lead)
    for query in ("etat=toutes", "etat=settled", "suivi=moi", "suivi=personne", "nature=livre_plus_que_commande", "categorie=x", "etat=%00", "q=tablette"):
        get(f"{QUEUE}?{query}", crew.lead)


def test_a_foreign_contradiction_does_not_exist(client, crew, item):
    """Pages and acts answer 404 outside the scope; a reader without the right to settle sees no form and is refused."""
    for who in (crew.stranger, crew.nobody):
        client.force_login(who)
        assert client.get(f"{QUEUE}{item.pk}/").status_code == 404
        for act in ("suivre", "commenter", "regler"):
            assert client.post(f"{QUEUE}{item.pk}/{act}/", {"version": 1, "texte": "x"}).status_code == 404
    client.force_login(crew.auditor)
    assert 'id="agir"' not in client.get(f"{QUEUE}{item.pk}/").content.decode()
    assert client.post(f"{QUEUE}{item.pk}/commenter/", {"texte": "x"}).status_code == 400
    item.refresh_from_db()
    assert item.version == 1 and item.notes.count() == 1


def test_each_act_of_the_page(client, crew, item):
    """Follow, give, comment, explain, take again, settle, open again."""
    client.force_login(crew.lead)
    steps = (
        ("suivre", {}, Status.IN_PROGRESS), ("confier", {"compte": crew.second.pk}, Status.IN_PROGRESS), ("rendre", {}, Status.OPEN),
        ("commenter", {"texte": "Vu <b>avec</b> la mairie"}, Status.OPEN), ("expliquer", {"texte": "Dons"}, Status.EXPLAINED),
        ("suivre", {}, Status.IN_PROGRESS), ("regler", {"texte": "Commande envoyée"}, Status.SETTLED), ("rouvrir", {"texte": "Rien reçu"}, Status.OPEN),
    )  # fmt: skip
    for act, data, status in steps:
        item.refresh_from_db()
        answer = client.post(f"{QUEUE}{item.pk}/{act}/", {"version": item.version, **data}, follow=True)
        item.refresh_from_db()
        assert (answer.status_code, item.status) == (200, status), act
    text = client.get(f"{QUEUE}{item.pk}/").content.decode()
    assert "Vu &lt;b&gt;avec&lt;/b&gt; la mairie" in text and "<b>avec" not in text


def test_a_stale_tab_is_told_and_keeps_what_was_typed(client, crew, item):
    """409, the other's act stands, the text typed is still in the form."""
    acts.assign(contradiction=item, owner=crew.second, version=1, by=crew.second)
    client.force_login(crew.lead)
    answer = client.post(f"{QUEUE}{item.pk}/expliquer/", {"version": 1, "texte": "Mon long texte"})
    text = answer.content.decode()
    assert answer.status_code == 409 and "Marc a modifié" in text and "Mon long texte</textarea>" in text
    item.refresh_from_db()
    assert (item.status, item.owner) == (Status.IN_PROGRESS, crew.second)


@pytest.mark.parametrize(
    ("act", "data", "status"),
    [
        ("suivre", {}, 400), ("suivre", {"version": "un"}, 400), ("expliquer", {"version": 1, "texte": " "}, 400),
        ("confier", {"version": 1, "compte": "999999"}, 400), ("confier", {"version": 1, "compte": "x"}, 400), ("detruire", {"version": 1}, 404),
    ],
)  # fmt: skip
def test_incomplete_forms_are_refused(client, crew, item, act, data, status):
    """Nothing is done by half."""
    client.force_login(crew.lead)
    assert client.post(f"{QUEUE}{item.pk}/{act}/", data).status_code == status
    item.refresh_from_db()
    assert item.version == 1
    assert client.get(f"{QUEUE}{item.pk}/{act}/").status_code == 405


def test_reception_in_two_taps(client, crew):
    """The page, the button; the second tap is thanked and counts nothing."""
    client.force_login(crew.director)
    page = client.get(RECEPTION).content.decode()
    assert "Tout est là et fonctionne" in page and "15 appareils" in page
    for told in ("Merci\u202f! Réception de 15 appareils", "déjà confirmée"):
        answer = client.post(f"{RECEPTION}{SCHOOL}/tout/", {"bon": "BL1"}, follow=True)
        assert told in answer.content.decode()
    assert Submission.objects.filter(contract="equipment.acknowledgements").count() == 1
    assert "attend votre confirmation" not in client.get(RECEPTION).content.decode()


def test_reception_of_what_is_missing(client, crew):
    """Numbers by category, refused as a whole when one is not a number; what was typed stays."""
    client.force_login(crew.director)
    address, ref = f"{RECEPTION}{SCHOOL}/", {"bon": "BL1", "recu_le": "2026-04-03"}
    assert "Combien sont arrivés" in client.get(f"{address}?bon=BL1").content.decode()
    for data, told in (
        ({"quantite-tablette": "douze"}, "en chiffres"), ({"quantite-tablette": "3", "recu_le": "hier"}, "date de réception"),
        ({"quantite-tablette": "3", "recu_le": "2026-01-01"}, "date de réception"),
    ):  # fmt: skip
        answer = client.post(address, {**ref, "remarque-tablette": "Carton ouvert", **data})
        assert answer.status_code == 400 and told in answer.content.decode() and "Carton ouvert" in answer.content.decode()
    answer = client.post(address, {**ref, "quantite-tablette": "14", "marche-tablette": "non", "remarque-tablette": "Écrans fêlés"}, follow=True)
    assert "Réception de 14 appareils" in answer.content.decode() and "Écrans fêlés" in answer.content.decode()
    assert "attend plus" in client.get(f"{address}?bon=BL1", follow=True).content.decode()
    sent = Submission.objects.get(contract="equipment.acknowledgements")
    assert posting(sent.number).by == crew.director


def test_nobody_confirms_for_a_school_it_does_not_direct(client, crew):
    """404 on the school, an explanation on the page."""
    for who in (crew.lead, crew.authority, crew.stranger, crew.auditor):
        client.force_login(who)
        assert "ne dirige aucun établissement" in client.get(RECEPTION).content.decode()
        assert client.get(f"{RECEPTION}{SCHOOL}/?bon=BL1").status_code == 404
        assert client.post(f"{RECEPTION}{SCHOOL}/tout/", {"bon": "BL1"}).status_code == 404
    client.force_login(crew.director)
    assert client.post(f"{RECEPTION}{OTHER}/tout/", {"bon": "BL1"}).status_code == 404
    assert client.get(f"{RECEPTION}{SCHOOL}/tout/").status_code == 405


@pytest.mark.parametrize("address", [TRACKING, f"{TRACKING}suivi.csv", QUEUE, f"{QUEUE}1/", RECEPTION, f"{RECEPTION}{SCHOOL}/"])
def test_strangers_are_asked_to_sign_in(client, crew, address):
    """No page of this room is public."""
    assert client.get(address)["Location"].startswith(reverse("connexion"))


def test_the_sheet_of_a_school_says_what_the_sources_of_its_departement_say(get, crew):
    """Read alone, a school is confronted as among its neighbours; its orders lead to the sender's line, for whoever may read it."""
    hand_in("deliveries", delivery(uai=OTHER, ref="BC2", note="BL9", quantity=9, category="robot"), by=crew.admin)
    on = date(2026, 12, 31)
    whole = reconciled(on=on, departements=["02"])
    for uai in (SCHOOL, OTHER):
        alone = reconciled(on=on, departements=["02"], uai=uai)
        for name in ("situations", "contradictions"):
            expected = [row for row in getattr(whole, name).to_pylist() if row["uai"] == uai]
            assert expected and getattr(alone, name).to_pylist() == expected
    lines = lines_of_school(SCHOOL, "02")
    assert [(line["order_ref"], line["delivered"]) for line in lines] == [("BC1", 12)]
    Establishment.objects.create(uai=SCHOOL, name="École Élise Récamier", kind="Ecole", level="ecole", sector="public", departement="02")
    text = get(f"/etablissements/{SCHOOL}/", crew.lead)
    origin = reverse("origine", args=[lines[0]["submission"], lines[0]["source_row"]])
    assert f'href="{origin}?feuille=' in text and "BC2" not in text
    assert "BC1" not in get(f"/etablissements/{SCHOOL}/", crew.stranger)
