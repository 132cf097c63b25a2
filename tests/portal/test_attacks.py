"""Attacks on the site: forged forms, foreign addresses, hostile names and cells, oversized sends, guessed passwords."""

from __future__ import annotations

import csv
import io
import zipfile
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse

from essaim.foundation import acts, storage
from essaim.foundation.models import Role, State, Submission
from portal_world import (  # noqa: F401
    AISNE_SCHOOLS,
    AISNE_SENDER,
    PASSWORD,
    built,
    deliveries,
    hand_in,
    upload,
    world,
)

SCRIPT = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("http://pirate.example","cliquez")'


def test_forms_of_other_sites_are_refused(world):  # noqa: F811
    """Every act by form asks for the token of the session (CSRF)."""
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(world.accounts["paris"], backend="django.contrib.auth.backends.ModelBackend")
    for name, args in (
        ("depot-acte", (world.waiting.pk, "refuser")), ("depot-nouveau", ()), ("depot-repondre", (world.waiting.pk,)),
        ("depot-corrections", (world.waiting.pk,)), ("jetons", ()), ("jeton-revoquer", (1,)), ("deconnexion", ()), ("connexion", ()),
    ):  # fmt: skip
        assert browser.post(reverse(name, args=args), {"reason": "x"}).status_code == 403, name
    assert Submission.objects.get(pk=world.waiting.pk).state == State.CHECKED


@pytest.mark.parametrize("place", ["https://pirate.example/", "//pirate.example/x", "/\\pirate.example", "javascript:alert(1)", "http:pirate"])
def test_after_signing_in_one_stays_on_the_site(world, place):  # noqa: F811
    """``next`` may only lead to this site (open redirect)."""
    given = {"username": f"compte-{Role.TEACHER}", "password": PASSWORD, "next": place}
    answer = Client().post(f"/connexion/?next={quote(place)}", given)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_the_session_key_changes_at_sign_in_and_ends_at_sign_out(world):  # noqa: F811
    """A key planted before sign-in opens nothing; the key of a session ended opens nothing (session fixation)."""
    browser = Client()
    browser.get("/connexion/")
    session = browser.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    browser.cookies["sessionid"] = planted
    browser.post("/connexion/", {"username": f"compte-{Role.TEACHER}", "password": PASSWORD})
    key = browser.cookies["sessionid"].value
    assert key != planted and browser.cookies["sessionid"]["httponly"] and browser.cookies["sessionid"]["samesite"] == "Lax"
    browser.post("/deconnexion/")
    for old in (planted, key):
        thief = Client()
        thief.cookies["sessionid"] = old
        assert thief.get("/depots/").status_code == 302


def test_guessing_a_password_locks_the_account_out(world, settings):  # noqa: F811
    """After the failures allowed, even the right password is refused for a while, and the page says so; an address that
    the client merely claims changes nothing."""
    for n in range(settings.AXES_FAILURE_LIMIT):
        answer = Client().post(
            "/connexion/", {"username": f"compte-{Role.TEACHER}", "password": f"faux-{n}"}, headers={"x-forwarded-for": f"10.1.1.{n}"}
        )
    assert answer.status_code == 429 and "bloqué" in answer.content.decode()
    right = Client().post("/connexion/", {"username": f"compte-{Role.TEACHER}", "password": PASSWORD})
    assert right.status_code == 429
    other = Client().post("/connexion/", {"username": f"compte-{Role.TRAINER}", "password": PASSWORD})
    assert other.status_code == 302


def test_a_wrong_login_and_a_wrong_password_are_told_alike(world):  # noqa: F811
    """Nothing says whether an account exists."""
    pages = []
    for name in (f"compte-{Role.TEACHER}", "personne"):
        page = Client().post("/connexion/", {"username": name, "password": "faux"}).context["form"].errors
        pages.append(str(page))
    assert pages[0] == pages[1]


@pytest.mark.parametrize("size", [1, 5000])
def test_an_oversized_send_is_refused_before_it_is_read(world, settings, size):  # noqa: F811
    """Announced too large: 413 at once, on the page and on the API, in French; nothing is kept."""
    settings.ESSAIM_UPLOAD_MAX_MB = 0
    before = Submission.objects.count()
    content = b"x" * (2**20 + size)
    page = world.client(Role.AUTHORITY).post(reverse("depot-nouveau"), {"contract": "equipment.deliveries", "files": upload(content, "gros.csv")})
    assert page.status_code == 413 and "trop volumineux" in page.content.decode()
    api = Client().post(
        "/api/v1/submissions", {"contract": "equipment.deliveries", "file": upload(content, "gros.csv")}, headers=world.bearer(Role.AUTHORITY)
    )
    assert api.status_code == 413 and api.headers["Content-Type"] == "application/problem+json"
    assert Submission.objects.count() == before and not list((settings.ESSAIM_FILES_DIR / "incoming").glob("*"))


