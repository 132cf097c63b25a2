"""Rows that a column of status says did not happen (an order cancelled, a delivery still awaited), or that are struck through."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import polars as pl

from essaim.kernel.french import folded

from .check_batch import Batch, Part
from .contract import Contract
from .issues import Finding, finding

_STATUS = frozenset(("mouvement", "sens", "operation", "piece", "statut", "etat", "situation", "avancement", "status", "stade"))
_FEW = 40


def with_status(part: Part, contract: Contract) -> Part:
    """The table with the rows that its column of status says did not happen, if it has such a column and no field took it."""
    if not contract.undone:
        return part
    used = {*part.mapping.fields.values(), *(part.mapping.wide.positions if part.mapping.wide else ())}
    for position, column in enumerate(part.table.columns):
        if position in used or not of_status(column.header):
            continue
        texts = part.table.frame[f"c{position}"]
        said = [text for text in texts.drop_nulls().unique().head(_FEW).to_list() if _is_undone(text, contract)]
        if said:
            rows = part.table.frame.filter(texts.is_in(said).fill_null(False)).select("row", f"c{position}").rows()
            return replace(part, undone=tuple((int(row), str(text)) for row, text in rows), status=" ".join(column.header.split()))
    return part


def of_status(header: str) -> bool:
    """Whether a header is that of a column of status."""
    return bool(_STATUS.intersection(folded(header).split()))


def _is_undone(text: str, contract: Contract) -> bool:
    return begins_with(text, contract.undone)


def begins_with(text: str, words: Iterable[str]) -> bool:
    """Whether a text is one of ``words`` (folded), or begins with it."""
    key = folded(text)
    return any(key == word or key.startswith(f"{word} ") for word in words)


def check_status(batch: Batch) -> list[Finding]:
    """One blocking finding a table that has such rows, one for those its sender struck through."""
    found = []
    for number, part in enumerate(batch.parts):
        if part.table.struck and not part.table.turned:
            rows = ((batch.places.part == number) & batch.places.row.is_in(list(part.table.struck))).arg_true()
            if len(rows):
                found.append(finding("row_struck", None, rows))
        if part.undone:
            said = dict(part.undone)
            here = (batch.places.part == number) & batch.places.row.is_in(list(said))
            rows = here.arg_true()
            value = batch.places.row.gather(rows).replace_strict(said, default=None, return_dtype=pl.String)
            found.append(finding("row_undone", None, rows, value=value, detail=part.status))
    return found
