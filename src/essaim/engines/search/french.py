"""One French analyser for every index: lower case, ligatures, elisions, words, stems, and only then accents removed.

Accents go last because the stemmer needs them (``élevé`` and ``élève`` are not the same word). Stemmer: Snowball French.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import snowballstemmer

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "Œ": "oe", "Æ": "ae", "’": "'", "ʼ": "'", "`": "'", "´": "'"})
_ELISION = re.compile(r"\b(?:l|d|j|m|t|s|c|n|qu|jusqu|lorsqu|puisqu|quoiqu|presqu)'", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
STOP_WORDS = frozenset(
    ["de", "du", "des", "la", "le", "les", "un", "une", "et", "ou", "en", "au", "aux", "à", "sur", "sous", "pour", "par", "dans", "avec", "ce", "cette", "ces", "sa", "son", "ses", "est"]
)
_stemmer = snowballstemmer.stemmer("french")


def without_accents(text: str) -> str:
    """``élève`` → ``eleve``; other letters unchanged."""
    return "".join(ch for ch in unicodedata.normalize("NFKD", text) if not unicodedata.combining(ch))


def _words(text: str) -> list[str]:
    lowered = unicodedata.normalize("NFC", text.translate(_LIGATURES)).lower()
    return _WORD.findall(_ELISION.sub(" ", lowered))


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """The stem of one lower-case word, without accents; words holding a digit are identifiers and keep their form."""
    if any(ch.isdigit() for ch in word):
        return without_accents(word)
    return without_accents(_stemmer.stemWord(word))


def analysed(text: str, *, keep_stop_words: bool = False) -> tuple[str, ...]:
    """The stems of ``text`` in order, stop words left out unless they are all there is."""
    words = _words(text)
    kept = words if keep_stop_words else [word for word in words if word not in STOP_WORDS] or words
    return tuple(stem(word) for word in kept)


def plain_words(text: str) -> tuple[str, ...]:
    """The words of ``text`` in order, lower case and without accents, unstemmed: what a person is typing."""
    return tuple(without_accents(word) for word in _words(text))


@lru_cache(maxsize=200_000)
def _both(word: str) -> tuple[str, ...]:
    plain, stemmed = without_accents(word), stem(word)
    return (plain,) if plain == stemmed else (plain, stemmed)


@lru_cache(maxsize=50_000)
def indexed_words(text: str) -> tuple[str, ...]:
    """Each word of ``text`` once, without accents, followed by its stem when it differs: what an index holds, so that a whole
    word, another form of it, or its beginning all find it."""
    return tuple(dict.fromkeys(form for word in _words(text) for form in _both(word)))
