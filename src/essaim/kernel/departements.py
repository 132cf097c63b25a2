"""A département in any of its spellings, and where it belongs."""

from __future__ import annotations

import re
from functools import lru_cache

from .french import folded
from .places import ACADEMIES, COLLECTIVITIES, DEPARTEMENTS, REGIONS, Academie, Departement
from .verdict import Verdict

BY_CODE: dict[str, Departement] = {item.code: item for item in DEPARTEMENTS}
ACADEMIE_BY_CODE: dict[str, Academie] = {item.code: item for item in ACADEMIES}
CORSE = ("2A", "2B")
# Prefixes of school identifiers that are not the département's own code.
_UAI_PREFIXES = {"620": "2A", "720": "2B", "981": "976", "983": "988", "984": "987", "987": "986"}
_ABBREVIATIONS = {"st": "saint", "ste": "sainte", "hte": "haute", "htes": "hautes", "ht": "haut", "hts": "hauts",
                  "bches": "bouches", "terr": "territoire", "pyr": "pyrenees"}  # fmt: skip
_NOISE = frozenset(("departement", "dept", "dep", "dpt", "de", "du", "d", "des", "la", "le", "les", "l"))


def _key(text: str) -> str:
    words = [_ABBREVIATIONS.get(word, word) for word in folded(text).split()]
    return " ".join(word for word in words if word not in _NOISE)


_BY_NAME = {_key(item.name): item.code for item in DEPARTEMENTS} | {
    _key("Belfort"): "90",
    _key("Guyane française"): "973",
    _key("Tahiti"): "987",
    _key("Val d Oise"): "95",
}


@lru_cache(maxsize=8_192)
def parse(text: str) -> Verdict:
    """``2A`` ``02A`` ``Corse-du-Sud`` ``620`` → ``2A``; ``02`` ``2`` ``002`` ``AISNE`` ``Aisne (02)`` → ``02``; ``20`` and ``Corse`` are
    ambiguous (both are proposed). Problems: ``departement_ambiguous``, ``departement_unknown``."""
    compact = re.sub(r"[.,]0$", "", text.strip()).upper().replace(" ", "")
    if compact in BY_CODE:
        return Verdict(compact)
    if re.fullmatch(r"[0-9]{1,3}|0?2[AB]", compact):
        return _from_digits(compact)
    return _from_name(text)


def _from_digits(compact: str) -> Verdict:
    if compact in ("20", "020"):
        return Verdict(problem="departement_ambiguous", choices=CORSE)
    if len(compact) == 1 and compact.zfill(2) in BY_CODE:
        return Verdict(compact.zfill(2), repaired="leading_zero")
    if len(compact) == 3 and compact[0] == "0" and compact[1:] in BY_CODE:
        return Verdict(compact[1:], repaired="spelling")
    if compact in _UAI_PREFIXES:
        return Verdict(_UAI_PREFIXES[compact], repaired="spelling")
    return Verdict(problem="departement_unknown")


def _from_name(text: str) -> Verdict:
    key = _key(text)
    if key in ("corse", "corse 20", "20 corse"):
        return Verdict(problem="departement_ambiguous", choices=CORSE)
    if key in _BY_NAME:
        return Verdict(_BY_NAME[key], repaired="spelling")
    words = key.split()
    for code, name in ((words[:1], words[1:]), (words[-1:], words[:-1])):
        found = _BY_NAME.get(" ".join(name))
        if found is not None and found == parse(code[0]).value:
            return Verdict(found, repaired="spelling")
    return Verdict(problem="departement_unknown", suggestion=_closest(key))


def _closest(key: str) -> str | None:
    """The département whose name starts the same way, when only one does."""
    if len(key) < 4:
        return None
    found = [code for name, code in _BY_NAME.items() if name.startswith(key) or key.startswith(name + " ")]
    return found[0] if len(set(found)) == 1 else None


def from_uai_prefix(prefix: str) -> str | None:
    """``002`` → ``02``, ``620`` → ``2A``, ``971`` → ``971``, ``983`` → ``988``, ``987`` → ``986`` (Wallis et Futuna); None when no
    département issued it (``099``)."""
    if prefix in _UAI_PREFIXES:
        return _UAI_PREFIXES[prefix]
    if prefix in BY_CODE and len(prefix) == 3:
        return prefix
    code = prefix[1:] if prefix[:1] == "0" else ""
    return code if code in BY_CODE else None


def name_of(code: str) -> str:
    """The name of a département; KeyError when the code is none."""
    return BY_CODE[code].name


def region_of(code: str) -> tuple[str, str]:
    """Code and name of the region of a département."""
    region = BY_CODE[code].region
    return region, REGIONS[region]


def academie_of(code: str) -> Academie:
    """The académie of a département, or what is assimilated to one overseas."""
    return ACADEMIE_BY_CODE[BY_CODE[code].academie]


def zone_of(code: str) -> str | None:
    """School-holiday zone of a département (A, B, C); None where the académie keeps its own calendar (Corse, overseas)."""
    return academie_of(code).zone


def particularity_of(code: str) -> str:
    """What a reader of a school overseas should know of its place in the academic hierarchy, in French; empty elsewhere."""
    if code not in COLLECTIVITIES:
        return ""
    name, academie = BY_CODE[code].name, academie_of(code)
    if academie.is_assimilated:
        return (
            f"{name} n'a ni DSDEN ni région académique : l'annuaire de l'éducation l'assimile à une académie (code {academie.code}). Le SIREN de "
            "sa collectivité n'est pas dans les données publiques du registre."
        )
    return (
        f"{name} n'a pas de DSDEN : l'annuaire de l'éducation rattache ses établissements à l'académie {academie.name} (code {academie.code}), et "
        f"leur UAI, en 971, les compte avec {BY_CODE['971'].name}. Le SIREN de sa collectivité n'est pas dans les données publiques du registre."
    )
