"""UAI: the identifier of a school (seven digits and a key letter). Source: national register (RAMSESE)."""

from __future__ import annotations

import re

from .departements import from_uai_prefix
from .french import squeezed
from .verdict import Verdict

KEY_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
PATTERN = re.compile(r"^[0-9]{7}[A-HJ-NPR-Z]$")
_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", "Q": "0"})


def key_letter(digits: str) -> str:
    """The key of seven digits: their value modulo 23 in an alphabet without I, O, Q."""
    return KEY_LETTERS[int(digits) % 23]


def check(text: str) -> Verdict:
    """A UAI written exactly is a value; anything else is a problem, with the likely UAI as a suggestion, never applied.

    Problems: ``uai_spelling`` (right identifier, lower case or separators), ``uai_letter_missing``, ``uai_letter``
    (key does not fit the digits), ``uai_format`` (not a UAI; a suggestion when a leading zero was lost).
    """
    raw = text.strip()
    if PATTERN.match(raw):
        expected = key_letter(raw[:7])
        if raw[7] == expected:
            return Verdict(raw)
        return Verdict(problem="uai_letter", suggestion=raw[:7] + expected)
    compact = re.sub(r"[\s.\-_/'\u00a0\u202f]", "", squeezed(raw)).upper()
    return _resolved(compact)


def _resolved(compact: str) -> Verdict:
    if compact.endswith(".0"):
        compact = compact[:-2]
    if re.fullmatch(r"[0-9]{7}[A-Z]", compact):
        suggestion = compact[:7] + key_letter(compact[:7])
        return Verdict(problem="uai_spelling" if compact == suggestion else "uai_letter", suggestion=suggestion)
    if re.fullmatch(r"[0-9]{7}", compact):
        return Verdict(problem="uai_letter_missing", suggestion=compact + key_letter(compact))
    if re.fullmatch(r"[0-9]{5,6}[A-Z]", compact):
        digits = compact[:-1].zfill(7)
        fits = key_letter(digits) == compact[-1]
        return Verdict(problem="uai_format", suggestion=digits + compact[-1] if fits else None)
    if re.fullmatch(r"[0-9OILQ]{7}[A-Z]", compact):
        digits = compact[:7].translate(_LOOKALIKES)
        return Verdict(problem="uai_format", suggestion=digits + key_letter(digits))
    return Verdict(problem="uai_format")


def departement_of(uai: str) -> str | None:
    """Code of the département whose authority issued the UAI (``620…`` → ``2A``); None when unknown.

    Saint-Martin and Saint-Barthélemy schools carry ``971``: their place comes from the register, not from the UAI.
    """
    return from_uai_prefix(uai[:3])
