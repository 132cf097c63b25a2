"""What the resources lever lets one measure: whether resources and ENT are opened, by whom, and where they are not."""

from __future__ import annotations

from essaim.engines.measures import (
    Direction,
    Expr,
    Indicator,
    Kind,
    Measure,
    PerEstablishment,
    Role,
    Timing,
    col,
    fact_table,
)
from essaim.resources.contracts import AUDIENCE, USES
from essaim.territories.indicators import BREAKDOWNS, GENERAL, JUSTICE, PUPILS, WITH_PUPILS

MONTHS = 12
OPENED_IS_NOT_LEARNED = "Ouvert n'est pas appris : l'effet se mesure par une évaluation."

uses = fact_table(USES, roles={"accounts": Role.DISTINCT}, disjoint={"accounts": ("uai", "month", "resource_id", "role")})
_people = dict.fromkeys(("users", "users_pupils", "users_parents", "users_teachers"), Role.DISTINCT)
audience = fact_table(AUDIENCE, roles=_people, disjoint=dict.fromkeys(_people, ("uai", "week")))


def _during(code: str, table: object, date: str, value: str, label: str, unit: str, where: Expr | None = None) -> Measure:
    return Measure(code, table, date=date, value=col(value), where=where, unit=unit, label=label)  # type: ignore[arg-type]


def _lately(code: str, table: object, date: str, value: str, label: str, unit: str) -> Measure:
    """Of the last twelve months: a school that opened nothing for a year does not use it any more."""
    return Measure(
        code, table, date=date, value=col(value), where=col(value) > 0, timing=Timing.LATEST, latest_per=("uai",),  # type: ignore[arg-type]
        max_age_months=MONTHS, unit=unit, label=label,
    )  # fmt: skip




def _users_share(code: str, label: str, definition: str, measure: Measure, limits: str) -> Indicator:
    return Indicator(
        code, 1, label, definition, Kind.SHARE_OF_UNITS,
        numerator=PerEstablishment(f"{measure.code}_schools", (measure,), col(measure.code) > 0, unit="établissements", label="Établissements où l'on s'en sert"),
        denominator=WITH_PUPILS, unit="%", scale=100, direction=Direction.UP, objective=JUSTICE, limits=limits, breakdowns=BREAKDOWNS,
        small_counts_secret=False,
    )  # fmt: skip


SCHOOLS_USING = _users_share(
    "resources.schools_using", "Établissements où une ressource sert",
    "Part des établissements avec élèves où une ressource numérique suivie a été ouverte au moins une fois dans les douze derniers mois.",
    _lately("lately_opened", uses, "month", "openings", "Ouvertures du dernier mois d'usage", "ouvertures"),
    "Ne connaît que les ressources dont le fournisseur transmet les usages.",
)  # fmt: skip
OPENINGS_PER_100_PUPILS = Indicator(
    "resources.openings_per_100_pupils", 1, "Ouvertures de ressources pour 100 élèves",
    "Ouvertures de ressources numériques par les élèves pendant la période, rapportées aux élèves inscrits de tous les établissements.",
    Kind.RATIO,
    numerator=_during("pupil_openings", uses, "month", "openings", "Ouvertures par les élèves", "ouvertures", col("role").equals("eleve")),
    denominator=PUPILS, unit="pour 100 élèves", scale=100, direction=Direction.UP, objective=GENERAL, limits=OPENED_IS_NOT_LEARNED,
    breakdowns=BREAKDOWNS, small_counts_secret=False, natural_period="school_year",
)  # fmt: skip
OPENINGS = Indicator(
    "resources.openings", 1, "Ouvertures de ressources", "Ouvertures de ressources numériques pendant la période, par tous les utilisateurs.",
    Kind.FLOW, numerator=_during("openings_flow", uses, "month", "openings", "Ouvertures", "ouvertures"), unit="ouvertures",
    direction=Direction.UP, objective=GENERAL, limits=OPENED_IS_NOT_LEARNED, breakdowns=(*BREAKDOWNS, "role", "resource_id"),
    small_counts_secret=False,
)  # fmt: skip
ENT_SCHOOLS = _users_share(
    "resources.ent_schools", "Établissements dont l'ENT sert",
    "Part des établissements avec élèves dont l'espace numérique de travail a reçu au moins une visite dans les douze derniers mois.",
    _lately("lately_visited", audience, "week", "visits", "Visites de la dernière semaine mesurée", "visites"),
    "Tous les ENT ne transmettent pas leur audience ; les écoles sont moins suivies que les collèges et les lycées.",
)  # fmt: skip
ENT_VISITS_PER_PUPIL = Indicator(
    "resources.ent_visits_per_pupil", 1, "Visites de l'ENT par élève",
    "Visites des élèves sur l'ENT pendant la période, rapportées aux élèves des établissements dont l'audience est mesurée.",
    Kind.RATIO, numerator=_during("ent_pupil_visits", audience, "week", "visits_pupils", "Visites des élèves", "visites"), denominator=PUPILS,
    over="reporting", unit="visites par élève", direction=Direction.UP, objective=GENERAL, limits=OPENED_IS_NOT_LEARNED,
    breakdowns=BREAKDOWNS, small_counts_secret=False, natural_period="school_year",
)  # fmt: skip
SOCIAL_GAP = Indicator(
    "resources.social_gap", 1, "Écart d'usage entre établissements défavorisés et favorisés",
    "Ouvertures de ressources pour 100 élèves dans le quart des établissements aux IPS les plus faibles, moins le même chiffre dans le "
    "quart aux IPS les plus élevés. Positif : les plus fragiles s'en servent davantage.",
    Kind.GAP, unit="points pour 100 élèves", direction=Direction.UP, target=0, objective=JUSTICE,
    limits="Quartiles nationaux d'IPS, par type d'établissement et année scolaire ; les établissements sans IPS n'y sont pas.",
    of=OPENINGS_PER_100_PUPILS, gap_by="ips_quartile", gap_groups=("1", "4"), natural_period="school_year",
)  # fmt: skip

INDICATORS = (OPENINGS, SCHOOLS_USING, OPENINGS_PER_100_PUPILS, ENT_SCHOOLS, ENT_VISITS_PER_PUPIL, SOCIAL_GAP)
