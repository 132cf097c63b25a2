"""A table made plain before its columns are understood: what was changed of it, what remains to be asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .report import Question
from .tables import RawTable


@dataclass(frozen=True, slots=True)
class Reshaped:
    """A table, the questions it leaves open and the remarks (code, field, detail) that tell what was done to it."""

    table: RawTable
    questions: tuple[Question, ...] = ()
    remarks: tuple[tuple[str, str, str], ...] = ()

    def then(self, step: Callable[[RawTable], Reshaped]) -> Reshaped:
        """The same with one more step."""
        after = step(self.table)
        if after.table is self.table and not after.questions and not after.remarks:
            return self
        return Reshaped(after.table, (*self.questions, *after.questions), (*self.remarks, *after.remarks))
