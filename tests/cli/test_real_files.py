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
