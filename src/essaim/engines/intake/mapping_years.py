"""Columns whose headers differ by a year or a day only (« Nombre 2021 », « Nombre 2022 »): which one counts is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingOf
from dataclasses import replace
from functools import lru_cache

from essaim.kernel.french import folded

from .check_batch import Part
from .contract import Contract
from .issues_messages import WHICH_QUESTION
from .mapping import decisive
from .mapping_content import fit, sample_of
from .report import Question

_FITS, _SAID = 0.8, 100.0
_WHEN = re.compile(r"\b(?:n(?: \d)?|[a-z]{0,2}\d[\da-z]*|janvier|fevrier|mars|avril|mai|juin|juillet|aout|septembre|octobre|novembre|decembre|au|le|du|rentree|fin|debut)\b")


def which_year(part: Part, contract: Contract, answers: MappingOf[str, str]) -> Part:
    """The table with the question which column is a field that several may be, one a year; nothing is counted before the answer."""
    wide = part.mapping.wide
    questions: list[Question] = []
    asked: set[str] = set()
    used = {*part.mapping.fields.values(), *(wide.positions if wide else ())}
    certain = {item.field for item in part.mapping.mapping if item.score >= _SAID}
    for name in (decisive(contract) & set(part.mapping.fields)) - certain:
        place, key = part.mapping.fields[name], f"wanted:{part.mapping.layout}:{name}"
        field, header = contract.field(name), folded(part.table.columns[place].header)
        base = _base(header)
        if not base or base == header or key in answers:
            continue
        rivals = [
            other for other, column in enumerate(part.table.columns)
            if other not in used and column.letter and (key_of := folded(column.header)) != header and _base(key_of) == base
            and (texts := sample_of(part.table.frame[f"c{other}"], few=True)) and fit(texts, field) >= _FITS
        ]  # fmt: skip
        if rivals:
            columns = [part.table.columns[at] for at in sorted([place, *rivals])]
            choices = tuple((column.letter, f"Colonne {column.letter} « {' '.join(column.header.split())} »", 0.0) for column in columns)
            asked |= {column.letter for column in columns}
            questions.append(Question(key, "mapping", part.table.sheet, field.label, WHICH_QUESTION.format(label=field.label), choices, True))
    others = (question for question in part.mapping.questions if question.about not in asked)
    return replace(part, mapping=replace(part.mapping, questions=(*others, *questions))) if questions else part


@lru_cache(maxsize=4_096)
def _base(header: str) -> str:
    """A folded header without the words that say when."""
    return " ".join(_WHEN.sub(" ", header).split())
