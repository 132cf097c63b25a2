"""The files of the resources lever: how often a digital resource or the ENT was opened, by school, never by account."""

from __future__ import annotations

from essaim.engines.intake.contract import Code, Contract, Field, FieldType, Wide
from essaim.territories.school_fields import COMMENT, COMMUNE_NAME, SCHOOL_NAME, SCHOOL_UAI

ROLES = (
    Code("eleve", "Élèves", ("élève", "élèves", "student", "students", "apprenant", "elv")),
    Code("enseignant", "Enseignants", ("enseignant", "professeur", "teacher", "teachers", "prof", "ens")),
    Code("parent", "Parents", ("parents", "responsable", "responsables légaux", "famille", "familles", "tuteur")),
    Code("autre", "Autres utilisateurs", ("autres", "personnel", "admin", "administratif", "other", "invité", "vie scolaire")),
    Code("inconnu", "Utilisateurs inconnus", ("non renseigné", "inconnu", "non connu", "NR")),
)

USES = Contract(
    "resources.uses",
    1,
    "Usages des ressources numériques",
    "Une ligne par établissement, mois, ressource et type d'utilisateur : combien d'ouvertures, par combien de comptes différents.",
    (
        SCHOOL_UAI,
        SCHOOL_NAME,
        COMMUNE_NAME,
        Field("month", "Mois", FieldType.MONTH, "Mois d'usage.", required=True, synonyms=("mois", "période", "mois d'usage", "month", "date"), examples=("2026-01",)),
        Field("resource_id", "Identifiant de la ressource", FieldType.TEXT, "Identifiant chez le fournisseur ou au GAR (ARK).", required=True,
              synonyms=("identifiant ressource", "id ressource", "ark", "idRessource", "code ressource", "activite_id", "id activité", "identifiant", "resource_id"), examples=("ark:/49591/ABU.p",)),
        Field("resource_title", "Ressource", FieldType.TEXT, synonyms=("ressource", "titre", "nom de la ressource", "nom ressource", "activite_titre", "titre de la ressource", "activité", "intitulé")),
        Field("provider", "Fournisseur", FieldType.TEXT, synonyms=("fournisseur", "éditeur", "distributeur", "plateforme", "service")),
        Field("role", "Utilisateurs", FieldType.CODE, "Type d'utilisateur ; non renseigné, il est compté comme inconnu, jamais écarté.",
              synonyms=("rôle", "role", "profil", "type d'utilisateur", "public", "utilisateurs"), codes=ROLES, default="inconnu"),
        Field("openings", "Ouvertures", FieldType.INTEGER, "Nombre d'ouvertures pendant le mois.", required=True,
              synonyms=("nb_ouvertures", "nombre d'ouvertures", "nb ouvertures", "accès", "nb accès", "nombre d'accès", "connexions", "visites", "consultations"), unit="ouvertures", minimum=0, maximum=10_000_000),
        Field("accounts", "Comptes différents", FieldType.INTEGER, "Comptes différents pendant le mois : ne s'additionnent ni entre mois ni entre ressources.",
              synonyms=("nb_comptes_distincts", "comptes distincts", "utilisateurs uniques", "nb comptes", "utilisateurs distincts", "nb utilisateurs", "visiteurs uniques"), unit="comptes", minimum=0, maximum=100_000),
        COMMENT,
    ),
    key=("sender", "uai", "month", "resource_id", "role"),
    adds=("openings",),
    wide=(Wide("month", "openings"),),
    place="uai",
)  # fmt: skip


def _visits(name: str, label: str, *synonyms: str, required: bool = False) -> Field:
    return Field(name, label, FieldType.INTEGER, required=required, synonyms=synonyms, unit="visites", minimum=0, maximum=10_000_000)


def _users(name: str, label: str, *synonyms: str) -> Field:
    return Field(name, label, FieldType.INTEGER, "Utilisateurs différents pendant la semaine.", synonyms=synonyms, unit="utilisateurs", minimum=0, maximum=1_000_000)


AUDIENCE = Contract(
    "resources.audience",
    1,
    "Audience des ENT (DNMA)",
    "Une ligne par établissement et par semaine, telle que publiée par le dispositif national de mesure d'audience des ENT.",
    (
        SCHOOL_UAI,
        Field("week", "Semaine", FieldType.DATE, "Premier jour de la semaine mesurée.", required=True,
              synonyms=("debutSemaine", "début semaine", "semaine", "début de semaine", "date", "semaine du"), minimum="2015-01-01", maximum="2040-12-31"),
        _visits("visits", "Visites", "visites_globales", "visites", "nb visites", "visites globales", required=True),
        _visits("visits_pupils", "Visites des élèves", "visites_eleve", "visites élève", "visites élèves"),
        _visits("visits_parents", "Visites des parents", "visites_parent", "visites parents"),
        _visits("visits_teachers", "Visites des enseignants", "visites_enseignant", "visites enseignants"),
        _visits("visits_staff", "Visites des autres personnels", "visites_admin_vie_scol_tech", "visites administration vie scolaire"),
        _users("users", "Utilisateurs", "utilisateurs_globales", "utilisateurs", "visiteurs", "utilisateurs globaux"),
        _users("users_pupils", "Élèves utilisateurs", "utilisateurs_eleve", "utilisateurs élèves"),
        _users("users_parents", "Parents utilisateurs", "utilisateurs_parent", "utilisateurs parents"),
        _users("users_teachers", "Enseignants utilisateurs", "utilisateurs_enseignant", "utilisateurs enseignants"),
    ),
    key=("sender", "uai", "week"),
    place="uai",
    licence="Licence Ouverte 2.0",
    source="https://data.education.gouv.fr/explore/dataset/fr-en-dnma-par-uai-profils",
)  # fmt: skip

CONTRACTS = (USES, AUDIENCE)
