"""Loading the register: one description per school, counted once, whatever the order and the headers."""

from __future__ import annotations

import itertools
import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from essaim.foundation.acts import ActForbidden, open_account
from essaim.territories import acts
from essaim.territories.models import Establishment, FormerCommune, Membership, Organisation, Unit
from essaim.territories.reads import hierarchy_frame, profile_frame, register_stamp
from essaim.territories.reads.describing import level_of
from essaim.territories.reads.fragility import fragility
from essaim.territories.reads.places import places
from essaim.territories.reads.profile import counted, positions

from .files import (
    CLOSED,
    COMMUNES,
    COMPILED,
    DIRECTORY_LABELS,
    DIRECTORY_TECHNICAL,
    ENROLMENT_SCHOOLS,
    EPCI,
    EVERYTHING,
    FRAGILITY,
    POSITION_SCHOOLS,
)


def _described() -> list[tuple[object, ...]]:
    names = [item.name for item in Establishment._meta.fields if item.name != "id"]
    return sorted(Establishment.objects.values_list(*names))


def test_every_source_adds_what_it_knows(load):
    """Name from the directory, closing from the closures, priority from both, former commune code led to the current one."""
    outcome = load(EVERYTHING)
    assert outcome.is_clean, outcome.lines()
    school = Establishment.objects.get(uai="0020011B")
    assert (school.name, school.level, school.sector, school.commune_code) == ("École élémentaire Jean Moulin", "ecole", "public", "02408")
    assert (school.owner_code, school.priority_education) == ("210203873", "rep")
    closed = Establishment.objects.get(uai="0020015F")
    assert (closed.closed_on, closed.successor_uai, closed.is_open) == (date(2021, 8, 31), "0020011B", False)
    private = Establishment.objects.get(uai="0020013D")
    assert (private.commune_code, private.commune_name, private.is_private) == ("02691", "Saint-Quentin", True)
    assert private.owner_code == "210203873" and private.siret == "21020387300018"
    assert Establishment.objects.get(uai="0020012C").owner_code == "departement-02"
    assert Establishment.objects.get(uai="0140013N").owner_code == "region-28"
    assert FormerCommune.objects.get(code="02999").current_code == "02691"
    assert Organisation.objects.get(code="200043495").kind == "epci"


def test_reloading_in_another_order_and_other_headers_creates_nothing(load):
    """The same data, shuffled, in the other header style: no row is created nor changed, in the database or the ledger."""
    load(EVERYTHING)
    before, stamp, members = _described(), register_stamp(), Membership.objects.count()
    again = {"z.csv": DIRECTORY_TECHNICAL, **dict(reversed(EVERYTHING.items()))}
    del again["fr-en-annuaire-education.csv"]
    outcome = load(again)
    assert {(item.new, item.changed) for item in outcome.files} == {(0, 0)}
    for counts in (outcome.projected.establishments, outcome.projected.organisations, outcome.projected.units, outcome.projected.memberships):
        assert (counts.created, counts.changed) == (0, 0)
    assert (_described(), register_stamp(), Membership.objects.count()) == (before, stamp, members)


@pytest.mark.parametrize("order", list(itertools.permutations(("annuaire.csv", "ips.csv", "fermes.csv")))[1::2])
def test_the_order_of_loading_does_not_matter(load, order):
    """Positions or closures before the register: the same schools, described the same."""
    files = {"annuaire.csv": DIRECTORY_LABELS, "ips.csv": POSITION_SCHOOLS, "fermes.csv": CLOSED}
    for name in order:
        load({name: files[name]})
    school = Establishment.objects.get(uai="0020011B")
    assert school.name == "École élémentaire Jean Moulin"
    assert set(Establishment.objects.values_list("uai", flat=True)) == {
        "0020011B", "0020012C", "0020013D", "0020014E", "0020015F", "0140013N"
    }  # fmt: skip


