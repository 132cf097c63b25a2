"""Columns whose headers differ by a year or a day only (« Nombre 2021 », « Nombre 2022 »), or that are names of the same thing and
say otherwise (« Date BL », « Date de réception »): which one counts is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingOf
from dataclasses import replace
from functools import lru_cache

from essaim.kernel.french import folded

from .check_batch import Part
from .contract import NUMERIC, Contract, FieldType
from .issues_messages import WHICH_QUESTION
from .mapping import decisive, named_alike
from .mapping_content import fit, sample_of
from .report import Question

_FITS, _SAID = 0.8, 100.0
_MEASURED = (FieldType.INTEGER, FieldType.DATE)
_YEAR = re.compile(r"\b(?:19|20)\d{2}\b")
_WHEN = re.compile(r"\b(?:n(?: \d)?|[a-z]{0,2}\d[\da-z]*|janvier|fevrier|mars|avril|mai|juin|juillet|aout|septembre|octobre|novembre|decembre|au|le|du|rentree|fin|debut)\b")


def which_year(part: Part, contract: Contract, answers: MappingOf[str, str]) -> Part:
    """The table with the question which column is a field that several may be; nothing is counted before the answer."""
    wide = part.mapping.wide
    questions: list[Question] = []
    asked: set[str] = set()
    used = {*part.mapping.fields.values(), *(wide.positions if wide else ())}
    certain = {item.field for item in part.mapping.mapping if item.score >= _SAID}
    texts_at = {place for name, place in part.mapping.fields.items() if contract.field(name).type is FieldType.TEXT}
    wanted = decisive(contract)
    for name in sorted({name for name in part.mapping.fields if name in wanted or contract.field(name).type in NUMERIC} - certain):
        place, key = part.mapping.fields[name], f"wanted:{part.mapping.layout}:{name}"
        field, header = contract.field(name), folded(part.table.columns[place].header)
        if key in answers or not (name in wanted or _YEAR.search(header)):
            continue
        alike = _named_otherwise(part, contract, name, place) if header and name in wanted else []
        base, texts_too = _base(header), used - texts_at if field.type is FieldType.UAI else used
        rivals = [
            other for other, column in enumerate(part.table.columns)
            if other not in texts_too and column.letter and (key_of := folded(column.header)) != header
            and (other in alike or (base and base != header and _base(key_of) == base))
            and (texts := sample_of(part.table.frame[f"c{other}"], few=True)) and fit(texts, field) >= _FITS
        ]  # fmt: skip
        if rivals:
            columns = [part.table.columns[at] for at in sorted([place, *rivals])]
            choices = tuple((column.letter, f"Colonne {column.letter} « {' '.join(column.header.split())} »", 0.0) for column in columns)
            asked |= {column.letter for column in columns}
            questions.append(Question(key, "mapping", part.table.sheet, field.label, WHICH_QUESTION.format(label=field.label), choices, True))
    others = (question for question in part.mapping.questions if question.about not in asked)
    return replace(part, mapping=replace(part.mapping, questions=(*others, *questions))) if questions else part


def _named_otherwise(part: Part, contract: Contract, name: str, place: int) -> list[int]:
    """Other columns under a name of the same date or number, that do not say the same: « Date BL », « Date de réception »; where no
    header is a name of the identifier of the school, every column may be: « UAI payeur », « UAI livré »."""
    kind, frame = contract.field(name).type, part.table.frame
    if kind not in (*_MEASURED, FieldType.UAI) or place >= len(part.mapping.headers):
        return []
    near, known = named_alike(contract, part.mapping.headers, name, place)
    if kind is FieldType.UAI:
        return [] if known else [other for other in range(len(part.mapping.headers)) if other != place]
    return [other for other in near if (frame[f"c{other}"] != frame[f"c{place}"]).any()]


@lru_cache(maxsize=4_096)
def _base(header: str) -> str:
    """A folded header without the words that say when."""
    return " ".join(_WHEN.sub(" ", header).split())
