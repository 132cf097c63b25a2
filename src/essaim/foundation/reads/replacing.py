"""What a submission would replace in the register: numbers already there are not added to, and its sender must know it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from essaim.engines.ledger import Preview
from essaim.kernel.french import format_number

from ..contracts import contract as contract_named
from ..models import Submission


@dataclass(frozen=True, slots=True)
class Replaced:
    """Numbers that take the place of others: in how many rows, ``before`` and ``after`` in all, of what (``unit``, plural), and the
    fields that would have told them apart."""

    rows: int
    before: int
    after: int
    unit: str
    apart: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """« 3 appareils en remplacent 5 déjà inscrits… »"""
        many = "s" if self.rows > 1 else ""
        distinct = ", ".join(f"« {label} »" for label in self.apart)
        told = f"{format_number(self.after)} {self.unit} en remplacent {format_number(self.before)} déjà inscrits, sur {format_number(self.rows)} ligne{many} : ils ne s'y ajoutent pas."
        if not distinct:
            return told + " S'il s'agit d'autres matériels, réunissez-les tous dans un même fichier."
        return told + f" S'il s'agit d'autres matériels, indiquez ce qui les distingue ({distinct}), ou réunissez-les tous dans un même fichier."

    def as_json(self) -> dict[str, Any]:
        """For programs: the numbers, and the same sentence."""
        return {"rows": self.rows, "before": self.before, "after": self.after, "unit": self.unit, "message": self.sentence}


def replaced(submission: Submission, foreseen: Preview) -> Replaced | None:
    """The quantities that accepting ``submission`` would replace, None where it replaces none."""
    contract = contract_named(submission.contract)
    if not contract.adds:
        return None
    changes = pl.DataFrame(foreseen.changes)
    mine = changes.filter(pl.col("column") == contract.adds[0]).select(pl.col("old", "new").cast(pl.Float64).fill_null(0))
    if not mine.height:
        return None
    field = contract.field(contract.adds[0])
    unit = contract.listing.word[1] if contract.listing else field.unit or field.label
    apart = tuple(item.label for item in contract.fields if item.name in contract.key and not item.required and not item.references_with)
    return Replaced(mine.height, round(mine["old"].sum()), round(mine["new"].sum()), unit, apart)