def test_pupils_are_counted_once_whatever_the_number_of_sources(load):
    """Detail by school beats the compiled total of the same year; the levels of one school add up; a directory fills gaps."""
    load({"a.csv": ENROLMENT_SCHOOLS, "effectifs_rentree2024.csv": COMPILED, "annuaire.csv": DIRECTORY_LABELS})
    sums = counted().group_by("uai", "school_year").agg(pl.col("pupils").sum())
    found = {(uai, year): pupils for uai, year, pupils in sums.iter_rows()}
    assert found["0020011B", "2024-2025"] == 121
    assert found["0020012C", "2024-2025"] == 390 + 60
    assert found["0020011B", "2023-2024"] == 119
    assert found["0020013D", "2022-2023"] == 300
    assert ("0020012C", "2022-2023") in found and found["0020012C", "2022-2023"] == 400
    assert not sums.filter(pl.col("uai") == "0020011B", pl.col("school_year") == "2024-2025", pl.col("pupils") > 900).height


def test_positions_are_weighted_and_missing_ones_stay_missing(load):
    """A NS index gives no row; the weight is the number of pupils of the same publication."""
    load({"ips.csv": POSITION_SCHOOLS})
    found = positions()
    assert found.select("uai", "school_year", "ips", "pupils").rows() == [("0020011B", "2022-2023", 85.4, 118)]


def test_hierarchies_are_parallel_and_dated(load):
    """One school in every hierarchy; Caen until 2019, Normandie since; the wave from the day it joined; a closed school until then."""
    load(EVERYTHING)
    members = hierarchy_frame()

    def units(uai: str, level: str, on: date) -> list[str]:
        held = hierarchy_frame(on).filter((pl.col("uai") == uai) & (pl.col("level") == level))
        return held["unit"].to_list()

    assert set(members["hierarchy"]) == {"administrative", "academic", "owner", "diocesan", "programme"}
    assert units("0140013N", "academie", date(2019, 10, 1)) == ["05"]
    assert units("0140013N", "academie", date(2020, 1, 1)) == ["70"]
    assert units("0020012C", "wave", date(2020, 8, 31)) == []
    assert units("0020012C", "wave", date(2020, 9, 1)) == ["1"]
    assert units("0020012C", "epci", date(2022, 1, 1)) == ["200043495"]
    assert units("0020013D", "diocese", date(2022, 1, 1)) == ["diocese-02"] and units("0020012C", "diocese", date(2022, 1, 1)) == []
    assert units("0020015F", "departement", date(2021, 8, 31)) == ["02"] and units("0020015F", "departement", date(2021, 9, 1)) == []
    normandie = Unit.objects.get(hierarchy="academic", level="academie", code="70")
    assert normandie.members.filter(child__code="14").get().valid_from == date(2020, 1, 1)


def test_profiles_carry_attributes_and_never_counts_from_one_year_to_another(load):
    """Structural attributes are those of the nearest known year; a year without count has none."""
    load(EVERYTHING)
    rows = {row["school_year"]: row for row in profile_frame().filter(pl.col("uai") == "0020011B").to_dicts()}
    assert rows["2024-2025"]["pupils"] == 121 and rows["2024-2025"]["ips"] == 85.4
    assert rows["2022-2023"]["ips_quartile"] == "1" and rows["2022-2023"]["rep"] == "REP"
    assert rows["2019-2020"]["pupils"] is None and rows["2019-2020"]["sector"] == "public"
    assert rows["2024-2025"]["commune_size"] == "10 000 à 49 999 habitants"


def test_fragility_ranks_communes_by_their_inhabitants(load):
    """The index of a commune is the mean of its quarters weighted by inhabitants, former codes and arrondissements included; an
    empty quarter or an index of zero says nothing; quarters of the country hold as many inhabitants, whatever the communes."""
    load({**EVERYTHING, "fragilite.csv": FRAGILITY})
    told = {row["commune"]: row["fragility"] for row in fragility(places()).to_dicts()}
    # Laon 140 (4 000 inhabitants), Saint-Quentin 110 (1 000), Caen 90 (4 000), Paris 65 (7 000): middles at 2, 4.5, 7 and 12.5 of 16.
    assert told == {"02408": "1 (la plus forte)", "02691": "2", "14118": "2", "75056": "4 (la plus faible)"}
    of = dict(profile_frame().filter(pl.col("school_year") == "2019-2020").select("uai", "fragility").iter_rows())
    assert of["0020011B"] == "1 (la plus forte)" and of["0140013N"] == "2"
    (outcome,) = load({"fragilite.csv": FRAGILITY}).files
    assert (outcome.new, outcome.changed) == (0, 0)


