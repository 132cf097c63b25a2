"""What the law and the programme say, declared: owners by degree, académies before 2020, waves, dioceses, national actors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from essaim.kernel.places import COLLECTIVITIES, DEPARTEMENTS, REGIONS

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

# SIREN of the authorities above communes (base Sirene, INSEE, Licence Ouverte 2.0), by code of département or region: public lists that
# agree, whose keys are right, and that no buyer's identifier of the public contracts contradicts.
_OF_DEPARTEMENTS = (
    "01 220100010  02 220200026  03 220300016  04 220400014  05 220500011  06 220600019  07 220700017  08 220800049  09 220900013  "
    "10 221000052  11 221100019  12 221200017  13 221300015  14 221401185  15 221500010  16 221600018  17 221700016  18 221800014  "
    "19 221927205  21 222100018  22 222200016  23 222309627  24 222400012  25 222500019  26 222600017  27 222702292  28 222800013  "
    "29 222900011  30 223000019  31 223100017  32 223200015  33 223300013  34 223400011  35 223500018  36 223600016  37 223700014  "
    "38 223800012  39 223900010  40 224000018  41 224100016  42 224200014  43 224300012  44 224400028  45 224500017  46 224600015  "
    "47 224700013  48 224800011  49 224900019  50 225005024  51 225100015  52 225200013  53 225300011  54 225400019  55 225500016  "
    "56 225600014  57 225700012  58 225800010  59 225900018  60 226000016  61 226100014  62 226200012  63 226300010  64 226400018  "
    "65 226500015  66 226600013  6AE 200094332  69 226900017  70 227000015  71 227100013  72 227200029  73 227300019  74 227400017  "
    "76 227605409  77 227700010  78 227806460  79 227900016  80 228000014  81 228100012  82 228200010  83 228300018  84 228400016  "
    "85 228500013  86 228600011  87 228708517  88 228800017  89 228900015  90 229000013  91 229102280  92 229200506  93 229300082  "
    "94 229400288  95 229501275  971 229710017  974 229740014  976 229850003  "
)
_OF_REGIONS = (
    "01 239710015  02 200055507  03 200052678  04 239740012  11 237500079  24 234500023  27 200053726  28 200053403  32 200053742  "
    "44 200052264  52 234400034  53 233500016  75 200053759  76 200053791  84 200053767  93 231300021  94 200076958  "
)
SIRENS = {
    **{f"departement-{code}": siren for code, siren in zip(_OF_DEPARTEMENTS.split()[::2], _OF_DEPARTEMENTS.split()[1::2], strict=True)},
    **{f"region-{code}": siren for code, siren in zip(_OF_REGIONS.split()[::2], _OF_REGIONS.split()[1::2], strict=True)},
    "departement-75": "217500016",  # the Ville de Paris is commune and département
    "region-06": "229850003",  # the Département of Mayotte is region too
}

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
    kind = "Collectivité" if departement in COLLECTIVITIES else "Département"
    return f"departement-{departement}", f"{kind} {NAMES.get(departement, departement)}"


def lycee_owner(departement: str) -> tuple[str, str]:
    """Code and name of the authority that equips the public lycées of a département."""
    region = REGION_OF.get(departement, "")
    kind = "Collectivité" if departement in COLLECTIVITIES else "Région"
    return f"region-{region}", SINGLE_REGIONS.get(region, f"{kind} {REGIONS.get(region, region)}")


def diocese(departement: str) -> tuple[str, str]:
    """Code and name of the diocesan direction of a département."""
    if departement in SHARED_DIOCESES:
        return SHARED_DIOCESES[departement]
    return f"diocese-{departement}", f"Direction diocésaine {NAMES.get(departement, departement)}"
