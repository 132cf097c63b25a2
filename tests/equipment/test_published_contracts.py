"""Essential data of public contracts as portals publish them: one file's columns or another's, the same contract."""

from __future__ import annotations

import json

import pytest

from essaim.engines.intake import check
from essaim.equipment.contracts import PUBLIC_CONTRACTS

BUYER, HOLDER = "21350016800025", "48242583200011"
VALUES = {
    "id": "2022-017", "acheteur": BUYER, "objet": "Tablettes des écoles", "cpv": "30213200-7", "procedure": "Procédure adaptée", "lieu": "35", "type": "Code département",
    "duree": "12", "notifie": "2022-06-01", "publie": "2022-07-01", "montant": "83250.5", "titulaire": HOLDER, "nature": "Marché", "vide": "",
}  # fmt: skip
# The order of columns and their names, as published; « vide »: columns that the contract leaves aside.
LAYOUTS = {
    "2019, flat": "id:id uid:vide acheteur.id:acheteur acheteur.nom:vide nature:nature objet:objet codeCPV:cpv procedure:procedure lieuExecution.code:lieu "
                  "lieuExecution.typeCode:type lieuExecution.nom:vide dureeMois:duree dateNotification:notifie datePublicationDonnees:publie montant:montant "
                  "titulaire.id:titulaire titulaire.typeIdentifiant:vide titulaire.denominationSociale:vide donneesActuelles:vide",
    "augmented": "id:id source:vide type:vide nature:nature procedure:procedure dureeMois:duree datePublicationDonnees:publie lieuExecutionCode:lieu "
                 "lieuExecutionTypeCode:type lieuExecutionNom:vide idAcheteur:acheteur nomAcheteur:vide objetMarche:objet codeCPV:cpv dateNotification:notifie "
                 "montant:montant idTitulaire:titulaire typeIdentifiantTitulaire:vide",
    "consolidated": "uid:vide id:id nature:nature acheteur_id:acheteur acheteur_nom:vide acheteur_siren:vide titulaire_id:titulaire titulaire_typeIdentifiant:vide "
                    "titulaire_nom:vide objet:objet montant:montant codeCPV:cpv procedure:procedure dureeMois:duree dateNotification:notifie datePublicationDonnees:publie "
                    "offresRecues:vide lieuExecution_code:lieu lieuExecution_typeCode:type sourceOpenData:vide",
    "2022, valid": "id:id nature:nature objet:objet techniques:vide codecpv:cpv procedure:procedure dureemois:duree datenotification:notifie montant:montant "
                   "datepublicationdonnees:publie acheteur_id:acheteur lieuexecution_code:lieu lieuexecution_typecode:type titulaire_id_1:titulaire "
                   "titulaire_typeidentifiant_1:vide titulaire_id_2:vide titulaire_typeidentifiant_2:vide titulaire_id_3:vide",
}  # fmt: skip
EXPECTED = {
    "contract_id": "2022-017", "buyer_siret": BUYER, "object": "Tablettes des écoles", "cpv": "30213200-7", "procedure": "Procédure adaptée", "place_code": "35",
    "place_type": "Code département", "duration_months": 12, "amount_eur": 83250.5, "holders": HOLDER, "nature": "Marché",
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_published_layout_of_public_contracts_is_read_without_a_question(layout):
    """Every value under its field; the first holder, not the second column of holders."""
    pairs = [pair.rpartition(":")[::2] for pair in LAYOUTS[layout].split(" ")]
    text = ";".join(name for name, _ in pairs) + "\n" + ";".join(VALUES[value] for _, value in pairs) + "\n"
    outcome = check(text.encode(), "decp.csv", PUBLIC_CONTRACTS)
    assert (outcome.questions, outcome.refused.height) == ((), 0), outcome.summary
    assert {field: outcome.rows.row(0, named=True)[field] for field in EXPECTED} == EXPECTED


def test_the_nested_format_of_2022_is_read(tmp_path):
    """Holders two levels down, contracts under ``marches.marche``."""
    told = {
        "id": "2022-017", "acheteur": {"id": BUYER}, "nature": "Marché", "objet": "Tablettes des écoles", "codeCPV": "30213200-7", "procedure": "Procédure adaptée",
        "lieuExecution": {"code": "35", "typeCode": "Code département"}, "dureeMois": 12, "dateNotification": "2022-06-01", "montant": 83250.5,
        "titulaires": [{"titulaire": {"id": HOLDER, "typeIdentifiant": "SIRET"}}], "modifications": [],
    }  # fmt: skip
    content = json.dumps({"marches": {"marche": [told, told | {"id": "2022-018"}], "contrat-concession": []}}).encode()
    outcome = check(content, "decp.json", PUBLIC_CONTRACTS)
    assert (outcome.questions, outcome.rows.height) == ((), 2)
    assert {field: outcome.rows.row(0, named=True)[field] for field in EXPECTED} == EXPECTED
