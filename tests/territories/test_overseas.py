"""Collectivities overseas in the academic hierarchy: what the public directory says of them, and what it does not."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from django.test import Client

from essaim.engines.measures.computing import Scope
from essaim.engines.measures.periods import periods
from essaim.engines.measures.secrecy import chain_of
from essaim.evaluation.reads.register import register
from essaim.kernel.departements import BY_CODE, academie_of, from_uai_prefix, particularity_of
from essaim.kernel.places import COLLECTIVITIES
from essaim.territories.acts import load_synthetic_register
from essaim.territories.models import Establishment, Membership, Unit
from essaim.territories.reads.frames import hierarchy_frame

HEADER = "Identifiant_de_l_etablissement;Nom_etablissement;Type_etablissement;Statut_public_prive;Code_commune;Nom_commune;Code_departement;etat\n"


@pytest.mark.data
def test_each_collectivity_has_the_academie_that_the_directory_gives_it(data_dir: Path):
    """Closed schools of the directory of 2026: the prefix of every identifier overseas leads to the département it names, and this one
    to the académie it names."""
    closed = pl.read_parquet(data_dir / "annuaire/etablissements_fermes_2026.parquet", columns=["numero_uai", "code_departement", "code_academie"])
    rows = closed.filter(pl.col("numero_uai").str.starts_with("9") & pl.col("code_departement").str.starts_with("9")).drop_nulls().unique().rows()
    seen = set()
    for uai, departement, academie in rows:
        if len(departement) < 3:
            continue
        seen.add(departement)
        assert academie_of(departement).code == academie, (uai, departement)
        assert from_uai_prefix(uai[:3]) == ("971" if departement in ("977", "978") else departement), uai
    assert set(COLLECTIVITIES) <= seen


def test_units_overseas_are_those_that_exist(admin):
    """An académie or what is assimilated to it, under one heading; no DSDEN nor région académique of their own; 977 and 978 under the
    académie of Guadeloupe."""
    load_synthetic_register(by=admin, departements=("02", "971", "975", "986"), schools=6)
    academic = Unit.objects.filter(hierarchy="academic")
    assert not academic.filter(level="dsden", code__in=COLLECTIVITIES).exists()
    assert not academic.filter(level="region_academique", code__in=COLLECTIVITIES).exists()
    assert dict(academic.filter(level="academie", code__in=("40", "41", "42", "44")).values_list("code", "label")) == {
        code: f"{name} (assimilée à une académie)"
        for code, name in (("40", "Nouvelle-Calédonie"), ("41", "Polynésie française"), ("42", "Wallis et Futuna"), ("44", "Saint-Pierre-et-Miquelon"))
    }
    held = hierarchy_frame().filter(pl.col("hierarchy") == "academic").join(
        pl.DataFrame(list(Establishment.objects.values_list("uai", "departement")), schema=["uai", "departement"], orient="row"), on="uai"
    )  # fmt: skip
    places = {(row[0], row[1]): row[2] for row in held.select("departement", "level", "unit").unique().rows()}
    assert places["975", "academie"] == "44" and places["975", "region_academique"] == "00" and ("975", "dsden") not in places
    assert places["986", "academie"] == "42" and places["971", "academie"] == "32" and places["971", "dsden"] == "971"
    assert not Membership.objects.filter(parent__hierarchy="academic", child__code__in=COLLECTIVITIES).exists()


def test_secrecy_still_goes_through_regions(admin):
    """Every académie lies in one region, overseas included: what is hidden for a region is decided before its académies."""
    load_synthetic_register(by=admin, departements=("02", "95", "975", "986"), schools=6)
    scope = Scope("academic/academie", None, (), register()[1])
    assert chain_of(scope, periods("2026-03")[0]) == ("national", "academic/region_academique", "academic/academie")


@pytest.mark.parametrize(("code", "told"), [("975", "code 44"), ("978", "académie Guadeloupe (code 32)"), ("988", "code 40"), ("02", ""), ("971", "")])
def test_a_sheet_says_why_a_collectivity_has_neither(code: str, told: str):
    """No DSDEN, no known SIREN, and what the directory does instead; nothing is said of a département."""
    said = particularity_of(code)
    assert told in said and bool(told) == bool(said) == (code in COLLECTIVITIES) and (not said or ("SIREN" in said and BY_CODE[code].name in said))


def test_a_school_of_saint_martin_or_miquelon_says_where_it_belongs(load):
    """On its public sheet; the island under Guadeloupe is known by its commune."""
    load({"annuaire.csv": HEADER + "9710001Z;École A;Ecole;Public;97801;Saint-Martin;978;OUVERT\n9750001C;École B;Ecole;Public;97502;Saint-Pierre;975;OUVERT\n"
          "0020011B;École C;Ecole;Public;02408;Laon;002;OUVERT\n"})  # fmt: skip
    found = {uai: Client().get(f"/etablissements/{uai}/").content.decode() for uai in Establishment.objects.values_list("uai", flat=True)}
    assert len(found) == 3
    assert "Saint-Martin n&#x27;a pas de DSDEN" in found["9710001Z"] and "code 44" in found["9750001C"] and "DSDEN" not in found["0020011B"]
