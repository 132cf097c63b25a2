"""A territory over three years: the same figures as everywhere else, protected alike, exported alike, made again when they move."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from django.test import Client
from django.utils import timezone

from essaim.evaluation.reads import figures
from essaim.foundation import acts
from essaim.foundation.models import Role, Submission
from essaim.portal.templatetags.essaim import figure, figures_of_column, month
from portal_world import (  # noqa: F401
    AISNE_SCHOOLS,
    AISNE_SENDER,
    built,
    deliveries,
    hand_in,
    world,
)

pytestmark = pytest.mark.once
PAGE = "/territoires/02/tableau/"


def _inventory(world: Any, quantity: int, counted_on: str = "2026-05-31") -> Any:  # noqa: F811
    lines = [f"{uai};tablette;{quantity};{quantity - 1};2;{counted_on}" for uai in AISNE_SCHOOLS]
    content = "\n".join(("UAI;Catégorie;Quantité présente;dont utilisés;dont prêtés;Date de comptage", *lines)).encode()
    sent = acts.receive(content=content, filename=f"inventaire-{quantity}.csv", contract="equipment.inventory", sender=AISNE_SENDER, by=world.admin)
    return acts.accept(submission=acts.check(submission=sent, by=world.admin), by=world.admin)


def _column(page: str, label: str) -> dict[str, str]:
    """The cells of one column, by the head of their row."""
    heads = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', page, re.DOTALL)
    index = next(n for n, head in enumerate(heads) if label in head)
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', page)
    return {name: re.findall(r"<td[^>]*>(.*?)</td>", cells)[index - 1] for name, cells in rows}


def test_the_table_says_what_the_figures_say(world):  # noqa: F811
    """Every month and indicator of the page is the figure that evaluation gives, written in French; missing is a dash."""
    _inventory(world, 12)
    page = world.client(Role.TERRITORY).get(PAGE + "?periode=2026-06").content.decode()
    wanted = [f"{n // 12}-{n % 12 + 1:02d}" for n in range(2023 * 12 + 6, 2026 * 12 + 6)]
    for code, label in (("equipment.loaned_devices", "prêtés"), ("equipment.used_over_present", "utilisé")):
        shown = _column(page, label)
        assert len(shown) == 36 + 2
        rows = figures([code], level="departement", units=["02"], period=wanted).rows()
        assert [shown[month(str(row["period"]))] for row in rows] == figures_of_column([row["value"] for row in rows])
    assert _column(page, "prêtés")["juin 2026"] == "6" and _column(page, "prêtés")["avril 2026"] == "—"


def test_the_newest_month_comes_first_with_target_and_coverage(world):  # noqa: F811
    """What people look for is at the top, and says on how many schools it stands."""
    _inventory(world, 12)
    names = list(_column(world.client(Role.TERRITORY).get(PAGE + "?periode=2026-06").content.decode(), "utilisé"))
    assert names[:4] == ["Cible", "Couverture", "juin 2026", "mai 2026"]


@pytest.mark.parametrize("address", ["/territoires/75/tableau/", "/territoires/zz/tableau/", "/territoires/<script>/tableau/"])
def test_a_place_outside_the_programme_has_no_table(world, address):  # noqa: F811
    """Only the territories have one."""
    assert world.client(Role.ADMINISTRATOR).get(address).status_code == 404


@pytest.mark.parametrize("query", ["?domaine=zz", "?domaine=<script>", "?periode=abc", "?connu=31/02/2026", "?format=exe"])
def test_an_address_that_makes_no_sense_still_gives_the_page(world, query):  # noqa: F811
    """Whatever is typed: the page of equipment, with a remark when a date was wrong."""
    answer = Client().get(PAGE + query)
    assert answer.status_code == 200 and "Aisne" in answer.content.decode() and "<script>alert" not in answer.content.decode()


def test_what_is_packed_for_readers_of_the_place_never_reaches_the_public(world, settings):  # noqa: F811
    """The lead of the territory reads small counts, then somebody without an account asks for the same address: hidden."""
    settings.ESSAIM_SECRECY_THRESHOLD = 1000
    _inventory(world, 12)
    address = PAGE + "?periode=2026-06"
    for _ in range(2):
        inside = _column(world.client(Role.TERRITORY).get(address).content.decode(), "prêtés")
        outside = _column(Client().get(address).content.decode(), "prêtés")
        assert inside["juin 2026"] == "6" and outside["juin 2026"] == "masqué"
        assert _column(world.client("paris").get(address).content.decode(), "prêtés")["juin 2026"] == "masqué"


def test_an_acceptance_is_seen_at_once_and_the_past_stays_as_it_was(world):  # noqa: F811
    """The packed table follows the last submission; as known the day before anything came, it knows nothing."""
    browser = world.client(Role.TERRITORY)
    _inventory(world, 12)
    browser.get(PAGE)  # the secret of the forms is part of the page
    first = browser.get(PAGE + "?periode=2026-06")
    assert browser.get(PAGE + "?periode=2026-06", headers={"if-none-match": first.headers["ETag"]}).status_code == 304
    _inventory(world, 30, "2026-06-15")
    again = browser.get(PAGE + "?periode=2026-06", headers={"if-none-match": first.headers["ETag"]})
    assert again.status_code == 200
    assert _column(again.content.decode(), "utilisé") != _column(first.content.decode(), "utilisé")
    day = timezone.localdate(Submission.objects.earliest("received_at").received_at) - timedelta(days=1)  # a night may have passed since
    before = browser.get(f"{PAGE}?periode=2026-06&connu={day.isoformat()}").content.decode()
    assert "Aucun fichier accepté" in before or "—" in _column(before, "prêtés")["juin 2026"]


def _read(form: str, content: bytes) -> list[list[Any]]:
    if form == "csv":
        return list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    if form == "xlsx":
        return [list(row) for row in openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)]
    import python_calamine

    return [list(row) for row in python_calamine.load_workbook(io.BytesIO(content)).get_sheet_by_index(0).to_python()]


@pytest.mark.parametrize("form", ["xlsx", "csv", "ods"])
def test_each_export_opens_and_says_the_same_as_the_page(world, form):  # noqa: F811
    """The file is opened by a reader of its format, and each number found is on the page."""
    _inventory(world, 12)
    browser = world.client(Role.TERRITORY)
    answer = browser.get(f"{PAGE}?periode=2026-06&format={form}")
    assert f"02-equipment-2026-06.{form}" in answer.headers["Content-Disposition"]
    head, *lines = _read(form, answer.content)
    assert head[:4] == ["Mois", "Indicateur", "Code", "Valeur"]
    found = {(str(line[0]), line[2]): line for line in lines}
    line = found["2026-06", "equipment.loaned_devices"]
    assert float(str(line[3]).replace(",", ".")) == 6 and line[4]
    assert line[-1]  # the fingerprint by which the figure can be quoted
    shown = _column(browser.get(PAGE + "?periode=2026-06").content.decode(), "utilisé")
    value = float(str(found["2026-06", "equipment.used_over_present"][3]).replace(",", "."))
    assert shown["juin 2026"] == figure(round(value, 10))


def test_the_territory_sheet_leads_to_the_table_with_its_question(world):  # noqa: F811
    """The month and the day of knowledge asked on the sheet are kept on the way."""
    page = Client().get("/territoires/02/?periode=2026-03&connu=2026-04-01").content.decode()
    assert f"{PAGE}?periode=2026-03&amp;connu=2026-04-01" in page


def test_the_question_is_kept_in_the_links_of_the_head(world):  # noqa: F811
    """From the table to the page of one figure, the month and the day of knowledge are the same."""
    _inventory(world, 12)
    page = world.client(Role.TERRITORY).get(f"{PAGE}?periode=2026-06").content.decode()
    assert 'equipment.loaned_devices/?periode=2026-06"' in page
