"""Cells that say why they are empty: ND, NS, n.s., #N/A…"""

from __future__ import annotations

import re

from essaim.kernel.french import squeezed

from .contract import NUMERIC, FieldType

FORMULA_ERRORS = frozenset(
    ("#N/A", "#N/D", "#DIV/0!", "#REF!", "#REF", "#VALEUR!", "#VALUE!", "#NOM?", "#NAME?", "#NUL!", "#NULL!", "#NOMBRE!", "#NUM!", "#CALC!", "#SPILL!", "#GETTING_DATA"),
)  # fmt: skip
_DASHES = frozenset("-–—−_./?…") | {"--", "---", "- -", "...", "??", "???"}
_WORDS: dict[str, str] = {
    "nd": "non_disponible", "n d": "non_disponible", "non disponible": "non_disponible", "non dispo": "non_disponible",
    "na": "non_disponible", "n a": "non_disponible", "not available": "non_disponible", "null": "non_disponible", "none": "non_disponible",
    "nan": "non_disponible", "inconnu": "non_disponible", "inconnue": "non_disponible",
    "ns": "non_significatif", "n s": "non_significatif", "non significatif": "non_significatif",
    "nc": "non_communique", "n c": "non_communique", "non communique": "non_communique", "non connu": "non_communique",
    "nr": "non_renseigne", "n r": "non_renseigne", "non renseigne": "non_renseigne", "non renseignee": "non_renseigne", "vide": "non_renseigne",
    "so": "sans_objet", "s o": "sans_objet", "sans objet": "sans_objet", "non concerne": "sans_objet", "non applicable": "sans_objet",
    "neant": "sans_objet", "aucun": "sans_objet", "aucune": "sans_objet", "sans": "sans_objet",
    "ss": "secret", "secret": "secret", "secret statistique": "secret",
    "a venir": "a_venir", "en attente": "a_venir", "a definir": "a_venir", "a preciser": "a_venir",
}  # fmt: skip
# Two letters may be a real code in a text column; only what cannot be one is taken there.
_WORDS_IN_TEXT = frozenset(("nd", "n d", "n a", "n c", "n s", "n r", "s o", "null", "nan", "non renseigne", "non renseignee", "non disponible", "non communique"))

# A small number that its sender may not tell: « <5 », « moins de 11 ».
_TOO_FEW = re.compile(r"(?:[<≤]|inf(?:erieur)?e?s? a|moins de) ?(?:=|ou egal)? ?(?:[1-9]|1\d|20)")

WHY_LABELS = {
    "erreur_formule": "erreur de formule du tableur",
    "tiret": "tiret ou signe sans valeur",
    "non_disponible": "non disponible",
    "non_significatif": "non significatif",
    "non_communique": "non communiqué",
    "non_renseigne": "non renseigné",
    "sans_objet": "sans objet",
    "secret": "secret statistique",
    "a_venir": "à venir",
}
LONGEST = 24
# How such a cell may begin (also « à venir », « inf. à 5 », « moins de 5 », ``Err:502``); other letters and digits begin a value.
_BEGINNINGS = frozenset("àime").union(key[0] for key in _WORDS)


def why_missing(text: str, kind: FieldType) -> str | None:
    """Why ``text`` holds no value (a key of WHY_LABELS), or None when it is one. Blank text is not asked."""
    if len(text) > LONGEST or (text[:1].isalnum() and text[0].lower() not in _BEGINNINGS):
        return None
    if text[-1:].isdigit() and ":" not in text:  # only errors (``Err:502``) and what is too few end with one
        return "secret" if kind in NUMERIC and _TOO_FEW.fullmatch(_plain(text)) else None
    mark = squeezed(text)
    if mark.upper() in FORMULA_ERRORS or mark.upper().startswith("ERR:"):
        return "erreur_formule"
    if mark in _DASHES:
        return "tiret"
    word = _plain(mark)
    why = _WORDS.get(word)
    if kind is FieldType.TEXT and word not in _WORDS_IN_TEXT:
        return None
    return why


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace(".", " ").replace("/", " ").replace("é", "e").replace("à", "a").split())


def plain_markers() -> tuple[str, ...]:
    """Usual spellings, for a vectorised first look in text columns."""
    words = ("ND", "nd", "N.D.", "N.D", "n.d.", "n.d", "N/D", "N/A", "n/a", "N.A.", "N.C.", "n.c.", "N.C", "n.c", "N/C", "N.S.", "n.s.", "n.s", "N.S",
             "N.R.", "n.r.", "s.o.", "S.O.", "s.o", "S.O", "null", "NULL", "Null", "nan", "NaN", "Non renseigné", "non renseigné", "Non renseignée",
             "non renseignée", "NON RENSEIGNÉ", "NON RENSEIGNE", "Non disponible", "non disponible", "Non communiqué", "non communiqué")  # fmt: skip
    return tuple(sorted(FORMULA_ERRORS | _DASHES | set(words)))
