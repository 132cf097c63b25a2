"""What the law and the programme say, declared: owners by degree, académies before 2020, waves, dioceses, national actors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from essaim.kernel.places import DEPARTEMENTS, REGIONS

MERGED_ON = date(2020, 1, 1)
# Académies of Normandie until the merger of 1 January 2020 (décret 2019-1200): code, name, départements.
FORMER_ACADEMIES = (("05", "Caen", ("14", "50", "61")), ("21", "Rouen", ("27", "76")))
NORMANDIE = ("14", "27", "50", "61", "76")


@dataclass(frozen=True, slots=True)
class Wave:
    """A wave of the programme: its départements and the day on which they joined."""

    code: str
    label: str
    starts_on: date
    departements: tuple[str, ...]


WAVES = (
    Wave("1", "Première vague (rentrée 2020)", date(2020, 9, 1), ("02", "95")),
    Wave("2", "Deuxième vague (octobre 2021)", date(2021, 10, 8), ("13", "18", "2A", "25", "29", "34", "38", "86", "88", "971")),
)
TERRITORIES = tuple(code for wave in WAVES for code in wave.departements)

# Single authorities that hold what départements and regions hold elsewhere: code, name, collèges and lycées of …
SINGLE_COLLEGES = {
    "2A": ("region-94", "Collectivité de Corse"),
    "2B": ("region-94", "Collectivité de Corse"),
    "67": ("departement-6AE", "Collectivité européenne d'Alsace"),
    "68": ("departement-6AE", "Collectivité européenne d'Alsace"),
    "972": ("region-02", "Collectivité territoriale de Martinique"),
    "973": ("region-03", "Collectivité territoriale de Guyane"),
    "75": ("departement-75", "Ville de Paris"),
    "976": ("departement-976", "Département de Mayotte"),
}
SINGLE_REGIONS = {"94": "Collectivité de Corse", "02": "Collectivité territoriale de Martinique", "03": "Collectivité territoriale de Guyane"}
LYON_METROPOLE = ("200046977", "Métropole de Lyon")

# Dioceses that hold several départements (à confirmer: the boundary inside Nord, Marne and Bouches-du-Rhône is not by département).
SHARED_DIOCESES = {
    "67": ("strasbourg", "Direction diocésaine de Strasbourg"),
    "68": ("strasbourg", "Direction diocésaine de Strasbourg"),
    "2A": ("ajaccio", "Direction diocésaine d'Ajaccio"),
    "2B": ("ajaccio", "Direction diocésaine d'Ajaccio"),
    "25": ("besancon", "Direction diocésaine de Besançon"),
    "70": ("besancon", "Direction diocésaine de Besançon"),
}

# Actors known to everyone: code, name, kind.
NATIONAL_ACTORS = (
    ("men", "Ministère de l'Éducation nationale (DNE, DGESCO, DAF)", "etat"),
    ("sgpi", "Secrétariat général pour l'investissement", "etat"),
    ("cdc", "Caisse des dépôts – Banque des Territoires", "operateur"),
    ("canope", "Réseau Canopé", "operateur"),
    ("trousse-a-projets", "GIP Trousse à projets", "operateur"),
    ("ugap", "UGAP", "operateur"),
    ("amf", "Association des maires de France", "association"),
    ("adf", "Départements de France", "association"),
    ("regions-de-france", "Régions de France", "association"),
    ("sgec", "Secrétariat général de l'enseignement catholique", "association"),
)
NAMES = {item.code: item.name for item in DEPARTEMENTS}
REGION_OF = {item.code: item.region for item in DEPARTEMENTS}


def college_owner(departement: str) -> tuple[str, str]:
    """Code and name of the authority that equips the public collèges of a département."""
    if departement in SINGLE_COLLEGES:
        return SINGLE_COLLEGES[departement]
    return f"departement-{departement}", f"Département {NAMES.get(departement, departement)}"


def lycee_owner(departement: str) -> tuple[str, str]:
    """Code and name of the authority that equips the public lycées of a département."""
    region = REGION_OF.get(departement, "")
    return f"region-{region}", SINGLE_REGIONS.get(region, f"Région {REGIONS.get(region, region)}")


def diocese(departement: str) -> tuple[str, str]:
    """Code and name of the diocesan direction of a département."""
    if departement in SHARED_DIOCESES:
        return SHARED_DIOCESES[departement]
    return f"diocese-{departement}", f"Direction diocésaine {NAMES.get(departement, departement)}"
