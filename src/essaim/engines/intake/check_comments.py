"""What senders say beside a cell: the cell alone counts, and they are told so. A comment that may change a number is worth a look."""

from __future__ import annotations

import polars as pl

from essaim.kernel.french import folded

from .check_batch import Batch
from .contract import Contract, Severity
from .issues import Finding, finding
from .mapping_units import speaks_of_less


def check_comments(batch: Batch) -> list[Finding]:
    """The comments on rows of the tables: warnings for those that hold a number or say that less happened, notices for the others."""
    found = []
    for number, part in enumerate(batch.parts):
        if not part.table.comments or part.table.turned:
            continue
        here = pl.DataFrame({"row": batch.places.row, "part": batch.places.part}).with_row_index("at").filter(pl.col("part") == number)
        first = dict(here.unique("row", keep="first").select("row", "at").iter_rows())
        fields = {part.table.columns[place].letter: name for name, place in part.mapping.fields.items()}
        told: dict[tuple[Severity, str | None], list[tuple[int, str, str]]] = {}
        for row, letter, text in part.table.comments:
            if row in first:
                told.setdefault((_severity(text, batch.contract), fields.get(letter)), []).append((first[row], text, f"{letter}{row}"))
        for (severity, field), said in told.items():
            at, texts, cells = zip(*said, strict=True)
            found.append(finding("cell_comment", field, pl.Series(at), value=pl.Series(texts), detail=pl.Series(cells), severity=severity))
    return found


def _severity(text: str, contract: Contract) -> Severity:
    key = folded(text)
    matters = any(sign.isdigit() for sign in key) or speaks_of_less(key) or any(f" {word} " in f" {key} " for word in (*contract.undone, *contract.partly))
    return Severity.WARNING if matters else Severity.NOTICE
