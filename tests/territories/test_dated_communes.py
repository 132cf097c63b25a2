"""The list of communes since 1943, in any order with the lists of each year: former names known, nothing wrong in figures."""

from __future__ import annotations

import gzip
import itertools
from pathlib import Path

import polars as pl
import pytest

from essaim.engines.intake import check
from essaim.territories.acts.guessing import guess
from essaim.territories.contracts import CONTRACTS
from essaim.territories.models import Establishment, FormerCommune
from essaim.territories.reads.frames import hierarchy_frame
from essaim.territories.reads.places import places

from .test_published_vintages import AFTER, BEFORE, MOVES

HEADER = "COM,TNCC,NCC,NCCENR,LIBELLE,DATE_DEBUT,DATE_FIN\n"
SINCE_1943 = HEADER + (
    "49007,1,ANGERS,Angers,Angers,1943-01-01,\n"
    "49015,1,AUVERSE,Auverse,Auverse,1943-01-01,2016-12-15\n"
    "49023,0,BEAUPREAU,Beaupréau,Beaupréau,1943-01-01,2015-12-15\n"
    "49023,0,BEAUPREAU EN MAUGES,Beaupréau-en-Mauges,Beaupréau-en-Mauges,2015-12-15,\n"
    "49099,0,CHOLET,Cholet,Cholet,1943-01-01,\n"
    "49228,0,NOYANT,Noyant,Noyant,1943-01-01,2016-12-15\n"
    "49228,0,NOYANT VILLAGES,Noyant-Villages,Noyant-Villages,2016-12-15,\n"
    "49353,0,TRELAZE,Trélazé,Trélazé,1943-01-01,\n"
    "49999,0,LA VIEILLE,Vieille,La Vieille,1943-01-01,1972-12-31\n"
)
SCHOOLS = (
    "Identifiant_de_l_etablissement;Nom_etablissement;Type_etablissement;Statut_public_prive;Code_commune;Nom_commune;Code_departement;etat\n"
    "0490001K;École A;Ecole;Public;49015;Auverse;049;OUVERT\n0490003M;École B;Ecole;Public;;Auverse;049;OUVERT\n"
    "0490004N;École C;Ecole;Public;;Beaupréau;049;OUVERT\n0490005P;École D;Ecole;Public;49007;Angers;049;OUVERT\n"
)
FILES = {"v_commune_2023.csv": AFTER, "v_mvtcommune_2024.csv": MOVES, "annuaire.csv": SCHOOLS, "v_commune_depuis_1943.csv": SINCE_1943}


def _seen() -> tuple[object, ...]:
    """What figures depend on: where each school is, in every hierarchy, and the communes of today."""
    where = places()
    schools = sorted(Establishment.objects.values_list("uai", "commune_code", "commune_name", "departement"))
    return schools, hierarchy_frame().sort("hierarchy", "level", "uai", "unit").rows(), where.communes.select("code", "name").rows()


def test_the_published_header_is_understood(tmp_path: Path):
    """Contract and source, without a year; periods as they are written, without a question nor a refused row; a period that ends before
    it begins is refused."""
    path = tmp_path / "v_commune_depuis_1943.csv"
    path.write_text(SINCE_1943 + "49998,0,X,X,X,2000-01-01,1999-01-01\n")
    found = guess(path, CONTRACTS)
    assert found is not None and (found.contract.code, found.sender) == ("territories.dated_communes", "cog-historique")
    outcome = check(path, path.name, found.contract, sender=found.sender)
    assert outcome.questions == () and outcome.refused.height == 1
    rows = outcome.rows.filter(pl.col("code") == "49228").select("name", pl.col("valid_from").cast(str), pl.col("valid_to").cast(str)).rows()
    assert rows == [("Noyant", "1943-01-01", "2016-12-15"), ("Noyant-Villages", "2016-12-15", None)]


@pytest.mark.parametrize("order", list(itertools.permutations(FILES))[::5])
def test_in_any_order_it_changes_nothing_but_names_known(load, order):
    """No merged commune comes back, no school moves; a school that a source names by a former name finds its commune."""
    outcome = load({name: FILES[name] for name in order})
    assert outcome.is_clean, outcome.lines()
    where = places()
    assert where.communes["code"].to_list() == ["49007", "49023", "49099", "49228", "49353"]
    found = dict(Establishment.objects.values_list("uai", "commune_code"))
    assert found == {"0490001K": "49228", "0490003M": "49228", "0490004N": "49023", "0490005P": "49007"}
    assert {("49015", "49228", "Auverse"), ("49023", "49023", "Beaupréau"), ("49228", "49228", "Noyant")} <= set(where.former.rows())
    assert list(FormerCommune.objects.filter(current_code="49228").values_list("code", "name")) == [("49015", "Auverse")]


def test_loaded_after_everything_else_it_leaves_figures_as_they_were(load):
    """Schools already placed stay where they are, in every hierarchy; loaded again, nothing changes at all."""
    load({name: FILES[name] for name in ("v_commune_2023.csv", "v_mvtcommune_2024.csv", "annuaire.csv")})
    schools, hierarchy, communes = _seen()
    load({"v_commune_depuis_1943.csv": SINCE_1943})
    after = _seen()
    assert after[2] == communes and [row for row in after[0] if row[0] != "0490004N"] == [row for row in schools if row[0] != "0490004N"]
    assert set(hierarchy) <= set(after[1])
    again = load({"v_commune_depuis_1943.csv": SINCE_1943})
    assert again.files[0].unchanged == 9 and (again.files[0].new, again.projected.units.created, again.projected.units.changed) == (0, 0, 0)


