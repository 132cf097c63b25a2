"""Dates written in several columns (day, month, year; or month and year) read as one."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import polars as pl

from essaim.kernel.french import folded, read_date

from .contract import Contract, FieldType
from .issues_messages import PARTS_CHOICES, PARTS_QUESTION, PARTS_READ
from .mapping import known_names, layout_of
from .mapping_content import sample_of
from .report import Question
from .reshaped import Reshaped
from .tables import Column, RawTable

_DAY, _MONTH, _YEAR = "day", "month", "year"
_ROLES = {"jour": _DAY, "jj": _DAY, "day": _DAY, "mois": _MONTH, "mm": _MONTH, "month": _MONTH, "annee": _YEAR, "an": _YEAR, "aaaa": _YEAR, "year": _YEAR}
_LINKS = frozenset(("de", "du", "d", "la", "le", "des", "l", "of"))
_CELLS = {_DAY: re.compile(r"(?:0?[1-9]|[12]\d|3[01])"), _MONTH: re.compile(r"(?:0?[1-9]|1[0-2])|[^\W\d]{3,9}\.?"), _YEAR: re.compile(r"(?:19|20)?\d\d")}
_MOSTLY = 0.9
_UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class _Apart:
    """Columns of one date by role, and the words of their headers that say which date it is."""

    places: MappingOf[str, int]
    subject: str


def dates_joined(table: RawTable, contract: Contract, answers: MappingOf[str, str]) -> Reshaped:
    """The table with each date that its columns share out in one column, at the place of the first; a cell missing makes a date that
    cannot be read, never another one."""
    done = Reshaped(table)
    for found in _apart(table):
        key = f"parts:{layout_of(table, contract)}:{folded(found.subject)}"
        letters = [table.columns[place].letter for place in found.places.values()]
        told = ", ".join(f"{table.columns[place].letter} « {' '.join(table.columns[place].header.split())} »" for place in sorted(found.places.values()))
        said = answers.get(key)
        if said == "" or _is_said_elsewhere(table, found):
            continue
        if said is None and _DAY not in found.places and _year_is_another(contract, found):
            question = Question(key, "mapping", table.sheet, letters[0], PARTS_QUESTION.format(columns=told), PARTS_CHOICES, True)
            done = replace(done, questions=(*done.questions, question))
            continue
        done = replace(done, table=_joined(done.table, table, found), remarks=(*done.remarks, ("date_parts", "", PARTS_READ.format(columns=told))))
    return done


def _apart(table: RawTable) -> list[_Apart]:
    """The dates whose month and year, and day if any, have columns of their own."""
    groups: dict[str, dict[str, int]] = {}
    subjects: dict[str, str] = {}
    for place, column in enumerate(table.columns):
        role, subject = _read(column.header)
        if role and _holds(table.frame[f"c{place}"], role):
            key = " ".join(word for word in folded(subject).split() if word not in _LINKS)
            if groups.setdefault(key, {}).setdefault(role, place) != place:
                return []
            subjects[key] = subject
    return [_Apart(dict(sorted(places.items(), key=lambda item: item[1])), subjects[key]) for key, places in groups.items() if {_MONTH, _YEAR} <= set(places)]


@lru_cache(maxsize=4_096)
def _read(header: str) -> tuple[str, str]:
    """What a header says it holds of a date and of which: ``Mois de livraison`` → month, « livraison »."""
    words = [word for word in re.split(r"[\s/().,:_-]+", header) if word]
    roles = [word for word in words if folded(word) in _ROLES]
    if len(roles) != 1 or len(words) > 6:
        return "", ""
    left = [word for word in words if word != roles[0]]
    while left and folded(left[0].replace("'", " ").replace("’", " ").split()[0]) in _LINKS and len(left) > 1:
        left = left[1:]
    while left and folded(left[-1]) in _LINKS:
        left = left[:-1]
    return _ROLES[folded(roles[0])], " ".join(left)


def _holds(column: pl.Series, role: str) -> bool:
    texts = sample_of(column)
    return bool(texts) and sum(bool(_CELLS[role].fullmatch(text.strip())) for text in texts) >= _MOSTLY * len(texts)


def _is_said_elsewhere(table: RawTable, found: _Apart) -> bool:
    """Whether another column holds whole dates, where nothing says which date the parts are of."""
    others = [place for place in range(len(table.columns)) if place not in found.places.values()]
    return not found.subject and any(_holds_dates(table.frame[f"c{place}"]) for place in others)


def _holds_dates(column: pl.Series) -> bool:
    texts = sample_of(column, few=True)
    return bool(texts) and all(not text.isdigit() and read_date(text) is not None for text in texts)


def _year_is_another(contract: Contract, found: _Apart) -> bool:
    """Whether the contract has a year of its own that the column may be (« Année » of purchase)."""
    names = known_names(contract)
    owners = {contract.fields[int(names.owner[at])] for at, name in enumerate(names.names) if name == "annee"}
    return not found.subject and any(field.type is FieldType.INTEGER for field in owners)


def _joined(table: RawTable, sender: RawTable, found: _Apart) -> RawTable:
    """The table with one column in place of those of ``found``, which are known by their letters in the ``sender``'s."""
    letters = {sender.columns[place].letter: role for role, place in found.places.items()}
    by_role = {letters[column.letter]: place for place, column in enumerate(table.columns) if column.letter in letters}
    first = min(by_role.values())
    subject = found.subject if folded(found.subject).startswith("date") else f"Date de {found.subject}" if found.subject else "Date"
    text = pl.Series(_written([table.frame[f"c{by_role[role]}"].to_list() if role in by_role else None for role in (_DAY, _MONTH, _YEAR)]), dtype=pl.String)
    kept = [place for place in range(len(table.columns)) if place == first or place not in by_role.values()]
    frame = pl.DataFrame([*((text if place == first else table.frame[f"c{place}"]).alias(f"c{new}") for new, place in enumerate(kept)), table.frame["row"]])
    columns = tuple(Column(table.columns[place].letter, subject) if place == first else table.columns[place] for place in kept)
    new_of = {place: new for new, place in enumerate(kept)}
    merged = tuple((new_of[place], top, bottom) for place, top, bottom in table.merged if place in new_of and place != first)
    return replace(table, columns=columns, frame=frame, merged=merged)


def _written(parts: Sequence[list[str | None] | None]) -> list[str | None]:
    """Each date as one text: ``14/3/2022``, ``14 mars 2022``, ``3/2022``."""
    lines = zip(*(part for part in parts if part is not None), strict=True)
    return [_one([(cell or "").strip() for cell in line]) for line in lines]


def _one(cells: list[str]) -> str | None:
    if not any(cells):
        return None
    mark = " " if any(map(str.isalpha, cells[-2])) else "/"
    return mark.join(cell or _UNKNOWN for cell in cells)