def test_a_file_that_lies_about_its_size_is_cut_short(world, settings):  # noqa: F811
    """The bytes are counted while they are kept, whatever was announced."""
    settings.ESSAIM_UPLOAD_MAX_MB = 0
    with pytest.raises(acts.ActRefused, match="0 Mo"):
        acts.receive(content=b"x", filename="a.csv", contract="equipment.deliveries", sender=AISNE_SENDER, by=world.accounts[Role.AUTHORITY])


NAMES = [
    "../../../etc/passwd", "..\\..\\windows\\win.ini", "/etc/shadow", "a\r\nSet-Cookie: x=1.csv", "a\x00.csv", 'a".csv; filename="b.exe',
    f"{SCRIPT}.csv", "é" * 400 + ".csv", ".", "", "\u202egpj.csv",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_hostile_file_name_goes_nowhere_and_runs_nowhere(world, settings, name):  # noqa: F811
    """Kept under its hash inside the folder of files; shown escaped; sent back under a safe header."""
    author = world.accounts[Role.AUTHORITY]
    mark = f"nom-{NAMES.index(name)}"
    item = acts.receive(content=deliveries(AISNE_SCHOOLS, mark), filename=name, contract="equipment.deliveries", sender=AISNE_SENDER, by=author)
    assert "/" not in item.filename and "\\" not in item.filename and item.filename.isprintable() and len(item.filename) <= 255
    assert storage.bytes_path(item.sha256).resolve().is_relative_to(settings.ESSAIM_FILES_DIR.resolve())
    browser = world.client(Role.AUTHORITY)
    page = browser.get(reverse("depot", args=[item.pk]))
    assert SCRIPT not in page.content.decode() and page.status_code == 200
    sent = browser.get(reverse("depot-fichier", args=[item.pk]))
    header = sent.headers["Content-Disposition"]
    assert header.startswith("attachment") and "\n" not in header and "\r" not in header
    assert sent.headers["Content-Type"] == "application/octet-stream" and sent.headers["X-Content-Type-Options"] == "nosniff"
    assert b"".join(sent.streaming_content) == deliveries(AISNE_SCHOOLS, mark)


def test_cells_and_headers_of_a_file_never_run_in_a_page(world):  # noqa: F811
    """A script in a header, a cell, a sheet's comment: shown as text on every page of the deposit."""
    text = deliveries(AISNE_SCHOOLS, SCRIPT).decode().replace("Commentaire", f"Commentaire;{SCRIPT}")
    text = text.replace("ordinateur portable;12", f"{SCRIPT};12", 1)
    item = hand_in(text.encode(), f"{SCRIPT}.csv", AISNE_SENDER, world.accounts[Role.AUTHORITY], accepted=False)
    browser = world.client(Role.AUTHORITY)
    shown = 0
    for name in ("depot", "depot-anomalies", "depot-corrections", "depots"):
        page = browser.get(reverse(name, args=[] if name == "depots" else [item.pk])).content.decode()
        assert SCRIPT not in page, name
        shown += page.count("&lt;script&gt;")
    assert shown >= 3
    accepted = acts.accept(submission=item, by=world.accounts[Role.AUTHORITY])
    page = browser.get(reverse("origine", args=[accepted.number, 3]) + f"?feuille={quote(f'{SCRIPT}')}")
    assert SCRIPT not in page.content.decode()


@pytest.mark.parametrize("address", ["/recherche/?q=", "/depots/?q=", "/depots/?etat=", "/?periode=", "/chiffres/departement/02/equipment.late_orders/?periode="])
def test_what_is_typed_never_runs_in_a_page(world, address):  # noqa: F811
    """A script in a parameter comes back as text, or not at all."""
    page = world.client(Role.TERRITORY).get(address + quote(SCRIPT + '"onload="x'))
    assert page.status_code in (200, 302, 404) and SCRIPT not in page.content.decode() and '"onload="' not in page.content.decode()


def test_pages_carry_a_policy_without_inline_code(world):  # noqa: F811
    """No inline script or style, no framing, no plugin; every answer says so, errors too."""
    for address in ("/", "/connexion/", "/donnees-ouvertes/", "/api/v1/docs", "/inconnu/"):
        headers = Client().get(address).headers
        policy = headers["Content-Security-Policy"]
        assert "unsafe" not in policy and "default-src 'self'" in policy and "frame-ancestors 'none'" in policy and "object-src 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"


def test_nothing_that_leaves_the_site_runs_in_a_spreadsheet(world):  # noqa: F811
    """A formula handed in comes out as text: in the annotated workbook and in exports."""
    content = deliveries(AISNE_SCHOOLS, "formule").decode().replace(";formule\n", f';"{FORMULA.replace(chr(34), chr(34) * 2)}"\n')
    item = hand_in(content.encode(), "formule.csv", AISNE_SENDER, world.accounts[Role.AUTHORITY], accepted=False)
    book = world.client(Role.AUTHORITY).get(reverse("depot-annote", args=[item.pk])).content
    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        sheets = [parts.read(name).decode() for name in parts.namelist() if name.startswith("xl/worksheets/sheet")]
    assert sheets and not any("<f>" in sheet or "<f " in sheet for sheet in sheets)
    from essaim.portal.exports import exported

    rows = [(FORMULA, "+1+1", "@x", "\t=1", "-2+3", -5, 3.5, "texte")]
    lines = list(csv.reader(io.StringIO(exported("csv", "t", list("abcdefgh"), rows).decode("utf-8-sig")), delimiter=";"))
    assert all(not cell.startswith(("=", "+", "@", "\t")) for cell in lines[1]) and lines[1][4].startswith("'") and lines[1][5] == "-5"


def test_open_data_gives_no_row_that_is_not_open(world):  # noqa: F811
    """Contracts without an open licence have no data set; figures of the public are protected; texts cannot run."""
    import polars as pl

    browser = Client()
    page = browser.get("/donnees-ouvertes/").content.decode()
    assert "Licence Ouverte 2.0" in page and "contrats/equipment.deliveries" not in page
    for code in ("equipment.deliveries", "equipment.inventory", "inconnu", "..%2F..%2Fsecret_key"):
        assert browser.get(f"/donnees-ouvertes/contrats/{code}/csv").status_code == 404
    assert browser.get("/donnees-ouvertes/contrats/territories.establishments/exe").status_code == 404
    schools = b"".join(browser.get("/donnees-ouvertes/contrats/territories.establishments/csv").streaming_content)
    frame = pl.read_csv(schools, infer_schema=False)
    assert set(AISNE_SCHOOLS) <= set(frame["uai"].to_list()) and not {"sender", "submission", "source_row"} & set(frame.columns)
    answer = browser.get("/donnees-ouvertes/indicateurs/equipment.late_orders/parquet")
    figures = pl.read_parquet(io.BytesIO(b"".join(answer.streaming_content)))
    assert set(figures["level"].unique()) <= {"national", "departement"} and "license" in answer.headers["Link"]
    schema = browser.get("/donnees-ouvertes/indicateurs/equipment.late_orders/schema.json")
    import json

    told = json.loads(b"".join(schema.streaming_content))
    assert [field["name"] for field in told["fields"]] == figures.columns and told["licenses"][0]["name"] == "etalab-2.0"


def test_open_figures_hide_small_counts(world, settings):  # noqa: F811
    """Whatever stands below the threshold is absent and marked in the published file; a reader of the place still has it."""
    from essaim.evaluation.reads import figures, indicators
    from essaim.foundation import acts
    from essaim.portal.opendata.datasets import dataset, frame_of

    settings.ESSAIM_SECRECY_THRESHOLD = 1000
    lines = [f"{uai};tablette;10;8;{n + 1};2026-05-31" for n, uai in enumerate(AISNE_SCHOOLS)]
    counted = "\n".join(("UAI;Catégorie;Quantité présente;dont utilisés;dont prêtés;Date de comptage", *lines)).encode()
    sent = acts.receive(content=counted, filename="inventaire.csv", contract="equipment.inventory", sender=AISNE_SENDER, by=world.admin)
    acts.accept(submission=acts.check(submission=sent, by=world.admin), by=world.admin)
    hidden = 0
    for item in indicators():
        if not item.small_counts_secret:
            continue
        frame = frame_of(dataset("indicateurs", item.code))
        full = {(r["unit"], r["period"]): r for r in figures([item.code], level="departement", period=["2026-06"]).rows()}
        for row in frame.filter(frame["level"] == "departement").to_dicts():
            known = full.get((row["unit"], row["period"]))
            if known and (known["numerator"] or known["denominator"]):
                assert row["suppressed"] and row["value"] is None and row["numerator"] is None and row["denominator"] is None
                hidden += 1
    assert hidden