def test_a_school_that_no_source_places_is_placed_by_its_neighbours_when_there_is_no_doubt(load):
    """200 m from a school of Laon and nothing else around: Laon, said to be derived. Far from any, or between two communes: no
    commune. What a source says is never touched."""
    head, *rows = COMPILED.splitlines()
    near, far, between = "0020030X", "0020031Y", "0020032Z"
    lost = [
        f"{near},PUBLIC,80,49.5611,3.6205,École", f"{far},PUBLIC,80,49.7,3.9,École", f"{between},PUBLIC,80,49.8501,3.3001,École",
    ]  # fmt: skip
    border = DIRECTORY_LABELS + "0020033A;École de la limite;Ecole;Public;02000;02408;Laon;002;;90;SANS OBJET;Aisne;;49.8520;3.3001;1965-05-01;2023-06-08;OUVERT;ECOLE DE NIVEAU ELEMENTAIRE;;\n"
    load({**EVERYTHING, "fr-en-annuaire-education.csv": border, "effectifs_compiles_rentree2024.csv": "\n".join([head, *rows, *lost])})
    told = {row.uai: (row.commune_code, row.commune_name, row.commune_is_derived) for row in Establishment.objects.all()}
    assert told[near] == ("02408", "Laon", True)
    assert told[far] == ("", "", False) and told[between] == ("", "", False)
    assert told["0020011B"] == ("02408", "Laon", False)
    assert hierarchy_frame().filter((pl.col("uai") == near) & (pl.col("level") == "commune"))["unit"].to_list() == ["02408"]


def test_without_fragility_nobody_is_ranked(load):
    """No index loaded: the group of every school is unknown, never a quarter by default."""
    load(EVERYTHING)
    assert profile_frame()["fragility"].null_count() == profile_frame().height > 0


def test_a_snapshot_of_another_format_is_made_again(load, settings):
    """Columns added since a snapshot was written are there at the first question after an upgrade."""
    load(EVERYTHING)
    pointer = Path(settings.ESSAIM_CACHE_DIR) / "register.json"
    told = json.loads(pointer.read_text())
    folder = pointer.with_name(told["folder"])
    pl.read_parquet(folder / "profile.parquet").drop("fragility").write_parquet(folder / "profile.parquet")
    pointer.write_text(json.dumps({key: value for key, value in told.items() if key != "format"}))
    assert "fragility" in profile_frame().columns and register_stamp() == told["stamp"]


def test_files_that_are_not_of_the_register_are_told_and_the_others_loaded(load):
    """An unknown file and an unreadable one do not stop the loading; the outcome says which and why."""
    outcome = load({"cantine.csv": "siret;prix\n1;2\n", "vide.xlsx": b"PK\x03\x04", "communes.csv": COMMUNES, "epci.csv": EPCI})
    problems = {item.file: item.problem for item in outcome.files if item.problem}
    assert set(problems) == {"cantine.csv", "vide.xlsx"} and not outcome.is_clean
    assert "pas un fichier du registre" in problems["cantine.csv"]
    assert Unit.objects.filter(level="epci").count() == 0 and Unit.objects.filter(level="commune").count() == 4


def test_loading_needs_the_right_and_a_file(admin, tmp_path):
    """An account without mandate is refused, and so are an empty list and a missing file, before anything is written."""
    stranger = open_account(username="lea", by=admin)
    with pytest.raises(ActForbidden):
        acts.load_register(files=[tmp_path], by=stranger)
    with pytest.raises(acts.RegisterRefused, match="Aucun fichier"):
        acts.load_register(files=[], by=admin)
    with pytest.raises(acts.RegisterRefused, match="n'existe pas"):
        acts.load_register(files=[tmp_path / "rien.csv"], by=admin)
    assert not Establishment.objects.exists()


