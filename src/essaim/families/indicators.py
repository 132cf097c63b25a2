"""What the families lever lets one measure. Small counts of families stay secret for the public."""

from __future__ import annotations

from essaim.engines.measures import (
    Direction,
    Expr,
    Indicator,
    Kind,
    Measure,
    PerEstablishment,
    Timing,
    col,
    fact_table,
)
from essaim.families.contracts import ACTIONS
from essaim.territories.indicators import BREAKDOWNS, JUSTICE, PUPILS, WITH_PUPILS

BY_ACTION = (*BREAKDOWNS, "kind", "partner")
NOT_FAMILIES = "Compte des venues : une famille venue à deux actions compte deux fois."

actions = fact_table(ACTIONS)


def _since_the_start(code: str, value: str, label: str, where: Expr | None = None, unit: str = "venues") -> Measure:
    return Measure(code, actions, date="held_on", value=col(value), where=where, timing=Timing.CUMULATIVE, unit=unit, label=label)


_reached = _since_the_start("reached", "reached", "Venues de familles")

ATTENDANCES = Indicator(
    "families.attendances", 1, "Venues de familles", "Familles venues aux actions tenues pendant la période.", Kind.FLOW,
    numerator=Measure("reached_flow", actions, date="held_on", value=col("reached"), unit="venues", label="Venues de familles"),
    unit="venues", direction=Direction.UP, objective=JUSTICE, limits=NOT_FAMILIES, breakdowns=BY_ACTION,
)  # fmt: skip
SCHOOLS_REACHED = Indicator(
    "families.schools_reached", 1, "Établissements où les familles sont accompagnées",
    "Part des établissements avec élèves où une action au moins a réuni des familles, depuis l'origine du programme.", Kind.SHARE_OF_UNITS,
    numerator=PerEstablishment("reached_schools", (_reached,), col("reached") > 0, unit="établissements", label="Établissements où des familles sont venues"),
    denominator=WITH_PUPILS, unit="%", scale=100, direction=Direction.UP, target=100, objective=JUSTICE, breakdowns=BREAKDOWNS,
    small_counts_secret=False,
)  # fmt: skip
PER_100_PUPILS = Indicator(
    "families.attendances_per_100_pupils", 1, "Venues de familles pour 100 élèves",
    "Venues de familles depuis l'origine du programme, rapportées aux élèves inscrits de tous les établissements.", Kind.RATIO,
    numerator=_reached, denominator=PUPILS, unit="venues pour 100 élèves", scale=100, direction=Direction.UP, objective=JUSTICE,
    limits=NOT_FAMILIES, breakdowns=BREAKDOWNS,
)  # fmt: skip
TURNOUT = Indicator(
    "families.turnout", 1, "Familles venues parmi les invitées",
    "Familles venues rapportées aux familles invitées, pour les actions dont les invitations sont comptées, depuis l'origine.", Kind.RATIO,
    numerator=_since_the_start("reached_invited", "reached", "Venues parmi les invitées", ~col("invited").is_missing()),
    denominator=_since_the_start("invited", "invited", "Familles invitées", unit="invitations"),
    unit="%", scale=100, direction=Direction.UP, objective=JUSTICE, breakdowns=BY_ACTION,
)  # fmt: skip
RELAYS = Indicator(
    "families.relays", 1, "Parents-relais formés", "Parents-relais formés depuis l'origine du programme.", Kind.STOCK,
    numerator=_since_the_start("relays", "relays", "Parents-relais formés", unit="personnes"),
    unit="personnes", direction=Direction.UP, objective=JUSTICE, limits="Ne dit pas combien sont encore actifs.", breakdowns=BY_ACTION,
)  # fmt: skip
SOCIAL_GAP = Indicator(
    "families.social_gap", 1, "Écart d'accompagnement entre établissements défavorisés et favorisés",
    "Venues de familles pour 100 élèves dans le quart des établissements aux IPS les plus faibles, moins le même chiffre dans le quart aux "
    "IPS les plus élevés. Positif : l'accompagnement va davantage aux plus fragiles.",
    Kind.GAP, unit="venues pour 100 élèves", direction=Direction.UP, target=0, objective=JUSTICE,
    limits="Quartiles nationaux d'IPS, par type d'établissement et année scolaire ; les établissements sans IPS n'y sont pas.",
    of=PER_100_PUPILS, gap_by="ips_quartile", gap_groups=("1", "4"),
)  # fmt: skip

INDICATORS = (ATTENDANCES, SCHOOLS_REACHED, PER_100_PUPILS, TURNOUT, RELAYS, SOCIAL_GAP)
