"""The files of the training lever: who came to which session, counted by school and profile, never named."""

from __future__ import annotations

from essaim.engines.intake.contract import Code, Contract, Field, FieldType, InOrder, Severity, Wide
from essaim.territories.school_fields import COMMENT, COMMUNE_NAME, SCHOOL_NAME, SCHOOL_UAI

UNKNOWN_PROFILE = "inconnu"
PROFILES = (
    Code("enseignant_1d", "Enseignant du premier degré", ("professeur des écoles", "PE", "enseignants 1er degré", "enseignant école", "1D", "premier degré", "enseignant 1d")),
    Code("enseignant_2d", "Enseignant du second degré", ("certifié", "PLC", "enseignants 2nd degré", "enseignant collège", "enseignant lycée", "2D", "second degré", "enseignant 2d")),
    Code("direction", "Direction d'école ou d'établissement", ("directeur", "directrice", "chef d'établissement", "principal", "proviseur", "directeurs")),
    Code("formateur_cadre", "Formateur ou cadre", ("formateur", "IEN", "conseiller pédagogique", "CPC", "eRUN", "IAN", "inspecteur", "cadre", "formateurs, cadres, personnels de l'EN")),
    Code("autre_personnel", "Autre personnel", ("AESH", "AED", "ATSEM", "personnel territorial", "documentaliste", "autre", "autres personnels", "CPE")),
    Code(UNKNOWN_PROFILE, "Profil inconnu", ("non renseigné", "non connu", "NR", "?", "non précisé", "formés non connus", "inconnus")),
)  # fmt: skip
MODES = (
    Code("presentiel", "En présence", ("présentiel", "sur site", "P", "en présentiel", "présence")),
    Code("distance", "À distance", ("distanciel", "visio", "webinaire", "classe virtuelle", "D", "en ligne", "e-learning", "M@gistère")),
    Code("hybride", "Hybride", ("mixte", "hybridation", "présentiel et distanciel", "H")),
)
ORGANISERS = (
    Code("canope", "Réseau Canopé", ("Canopé", "Atelier Canopé", "CANOPE")),
    Code("academie", "Académie", ("DRANE", "DANE", "EAFC", "rectorat", "DSDEN", "circonscription", "académique")),
    Code("collectivite", "Collectivité", ("commune", "département", "région", "mairie")),
    Code("autre", "Autre organisateur", ("association", "éditeur", "constructeur", "prestataire")),
)

ATTENDANCE = Contract(
    "training.attendance",
    1,
    "Présences aux formations",
    "Une ligne par session, par établissement et par profil : combien de personnes inscrites, combien de présentes. Jamais de nom.",
    (
        Field("session_ref", "N° de session", FieldType.TEXT, "Numéro de la session chez l'organisateur.", required=True,
              synonyms=("session", "n° session", "code session", "identifiant session", "réf session", "module", "dispositif", "code module", "n° de module", "référence formation", "code formation"),
              examples=("CANO-2025-014",)),
        Field("title", "Intitulé", FieldType.TEXT, "Intitulé de la formation.",
              synonyms=("intitulé", "titre", "formation", "libellé", "nom de la formation", "thème", "libellé module", "intitulé de la formation")),
        Field("held_on", "Date de la session", FieldType.DATE, "Premier jour de la session.", required=True, past=True,
              synonyms=("date", "date de session", "date session", "le", "date de formation", "date début", "date de début", "jour"), minimum="2015-01-01", maximum="2040-12-31"),
        Field("hours", "Durée (heures)", FieldType.DECIMAL, "Durée suivie par une personne présente du début à la fin.",
              synonyms=("durée", "durée (h)", "heures", "nb heures", "nombre d'heures", "volume horaire", "durée en heures"), unit="heures", minimum=0.25, maximum=300),
        Field("mode", "Modalité", FieldType.CODE, synonyms=("modalité", "modalités", "format", "mode", "présentiel/distanciel"), codes=MODES),
        Field("organiser", "Organisateur", FieldType.CODE, synonyms=("organisateur", "opérateur", "porteur", "organisé par", "organisme"), codes=ORGANISERS),
        SCHOOL_UAI,
        SCHOOL_NAME,
        COMMUNE_NAME,
        Field("profile", "Profil", FieldType.CODE, "Profil des personnes comptées ; un profil non renseigné est compté comme inconnu, jamais écarté.",
              synonyms=("profil", "fonction", "catégorie", "public", "profil stagiaire", "statut", "type de stagiaire", "profil des stagiaires"), codes=PROFILES, default=UNKNOWN_PROFILE),
        Field("registered", "Personnes inscrites", FieldType.INTEGER, synonyms=("inscrits", "nb inscrits", "nombre d'inscrits", "inscriptions", "convoqués"), unit="personnes", minimum=0, maximum=5000),
        Field("attended", "Personnes présentes", FieldType.INTEGER, "Présentes d'après l'émargement.", required=True,
              synonyms=("présents", "nb présents", "nombre de présents", "participants", "nb participants", "nombre de participants", "émargements", "stagiaires", "formés", "personnes formées", "effectif présent"), unit="personnes", minimum=0, maximum=5000),
        COMMENT,
    ),
    key=("sender", "session_ref", "held_on", "uai", "profile"),
    rules=(
        InOrder("presents_superieurs_aux_inscrits", "Plus de personnes présentes que d'inscrites : vérifiez l'émargement.", "attended", "registered", severity=Severity.WARNING),
    ),
    named=("presence", "presences", "emargement", "emargements", "bilan", "realise", "realisees"),
    not_named=("inscription", "inscriptions", "calendrier", "offre", "offres", "catalogue", "besoin", "besoins", "prevision", "previsions", "previsionnel", "programmation"),
    adds=("registered", "attended"),
    wide=(Wide("profile", "attended"),),
    place="uai",
)  # fmt: skip

CONTRACTS = (ATTENDANCE,)