def test_the_snapshot_is_made_again_from_the_ledger(load, stores):
    """Losing the cache loses nothing: the same register comes back with the same stamp."""
    import shutil

    load({"annuaire.csv": DIRECTORY_LABELS, "communes.csv": COMMUNES})
    before, stamp = hierarchy_frame(), register_stamp()
    shutil.rmtree(stores / "cache")
    assert hierarchy_frame().equals(before) and register_stamp() == stamp


EXTRACT = "uai;rentree_scolaire;ips\n0020011B;2022-2023;85.4\n0020012C;2022-2023;90.0\n"


@pytest.mark.parametrize("order", [("ips.csv", "extrait.csv"), ("extrait.csv", "ips.csv")])
def test_an_extract_erases_nothing_of_the_whole_file(load, order):
    """Three columns of a published file, before or after it: the school keeps its name, its sector, its commune and the pupils that
    weigh its index; what only the extract tells is added."""
    files = {"ips.csv": POSITION_SCHOOLS, "extrait.csv": EXTRACT}
    for name in order:
        load({name: files[name]})
    school = Establishment.objects.get(uai="0020011B")
    assert (school.name, school.sector, school.commune_name) == ("École Élémentaire Jean Moulin", "public", "LAON")
    assert positions().sort("uai").select("uai", "ips", "pupils").rows() == [("0020011B", 85.4, 118), ("0020012C", 90.0, None)]


def test_a_year_told_by_a_column_and_by_a_file_name_is_counted_once(load):
    """The file of one rentrée, whose name tells the year, and the file of all of them: the pupils of a school do not double."""
    whole = "rentree_scolaire;departement;commune;numero_college;secteur;nombre_eleves_total;6eme_total\n2022;AISNE;LAON;0020012C;PUBLIC;400;101\n2023;AISNE;LAON;0020012C;PUBLIC;410;99\n"
    one = "departement;commune;numero_college;secteur;nombre_eleves_total;6eme_total\nAISNE;LAON;0020012C;PUBLIC;400;101\n"
    load({"fr-en-college-effectifs.csv": whole, "colleges_rentree2022.csv": one})
    assert counted().sort("school_year").select("school_year", "pupils").rows() == [("2022-2023", 400), ("2023-2024", 410)]


def test_what_has_pupils_is_a_school_whatever_its_name(load):
    """A collège named « Institution », a lycée named « Institut », the EREA of Ajaccio (which holds the letters of « cio ») count in
    the figures of their territory."""
    load({
        "fr-en-college.csv": "rentree_scolaire;departement;commune;numero_college;patronyme;secteur;nombre_eleves_total;6eme_total\n2022;AISNE;LAON;0020012C;INSTITUTION SAINTE JEANNE D'ARC;PRIVE;400;101\n",
        "fr-en-lycee_pro.csv": "rentree_scolaire;departement;commune;numero_lycee;patronyme;secteur;nombre_d_eleves;2ndes_pro\n2022;AISNE;LAON;0020013D;INSTITUT EUROPEEN DE FORMATION;PRIVE;200;80\n",
        "effectifs_rentree2024.csv": "UAI,Secteur,Nombre d'élèves,Niveau,Nom\n0020011B,PUBLIC,230,École,Groupe scolaire Centre\n",
    })  # fmt: skip
    assert dict(Establishment.objects.values_list("uai", "level")) == {"0020011B": "ecole", "0020012C": "college", "0020013D": "lycee"}
    assert set(hierarchy_frame().filter(pl.col("level") == "departement")["uai"]) == {"0020011B", "0020012C", "0020013D"}
    assert level_of("ETAB.REGIONAL ENSEIGNT ADAPTE Francine Leca Ajaccio") != "autre"
