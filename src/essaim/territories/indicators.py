"""What the register lets one measure: establishments, pupils, classes, social position, priority education.

Sources overlap (a directory, a count by level, a compiled file): facts are read from two derived tables where every school and
year is counted once, each row keeping the entry, hence the cell, that states it.
"""

from __future__ import annotations

from essaim.engines.measures import (
    Coverage,
    Direction,
    FactColumn,
    FactTable,
    Indicator,
    Kind,
    Measure,
    PerEstablishment,
    Role,
    Timing,
    col,
    school_year_start,
)
from essaim.territories.reads.profile import counted_facts, position_facts

GENERAL, JUSTICE = "élever le niveau général", "justice sociale"
BREAKDOWNS = ("sector", "school_level", "rep", "ips_quartile", "commune_size", "fragility")

counted = FactTable(
    "territories.counted",
    (
        FactColumn("uai", "text"),
        FactColumn("school_year", "school_year"),
        FactColumn("level", "text"),
        FactColumn("pupils", "integer", Role.DISTINCT, "élèves", ("uai", "level")),
        FactColumn("classes", "integer", Role.STOCK, "classes"),
        FactColumn("sender", "text"),
        FactColumn("departement", "text"),
    ),
    key=("sender", "uai", "school_year", "level"),
)
position = FactTable(
    "territories.position",
    (
        FactColumn("uai", "text"),
        FactColumn("school_year", "school_year"),
        FactColumn("ips", "decimal", Role.RATE, "points"),
        FactColumn("ips_std", "decimal", Role.RATE, "points"),
        FactColumn("pupils", "integer", Role.STOCK, "élèves"),
        FactColumn("sender", "text"),
        FactColumn("departement", "text"),
    ),
    key=("sender", "uai", "school_year"),
)
DERIVED_FACTS = {
    counted.name: (("territories.enrolment", "territories.establishments"), counted_facts),
    position.name: (("territories.social_position", "territories.enrolment", "territories.establishments"), position_facts),
}
_year = school_year_start("school_year")
PUPILS = Measure(
    "pupils", counted, date=_year, value=col("pupils"), timing=Timing.LATEST, latest_per=("uai",), unit="élèves", label="Élèves inscrits"
)
CLASSES = Measure(
    "classes", counted, date=_year, value=col("classes"), timing=Timing.LATEST, latest_per=("uai",), unit="classes", label="Classes ouvertes"
)
_weighted = Measure(
    "ips_weighted", position, date=_year, value=col("ips") * col("pupils"), timing=Timing.LATEST, latest_per=("uai",), decimals=1,
    unit="points × élèves", label="IPS pondéré par les élèves",
)  # fmt: skip
_weight = Measure(
    "ips_pupils", position, date=_year, value=col("pupils"), where=col("ips") > 0, timing=Timing.LATEST, latest_per=("uai",),
    unit="élèves", label="Élèves des établissements dont l'IPS est publié",
)  # fmt: skip

WITH_PUPILS = PerEstablishment(
    "with_pupils", (PUPILS,), col("pupils") > 0, unit="établissements", label="Établissements avec élèves"
)

ESTABLISHMENTS = Indicator(
    "territories.establishments",
    1,
    "Établissements scolaires avec élèves",
    "Nombre d'écoles, de collèges et de lycées ouverts où des élèves ont été comptés, à la dernière rentrée connue.",
    Kind.STOCK,
    numerator=WITH_PUPILS,
    unit="établissements",
    direction=Direction.NEUTRAL,
    objective=GENERAL,
    limits="Un établissement sans effectif publié n'est pas compté ici ; la couverture dit combien ils sont.",
    breakdowns=BREAKDOWNS,
    small_counts_secret=False,
)
ENROLLED = Indicator(
    "territories.pupils",
    1,
    "Élèves inscrits",
    "Nombre d'élèves inscrits à la dernière rentrée connue, chaque établissement étant compté une fois.",
    Kind.STOCK,
    numerator=PUPILS,
    unit="élèves",
    direction=Direction.NEUTRAL,
    objective=GENERAL,
    limits="Effectifs constatés à la rentrée, sans les mouvements de l'année. Les niveaux d'un établissement polyvalent s'ajoutent.",
    breakdowns=BREAKDOWNS,
    small_counts_secret=False,
)
PUPILS_PER_CLASS = Indicator(
    "territories.pupils_per_class",
    1,
    "Élèves par classe",
    "Élèves inscrits rapportés aux classes ouvertes, dans les établissements qui publient leurs classes.",
    Kind.RATIO,
    numerator=PUPILS,
    denominator=CLASSES,
    over="reporting",
    coverage=Coverage(counts="both"),
    unit="élèves par classe",
    direction=Direction.NEUTRAL,
    objective=GENERAL,
    limits="Le nombre de classes n'est publié que pour les écoles.",
    breakdowns=BREAKDOWNS,
)
MEAN_IPS = Indicator(
    "territories.mean_ips",
    1,
    "Indice de position sociale moyen",
    "Moyenne des indices de position sociale des établissements, pondérée par leurs élèves.",
    Kind.RATIO,
    numerator=_weighted,
    denominator=_weight,
    unit="points",
    direction=Direction.NEUTRAL,
    objective=JUSTICE,
    limits="Les indices non significatifs (NS) ne sont pas publiés : ces établissements manquent, la couverture le dit. Les indices des "
    "écoles, des collèges et des lycées se comparent avec prudence.",
    breakdowns=BREAKDOWNS,
)
INDICATORS = (ESTABLISHMENTS, ENROLLED, PUPILS_PER_CLASS, MEAN_IPS)
