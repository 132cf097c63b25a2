"""Level of evidence A–E of a result (EVALUATION §6), decided by written rules, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from essaim.kernel.french import format_number

MEANINGS = {
    "A": "affectation tirée au sort, inférence par permutation",
    "B": "déploiement échelonné, tendances passées testées avec puissance, résultat robuste",
    "C": "tendances passées peu testables, résultat fragile ou moins de six grappes traitées",
    "D": "mesures après seulement",
    "E": "descriptif : aucune affirmation causale",
}
FEW_TREATED = 6
STRONG_PRETREND_POWER = 0.80
STRONG_BREAKDOWN = 1.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Level A–E, its meaning, and the reasons (French) that decided."""

    level: str
    meaning: str
    reasons: tuple[str, ...]


def _level(level: str, reasons: list[str]) -> Evidence:
    return Evidence(level, MEANINGS[level], tuple(reasons))


def evidence_level(*, assignment: str, baseline: str, treated_clusters: int, permutation: bool, pretrend_power: float | None,
                   pretrend_p: float | None, breakdown: float | None, agree: bool = True) -> Evidence:
    """Level of evidence. ``pretrend_power``: power to see the linear trend that would fake the estimate; ``breakdown``: largest
    M̄ at which the interval still excludes nil (0 when it never does); None = not computable, which never helps; ``agree``: inference
    methods fall on the same side."""
    if baseline == "B5":
        return _level("E", ["aucune situation initiale : lecture descriptive"])
    if assignment in ("randomised", "rerandomised", "stepped_wedge"):
        if permutation:
            return _level("A", ["affectation tirée au sort et test par permutation de cette affectation"])
        return _level("C", ["affectation tirée au sort, mais trop peu d'affectations possibles pour le test par permutation"])
    if baseline == "B4":
        return _level("D", ["mesures après traitement seulement"])
    doubts = []
    if treated_clusters < FEW_TREATED:
        doubts.append(f"{treated_clusters} grappe(s) traitée(s), moins de {FEW_TREATED}")
    if pretrend_power is None:
        doubts.append("tendances passées non testables")
    elif pretrend_power < STRONG_PRETREND_POWER:
        doubts.append(f"le test des tendances passées n'aurait vu une dérive trompeuse que {format_number(100 * pretrend_power, 0)}\u00a0% du temps")
    if pretrend_p is not None and pretrend_p < 0.05:
        doubts.append("les tendances passées diffèrent déjà")
    if breakdown is None:
        doubts.append("robustesse aux écarts de tendance non calculable")
    elif breakdown < STRONG_BREAKDOWN:
        doubts.append(f"le résultat ne résiste pas à un écart de tendance égal à celui du passé (M̄ de rupture {format_number(breakdown, 2)})")
    if not agree:
        doubts.append("les méthodes d'inférence divergent")
    if doubts:
        return _level("C", doubts)
    return _level("B", ["tendances passées testées avec puissance et M̄ de rupture d'au moins 1"])
