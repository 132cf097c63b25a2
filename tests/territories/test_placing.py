"""The commune of schools that no source gives: told by names or neighbours where nothing else fits, otherwise left unknown."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import polars as pl
import pytest

from essaim.kernel.organisations import check_siren
from essaim.kernel.places import DEPARTEMENTS
from essaim.territories.reads import declared
from essaim.territories.reads.describing import placed
from essaim.territories.reads.neighbouring import neighbouring
from essaim.territories.reads.places import Places

METRE = 1 / 111_195  # degrees of latitude
LABELS = pl.DataFrame({"code": ["02001", "02002"], "name": ["Abbécourt", "Achery"]})


def _told(lost: float, known: list[tuple[str, float]], departement: str = "02") -> tuple[str | None, bool]:
    """What is told of a school ``lost`` metres up a road, ``known`` being the communes and places of the others."""
    rows = [("lost", None, None, departement, lost), *((f"k{n}", code, code, "02", place) for n, (code, place) in enumerate(known))]
    shuffled = random.Random(3).sample(rows, len(rows))
    frame = pl.DataFrame(shuffled, schema={"uai": pl.String, "commune_code": pl.String, "commune_name": pl.String, "departement": pl.String, "at": pl.Float64}, orient="row")
    frame = frame.with_columns((49.0 + pl.col("at") * METRE).alias("latitude"), pl.lit(3.5).alias("longitude"))
    row = neighbouring(frame, LABELS).filter(pl.col("uai") == "lost").row(0, named=True)
    return row["commune_code"], row["commune_is_derived"]


HERE, THERE = "02001", "02002"
TOWN = [(HERE, 0.0), (HERE, 100.0), (HERE, -150.0), (HERE, -200.0)]


@pytest.mark.parametrize(
    ("lost", "known", "told"),
    [
        (190.0, [(HERE, 0.0), (THERE, 800.0)], HERE),
        (190.0, [(HERE, 0.0), (THERE, 600.0)], None),
        (290.0, [(HERE, 0.0), (THERE, 2400.0)], HERE),
        (290.0, [(HERE, 0.0), (THERE, 2200.0)], None),
        (320.0, [(HERE, 0.0), (THERE, 9000.0)], None),
        (650.0, [*TOWN, (THERE, 4000.0)], HERE),
        (650.0, [*TOWN, (THERE, 3000.0)], None),
        (650.0, [*TOWN[:3], (THERE, 9000.0)], None),
        (720.0, [*TOWN, (THERE, 9000.0)], None),
        (290.0, [(HERE, 0.0)], None),
    ],
    ids=["near", "near, another around", "only village", "not alone", "too far", "inside a town", "another town near", "too few", "out of town", "one school only"],
)  # fmt: skip
def test_neighbours_tell_a_commune_only_where_no_other_is_near(lost, known, told):
    """At each of the three distances, just within and just beyond; what is told is marked as derived."""
    assert _told(lost, known) == (told, told is not None)


def test_neighbours_of_another_departement_tell_nothing():
    """The authority in charge is another one: the border is too near."""
    assert _told(100.0, TOWN, departement="59") == (None, False)


def _placed(departement: str, name: str) -> str | None:
    communes = [("01033", "Valserhône", "01"), ("01034", "Belley", "01"), ("13055", "Marseille", "13"), ("97701", "Saint-Barthélemy", "977"), ("14001", "Saint-Martin-Don", "14"), ("14002", "Villiers", "14")]
    former = [("01205", "01033", "Lancrans"), ("14100", "14001", "Villiers"), ("14101", "14002", "Sainte-Croix-Grand-Tonne"), ("14102", "14001", "Le Locheur"), ("14103", "14002", "Le Locheur")]
    where = Places(
        pl.DataFrame(communes, schema=["code", "name", "departement"], orient="row"), pl.DataFrame(former, schema=["code", "current", "name"], orient="row")
    )
    row = {"uai": None, "commune_code": None, "commune_name": name, "departement_code": departement, "departement_name": None}
    return placed(pl.DataFrame([row], schema=dict.fromkeys(row, pl.String)), where)["commune_code"][0]


@pytest.mark.parametrize(
    ("departement", "name", "code"),
    [
        ("01", "BELLEY", "01034"), ("01", "LANCRANS", "01033"), ("13", "Marseille 10e Arrondissement", "13055"), ("13", "MARSEILLE 01", "13055"), ("13", "Marseille 1er", "13055"),
        ("971", "Saint Barthélemy", "97701"), ("14", "STE CROIX GRAND TONNE", "14002"), ("14", "ST MARTIN DON", "14001"),
        ("14", "Villiers", "14002"), ("14", "Le Locheur", None), ("14", "Lancrans", None),
    ],
)  # fmt: skip
def test_a_name_alone_gives_the_one_commune_that_bears_or_bore_it(departement, name, code):
    """Merged communes, arrondissements, ``ST`` for ``Saint``; a commune of today goes before one that is no more, and a name that two share gives none."""
    assert _placed(departement, name) == code


def test_every_departement_and_region_that_equips_schools_has_its_siren():
    """Overseas collectivities apart, each owner of collèges and lycées has one, whose key is right; no two share one but those that are one."""
    overseas = {"975", "977", "978", "986", "987", "988"}
    owners = {owner(item.code)[0] for item in DEPARTEMENTS if item.code not in overseas for owner in (declared.college_owner, declared.lycee_owner)}
    assert owners <= set(declared.SIRENS) and all(check_siren(siren).value == siren for siren in declared.SIRENS.values())
    shared = {siren for siren in declared.SIRENS.values() if list(declared.SIRENS.values()).count(siren) > 1}
    assert shared == {declared.SIRENS["departement-976"]}


@pytest.mark.data
def test_the_sirens_of_authorities_are_those_of_their_public_contracts(data_dir: Path):
    """Buyers that call themselves a département or a région, and whose identifier is a true one, are in the list."""
    import gzip

    found = set()
    for path in (data_dir / "marches").glob("*.json.gz"):
        with gzip.open(path) as opened:
            for item in json.load(opened).get("marches", []):
                buyer = item.get("acheteur") or {}
                if re.match(r"(?:conseil )?d[ée]partement(?:al)? (?:de|du|des|d['’])|r[ée]gion (?:de |normandie|centre)", buyer.get("nom") or "", re.IGNORECASE):
                    found.add(str(buyer.get("id"))[:9])
    true = {siren for siren in found if check_siren(siren).value == siren}
    assert len(true) > 20 and {siren for siren in true if siren[:2] in ("22", "23", "20")} <= set(declared.SIRENS.values())
