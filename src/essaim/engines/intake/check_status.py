"""Rows that a column of status says did not happen (an order cancelled, a delivery still awaited), or that are struck through."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

import polars as pl

from essaim.kernel.french import folded

from .check_batch import Batch, Part
from .contract import Contract
from .issues import Finding, finding
from .masks import true_rows

_STATUS = frozenset(("mouvement", "sens", "operation", "piece", "motif", "statut", "etat", "situation", "avancement", "status", "stade"))
_FEW, _SHORT = 40, 40
_REMARKS = ("comment",)
_YES, _NO, _TICKS = frozenset(("oui", "o", "x", "ok", "true", "vrai", "yes", "fait")), frozenset(("non", "n", "false", "faux", "no")), ("✓", "✔", "☑")
_VOID = "vide"


def with_status(part: Part, contract: Contract) -> Part:
    """The table with the rows that did not happen, as a column that no field took says (« Statut », « Livré : non »), or a remark that
    says nothing else (« ANNULÉ »)."""
    if not contract.undone:
        return part
    used = {*part.mapping.fields.values(), *(part.mapping.wide.positions if part.mapping.wide else ())}
    remarks = {part.mapping.fields[name] for name in _REMARKS if name in part.mapping.fields}
    found = {row: (text, header) for row, text, header in part.undone}
    for position, column in enumerate(part.table.columns):
        if position in used and position not in remarks:
            continue
        texts = part.table.frame[f"c{position}"]
        if position in remarks:
            near = texts.filter(texts.str.contains_any(beginnings(contract.undone), ascii_case_insensitive=True).fill_null(False))
            said = [text for text in near.unique().to_list() if len(text) <= _SHORT and folded(text) in contract.undone]
        elif of_status(column.header):
            said = [text for text in texts.drop_nulls().unique().head(_FEW).to_list() if _is_undone(text, contract)]
        elif column.header and _only_word(column.header) in contract.named:
            said = _not_done(texts)
        else:
            continue
        rows = part.table.frame.filter(texts.fill_null(_VOID).is_in(said)).select("row", f"c{position}").rows() if said else ()
        found |= {int(row): (str(text or _VOID), " ".join(column.header.split())) for row, text in rows if int(row) not in found}
    return replace(part, undone=tuple((row, *told) for row, told in found.items())) if found else part


@lru_cache(maxsize=64)
def beginnings(undone: tuple[str, ...]) -> list[str]:
    """How words of what did not happen begin, accented or not: few remarks hold one."""
    return sorted({begun for word in undone for begun in (word[:4], word[:4].replace("e", "é"))})


@lru_cache(maxsize=4_096)
def _only_word(header: str) -> str:
    """« livre » for « Livré ? » or « Livré (O/N) »: the word of a header that has but one."""
    words = [word for word in folded(header).split() if word not in ("o", "n", "oui", "non")]
    return words[0] if len(words) == 1 else ""


def _not_done(texts: pl.Series) -> list[str]:
    """What a column of yes and no says of what was not done: « non », or nothing where what was done is ticked."""
    written = texts.drop_nulls().unique().head(_FEW).to_list()
    if not written or any(folded(text) not in _YES and folded(text) not in _NO and text.strip() not in _TICKS for text in written):
        return []
    refused = [text for text in written if folded(text) in _NO]
    return refused or ([_VOID] if texts.null_count() else [])


@lru_cache(maxsize=4_096)
def of_status(header: str) -> bool:
    """Whether a header is that of a column of status."""
    return bool(_STATUS.intersection(folded(header).split()))


def _is_undone(text: str, contract: Contract) -> bool:
    return begins_with(text, contract.undone)


def begins_with(text: str, words: Iterable[str]) -> bool:
    """Whether a text is one of ``words`` (folded), or begins with it."""
    key = folded(text)
    return any(key == word or key.startswith(f"{word} ") for word in words)


def holds_word(text: str, words: Iterable[str]) -> bool:
    """Whether a folded text holds one of ``words`` (folded), whole."""
    return any(f" {word} " in f" {text} " for word in words)


def check_status(batch: Batch) -> list[Finding]:
    """One blocking finding a table that has such rows, one for those its sender struck through."""
    found = []
    for number, part in enumerate(batch.parts):
        if part.table.struck and not part.table.turned:
            rows = true_rows((batch.places.part == number) & batch.places.row.is_in(list(part.table.struck)))
            if len(rows):
                found.append(finding("row_struck", None, rows))
        if part.undone:
            said = {row: text for row, text, _ in part.undone}
            headers = {row: header for row, _, header in part.undone}
            here = (batch.places.part == number) & batch.places.row.is_in(list(said))
            rows = true_rows(here)
            value = batch.places.row.gather(rows).replace_strict(said, default=None, return_dtype=pl.String)
            detail = batch.places.row.gather(rows).replace_strict(headers, default=None, return_dtype=pl.String)
            found.append(finding("row_undone", None, rows, value=value, detail=detail))
    return found
