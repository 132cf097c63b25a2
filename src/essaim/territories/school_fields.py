"""The fields by which every file of a lever says which school a row speaks of. One declaration, so that a header understood
in one kind of file is understood in all."""

from __future__ import annotations

from essaim.engines.intake.contract import Field, FieldType

SCHOOL_UAI = Field(
    "uai",
    "UAI",
    FieldType.UAI,
    "Identifiant national de l'établissement : sept chiffres et une lettre-clé.",
    required=True,
    synonyms=(
        "UAI", "code UAI", "RNE", "code RNE", "numéro UAI", "n° UAI", "n°UAI", "identifiant établissement",
        "identifiant de l'établissement", "UAI école", "UAI établissement", "code établissement", "code étab", "n° étab", "code école", "numero_uai",
        "uai_el", "n° établissement", "ETAB_UAI", "immatriculation",
    ),
    reference="establishment",
    references_with=("school_name", "commune_name"),
    examples=("0020011B", "9710017S"),
)  # fmt: skip
SCHOOL_NAME = Field(
    "school_name",
    "Établissement",
    FieldType.TEXT,
    "Nom de l'établissement, utile pour le retrouver quand l'UAI manque.",
    synonyms=(
        "école", "établissement", "nom de l'école", "nom établissement", "nom de l'établissement", "désignation école",
        "collège", "nom école", "lycée", "site", "établissement scolaire", "destinataire", "lieu de livraison", "appellation",
        "nom du collège", "école / établissement", "structure", "étab", "nom étab", "nom établ", "libellé établissement",
    ),
    examples=("École élémentaire Jean Moulin",),
)  # fmt: skip
COMMUNE_NAME = Field(
    "commune_name",
    "Commune",
    FieldType.TEXT,
    "Nom de la commune de l'établissement.",
    synonyms=("commune", "ville", "localité", "nom commune", "nom de la commune", "commune de l'école", "libellé commune"),
    examples=("Laon",),
)
COMMENT = Field(
    "comment",
    "Observations",
    FieldType.TEXT,
    "Remarque libre, jamais de nom de personne.",
    synonyms=("commentaire", "commentaires", "observation", "remarque", "remarques", "obs", "obs.", "note", "précisions"),
    max_length=2000,
)
