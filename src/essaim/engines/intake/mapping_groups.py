"""Columns that come again with a number: « Matériel 1, Quantité 1, Matériel 2, Quantité 2 », « 1ère livraison / Date … 2ème livraison »."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from essaim.kernel.french import folded

from .contract import Contract
from .mapping import known_names
from .mapping_names import CERTAIN_NAME, name_scores, read_header
from .tables import Column, RawTable

_ORDINAL = re.compile(r"(\d)(?:er|ere|re|e|eme|nd|nde)?")


def by_group(table: RawTable, contract: Contract) -> Sequence[RawTable]:
    """One table for each number, with the columns that have none; the table itself when no group tells lines apart."""
    groups = _groups(table, contract)
    if not groups:
        return (table,)
    grouped = {place for group in groups.values() for place in group}
    common = [place for place in range(len(table.columns)) if place not in grouped]
    return [_piece(table, sorted([*common, *group]), group) for group in groups.values()]


def _groups(table: RawTable, contract: Contract) -> dict[int, dict[int, str]]:
    """Number → position of each of its columns → header without the number. Every group has the same columns, one of which is a part
    of the key: two deliveries have two dates, two articles two names."""
    found: dict[int, dict[int, str]] = {}
    for place, column in enumerate(table.columns):
        numbered = _numbered(column.header)
        if numbered:
            found.setdefault(numbered[0], {})[place] = numbered[1]
    if len(found) < 2 or sorted(found) != list(range(1, len(found) + 1)):
        return {}
    bases = [sorted(map(folded, group.values())) for group in found.values()]
    if len(bases[0]) < 2 or any(base != bases[0] for base in bases):
        return {}
    headers = [read_header(text) for text in found[1].values()]
    scores, _ = name_scores(headers, known_names(contract), len(contract.fields))
    keys = [position for position, field in enumerate(contract.fields) if field.name in contract.key]
    return found if (scores[:, keys] >= CERTAIN_NAME).any() else {}


def _numbered(header: str) -> tuple[int, str] | None:
    """``Qté livrée 2`` → 2 and ``Qté livrée``; ``1ère livraison / Date`` → 1 and ``Date``, which the level above only numbers."""
    levels = header.split(" / ")
    words = [(level, word, match) for level, text in enumerate(levels) for word in text.split() if (match := _ORDINAL.fullmatch(folded(word).removeprefix("n ").removeprefix("no ")))]
    if len(words) != 1:
        return None
    level, word, match = words[0]
    if len(levels) > 1 and level < len(levels) - 1:
        left = " / ".join(text for other, text in enumerate(levels) if other != level)
    else:
        left = " ".join(part for part in levels[level].split() if part != word)
        left = re.sub(r"(?<!\w)n[°o]?\s*$", "", left).strip()
    return (int(match[1]), left) if left.strip() else None


def _piece(table: RawTable, places: list[int], group: dict[int, str]) -> RawTable:
    """The columns at ``places``; lines whose columns of the group are empty are of another."""
    columns = tuple(Column(table.columns[place].letter, group.get(place, table.columns[place].header)) for place in places)
    given = table.frame.filter(pl.any_horizontal(pl.col(f"c{place}").is_not_null() for place in group))
    frame = given.select([*(pl.col(f"c{place}").alias(f"c{new}") for new, place in enumerate(places)), "row"])
    new_of = {place: new for new, place in enumerate(places)}
    merged = tuple((new_of[place], top, bottom) for place, top, bottom in table.merged if place in new_of)
    return replace(table, columns=columns, frame=frame, merged=merged)
