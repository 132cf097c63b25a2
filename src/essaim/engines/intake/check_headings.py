"""Small forms that go with a table: « UAI | 0020011B » above a delivery note, « Fait à | Laon » below it.

Such a form (one line a field, one entry) has rows of its own only when nothing else in its sheet says what it lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .check_batch import Part
from .check_result import Aside
from .check_wanted import absent
from .contract import Contract

_TITLES = 5


def set_apart(parts: Sequence[Part], aside: Sequence[Aside], contract: Contract) -> tuple[list[Part], list[Aside]]:
    """The tables to check, and those left aside: forms that complete a table of their sheet are its headings, and not told as unread."""
    sheets = {part.table.sheet for part in parts if not _is_form(part)}
    if not sheets:
        return list(parts), list(aside)
    kept, forms = [], []
    for part in parts:
        if _is_form(part) and part.table.sheet in sheets and absent(part, contract):
            forms.append(Aside(part, "", heading=True))
        else:
            kept.append(part)
    others = [replace(item, heading=True) if _is_form(item.part) and item.part.table.sheet in sheets else item for item in aside]
    return kept, [*forms, *others]


def _is_form(part: Part) -> bool:
    """A form of one entry, or a few lines of title that blank lines set apart."""
    titles = len(part.table.columns) == 1 and not part.mapping.fields and part.rows <= _TITLES
    return (part.table.turned and part.rows == 1) or titles
