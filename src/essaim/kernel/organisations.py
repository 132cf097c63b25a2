"""SIREN, SIRET and RNA: identifiers of organisations. Source: INSEE (Luhn key), répertoire national des associations."""

from __future__ import annotations

import re

from .verdict import Verdict

LA_POSTE = "356000000"
_SCIENTIFIC = re.compile(r"^\d(?:[.,]\d+)?\s*[eE]\s*\+?\s*\d{1,2}$")
_SEPARATORS = re.compile(r"[\s.\-_\u00a0\u202f\u2009]")


def luhn_is_valid(digits: str) -> bool:
    """Whether the Luhn sum of ``digits`` is a multiple of ten."""
    total = 0
    for position, char in enumerate(reversed(digits)):
        number = int(char) * (2 if position % 2 else 1)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


def _siret_key_fits(digits: str) -> bool:
    if luhn_is_valid(digits):
        return True
    return digits.startswith(LA_POSTE) and sum(map(int, digits)) % 5 == 0


def _check(text: str, length: int, kind: str) -> Verdict:
    raw = text.strip()
    if _SCIENTIFIC.match(raw):
        return Verdict(problem=f"{kind}_scientific")
    digits = _SEPARATORS.sub("", re.sub(r"[.,]0$", "", raw))
    if not digits.isascii() or not digits.isdigit():
        return Verdict(problem=f"{kind}_format")
    fits = luhn_is_valid if kind == "siren" else _siret_key_fits
    if len(digits) != length:
        padded = digits.zfill(length)
        # A lost leading zero is only believed when the key then fits.
        if length - 2 <= len(digits) < length and fits(padded):
            return Verdict(problem=f"{kind}_length", suggestion=padded)
        return Verdict(problem=f"{kind}_length")
    if not fits(digits) or int(digits) == 0:
        return Verdict(problem=f"{kind}_key")
    return Verdict(digits, repaired=None if digits == raw else "spelling")


def check_siren(text: str) -> Verdict:
    """Nine digits with a valid Luhn key. Problems: ``siren_format|length|key|scientific`` (digits lost: never guessed).

    A valid SIRET holds its SIREN: its first nine digits are taken, ``repaired`` is ``siret_given``.
    """
    verdict = _check(text, 9, "siren")
    if verdict.problem == "siren_length":
        siret = check_siret(text)
        if siret.value is not None:
            return Verdict(siret.value[:9], repaired="siret_given")
    return verdict


def check_siret(text: str) -> Verdict:
    """Fourteen digits with a valid Luhn key, or La Poste's digit sum multiple of five. Problems as for SIREN."""
    return _check(text, 14, "siret")


def check_rna(text: str) -> Verdict:
    """``W`` and nine digits. Problem ``rna_format``, with a suggestion when only case or spaces differ."""
    raw = text.strip()
    if re.fullmatch(r"W[0-9]{9}", raw):
        return Verdict(raw)
    compact = _SEPARATORS.sub("", raw).upper()
    return Verdict(problem="rna_format", suggestion=compact if re.fullmatch(r"W[0-9]{9}", compact) else None)
