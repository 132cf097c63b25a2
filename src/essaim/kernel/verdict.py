"""What looking at one written value gives: the value, or the problem and a suggestion."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """``value`` is the canonical spelling, None when there is a problem.

    ``problem`` is a stable code (``uai_letter``, ``siret_scientific``…); ``suggestion`` a canonical value the sender may
    have meant, never applied here; ``choices`` several of them when the text is ambiguous. ``repaired`` names what was
    put right without doubt (``leading_zero``, ``spelling``): the value is given and the sender should be told.
    """

    value: str | None = None
    problem: str | None = None
    suggestion: str | None = None
    choices: tuple[str, ...] = ()
    repaired: str | None = None

    @property
    def is_valid(self) -> bool:
        return self.value is not None
