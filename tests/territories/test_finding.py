"""Finding schools: search as one types, references of the checks, scopes of mandates, sheets."""

from __future__ import annotations

import shutil
from datetime import date

import polars as pl
import pytest
from django.test import override_settings

from essaim.foundation.acts import checking, local_administrator
from essaim.foundation.reads import Scope, parse_scope
from essaim.territories.acts import load_register
from essaim.territories.models import Establishment, Unit
from essaim.territories.reads import (
    establishments,
    school_sheet,
    search,
    snapshot_references,
    territories,
    territory_sheet,
)
from essaim.territories.reads.places import _former as former_communes
from essaim.territories.reads.references import EstablishmentReference, name_score, school_key
from portal_world import stores_in, undone

from .files import EVERYTHING


@pytest.fixture(scope="module")
def loaded(django_db_setup, django_db_blocker, tmp_path_factory):
    """The register of every file, made once, to be copied: its folder."""
    home = tmp_path_factory.mktemp("register")
    files = [home / "sent" / name for name in EVERYTHING]
    (home / "sent").mkdir()
    for path in files:
        path.write_text(EVERYTHING[path.name], encoding="utf-8")
    real = checking.intake.check
    with pytest.MonkeyPatch.context() as patched, django_db_blocker.unblock(), override_settings(**stores_in(home)), undone():
        patched.setattr(checking.intake, "check", lambda *args, **named: real(*args, **{**named, "contain": False}))
        load_register(files=files, by=local_administrator())
        yield home


@pytest.fixture
def register(loaded, db, stores):
    """The register in stores of this test only."""
    shutil.copytree(loaded, stores, dirs_exist_ok=True)


def _uais(text: str, scope: Scope | None = None) -> list[str]:
    return [item.uai for item in search(text, scope)]


def test_a_school_is_found_however_it_is_typed(register):
    """By name, commune, identifier; without accents, in capitals, unfinished, misspelt."""
    for text in ("jean moulin", "JEAN MOULIN LAON", "école Moulin", "ecoles moul", "0020011B", "0020011b", "moulin elementaire", "jaen moulin", "jean mouln"):
        assert _uais(text)[:1] == ["0020011B"], text
    assert set(_uais("laon")) >= {"0020011B", "0020012C", "0020014E"}
    assert _uais("l'école vieux laon") == ["0020015F"]


def test_closed_schools_come_last_and_nothing_comes_from_nothing(register):
    """A closed school after open ones; blank, unknown or hostile text finds nothing and breaks nothing."""
    assert _uais("ecole laon")[-1] == "0020015F"
    for text in ("", "   ", "zzzzzzzz", "\" OR 1=1 --", "*", "NEAR(", "a & !b", "\x00"):
        assert _uais(text) == [] or text == "a & !b"


def test_search_stays_inside_the_scope(register):
    """A reader of Calvados finds no school of Aisne."""
    calvados = Scope(departements=frozenset({"14"}))
    assert _uais("moulin", calvados) == [] and _uais("malherbe", calvados) == ["0140013N"]
    assert {item.uai for item in establishments(calvados)} == {"0140013N"}
    assert {item.code for item in territories(Scope(departements=frozenset({"02"})))} == {"02"}
    assert territories().count() == 12


def test_references_know_close_and_find_schools(register, stores):
    """Known, closed with its successor, unknown; found again by name and commune, former commune names included."""
    reference = snapshot_references(stores / "cache")["establishment"]
    known = {row["value"]: row for row in reference.known(pl.Series(["0020011B", "0020015F", "0699999Z"])).to_dicts()}
    assert known["0020011B"]["known"] and known["0020011B"]["closed_on"] is None
    assert (known["0020015F"]["closed_on"], known["0020015F"]["replaced_by"]) == (date(2021, 8, 31), "0020011B")
    assert not known["0699999Z"]["known"]
    queries = pl.DataFrame(
        {"query": [0, 1, 2, 3], "name": ["EEPU J. Moulin", "Clg Charlemagne", "St Jean", "Lycée Inconnu"], "commune": ["LAON", "02408", "St Quentin", "Laon"]},
        schema_overrides={"query": pl.UInt32},
    )
    found = reference.find(queries)
    best = {row["query"]: row for row in found.sort("score").to_dicts()}
    assert (best[0]["value"], best[1]["value"], best[2]["value"]) == ("0020011B", "0020012C", "0020013D")
    assert best[1]["score"] >= 85 and found["score"].is_between(0, 100).all()
    assert best.get(3, {"score": 0})["score"] < 85
    attributes = reference.attributes(pl.Series(["0020011B"])).row(0, named=True)
    assert (attributes["departement"], attributes["pupils"], attributes["classes"]) == ("02", 121, 5)


def test_references_lead_former_communes_to_current_ones(register, stores):
    """Merged communes and arrondissements are replaced, current ones are not, invented ones are unknown."""
    reference = snapshot_references(stores / "cache")["commune"]
    known = {row["value"]: (row["known"], row["replaced_by"]) for row in reference.known(pl.Series(["02999", "75101", "02408", "02998"])).to_dicts()}
    assert known == {"02999": (True, "02691"), "75101": (True, "75056"), "02408": (True, None), "02998": (False, None)}
    found = reference.find(pl.DataFrame({"query": [0], "name": ["ST QUENTIN"], "departement": ["Aisne"]}, schema_overrides={"query": pl.UInt32}))
    assert found.row(0, named=True)["value"] == "02691"


