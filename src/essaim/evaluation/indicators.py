"""What published results let one measure: means weighted by the candidates they speak of, never means of percentages.

The results of a session count from 1 September that follows it, until those of the next session.
"""

from __future__ import annotations

from dataclasses import replace

from essaim.engines.measures import (
    Coverage,
    Direction,
    Expr,
    Indicator,
    Kind,
    Measure,
    Role,
    Timing,
    col,
    fact_table,
    lit,
    school_year_start,
)
from essaim.evaluation.contracts import SCHOOL_RESULTS
from essaim.territories.indicators import GENERAL, JUSTICE

BREAKDOWNS = ("sector", "rep", "ips_quartile", "commune_size", "fragility")
SOURCE = "Source : indicateurs de valeur ajoutée des collèges (DEPP). Un résultat non diffusé (ND) manque, la couverture le dit."

_plain = fact_table(
    SCHOOL_RESULTS,
    roles={
        "candidates_general": Role.STOCK, "candidates_vocational": Role.STOCK, "mentions": Role.STOCK,
        "success_added_general": Role.RATE, "mark_added_general": Role.RATE, "written_mark_general": Role.RATE,
    },
)  # fmt: skip
# A session is named by its year: read as the beginning of the school year in which its results are known.
results = replace(
    _plain, columns=tuple(replace(item, type="school_year", role=Role.DIMENSION) if item.name == "session" else item for item in _plain.columns)
)
_known_from = school_year_start("session")
_candidates = col("candidates_general")


def _measure(code: str, value: Expr, label: str, where: Expr | None = None, *, unit: str = "candidats", decimals: int | None = None) -> Measure:
    return Measure(
        code, results, date=_known_from, value=value, where=where, timing=Timing.LATEST, latest_per=("uai",), max_age_months=35,
        unit=unit, decimals=decimals, label=label,
    )


CANDIDATES = _measure("candidates", _candidates, "Candidats de la série générale")


def _mean(code: str, label: str, definition: str, column: str, unit: str, limits: str = "") -> Indicator:
    """A mean of ``column`` weighted by the candidates of the schools that have it."""
    short = code.split(".")[1]
    return Indicator(
        code, 1, label, definition, Kind.RATIO,
        numerator=_measure(f"{short}_sum", col(column) * _candidates, f"{label} × candidats", unit=f"{unit} × candidats", decimals=2),
        denominator=_measure(f"{short}_weight", _candidates, "Candidats des collèges dont le résultat est publié", ~col(column).is_missing()),
        unit=unit, direction=Direction.UP, objective=GENERAL, limits=" ".join((limits, SOURCE)).strip(), breakdowns=BREAKDOWNS,
        coverage=Coverage(CANDIDATES),
    )  # fmt: skip


SUCCESS_RATE = Indicator(
    "evaluation.success_rate",
    1,
    "Taux de réussite au brevet, série générale",
    "Candidats reçus rapportés aux candidats présents de la série générale : les taux des collèges pondérés par leurs candidats.",
    Kind.RATIO,
    numerator=_measure("successful", col("success_general_pct") * _candidates / lit(100), "Candidats reçus", decimals=2),
    denominator=_measure("judged", _candidates, "Candidats des collèges dont le taux est publié", ~col("success_general_pct").is_missing()),
    unit="%",
    scale=100,
    direction=Direction.UP,
    objective=GENERAL,
    limits=f"Reconstitué à partir de taux arrondis. {SOURCE}",
    breakdowns=BREAKDOWNS,
    coverage=Coverage(CANDIDATES),
)
SUCCESS_ADDED = _mean(
    "evaluation.success_added", "Valeur ajoutée du taux de réussite au brevet",
    "Écart du taux de réussite à ce qu'on attend d'élèves comparables, moyenne des collèges pondérée par leurs candidats.",
    "success_added_general", "points", "Proche de zéro pour le pays par construction : se lit en écart entre territoires.",
)  # fmt: skip
WRITTEN_MARK = _mean(
    "evaluation.written_mark", "Note moyenne à l'écrit du brevet", "Moyenne des notes aux épreuves écrites, pondérée par les candidats.",
    "written_mark_general", "points sur 20",
)  # fmt: skip
MARK_ADDED = _mean(
    "evaluation.mark_added", "Valeur ajoutée de la note à l'écrit",
    "Écart de la note à l'écrit à ce qu'on attend d'élèves comparables, moyenne des collèges pondérée par leurs candidats.",
    "mark_added_general", "points sur 20",
)  # fmt: skip
MENTIONS_SHARE = Indicator(
    "evaluation.mentions_share",
    1,
    "Part des candidats reçus avec mention",
    "Mentions obtenues rapportées aux candidats de la série générale, dans les collèges qui publient leurs mentions.",
    Kind.RATIO,
    numerator=_measure("with_mention", col("mentions"), "Mentions obtenues", unit="mentions"),
    denominator=_measure("mention_weight", _candidates, "Candidats des collèges qui publient leurs mentions", ~col("mentions").is_missing()),
    unit="%",
    scale=100,
    direction=Direction.UP,
    objective=GENERAL,
    limits=SOURCE,
    breakdowns=BREAKDOWNS,
    coverage=Coverage(CANDIDATES),
)
RESULTS_GAP = Indicator(
    "evaluation.results_gap",
    1,
    "Écart de réussite entre collèges défavorisés et favorisés",
    "Taux de réussite au brevet du quart des collèges aux IPS les plus faibles, moins celui du quart aux IPS les plus élevés.",
    Kind.GAP,
    unit="points",
    direction=Direction.UP,
    target=0,
    objective=JUSTICE,
    limits="Quartiles nationaux d'IPS des collèges de l'année scolaire ; les collèges sans IPS n'y sont pas.",
    of=SUCCESS_RATE,
    gap_by="ips_quartile",
    gap_groups=("1", "4"),
)
INDICATORS = (SUCCESS_RATE, SUCCESS_ADDED, WRITTEN_MARK, MARK_ADDED, MENTIONS_SHARE, RESULTS_GAP)
