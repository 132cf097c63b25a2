"""The schools that a reader answers for: only theirs, each with what is known, what is missing and what to do next."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date
from html import unescape

import polars as pl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from essaim.equipment.models import Contradiction
from essaim.equipment.reads import holdings as reads
from essaim.foundation import acts
from essaim.foundation.models import Role
from essaim.territories.acts import load_register
from portal_world import (  # noqa: F401
    AISNE_SCHOOLS,
    AISNE_SENDER,
    PARIS_SCHOOLS,
    PASSWORD,
    built,
    world,
)

ADDRESS = "/etablissements/"
FORMULA = "=HYPERLINK(\"http://exemple.fr\")"


def _text(answer) -> str:
    return unescape(answer.content.decode()).replace("\u00a0", " ").replace("\u202f", " ")


def _uais(answer) -> list[str]:
    return [row["uai"] for row in answer.context["rows"]]


def _reader(world, scope: str, role: str = Role.AUTHORITY):  # noqa: F811
    account = acts.open_account(username="lectrice", password=PASSWORD, by=world.admin)
    acts.grant_mandate(account=account, role=role, scope=scope, starts_on=date(2020, 9, 1), by=world.admin)
    world.accounts["lectrice"] = account
    return world.client("lectrice")


def _more(world, *lines: str):  # noqa: F811
    """The register with other schools: ``uai;name;type;commune code;commune``."""
    path = world.home / "annuaire-bis.csv"
    rows = [f"{uai};{name};{kind};Public;{code};{commune};002;49.5;3.6;OUVERT" for uai, name, kind, code, commune in (line.split(";") for line in lines)]
    head = "Identifiant_de_l_etablissement;Nom_etablissement;Type_etablissement;Statut_public_prive;Code_commune;Nom_commune;Code_departement;latitude;longitude;etat"
    path.write_text("\n".join((head, *rows)) + "\n")
    load_register(files=[path], by=world.admin)


def _contradiction(uai: str) -> None:
    now = timezone.now()
    Contradiction.objects.create(
        uai=uai, departement="02", category="tablette", kind="recu_moins_que_livre", status="open", declared=12, observed=9, since=date(2026, 3, 1),
        opened_at=now, status_at=now,
    )  # fmt: skip


def test_each_school_says_where_it_stands_and_what_to_do_next(world):  # noqa: F811
    """Deliveries never confirmed are to be confirmed; a contradiction passes before; a school of which nothing is known says what to
    hand in; every line leads where the work is done."""
    _more(world, "0020014E;École du Lac;Ecole;02408;Laon")
    _contradiction(AISNE_SCHOOLS[1])
    answer = world.client(Role.TERRITORY).get(ADDRESS)
    told = {row["uai"]: row for row in answer.context["rows"]}
    assert list(told) == [AISNE_SCHOOLS[1], AISNE_SCHOOLS[0], AISNE_SCHOOLS[2], "0020014E"]
    assert [told[uai]["situation"] for uai in told] == ["contradiction", "confirmer", "confirmer", "sans_livraison"]
    assert told[AISNE_SCHOOLS[0]]["last_delivered_on"] == date(2026, 3, 10) and told[AISNE_SCHOOLS[0]]["delivered"] == 12
    text = _text(answer)
    for link in (f"/equipement/contradictions/?q={AISNE_SCHOOLS[1]}", f"/etablissements/{AISNE_SCHOOLS[0]}/", "/depots/nouveau/?contrat=equipment.deliveries"):
        assert f'href="{link}"' in text
    assert "10/03/2026" in text and "12 appareils en tout" in text and "1 contradiction, 1 bon à confirmer" in text
    assert answer.context["found"].counts == {"contradiction": 1, "retard": 0, "confirmer": 3, "sans_livraison": 1, "sans_inventaire": 4, "rien": 0}


def test_late_lines_and_old_inventories_are_seen_and_then_nothing_is(world):  # noqa: F811
    """An order that did not come is late; once delivered, confirmed and counted, there is nothing to say."""
    uai = AISNE_SCHOOLS[0]

    def given(contract: str, text: str, sender: str = AISNE_SENDER) -> str:
        found = acts.receive(content=text.encode(), filename=f"{contract}.csv", contract=f"equipment.{contract}", sender=sender, by=world.admin)
        found = acts.check(submission=found, by=world.admin)
        assert found.rows_accepted, found.report.get("summary")
        acts.accept(submission=found, by=world.admin)
        return {row["uai"]: row for row in world.client(Role.TERRITORY).get(ADDRESS).context["rows"]}[uai]["situation"]

    day = timezone.localdate()
    assert given("orders", f"n° BC;n° ligne;UAI;Catégorie;Quantité;Date de commande;Date de livraison prévue\nBC1;1;{uai};tablette;4;2026-01-05;2026-02-01\n") == "retard"
    assert given("deliveries", f"n° BL;n° BC;UAI;Catégorie;Quantité livrée;Date de livraison\nBL9;BC1;{uai};tablette;4;2026-03-01\n") == "confirmer"
    lines = f"BL9;{uai};tablette;4;2026-03-02\nBL-temoin-de-l-aisne-0;{uai};ordinateur portable;12;2026-03-12\n"
    assert given("acknowledgements", f"n° BL;UAI;Catégorie;Quantité reçue;Date de réception\n{lines}", uai) == "sans_inventaire"
    old = day.replace(year=day.year - 2, day=1)
    assert given("inventory", f"UAI;Catégorie;Quantité;Date d'inventaire\n{uai};tablette;4;{old:%Y-%m-%d}\n", uai) == "sans_inventaire"
    assert given("inventory", f"UAI;Catégorie;Quantité;Date d'inventaire\n{uai};tablette;4;{day:%Y-%m-%d}\n", uai) == "rien"


def test_a_list_is_searched_narrowed_and_sorted(world):  # noqa: F811
    """By words whatever their accents, by situation, by type; by any column, both ways; a wish that makes no sense is left aside."""
    _more(world, "0020014E;École du Lac;Ecole;02722;Soissons", "0020015F;Collège Léo Lagrange;College;02408;Laon")
    browser = world.client(Role.TERRITORY)
    assert _uais(browser.get(f"{ADDRESS}?q=ECOLE+lac")) == ["0020014E"] and _uais(browser.get(f"{ADDRESS}?q=leo+laon")) == ["0020015F"]
    assert _uais(browser.get(f"{ADDRESS}?situation=sans_livraison&tri=commune")) == ["0020015F", "0020014E"]
    assert _uais(browser.get(f"{ADDRESS}?type=college")) == ["0020015F"]
    assert _uais(browser.get(f"{ADDRESS}?tri=-livraison"))[0] == AISNE_SCHOOLS[2]
    assert len(_uais(browser.get(f"{ADDRESS}?tri=zzz&situation=zzz&page=99"))) == 5
    assert "Aucun de vos 5 établissements" in _text(browser.get(f"{ADDRESS}?q=zzz"))


@pytest.mark.parametrize(
    ("scope", "role", "seen"),
    [
        ("owner/organisation/commune-02408", Role.AUTHORITY, set(AISNE_SCHOOLS)), ("owner/organisation/220200026", Role.AUTHORITY, {"0020015F"}),
        ("academic/academie/20", Role.TERRITORY, {*AISNE_SCHOOLS, "0020015F"}), ("administrative/departement/75", Role.TERRITORY, set(PARIS_SCHOOLS)),
        (f"establishment/{AISNE_SCHOOLS[0]}", Role.DIRECTOR, {AISNE_SCHOOLS[0]}), ("owner/organisation/252100011", Role.AUTHORITY, set()),
        ("national", Role.AUDITOR, {*AISNE_SCHOOLS, *PARIS_SCHOOLS, "0020015F"}),
    ],
)  # fmt: skip
def test_nobody_reads_the_schools_of_another(world, scope, role, seen):  # noqa: F811
    """A commune has its écoles, a département (by its SIREN) its collèges, an académie those of its départements; on the page as in the
    file; who has none is told why."""
    _more(world, "0020015F;Collège Léo Lagrange;College;02408;Laon")
    browser = _reader(world, scope, role)
    answer = browser.get(ADDRESS)
    assert set(_uais(answer)) == seen if seen else "Aucun établissement dans votre périmètre" in _text(answer)
    rows = list(csv.reader(io.StringIO(browser.get("/etablissements/etablissements.csv").content.decode("utf-8-sig")), delimiter=";"))
    assert {row[0] for row in rows[1:]} == seen and tuple(rows[0]) == reads.HEADINGS


def test_who_is_not_signed_in_is_sent_to_sign_in(world):  # noqa: F811
    """Neither the list nor its file is public; a form of file that does not exist is not found."""
    for address in (ADDRESS, "/etablissements/etablissements.csv"):
        assert world.client(None).get(address).status_code == 302
    assert world.client(Role.TERRITORY).get("/etablissements/etablissements.exe").status_code == 404


def test_no_cell_of_the_file_is_a_formula(world):  # noqa: F811
    """A school named like a formula is text in every form of file."""
    _more(world, f"0020014E;{FORMULA};Ecole;02408;=1+1")
    browser = world.client(Role.TERRITORY)
    rows = list(csv.reader(io.StringIO(browser.get("/etablissements/etablissements.csv").content.decode("utf-8-sig")), delimiter=";"))
    row = next(row for row in rows if row[0] == "0020014E")
    assert FORMULA in row[1] and not any(cell.startswith(("=", "+", "@", "-")) for cell in row)
    with zipfile.ZipFile(io.BytesIO(browser.get("/etablissements/etablissements.xlsx").content)) as book:
        assert not any("<f>" in book.read(name).decode() for name in book.namelist() if name.startswith("xl/worksheets/"))


def test_five_thousand_schools_take_the_same_few_questions(world, monkeypatch):  # noqa: F811
    """A page of fifty, the same queries as for three schools, and the file of all of them."""
    browser = world.client(Role.TERRITORY)

    def asked() -> tuple[int, object]:
        browser.get(ADDRESS)
        with CaptureQueriesContext(connection) as made:
            answer = browser.get(f"{ADDRESS}?tri=-etablissement")
        return len(made), answer

    few, _ = asked()
    pattern = reads.frame("establishments").filter(pl.col("uai") == AISNE_SCHOOLS[0])
    many = pl.concat([pattern] * 5000).with_columns(
        pl.Series("uai", [f"002{n:04d}Z" for n in range(5000)]), pl.Series("name", [f"École n° {n:04d}" for n in range(5000)])
    )
    monkeypatch.setattr(reads, "frame", lambda name: many)
    reads._schools.clear()
    count, answer = asked()
    reads._schools.clear()
    assert count <= few <= 12 and len(_uais(answer)) == 50 and answer.context["found"].everything == 5000
    assert answer.context["rows"][0]["name"] == "École n° 4999" and "Page 1 sur 100" in _text(answer)


def test_the_list_is_reached_from_home_and_from_the_territory(world):  # noqa: F811
    """By those who answer for several schools; a director goes to the school itself, and the public sees no link."""
    assert f'href="{ADDRESS}"' in _text(world.client(Role.TERRITORY).get("/"))
    assert f'href="{ADDRESS}?departement=02"' in _text(world.client(Role.TERRITORY).get(reverse("territoire", args=["02"])))
    assert f'href="{ADDRESS}"' not in _text(world.client(Role.DIRECTOR).get("/"))
    assert ADDRESS + "?" not in _text(world.client(None).get(reverse("territoire", args=["02"])))


def test_a_director_is_told_to_confirm_not_to_ask_their_own_school(world):  # noqa: F811
    """The school that has to confirm is the reader's: the line leads to the page where it is done."""
    client = _reader(world, f"establishment/{AISNE_SCHOOLS[0]}", Role.DIRECTOR)
    (row,) = client.get(ADDRESS).context["rows"]
    assert row["situation"] == "confirmer" and (row["todo"], row["url"]) == ("Confirmer ce qui est arrivé", "/reception/")
