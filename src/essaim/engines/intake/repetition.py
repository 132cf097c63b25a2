"""Marks by which a cell stands for the one above it: « idem », « " », « dito »…"""

from __future__ import annotations

import re

import polars as pl

_SIGNS = ("″", "〃", "”", "“", "„", "«", "»", "''", "’’", "‘‘", "´´", "//")


def _spellings(*words: str) -> str:
    """Each word as people write it: idem, Idem, IDEM."""
    return "|".join(re.escape(spelling) for word in words for spelling in (word, word.capitalize(), word.upper()))


DITTO = (
    r"""^\s*(?:-*\s*["″〃”“„«»]{1,2}\s*-*|''|’’|‘‘|´´|//+|(?:"""
    + _spellings("idem")
    + r")(?:\s+.{0,20})?|(?:"
    + _spellings("id.", "dito", "ditto", "même chose")
    + r")|(?:(?i:voir)\s+)?(?:"
    + _spellings("ci-dessus")
    + r"))\s*$"
)
# What every such mark but the straight quote holds, sought in the text of a whole file at once: literals only, which go fastest.
PIECE = "|".join(_SIGNS) + "|" + _spellings("id.", "idem", "dito", "ditto", "dessus", "chose")


def is_spelt_out(text: bytes) -> bool:
    """Whether no cell of a delimited text (UTF-8) can be a mark of repetition. False says nothing."""
    return b'"' not in text and not pl.Series([text], dtype=pl.Binary).cast(pl.String).str.contains(PIECE)[0]
