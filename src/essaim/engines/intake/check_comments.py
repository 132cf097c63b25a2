"""What senders say beside a cell: the cell alone counts, and they are told so. A comment that may change a number is worth a look."""

from __future__ import annotations

import polars as pl

from essaim.kernel.french import folded

from .check_batch import Batch
from .check_status import holds_word
from .contract import Contract, Severity
from .issues import Finding, finding
from .mapping_units import speaks_of_less
from .masks import true_rows


def check_comments(batch: Batch) -> list[Finding]:
    """The comments on rows of the tables: warnings for those that hold a number or say that less happened, notices for the others."""
    found = []
    for number, part in enumerate(batch.parts):
        if not part.table.comments or part.table.turned:
            continue
        at = true_rows((batch.places.part == number) & batch.places.row.is_in([row for row, _, _ in part.table.comments]))
        first = dict(zip(batch.places.row.gather(at).reverse(), at.reverse(), strict=True))  # of the rows that one line gives, the first
        fields = {part.table.columns[place].letter: name for name, place in part.mapping.fields.items()}
        told: dict[tuple[Severity, str | None], list[tuple[int, str, str]]] = {}
        for row, letter, text in part.table.comments:
            if row in first:
                told.setdefault((_severity(text, batch.contract), fields.get(letter)), []).append((first[row], text, f"{letter}{row}"))
        for (severity, field), said in told.items():
            rows, texts, cells = zip(*said, strict=True)
            found.append(finding("cell_comment", field, pl.Series(rows), value=pl.Series(texts), detail=pl.Series(cells), severity=severity))
    return found


def _severity(text: str, contract: Contract) -> Severity:
    key = folded(text)
    matters = any(sign.isdigit() for sign in key) or speaks_of_less(key) or holds_word(key, (*contract.undone, *contract.partly))
    return Severity.WARNING if matters else Severity.NOTICE
