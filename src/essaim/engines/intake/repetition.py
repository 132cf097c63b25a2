"""Marks by which a cell stands for the one above it: « idem », « " », « dito »…"""

from __future__ import annotations

import re

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
