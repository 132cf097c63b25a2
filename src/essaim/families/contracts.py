"""The files of the families lever: actions held with families, counted by school. No family is ever named."""

from __future__ import annotations

from essaim.engines.intake.contract import Code, Contract, Field, FieldType, InOrder, Severity
from essaim.territories.school_fields import COMMENT, COMMUNE_NAME, SCHOOL_NAME, SCHOOL_UAI

KINDS = (
    Code("reunion", "Réunion d'information", ("réunion", "réunion parents", "information", "réunion de rentrée", "présentation")),
    Code("atelier", "Atelier avec les familles", ("atelier", "ateliers", "café des parents", "atelier parents", "atelier numérique", "atelier parents-enfants")),
    Code("permanence", "Permanence ou aide individuelle", ("permanence", "aide", "accompagnement individuel", "médiation", "conseiller numérique")),
    Code("formation_relais", "Formation de parents-relais", ("parents-relais", "parents relais", "formation de relais", "formation parents relais", "relais")),
    Code("pret", "Remise de matériel prêté, accompagnée", ("prêt", "remise de matériel", "prêt accompagné", "remise de tablettes")),
    Code("autre", "Autre action", ("autre", "divers", "événement", "évènement", "fête du numérique")),
)  # fmt: skip
PARTNERS = (
    Code("ecole", "L'établissement lui-même", ("école", "établissement", "équipe éducative", "collège")),
    Code("association", "Association", ("asso", "association", "centre social", "MJC", "fédération de parents", "FCPE", "PEEP")),
    Code("trousse_a_projets", "Trousse à projets", ("GIP Trousse à projets", "trousse à projets", "TAP")),
    Code("collectivite", "Collectivité", ("mairie", "commune", "département", "CCAS", "médiathèque", "France services")),
    Code("autre", "Autre partenaire", ("autre", "entreprise", "fondation")),
)

ACTIONS = Contract(
    "families.actions",
    1,
    "Actions avec les familles",
    "Une ligne par action et par établissement : ce qui a été proposé aux familles et combien y sont venues. Des comptes, jamais de noms.",
    (
        Field("action_ref", "N° d'action", FieldType.TEXT, "Numéro ou nom court de l'action chez le porteur.", required=True,
              synonyms=("n° action", "action", "code action", "réf action", "identifiant action", "référence", "numéro d'action"), examples=("PAR-2025-03",)),
        Field("kind", "Nature de l'action", FieldType.CODE, required=True,
              synonyms=("nature", "type", "type d'action", "nature de l'action", "catégorie", "format"), codes=KINDS),
        Field("held_on", "Date", FieldType.DATE, required=True, past=True, synonyms=("date", "date de l'action", "le", "jour", "date action", "date de réalisation"), minimum="2015-01-01", maximum="2040-12-31"),
        SCHOOL_UAI,
        SCHOOL_NAME,
        COMMUNE_NAME,
        Field("partner", "Porteur", FieldType.CODE, "Qui a mené l'action.", synonyms=("porteur", "partenaire", "opérateur", "organisateur", "mené par", "structure porteuse"), codes=PARTNERS),
        Field("invited", "Familles invitées", FieldType.INTEGER, synonyms=("familles invitées", "invités", "nb invités", "invitées", "foyers invités", "parents invités"), unit="familles", minimum=0, maximum=20_000),
        Field("reached", "Familles venues", FieldType.INTEGER, required=True,
              synonyms=("familles venues", "familles présentes", "familles", "nb familles", "nombre de familles", "présents", "parents présents", "participants", "familles touchées", "familles accompagnées", "nb parents"), unit="familles", minimum=0, maximum=20_000),
        Field("relays", "Parents-relais formés", FieldType.INTEGER, synonyms=("parents-relais", "relais formés", "nb parents-relais", "parents relais formés", "dont parents-relais", "nombre de relais"), unit="personnes", minimum=0, maximum=1000),
        COMMENT,
    ),
    key=("sender", "action_ref", "held_on", "uai"),
    rules=(
        InOrder("venues_superieures_aux_invitees", "Plus de familles venues que d'invitées : vérifiez les deux nombres.", "reached", "invited", severity=Severity.WARNING),
        InOrder("relais_superieurs_aux_venues", "Plus de parents-relais formés que de familles venues : vérifiez les deux nombres.", "relays", "reached", severity=Severity.WARNING),
    ),
    named=("bilan", "bilans", "realise", "realisees"),
    not_named=("calendrier", "besoin", "besoins", "prevision", "previsions", "previsionnel", "programmation", "inscription", "inscriptions"),
    adds=("invited", "reached", "relays"),
    place="uai",
)  # fmt: skip

CONTRACTS = (ACTIONS,)