def test_no_register_means_no_reference(stores):
    """Before any loading a check runs without references."""
    assert snapshot_references(stores / "cache") == {}


@pytest.mark.parametrize(
    ("asked", "known", "least", "most"),
    [
        ("ecole elementaire jean moulin", "E.E. PU Jean Moulin", 70, 100),
        ("Collège Jean Moulin", "École Jean Moulin", 0, 80),
        ("EE Jean Moulin", "E.E.PU Jean Moulin", 90, 100),
        ("EE Jean Moulin", "Collège Jean Moulin", 0, 80),
        ("EM Jean Moulin", "E E Pu Jean Moulin", 0, 84),
        ("E P PR Saint Joseph", "École primaire privée Saint-Joseph", 100, 100),
        ("École maternelle Les Lilas", "École élémentaire Les Lilas", 50, 84),
        ("Collège Charlemagne", "COLLEGE CHARLEMAGNE", 100, 100),
        ("Collège Pasteur", "Collège Charlemagne", 0, 60),
    ],
)
def test_names_are_scored_by_what_distinguishes_them(asked, known, least, most):
    """The own name weighs most; a contradicting degree costs."""
    assert least <= name_score(school_key(asked), school_key(known)) <= most


def test_scopes_of_mandates_are_read_in_the_register(register):
    """An académie is its départements, a commune its schools, an owner its schools and itself."""
    assert parse_scope("academic/academie/20").departements == {"02", "60", "80"}
    assert "0020011B" in parse_scope("administrative/commune/02408").uais
    owner = parse_scope("owner/organisation/210203873")
    assert owner.organisations == {"210203873"} and "0020011B" in owner.uais
    assert parse_scope("programme/wave/1").departements == {"02", "95"}


def test_the_sheet_of_a_school_tells_its_years_and_its_units(register):
    """Years latest first, counts only where published, predecessor and successor linked."""
    sheet = school_sheet(" 0020011b ")
    assert [item.school_year for item in sheet.years][:2] == ["2024-2025", "2023-2024"]
    assert sheet.years[0].pupils == 121 and sheet.years[0].rep == "REP"
    assert [item.uai for item in sheet.predecessors] == ["0020015F"]
    assert school_sheet("0020015F").successor == sheet.school
    assert {item.level for item in sheet.affiliations} >= {"commune", "epci", "departement", "region", "dsden", "academie", "circonscription", "organisation"}
    with pytest.raises(Establishment.DoesNotExist):
        school_sheet("9999999A")


def test_the_sheet_of_a_territory_adds_its_open_schools(register):
    """Schools, pupils, position weighted by pupils; a school closed that day is not there."""
    sheet = territory_sheet(Unit.objects.get(hierarchy="programme", level="territory", code="02"), date(2024, 10, 1))
    assert (sheet.schools, sheet.pupils, sheet.private_schools) == (4, 121 + 450 + 300, 1)
    expected = (85.4 * 121 + 92.1 * 450 + 118.5 * 300) / (121 + 450 + 300)
    assert sheet.mean_ips == round(expected, 1)
    assert [level for level, _schools, _pupils in sheet.by_level] == ["ecole", "college"]
    assert [item.code for item in sheet.parents] == ["1"]


def test_a_former_commune_name_leads_to_the_schools_of_today():
    """Delegated communes keep their name in people's files; one that shares it with a commune of today gives both."""
    schools = pl.DataFrame(
        {"uai": ["0010001A", "0010002B", "0210003C"], "name": ["École Jules Ferry", "École Pasteur", "École Pasteur"], "kind": None,
         "commune_name": ["Valserhône", "Valserhône", "Corcelles"], "departement": ["01", "01", "21"], "closed_on": None,
         "commune_code": ["01033", "01033", "21999"], "postal_code": None},
        schema_overrides={"kind": pl.String, "closed_on": pl.Date, "postal_code": pl.String},
    )  # fmt: skip
    former = pl.DataFrame({"code": ["01033", "01091"], "current": ["01033", "01033"], "name": ["Bellegarde-sur-Valserine", "Corcelles"]})
    reference = EstablishmentReference(schools, former)
    asked = {"query": [0, 1], "name": ["École Jules Ferry", "École Pasteur"], "commune": ["BELLEGARDE SUR VALSERINE", "Corcelles"]}
    found = reference.find(pl.DataFrame(asked, schema_overrides={"query": pl.UInt32}))
    assert found.filter(query=0)["value"].to_list()[0] == "0010001A"
    assert set(found.filter(query=1, score=100.0)["value"]) == {"0010002B", "0210003C"}


def test_delegated_communes_that_gave_their_code_keep_their_name():
    """Bellegarde-sur-Valserine (01033) is Valserhône (01033) today: its name alone is former."""
    rows = pl.DataFrame(
        {"source": "cog-communes", "code": ["01033", "01033", "01091"], "name": ["Valserhône", "Bellegarde-sur-Valserine", "Châtillon-en-Michaille"],
         "kind": ["commune-actuelle", "commune-deleguee", "commune-deleguee"], "parent_code": [None, "01033", "01033"], "former_codes": [None, None, None]},
        schema_overrides={"former_codes": pl.String},
    )  # fmt: skip
    current = rows.head(1)
    found = former_communes(rows, current)
    assert found.filter(current="01033").select("code", "name").rows() == [("01033", "Bellegarde-sur-Valserine"), ("01091", "Châtillon-en-Michaille")]
