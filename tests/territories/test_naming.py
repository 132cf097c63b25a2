"""What organisations are called: the register's names, those that an administrator gives, and a clear form for the others."""

from __future__ import annotations

from datetime import date

import pytest

from essaim.foundation import acts as foundation
from essaim.foundation.acts import ActForbidden, ActRefused
from essaim.foundation.models import Role
from essaim.foundation.scopes import departements_of, parse_scope
from essaim.territories.acts import load_synthetic_register, name_organisation, project_register
from essaim.territories.models import Organisation
from essaim.territories.reads.naming import aliases, labelled, organisation_names

SYNDICATE = "252100011"
AISNE = "220200026"


def test_a_departement_is_known_by_its_siren_and_by_its_code(admin) -> None:
    """Its files, its mandates and its schools meet, whichever of the two is written."""
    load_synthetic_register(by=admin, departements=("02",), schools=12)
    assert organisation_names([AISNE, "departement-02", f"{AISNE}00015"]) == dict.fromkeys((AISNE, "departement-02", f"{AISNE}00015"), "Département Aisne")
    assert aliases(AISNE) == aliases("departement-02") == {AISNE, "departement-02"}
    scopes = [parse_scope(f"owner/organisation/{code}") for code in (AISNE, "departement-02")]
    assert scopes[0] == scopes[1] and scopes[0].uais and scopes[0].organisations == {AISNE, "departement-02"}
    assert departements_of(AISNE) == {"02"}


def test_sources_and_schools_have_names_too(admin) -> None:
    """A published data set or a school that hands something in is called by its name, a stranger by nothing."""
    load_synthetic_register(by=admin, departements=("02",), schools=12)
    uai = sorted(parse_scope(f"owner/organisation/{AISNE}").uais)[0]
    named = organisation_names(["cog-communes@2026", uai, "123456782", ""])
    assert named["cog-communes@2026"] == "Code officiel géographique : communes, 2026" and ", " in named[uai] and set(named) == {"cog-communes@2026", uai}


@pytest.mark.parametrize(
    ("code", "name", "shown"),
    [
        (AISNE, "Département Aisne", f"Département Aisne (SIREN\u00a0{AISNE})"), ("departement-02", "Département Aisne", f"Département Aisne (SIREN\u00a0{AISNE})"),
        (SYNDICATE, None, f"Organisme sans nom (SIREN\u00a0{SYNDICATE})"), ("relais-aisne", None, "relais-aisne"),
        ("0020011B", "École Jean Zay, Laon", "École Jean Zay, Laon (UAI\u00a00020011B)"), ("ips", "IPS des écoles", "IPS des écoles"),
    ],
)  # fmt: skip
def test_a_name_is_shown_with_its_number(code: str, name: str | None, shown: str) -> None:
    """The SIREN or UAI beside the name; a SIREN without a name says so."""
    assert labelled(code, name) == shown


def test_the_last_name_given_wins_and_the_register_learns_it(admin) -> None:
    """A name is corrected, then given back, without anything being lost; the next projection knows the organisation."""
    load_synthetic_register(by=admin, departements=("02",), schools=12)
    for name in ("SIVOS de la Vallée", "Syndicat de la Vallée", "SIVOS de la Vallée", "  SIVOS  de la Vallée "):
        name_organisation(siren=SYNDICATE, name=name, kind="syndicat", by=admin)
        assert organisation_names([SYNDICATE]) == {SYNDICATE: " ".join(name.split())}
    assert not Organisation.objects.filter(siren=SYNDICATE).exists()
    project_register(by=admin)
    held = Organisation.objects.get(siren=SYNDICATE)
    assert (held.code, held.name, held.kind) == (SYNDICATE, "SIVOS de la Vallée", "syndicat")


@pytest.mark.parametrize(
    ("given", "told"),
    [({"siren": "252100012", "name": "Syndicat"}, "pas un SIREN"), ({"siren": SYNDICATE, "name": " x "}, "Écrivez le nom"), ({"siren": SYNDICATE, "name": "x" * 256}, "255 caractères"),
     ({"siren": SYNDICATE, "name": "Syndicat", "kind": "ruche"}, "pas été enregistré")],
)  # fmt: skip
def test_a_name_that_makes_no_sense_is_refused(admin, given: dict[str, str], told: str) -> None:
    """Nothing is kept of it."""
    with pytest.raises(ActRefused, match=told):
        name_organisation(**given, by=admin)
    assert organisation_names([SYNDICATE]) == {}


def test_only_the_administration_names(admin) -> None:
    """A territory that reads an unnamed sender does not decide what everybody will call it."""
    lead = foundation.open_account(username="pilote", by=admin)
    foundation.grant_mandate(account=lead, role=Role.TERRITORY, scope="programme/territory/02", starts_on=date(2020, 9, 1), by=admin)
    with pytest.raises(ActForbidden):
        name_organisation(siren=SYNDICATE, name="Syndicat", by=lead)
