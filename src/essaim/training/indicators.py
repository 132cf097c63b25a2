"""What the training lever lets one measure. Participations are counted, not persons: one may come twice, and none is named."""

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
from essaim.territories.indicators import BREAKDOWNS, GENERAL, JUSTICE, PUPILS, WITH_PUPILS
from essaim.training.contracts import ATTENDANCE, UNKNOWN_PROFILE

BY_PROFILE = (*BREAKDOWNS, "profile", "mode", "organiser")
NOT_PERSONS = "Compte des participations : une personne venue à deux sessions compte deux fois."

attendance = fact_table(ATTENDANCE, roles={"hours": Role.PRICE})


def _since_the_start(code: str, value: Expr, label: str, where: Expr | None = None, unit: str = "participations", decimals: int | None = None) -> Measure:
    return Measure(
        code, attendance, date="held_on", value=value, where=where, timing=Timing.CUMULATIVE, unit=unit, decimals=decimals, label=label
    )


_attended = _since_the_start("attended", col("attended"), "Participations")
_hours = _since_the_start("hours_attended", col("attended") * col("hours"), "Heures suivies", unit="heures", decimals=2)

ATTENDANCES = Indicator(
    "training.attendances", 1, "Participations aux formations", "Personnes présentes aux sessions tenues pendant la période.", Kind.FLOW,
    numerator=Measure("attended_flow", attendance, date="held_on", value=col("attended"), unit="participations", label="Participations"),
    unit="participations", direction=Direction.UP, objective=GENERAL, limits=NOT_PERSONS, breakdowns=BY_PROFILE,
)  # fmt: skip
SCHOOLS_TRAINED = Indicator(
    "training.schools_trained", 1, "Établissements touchés par une formation",
    "Part des établissements avec élèves dont au moins une personne a suivi une session, depuis l'origine du programme.",
    Kind.SHARE_OF_UNITS,
    numerator=PerEstablishment("trained_schools", (_attended,), col("attended") > 0, unit="établissements", label="Établissements touchés"),
    denominator=WITH_PUPILS, unit="%", scale=100, direction=Direction.UP, target=100, objective=JUSTICE,
    limits="Une seule personne formée suffit : à lire avec les heures suivies.", breakdowns=BREAKDOWNS, small_counts_secret=False,
)  # fmt: skip
HOURS_PER_100_PUPILS = Indicator(
    "training.hours_per_100_pupils", 1, "Heures de formation pour 100 élèves",
    "Heures suivies par les personnels (présents × durée), depuis l'origine, rapportées aux élèves inscrits de tous les établissements.",
    Kind.RATIO, numerator=_hours, denominator=PUPILS, unit="heures pour 100 élèves", scale=100, direction=Direction.UP, objective=GENERAL,
    limits="Rapporté aux élèves faute d'effectif d'enseignants par établissement en données ouvertes. Une session sans durée n'y est pas.",
    breakdowns=BREAKDOWNS, small_counts_secret=False,
)  # fmt: skip
ATTENDANCE_RATE = Indicator(
    "training.attendance_rate", 1, "Assiduité aux formations",
    "Personnes présentes rapportées aux personnes inscrites, pour les sessions dont les inscriptions sont connues, depuis l'origine.",
    Kind.RATIO,
    numerator=_since_the_start("attended_registered", col("attended"), "Présents", ~col("registered").is_missing()),
    denominator=_since_the_start("registered", col("registered"), "Inscrits", unit="inscriptions"),
    unit="%", scale=100, direction=Direction.UP, target=90, objective=GENERAL, breakdowns=BY_PROFILE,
)  # fmt: skip
UNKNOWN_SHARE = Indicator(
    "training.unknown_profile_share", 1, "Participations de profil inconnu",
    "Part des participations dont le profil n'est pas renseigné. Elles restent dans tous les totaux.", Kind.RATIO,
    numerator=_since_the_start("unknown_attended", col("attended"), "Participations de profil inconnu", col("profile").equals(UNKNOWN_PROFILE)),
    denominator=_attended, unit="%", scale=100, direction=Direction.DOWN, target=0, objective=GENERAL,
    limits="Qualité de la collecte : le tableau de bord national en comptait 61 % en mars 2025.", breakdowns=BREAKDOWNS,
)  # fmt: skip
SOCIAL_GAP = Indicator(
    "training.social_gap", 1, "Écart de formation entre établissements défavorisés et favorisés",
    "Heures de formation pour 100 élèves dans le quart des établissements aux IPS les plus faibles, moins le même chiffre dans le quart "
    "aux IPS les plus élevés. Positif : les équipes des plus fragiles sont davantage formées.",
    Kind.GAP, unit="heures pour 100 élèves", direction=Direction.UP, target=0, objective=JUSTICE,
    limits="Quartiles nationaux d'IPS, par type d'établissement et année scolaire ; les établissements sans IPS n'y sont pas.",
    of=HOURS_PER_100_PUPILS, gap_by="ips_quartile", gap_groups=("1", "4"),
)  # fmt: skip

INDICATORS = (ATTENDANCES, SCHOOLS_TRAINED, HOURS_PER_100_PUPILS, ATTENDANCE_RATE, UNKNOWN_SHARE, SOCIAL_GAP)
