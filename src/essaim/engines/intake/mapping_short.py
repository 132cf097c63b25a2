"""Abbreviated headers: ``Date inv.``, ``PC port.``, ``Mt HT``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from essaim.kernel.french import folded

_WORD = re.compile(r"[^\W_]+\.?")
_STOP = frozenset(("de", "d", "du", "des", "la", "le", "les", "l", "a", "au", "aux", "en", "et"))
# Short forms that are not the beginning of their word, and those written without a point.
_WHOLE = {"mt": "montant", "mnt": "montant", "dt": "date", "dte": "date", "cde": "commande", "cmd": "commande", "px": "prix"}
_PREFIXES = frozenset(("etab", "etabl", "liv", "inv", "fourn", "desig", "recep", "eng", "config", "unit", "prev", "num", "impr", "imprim", "videoproj", "port"))


@lru_cache(maxsize=8_192)
def shortened(header: str) -> tuple[tuple[str, bool], ...]:
    """The words of a header with whether each is the beginning of a longer one; empty when none is abbreviated."""
    words = []
    for text in _WORD.findall(header):
        word = folded(text)
        if word and word not in _STOP:
            words.append((_WHOLE.get(word, word), (text.endswith(".") and len(word) > 1) or word in _PREFIXES))
    whole = any(folded(text) in _WHOLE for text in _WORD.findall(header))
    return tuple(words) if whole or any(cut for _, cut in words) else ()


def stands_for(words: tuple[tuple[str, bool], ...], name: str) -> bool:
    """Whether the abbreviated words are, in order, those of a folded name."""
    spelled = [word for word in name.split() if word not in _STOP]
    return len(spelled) == len(words) and all(full == word or (cut and full.startswith(word)) for (word, cut), full in zip(words, spelled, strict=True))


def only_meaning(header: str, names: Iterable[tuple[str, str]]) -> str | None:
    """The one meaning that an abbreviated header has among (folded name, meaning); None when it has none or several."""
    words = shortened(header)
    found = {meaning for name, meaning in names if words and stands_for(words, name)}
    return found.pop() if len(found) == 1 else None
