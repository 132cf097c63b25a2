"""The files of evaluation: published results of establishments."""

from __future__ import annotations

from essaim.engines.intake.contract import Code, Contract, Field, FieldType

_SECTORS = (
    Code("public", "Public", ("PU", "publique", "secteur public")),
    Code("prive", "Privé", ("PR", "privée", "privé sous contrat", "secteur privé", "prive sous contrat")),
)


def _rate(name: str, label: str, *synonyms: str) -> Field:
    return Field(name, label, FieldType.PERCENT, synonyms=(label, *synonyms), unit="%", minimum=0, maximum=100)


def _added(name: str, label: str, *synonyms: str, unit: str = "points") -> Field:
    return Field(
        name, label, FieldType.DECIMAL, "Valeur ajoutée : écart signé à ce qu'on attend d'élèves comparables.",
        synonyms=(label, *synonyms), unit=unit, minimum=-100, maximum=100,
    )  # fmt: skip


def _count(name: str, label: str, *synonyms: str) -> Field:
    return Field(name, label, FieldType.INTEGER, synonyms=(label, *synonyms), unit="candidats", minimum=0)


def _mark(name: str, label: str, *synonyms: str) -> Field:
    return Field(name, label, FieldType.DECIMAL, synonyms=(label, *synonyms), unit="points sur 20", minimum=0, maximum=20)


SCHOOL_RESULTS = Contract(
    "evaluation.school_results",
    1,
    "Résultats et valeur ajoutée des collèges (IVAC)",
    "Une ligne par collège et par session du diplôme national du brevet. « ND » : non diffusé ; une valeur ajoutée porte son signe.",
    (
        Field("session", "Session", FieldType.INTEGER, "Année de l'examen.", required=True,
              synonyms=("session", "année", "annee", "Session du DNB"), minimum=1990, maximum=2100),
        Field("uai", "UAI", FieldType.UAI, "Identifiant national du collège.", required=True,
              synonyms=("UAI", "numero_uai", "uai", "code établissement", "identifiant", "Identifiant_de_l_etablissement"),
              reference="establishment", references_with=("school_name", "commune_name"), examples=("0020011B",)),
        Field("school_name", "Nom de l'établissement", FieldType.TEXT,
              synonyms=("nom_de_l_etablissement", "nom établissement", "etablissement", "nom_etablissement", "Nom de l'établissment")),
        Field("commune_name", "Commune", FieldType.TEXT, synonyms=("commune", "nom_commune", "ville", "libelle_commune")),
        Field("departement_name", "Département", FieldType.TEXT, synonyms=("departement", "libelle_departement", "nom_departement")),
        Field("academie_name", "Académie", FieldType.TEXT, synonyms=("academie", "libelle_academie")),
        Field("sector", "Secteur", FieldType.CODE, synonyms=("secteur", "statut_public_prive", "secteur public/privé"), codes=_SECTORS),
        _count("candidates_general", "Nb candidats - G", "nb_candidats_g", "candidats série générale"),
        _rate("success_general_pct", "Taux de réussite - G", "taux_de_reussite_g", "taux de réussite série générale"),
        _added("success_added_general", "VA du taux de réussite - G", "va_du_taux_de_reussite_g", "valeur ajoutée du taux de réussite"),
        _count("candidates_vocational", "Nb candidats - P", "nb_candidats_p"),
        _rate("success_vocational_pct", "Taux de réussite - P", "taux_de_reussite_p"),
        _mark("written_mark_general", "Note à l'écrit - G", "note_a_l_ecrit_g", "note moyenne à l'écrit"),
        _added("mark_added_general", "VA de la note - G", "va_de_la_note_g", unit="points sur 20"),
        _mark("written_mark_vocational", "Note à l'écrit - P", "note_a_l_ecrit_p"),
        _rate("access_pct", "Taux d'accès 6ème-3ème", "taux_d_acces_6eme_3eme", "taux d'accès de la 6e à la 3e", "Taux d'accès 6e-3e"),
        _rate("present_pct", "Part présents 3ème ordinaire - Total", "part_presents_3eme_ordinaire_total"),
        _rate("present_general_pct", "Part présents 3ème ordinaire - G", "part_presents_3eme_ordinaire_g"),
        _rate("present_vocational_pct", "Part présents 3ème ordinaire - P", "part_presents_3eme_ordinaire_p"),
        _rate("present_segpa_pct", "Part présents 3ème Segpa - Total", "part_presents_3eme_segpa_total"),
        _count("mentions_ab", "Nb mentions AB - G", "nb_mentions_ab_g"),
        _count("mentions_b", "Nb mentions B - G", "nb_mentions_b_g"),
        _count("mentions_tb", "Nb mentions TB - G", "nb_mentions_tb_g"),
        _count("mentions", "Nb mentions global - G", "nb_mentions_global_g"),
    ),
    key=("uai", "session"),
    place="uai",
    licence="Licence Ouverte 2.0",
    source="https://data.education.gouv.fr/explore/dataset/fr-en-indicateurs-valeur-ajoutee-colleges",
)  # fmt: skip

CONTRACTS = (SCHOOL_RESULTS,)
