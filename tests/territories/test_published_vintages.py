"""Headers as published from one vintage to another: the same contract, the same source, the same values, nothing asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import essaim.equipment.contracts as equipment
import essaim.evaluation.contracts as evaluation
import essaim.territories.contracts as territories
from essaim.engines.intake import check
from essaim.territories.acts.guessing import guess, likeness, vintage_of
from essaim.territories.models import Establishment
from essaim.territories.reads.places import places
from essaim.territories.sources import EXTRACT

CONTRACTS = (*territories.CONTRACTS, *evaluation.CONTRACTS)
BENCHMARKS = ";".join(f"IPS {scope}{sector}" for scope in ("national", "académique", "départemental") for sector in (" privé", " public", ""))
NINE = ";".join(["105.2", "NS", "101,3"] * 3)
# One row each: header line, row, contract, source (with what its name tells), values that must be read.
PUBLISHED = {
    "ips_ecoles_2016-2021.csv": (
        "Rentrée scolaire;Académie;Code du département;Département;UAI;Nom de l'établissment;Code INSEE de la commune;Nom de la commune;Secteur;IPS",
        "2018-2019;CORSE;02A;CORSE-DU-SUD;6200001G;ECOLE;2A004;AJACCIO;public;101,5",
        "territories.social_position", "ips", {"ips": 101.5, "school_year": "2018-2019"},
    ),
    "ips_ecoles_2023.csv": (
        "Rentrée scolaire;Code région;Région;Code de l'académie;Académie;Code du département;Département;Code INSEE de la commune;"
        f"Nom de la commune;UAI;Nom de l'établissement;Secteur;IPS;{BENCHMARKS};num_ligne",
        f"2023-2024;94;CORSE;27;CORSE;02A;CORSE-DU-SUD;2A004;AJACCIO;6200001G;ECOLE;public;NS;{NINE};1",
        "territories.social_position", "ips", {"ips": None, "school_year": "2023-2024"},
    ),
    "ips_colleges_2025.csv": (
        "Année scolaire;Code région académique;Code région Insee;Libellé région académique;Code académie;Libellé académie;Code département;"
        f"Libellé département;Code commune Insee;Libellé commune;UAI;Nom de l'établissement;Secteur;IPS;Ecart type de l'IPS;{BENCHMARKS};Latitude et longitude WGS84",
        f'2025-2026;17;94;CORSE;27;CORSE;02A;CORSE-DU-SUD;2A004;AJACCIO;6200001G;COLLEGE;public;98.4;31.2;{NINE};"41.9, 8.7"',
        "territories.social_position", "ips", {"ips": 98.4, "ips_std": 31.2, "commune_code": "2A004"},
    ),
    "ips_lycees_2023.csv": (
        "Rentrée scolaire;Code du département;UAI;Nom de l'établissement;Secteur;Type de lycée;IPS voie GT;IPS voie PRO;IPS post BAC;IPS de l'établissement;"
        "Ecart type voie GT;Ecart type voie PRO;Ecart-type établissement;IPS national LEGT;IPS national LPO;IPS national LP",
        "2024-2025;971;9710001Z;LPO;public;LPO;110.1;88.2;;101.7;30.1;28.2;31.0;120.2;104.4;89.9",
        "territories.social_position", "ips-lycees", {"ips": 101.7, "ips_gt": 110.1, "ips_pro": 88.2, "ips_std": 31.0},
    ),
    "effectifs_annee_en_date.csv": (
        "rentree_scolaire;numero_ecole;denomination_principale;patronyme;secteur;rep;rep_plus;nombre_total_classes;nombre_total_eleves;commune;code_commune_insee",
        "2022-01-01;0020011B;ECOLE ELEMENTAIRE PUBLIQUE;JEAN MOULIN;PUBLIC;1;0;5;119;LAON;02000",
        "territories.enrolment", "effectifs-ecoles", {"school_year": "2022-2023", "pupils": 119, "classes": 5},
    ),
    "effectifs_colleges.csv": (
        "rentree_scolaire;numero_college;denomination_principale;patronyme;secteur;nombre_eleves_total;nombre_d_eleves_total_ulis;nombre_total_de_6emes;nombre_total_de_5emes",
        "2022;0020012C;COLLEGE;CHARLEMAGNE;PUBLIC;400;12;101;99",
        "territories.enrolment", "effectifs-colleges", {"pupils": 400, "pupils_sixth": 101, "pupils_ulis": 12},
    ),
    "effectifs_numero_du_college.csv": (
        "Rentrée scolaire;Numéro du collège;Secteur;Nombre d'élèves total;5èmes total", "2022;0020012C;PUBLIC;400;99",
        "territories.enrolment", "effectifs-colleges", {"pupils": 400},
    ),
    "fr-en-lycee_pro-extrait.csv": (
        "Rentrée scolaire;UAI;Secteur;Nombre d'élèves", "2022;0140013N;PUBLIC;300",
        "territories.enrolment", "effectifs-lycees-pro", {"pupils": 300},
    ),
    "terminales.csv": (
        "Rentrée scolaire;Numéro du lycée;Secteur;Nombre d'élèves;Terminales G", "2022;0140013N;PUBLIC;900;280",
        "territories.enrolment", "effectifs-lycees-gt", {"pupils": 900},
    ),
    "ivac_session_en_date.csv": (
        "num_ligne;session;uai;region_academique;nb_candidats_g;taux_de_reussite_g;va_du_taux_de_reussite_g;note_a_l_ecrit_g;va_de_la_note_g",
        "1;2023-01-01;0020012C;HAUTS-DE-FRANCE;95;78.0;+1;9.3;-1,1",
        "evaluation.school_results", "autre", {"session": 2023, "success_added_general": 1.0, "mark_added_general": -1.1},
    ),
    "v_commune_2023.csv": (
        "TYPECOM;COM;REG;DEP;CTCD;ARR;TNCC;NCC;NCCENR;LIBELLE;CAN;COMPARENT", "COMD;49015;;;;;1;AUVERSE;Auverse;Auverse;;49228",
        "territories.places", "cog-communes@2023", {"code": "49015", "name": "Auverse", "kind": "COMD", "parent_code": "49228"},
    ),
    "communes-01012019.csv": (
        "typecom;com;reg;dep;arr;tncc;ncc;nccenr;libelle;can;comparent", "COM;01001;84;01;012;5;ABERGEMENT;Abergement;L'Abergement-Clémenciat;0108;",
        "territories.places", "cog-communes@2019", {"code": "01001", "name": "L'Abergement-Clémenciat"},
    ),
    "comsimp2018.csv": (
        "CDC;CHEFLIEU;REG;DEP;COM;AR;CT;TNCC;ARTMAJ;NCC;ARTMIN;NCCENR", "0;0;84;01;001;2;08;5;(L');ABERGEMENT;(L');Abergement-Clémenciat",
        "territories.places", "cog-communes@2018", {"code": "001", "departement": "01", "name": "Abergement-Clémenciat"},
    ),
    "depts2018.csv": ("REGION;DEP;CHEFLIEU;TNCC;NCC;NCCENR", "84;01;01053;5;AIN;Ain", "territories.places", "cog-departements@2018", {"code": "01", "name": "Ain"}),
    "v_commune_comer_2024.csv": (
        "COM_COMER;TNCC;NCC;NCCENR;LIBELLE;NATURE_ZONAGE;COMER;LIBELLE_COMER", "98735;0;PAPEETE;Papeete;Papeete;COM;987;Polynésie française",
        "territories.places", "cog-communes@2024", {"code": "98735", "departement": "987", "name": "Papeete"},
    ),
    "banatic_2022.csv": (
        "dept;siren;raison_sociale;nature_juridique;mode_financ;nb_membres;dep_com;insee;siren_membre;nom_membre;ptot_2022;pmun_2022",
        "02;200043495;CA du Pays de Laon;CA;FPU;38;02;02408;210203873;Laon;24500;24000",
        "territories.places", "cog-epci@2022", {"code": "02408", "name": "Laon", "epci_code": "200043495", "epci_kind": "CA", "siren": "210203873", "population": 24000},
    ),
    "laposte_hexasmal.csv": (
        "#Code_commune_INSEE;Nom_de_la_commune;Code_postal;Libellé_d_acheminement;Ligne_5", "02408;LAON;02000;LAON;",
        "territories.places", "cog-codes-postaux", {"code": "02408", "postal_codes": "02000"},
    ),
    "v_mvtcommune_2024.csv": (
        "MOD;DATE_EFF;TYPECOM_AV;COM_AV;TNCC_AV;NCC_AV;NCCENR_AV;LIBELLE_AV;TYPECOM_AP;COM_AP;TNCC_AP;NCC_AP;NCCENR_AP;LIBELLE_AP",
        "32;2016-12-15;COM;49015;1;AUVERSE;Auverse;Auverse;COM;49228;0;NOYANT;Noyant-Villages;Noyant-Villages",
        "territories.former_communes", "cog-mouvements@2024", {"former_code": "49015", "current_code": "49228", "former_name": "Auverse"},
    ),
    "table_passage.csv": (
        "CODGEO_2015;LIBGEO_2015;CODGEO_2024;LIBGEO_2024", "49015;Auverse;49228;Noyant-Villages",
        "territories.former_communes", "cog-mouvements", {"former_code": "49015", "current_code": "49228", "former_name": "Auverse"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_header_of_another_vintage_is_understood(name, tmp_path: Path):
    """Contract, source and year it is of; the values; no question, no refused row."""
    header, row, contract, sender, values = PUBLISHED[name]
    path = tmp_path / name
    path.write_text(f"{header}\n{row}\n", encoding="utf-8")
    found = guess(path, CONTRACTS)
    assert found is not None
    assert (found.contract.code, found.sender.replace(EXTRACT, "")) == (contract, sender)  # headers are shortened here
    outcome = check(path, path.name, found.contract, sender=found.sender)
    assert (outcome.questions, outcome.refused.height) == ((), 0), outcome.summary
    assert {field: outcome.rows.row(0, named=True)[field] for field in values} == values


@pytest.mark.parametrize("wrap", [lambda rows: [{"datasetid": "ips", "recordid": "a", "fields": row} for row in rows],
                                  lambda rows: {"total_count": 1, "results": rows},
                                  lambda rows: {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": None, "properties": row} for row in rows]}])  # fmt: skip
def test_the_envelopes_of_a_portal_are_opened(wrap, tmp_path: Path):
    """Records of the first API, results of the second, features of a GeoJSON: the same columns."""
    path = tmp_path / "ips.json"
    path.write_text(json.dumps(wrap([{"uai": "0020012C", "rentree_scolaire": "2023-2024", "ips": "92.1"}])))
    found = guess(path, CONTRACTS)
    assert found is not None and found.source.code == "ips"
    assert check(path, path.name, found.contract).rows.row(0, named=True)["ips"] == 92.1


@pytest.mark.parametrize(("name", "vintage"), [("v_commune_2023.csv", "2023"), ("communes-01012019.csv", "2019"), ("EPCI_au_01-01-2024.xlsx", "2024"),
                                               ("table_passage_geo2015_geo2024.csv", "2024"), ("communes.csv", None)])  # fmt: skip
def test_the_year_of_a_geography_is_in_its_name(name, vintage):
    """The 1 January described, the last one where a table leads from one to another."""
    assert vintage_of(name) == vintage


HEADER = "TYPECOM,COM,REG,DEP,CTCD,ARR,TNCC,NCC,NCCENR,LIBELLE,CAN,COMPARENT\n"
BEFORE = HEADER + "".join(
    f"COM,{code},52,49,49D,491,0,X,{name},{name},4901,\n" for code, name in (("49007", "Angers"), ("49015", "Auverse"), ("49228", "Noyant"), ("49023", "Beaupréau"), ("49099", "Cholet"), ("49353", "Trélazé"))
)
AFTER = HEADER + "".join(
    f"COM,{code},52,49,49D,491,0,X,{name},{name},4901,\n" for code, name in (("49007", "Angers"), ("49228", "Noyant-Villages"), ("49023", "Beaupréau-en-Mauges"), ("49099", "Cholet"), ("49353", "Trélazé"))
) + "COMD,49228,,,,,0,X,Noyant,Noyant,,49228\n"  # fmt: skip
MOVES = (
    "MOD,DATE_EFF,TYPECOM_AV,COM_AV,TNCC_AV,NCC_AV,NCCENR_AV,LIBELLE_AV,TYPECOM_AP,COM_AP,TNCC_AP,NCC_AP,NCCENR_AP,LIBELLE_AP\n"
    "32,2016-12-15,COM,49015,1,A,A,Auverse,COMD,49015,1,A,A,Auverse\n"
    "32,2016-12-15,COM,49015,1,A,A,Auverse,COM,49228,0,N,N,Noyant-Villages\n"
)
SCHOOLS = (
    "Rentrée scolaire;Code du département;Département;UAI;Nom de l'établissment;Code INSEE de la commune;Nom de la commune;Secteur;IPS\n"
    "2015-2016;049;MAINE-ET-LOIRE;0490001K;ECOLE;49015;AUVERSE;public;101\n2015-2016;049;MAINE-ET-LOIRE;0490003M;ECOLE;;AUVERSE;public;101\n"
)


def test_vintages_of_the_communes_in_any_order_give_the_communes_of_today(load):
    """An earlier list loaded after a later one brings no merged commune back; its schools are led to the new commune by code, or
    by the former name alone."""
    outcome = load({"v_commune_2023.csv": AFTER, "v_mvtcommune_2024.csv": MOVES, "ips.csv": SCHOOLS, "v_commune_2015.csv": BEFORE})
    assert outcome.is_clean, outcome.lines()
    where = places()
    assert where.communes["code"].to_list() == ["49007", "49023", "49099", "49228", "49353"]
    assert dict(where.communes.select("code", "name").iter_rows())["49228"] == "Noyant-Villages"
    assert ("49015", "49228", "Auverse") in where.former.rows()
    assert set(Establishment.objects.values_list("uai", "commune_code", "commune_name")) == {
        ("0490001K", "49228", "Noyant-Villages"), ("0490003M", "49228", "Noyant-Villages")
    }  # fmt: skip


def test_a_list_of_one_intercommunality_hides_no_other_commune(load):
    """A later file that holds a small part of a département adds to it; the INSEE code of 2018 is written in two columns."""
    part = HEADER + "COM,49007,52,49,49D,491,0,X,Angers,Angers,4901,\n"
    two = "CDC;CHEFLIEU;REG;DEP;COM;AR;CT;TNCC;ARTMAJ;NCC;ARTMIN;NCCENR\n0;0;84;01;001;2;08;5;(L');ABERGEMENT;(L');Abergement-Clémenciat\n"
    load({"v_commune_2015.csv": BEFORE, "angers_2024.csv": part, "comsimp2018.csv": two})
    assert places().communes["code"].to_list() == ["01001", "49007", "49015", "49023", "49099", "49228", "49353"]


def test_the_departement_of_the_somme_is_not_a_sum(tmp_path: Path):
    """A line named Somme beside its code is kept; a line of sums is left out."""
    path = tmp_path / "departements.csv"
    path.write_text("code_departement,nom_departement,code_region,nom_region\n02,Aisne,32,Hauts-de-France\n80,Somme,32,Hauts-de-France\n")
    found = guess(path, CONTRACTS)
    assert found is not None
    assert check(path, path.name, found.contract).rows["code"].to_list() == ["02", "80"]


@pytest.mark.parametrize(("header", "row", "said"), [
    ("Rentrée scolaire;Nom de l'établissement;Secteur;IPS", "2022-2023;COLLEGE;public;98.1", ("Indices de position sociale", "il y manque « UAI »", "Colonnes lues : Rentrée scolaire")),
    ("id;acheteur_id;objet;codeCPV;dateNotification;montant;titulaire_id_1", "1;21350016800025;Tablettes;30213200-7;2022-06-01;100;48242583200011", ("essaim submit", "equipment.public_contracts")),
])  # fmt: skip
def test_a_file_that_is_not_of_the_register_is_told_what_it_lacks(header, row, said, tmp_path: Path):
    """The nearest kind of file, the column it would need, what was read; or the command that takes it."""
    path = tmp_path / "fichier.csv"
    path.write_text(f"{header}\n{row}\n", encoding="utf-8")
    assert guess(path, CONTRACTS) is None
    told = likeness(path, (*CONTRACTS, *equipment.CONTRACTS))
    assert all(part in told for part in said), told


def test_a_geojson_of_schools_is_a_table_of_schools(load):
    """The GeoJSON export of a data set is read by its properties; contours remain contours."""
    school = {"uai": "0020012C", "rentree_scolaire": "2023-2024", "ips": "92.1", "nom_de_l_etablissement": "COLLEGE"}
    told = {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": {"type": "Point", "coordinates": [3.6, 49.5]}, "properties": school}]}
    outcome = load({"ips.geojson": json.dumps(told)})
    assert outcome.is_clean, outcome.lines()
    assert Establishment.objects.get().uai == "0020012C"
