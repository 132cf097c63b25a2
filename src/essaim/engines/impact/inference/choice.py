"""Which inference is read first, by number of treated clusters, and what is said when methods disagree.

Rule (EVALUATION §1.1; null rejection rates at nominal 5 %: clustered errors .15 to .38, permutation .044 to .057):
- 0 treated, or no possible permutation: refused;
- 1 treated: rank among placebos (permutation), checked by Conley–Taber with Ferman–Pinto; no interval is promised;
- 2 to 5 treated: permutation, checked by Conley–Taber with Ferman–Pinto (the wild bootstrap, null imposed, no longer rejects);
- 6 to 19 treated: permutation, checked by the wild cluster bootstrap with the null imposed;
- 20 treated or more, and as many comparison clusters: permutation, checked by the wild bootstrap and CR2.
Clustered errors are always shown as descriptive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from essaim.engines.impact.refusal import Refusal
from essaim.kernel.french import format_number

PERMUTATION, CONLEY_TABER, WILD, CR2 = "permutation", "conley-taber", "wild-bootstrap", "cr2"

FRENCH = {
    PERMUTATION: "permutation des départements",
    CONLEY_TABER: "Conley–Taber corrigé (Ferman–Pinto)",
    WILD: "bootstrap sauvage par département",
    CR2: "erreurs groupées CR2",
}


@dataclass(frozen=True, slots=True)
class InferenceChoice:
    """``headline`` method, ``checks`` to run beside it, ``smallest_p`` attainable, ``can_conclude`` at the level, ``reason`` in French."""

    headline: str
    checks: tuple[str, ...]
    smallest_p: float
    can_conclude: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """``agree``: every method falls on the same side of the level as the headline; ``dissenting`` methods; ``sentence`` in French."""

    agree: bool
    dissenting: tuple[str, ...]
    sentence: str


def choose_inference(treated: int, clusters: int, *, possible: int | None = None, level: float = 0.95) -> InferenceChoice:
    """Apply the rule above. ``possible``: number of assignments (default: clusters choose treated)."""
    controls = clusters - treated
    if treated < 1 or controls < 1:
        raise Refusal("treated", "Il faut au moins un département traité et un jamais traité.")
    if possible is None:
        possible = 1
        for i in range(min(treated, controls)):
            possible = possible * (clusters - i) // (i + 1)
    smallest = 1 / possible
    can = smallest <= 1 - level
    checks: tuple[str, ...]
    if treated == 1:
        checks, why = (CONLEY_TABER,), "Un seul département traité : seul son rang parmi les autres est interprétable."
    elif treated <= 5:
        checks, why = (CONLEY_TABER,), f"{treated} départements traités : les erreurs groupées rejettent à tort, la permutation non."
    elif treated < 20 or controls < 20:
        checks, why = (WILD,), f"{treated} départements traités : permutation, contrôlée par le bootstrap sauvage."
    else:
        checks, why = (WILD, CR2), f"{treated} départements traités : les méthodes usuelles servent de contrôle."
    if not can:
        why += f" Avec {possible} affectations possibles, aucune valeur p ne peut descendre sous {format_number(smallest, 3)} : l'étude ne permet pas de conclure."
    return InferenceChoice(PERMUTATION, checks, smallest, can, why)


def agreement(p_values: Mapping[str, float], headline: str = PERMUTATION, *, level: float = 0.95) -> Agreement:
    """Compare p values by method with the headline's at ``1 − level``; a disagreement is a result, told as such."""
    alpha = 1 - level
    first = p_values[headline] <= alpha
    dissenting = tuple(sorted(m for m, p in p_values.items() if (p <= alpha) != first))
    if not dissenting:
        return Agreement(True, (), "Les méthodes concordent.")
    told = ", ".join(f"{FRENCH.get(m, m)} (p = {format_number(p_values[m], 3)})" for m in dissenting)
    verdict = "conclut" if first else "ne conclut pas"
    others = ("ne conclut pas" if first else "conclut") if len(dissenting) == 1 else ("ne concluent pas" if first else "concluent")
    return Agreement(
        False, dissenting,
        f"Les méthodes divergent : {FRENCH.get(headline, headline)} {verdict} (p = {format_number(p_values[headline], 3)}), {told} {others}. "
        "La première fait foi ; la divergence affaiblit le résultat.",
    )  # fmt: skip
