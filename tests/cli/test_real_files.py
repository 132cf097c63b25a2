"""Real public files of the kinds that authorities and ministries hand in: what `check` says of them, as a person reads it."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.data

# File, contract, exit code, least share of rows accepted, what must be said.
FILES = (
    ("marches/decp_selection_informatique_numerique_2017-2019.csv", "equipment.public_contracts", 0, 1.0, "en répètent d'autres à l'identique"),
    ("marches/decp_e-marchespublics_2019-04.json.gz", "equipment.public_contracts", 1, 0.99, "précède la notification"),
    ("marches/decp_marches-publics.info_2019-03.json.gz", "equipment.public_contracts", 1, 0.99, "0218-10-29"),
    ("annuaire/annuaire_2026_extrait_schema_courant.csv", "territories.establishments", 0, 1.0, "Fichier en ordre"),
    ("annuaire/fr-en-annuaire-education_dep35_2023.csv", "territories.establishments", 0, 1.0, "Fichier en ordre"),
    ("annuaire/etablissements_fermes_2026.parquet", "territories.closures", 0, 1.0, "42287 lignes lues"),
    ("resultats/fr-en-indicateurs-valeur-ajoutee-colleges_2022-2023.csv.gz", "evaluation.school_results", None, 0.99, "13237 lignes lues"),
    ("ips/fr-en-ips-colleges-ap2022_2022-2023_libelles_bom_crlf.csv", "territories.social_position", 0, 1.0, "6973 lignes lues"),
    ("marches/decp_pes_2019-04_dates_avec_fuseau.json.gz", "equipment.public_contracts", 1, 1.0, "1148 lignes lues"),
    ("annuaire/effectifs_compiles_geoloc_rentree2024.csv.gz", "territories.enrolment", 0, 1.0, "60540 lignes lues"),
    ("annuaire/etablissements_reconstitues_rentree2024.csv.gz", "territories.establishments", 0, 1.0, "58220 lignes lues"),
    ("annuaire/annuaire_colleges_lycees_ips_2026.csv.gz", "territories.social_position", 0, 1.0, "12455 lignes lues"),
    ("effectifs/fr-en-college-effectifs-niveau-sexe-lv_2019-2023.parquet", "territories.enrolment", 0, 1.0, "41775 lignes lues"),
    ("effectifs/fr-en-lycee_gt-effectifs-niveau-sexe-lv_2019-2024.parquet", "territories.enrolment", 0, 1.0, "15137 lignes lues"),
    ("effectifs/fr-en-lycee_pro-effectifs-niveau-sexe-lv_2019-2024.parquet", "territories.enrolment", 0, 1.0, "13292 lignes lues"),
    ("effectifs/fr-en-ecoles-effectifs-nb_classes_dep35_2019-2022.csv", "territories.enrolment", 0, 1.0, "2704 lignes lues"),
    ("ips/fr-en-ips-ecoles-ap2022_2022-2023_libelles_bom_crlf.csv.gz", "territories.social_position", 0, 1.0, "30059 lignes lues"),
    ("ips/fr-en-ips-lycees-ap2022_2022-2023_libelles_bom_crlf.csv", "territories.social_position", 0, 1.0, "3598 lignes lues"),
    ("ips/fr-en-ips_ecoles_2021-2022.csv.gz", "territories.social_position", 0, 1.0, "32091 lignes lues"),
    ("cog/communes_cog_2026.csv.gz", "territories.places", 0, 1.0, "37590 lignes lues"),
    ("cog/epci_membres_2026.csv.gz", "territories.places", 0, 1.0, "34871 lignes lues"),
    ("cog/codes_postaux_la_poste.csv.gz", "territories.places", 0, 1.0, "35684 lignes lues"),
    ("cog/arrondissements_2026.json", "territories.places", 0, 1.0, "333 lignes lues"),
    ("marches/scdl_subventions_exemple_valide.csv", "equipment.public_contracts", 2, 0.0, "Identifiant du marché"),
    ("marches/scdl_subventions_exemple_invalide_erreurs_colonnes.csv", "equipment.public_contracts", 2, 0.0, "Colonnes absentes"),
    ("resultats/fr-en-dnb-par-departement_2023-2025.csv.gz", "evaluation.school_results", 2, 0.0, "Colonne obligatoire introuvable : « UAI »"),
    ("imports_tordus/ma-cantine__diagnostics_simple_good_encoding_iso-8859-1.csv", "equipment.orders", 2, 0.0, "Catégorie"),
    ("imports_tordus/ma-cantine__purchases_good.xlsx", "equipment.orders", 2, 0.0, "Colonnes absentes : « UAI »"),
    ("imports_tordus/pilote__template_import_PILOTE.csv", "equipment.orders", 2, 0.0, "Colonnes absentes"),
    ("ips/Table-de-passage-IPS-PCS-2022.xlsx", "territories.social_position", 2, 0.0, "Colonnes absentes : « UAI »"),
    ("geo/departements_1000m.geojson", "equipment.orders", 2, 0.0, "Aucun tableau"),
    ("imports_tordus/ma-cantine__diagnostics_bad_file_format.ods", "equipment.orders", 2, 0.0, "Aucun tableau"),
    ("imports_tordus/ma-cantine__purchases_bad_no_header.csv", "equipment.orders", 2, 0.0, "sans en-tête"),
    ("imports_tordus/pilote__referentiel_territoires.xlsx", "equipment.orders", 2, 0.0, "Commandes de matériel"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "contract", "code", "share", "says"), FILES, ids=[item[0].rsplit("/", 1)[-1] for item in FILES])
def test_a_real_file_is_understood_or_refused_for_a_good_reason(essaim, data_dir, tmp_path, monkeypatch, obeys, name, contract, code, share, says):
    """Without any register: the right exit code, rows kept, and the sentence that matters."""
    monkeypatch.setenv("ESSAIM_HOME", str(tmp_path / "nulle-part"))
    done = essaim("check", data_dir / name, "--contract", contract)
    assert says in done.out and "Traceback" not in done.err
    assert done.code == code if code is not None else done.code in (0, 1)
    if share:
        line = next(item for item in done.out.splitlines() if " lues, " in item)
        read, kept = (int(word) for word in line.replace(" lignes lues,", "").split()[:2])
        assert kept / read >= share, line
