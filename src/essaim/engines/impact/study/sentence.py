"""The result in plain French. Templates only: the same numbers always give the same sentence."""

from __future__ import annotations

from dataclasses import dataclass

from essaim.kernel.french import format_number

SPACE = "\u00a0"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the sentence needs. Effects in outcome units; ``p_value`` of the headline method; ``assigned``: what was assigned, plural; ``mde`` None when not computable."""

    label: str
    unit: str
    decimals: int
    effect: float
    low: float | None
    high: float | None
    p_value: float | None
    alpha: float
    treated_clusters: int
    mde: float | None
    smallest_effect: float | None
    direction: str
    evidence: str
    baseline: str
    disagreement: str | None = None
    unanswerable: str | None = None
    is_underpowered: bool = False
    assigned: str = "grappes"


@dataclass(frozen=True, slots=True)
class Conclusion:
    """``verdict``: favorable, défavorable, pas d'effet notable, ne permet pas de conclure, descriptif; ``text``: the sentences."""

    verdict: str
    text: str


def quantity(value: float, reading: Reading, signed: bool = True) -> str:
    """A number with its unit, in French notation."""
    text = format_number(round(abs(value), reading.decimals), reading.decimals)
    sign = ("+" if value > 0 else "−" if value < 0 else "") if signed else ""
    return f"{sign}{text}{SPACE}{reading.unit}".rstrip(f" {SPACE}")


def probability(p: float) -> str:
    """A p-value as one reads it."""
    return "moins de 0,001" if p < 0.001 else format_number(round(p, 3), 3)


def _interval(r: Reading) -> str:
    if r.low is None or r.high is None:
        return "aucun intervalle n'est calculable"
    return f"intervalle de confiance à {1 - r.alpha:.0%} : de {quantity(r.low, r)} à {quantity(r.high, r)}".replace("%", f"{SPACE}%")


def _detectable(r: Reading) -> str:
    if r.mde is None:
        return " Le plus petit effet que cette étude pouvait détecter n'est pas calculable."
    text = f" Cette étude ne pouvait détecter qu'un effet d'au moins {quantity(r.mde, r, signed=False)}"
    if r.smallest_effect is not None and r.mde > r.smallest_effect:
        return text + f", alors qu'un effet de {quantity(r.smallest_effect, r, signed=False)} en vaudrait déjà la peine."
    return text + "."


def _verdict(r: Reading) -> str:
    if r.evidence == "E":
        return "descriptif"
    significant = r.p_value is not None and r.p_value <= r.alpha
    if r.unanswerable or not significant:
        bounded = r.low is not None and r.high is not None and r.smallest_effect is not None
        if bounded and not r.unanswerable and not r.disagreement:
            assert r.low is not None and r.high is not None and r.smallest_effect is not None
            if -r.smallest_effect < r.low and r.high < r.smallest_effect:
                return "pas d'effet notable"
        return "ne permet pas de conclure"
    return "favorable" if (r.effect > 0) == (r.direction == "hausse") else "défavorable"


def conclusion(r: Reading) -> Conclusion:
    """Verdict and sentences for ``r``."""
    verdict = _verdict(r)
    measured = f"L'écart mesuré sur « {r.label} » est de {quantity(r.effect, r)} ({_interval(r)}"
    measured += f" ; p = {probability(r.p_value)})." if r.p_value is not None else ")."
    measured = measured.replace("p = moins de", "p : moins de")
    if verdict == "descriptif":
        text = (measured + " Faute de situation initiale, ce chiffre décrit une différence ; il ne permet pas de conclure "
                           "à un effet du déploiement.")
    elif r.unanswerable:
        text = f"L'étude ne permet pas de conclure : {r.unanswerable} {measured}{_detectable(r)}"
    elif verdict == "ne permet pas de conclure":
        text = f"{measured} L'étude ne permet pas de conclure.{_detectable(r)}"
    elif verdict == "pas d'effet notable":
        assert r.smallest_effect is not None
        text = f"{measured} L'étude écarte un effet d'au moins {quantity(r.smallest_effect, r, signed=False)}, dans un sens ou dans l'autre."
    else:
        sense = "une amélioration" if verdict == "favorable" else "une dégradation"
        text = f"{measured} C'est {sense} que le hasard du choix des {r.treated_clusters} {r.assigned} traitées n'explique pas."
        if r.is_underpowered:
            text += " L'étude étant sous-dimensionnée, l'ampleur de l'effet est sans doute surestimée."
    if r.disagreement:
        text += f" {r.disagreement}"
    return Conclusion(verdict, f"{text} Niveau de preuve {r.evidence}, situation initiale {r.baseline}.")