def test_a_list_older_than_a_merger_is_brought_forward(load):
    """With the list of 2015 alone, Auverse is still there; the dated list and the moves lead it to Noyant-Villages; without the moves,
    nobody knows where to, and it stays."""
    load({"v_commune_2015.csv": BEFORE, "annuaire.csv": SCHOOLS, "v_commune_depuis_1943.csv": SINCE_1943})
    assert "49015" in places().communes["code"].to_list() and Establishment.objects.get(uai="0490001K").commune_code == "49015"
    load({"v_mvtcommune_2024.csv": MOVES})
    where = places()
    assert where.communes["code"].to_list() == ["49007", "49023", "49099", "49228", "49353"] and ("49015", "49228", "Auverse") in where.former.rows()
    assert Establishment.objects.get(uai="0490001K").commune_code == "49228"


def test_a_commune_restored_since_is_not_taken_away(load):
    """A list of 2023 that names a commune ended in 2016 knows better: it was restored."""
    restored = AFTER + "COM,49015,52,49,49D,491,0,X,Auverse,Auverse,4901,\n"
    load({"v_commune_2023.csv": restored, "v_mvtcommune_2016.csv": MOVES, "v_commune_depuis_1943.csv": SINCE_1943})
    assert "49015" in places().communes["code"].to_list()


def test_alone_it_tells_the_communes_of_today(load):
    """Without any other list, those whose last period goes on; never one that ended."""
    load({"v_commune_depuis_1943.csv": SINCE_1943})
    assert places().communes.select("code", "name", "departement").rows() == [
        ("49007", "Angers", "49"), ("49023", "Beaupréau-en-Mauges", "49"), ("49099", "Cholet", "49"), ("49228", "Noyant-Villages", "49"), ("49353", "Trélazé", "49")
    ]  # fmt: skip


def test_a_delegated_commune_is_not_one_of_today(load):
    """Where the list tells the type, what lives on as a part of another is no commune on its own."""
    typed = "TYPECOM," + HEADER + "".join(f"COM,{line}\n" for line in SINCE_1943.splitlines()[1:]) + "COMD,49015,1,AUVERSE,Auverse,Auverse,2016-12-15,\n"
    outcome = load({"v_commune_depuis_1943.csv": typed})
    assert outcome.is_clean and outcome.files[0].accepted == 10
    assert "49015" not in places().communes["code"].to_list()


def test_a_name_that_another_commune_bears_stays_its_own(load):
    """Trélazé was called Cholet once, says an invented line: the Cholet of today is not made doubtful."""
    borne = SINCE_1943.replace("49353,0,TRELAZE,Trélazé,Trélazé,1943-01-01,", "49353,0,CHOLET,Cholet,Cholet,1943-01-01,1950-01-01\n49353,0,TRELAZE,Trélazé,Trélazé,1950-01-01,")
    load({"v_commune_2023.csv": AFTER, "v_commune_depuis_1943.csv": borne})
    assert "Cholet" not in places().former["name"].to_list()


def test_the_dated_list_of_a_whole_departement_agrees_with_the_published_code(load, data_dir):
    """The Ain as the official code of 2026 tells it, written as INSEE writes the dated list: today's communes open, merged and delegated
    ones ended. Loaded before or after the official code, schools and communes are the same; former names are known."""
    with gzip.open(data_dir / "cog/communes_cog_2026.csv.gz", "rt", encoding="utf-8") as opened:
        official = pl.read_csv(opened.read().encode(), infer_schema_length=0).filter(pl.col("departement") == "01")
    today = official.filter(pl.col("type") == "commune-actuelle")
    inside = official.filter(pl.col("type") != "commune-actuelle", ~pl.col("code").is_in(today["code"].implode()))
    renamed = official.filter(pl.col("type") != "commune-actuelle", pl.col("code").is_in(today["code"].implode())).unique("code")
    assert today.height > 350 and inside.height and renamed.height
    newer = renamed["code"].implode()
    dated = pl.concat([
        today.select("code", "nom", pl.when(pl.col("code").is_in(newer)).then(pl.lit("2016-01-01")).otherwise(pl.lit("1943-01-01")).alias("since"), pl.lit("").alias("until")),
        inside.select("code", "nom", pl.lit("1943-01-01").alias("since"), pl.lit("2016-01-01").alias("until")),
        renamed.select("code", "nom", pl.lit("1943-01-01").alias("since"), pl.lit("2016-01-01").alias("until")),
    ]).unique(["code", "since"], keep="first", maintain_order=True).sort("code", "since")  # fmt: skip
    lines = "".join(f'{code},0,{name.upper()},{name},"{name}",{since},{until}\n' for code, name, since, until in dated.iter_rows())
    code = official.write_csv()
    load({"communes_cog_2026.csv": code})
    before = places()
    load({"v_commune_depuis_1943.csv": HEADER + lines})
    after = places()
    assert after.communes.equals(before.communes)
    assert set(before.former.select("code", "current").rows()) <= set(after.former.select("code", "current").rows())
    assert set(renamed["nom"]) - set(today["nom"]) <= set(after.former["name"].drop_nulls())
