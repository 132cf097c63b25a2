"""Making text harmless in a spreadsheet: nothing we write may run as a formula."""

from __future__ import annotations

import re

_TRIGGERS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "|")
_PLAIN = re.compile(r"[-+−]?\d[\d\s\u00a0\u202f]*(?:[.,]\d+)?(?:[eE][-+]?\d{1,3})?\s?(?:%|€|k€)?$|[-–—]$")
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udfff]")
LONGEST = 32_767


def neutralise(text: str) -> str:
    """``text`` as it may be written in a spreadsheet or csv cell: an apostrophe goes before anything a spreadsheet
    would run (``=``, ``+``, ``-``, ``@``, tab, carriage return…); plain numbers and a lone dash are left alone."""
    text = _ILLEGAL.sub("", text)
    head = text.lstrip(" \u00a0")
    if head.startswith(_TRIGGERS) and not _PLAIN.match(head):
        text = "'" + text
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
