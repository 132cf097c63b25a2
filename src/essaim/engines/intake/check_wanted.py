"""Required fields that no column of a table gives: what the file may still say of them is asked, and the file refused meanwhile.

A table without the quantity or the school of its rows says nothing that can be counted. Refusing its rows one by one would hide
the one thing to repair, so the file is refused as a whole, with the columns that were found and the questions that would let it in."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import replace

from essaim.kernel.french import folded

from .check_batch import Part
from .context import dates_around
from .contract import Contract, Field, FieldType
from .issues_messages import NONE_CHOICE, ONCE_QUESTION, ONE_CHOICE, WANTED_QUESTION
from .mapping import known_names
from .mapping_content import fit, sample_of
from .mapping_names import of_another_state
from .report import Question

# Columns of lists that hold one line a device.
_DEVICE = re.compile(r"\b(?:serie|serial|s n|imei|immobilisation|etiquette|code barres?|inventaire n|n inventaire|numero d inventaire)\b")
_FITS = 0.8
_MOST = 6
_BY_CONTENT = frozenset((FieldType.INTEGER, FieldType.MONEY, FieldType.DATE, FieldType.CODE, FieldType.UAI, FieldType.SIRET, FieldType.SIREN))


def absent(part: Part, contract: Contract) -> list[Field]:
    """Required fields that neither a column, nor what is written around the table, nor a register gives to its rows."""
    wide = part.mapping.wide
    given = set(part.mapping.fields) | (wide.fields if wide else set())
    return [
        item for item in contract.fields
        if item.required and item.default is None and item.name not in given and not given.intersection(item.references_with)
    ]  # fmt: skip


def wanted(
    parts: Sequence[Part], contract: Contract, answers: MappingOf[str, str], filename: str
) -> tuple[list[Part], str | None]:
    """The usable tables of one file, and why the file is refused when every one of them lacks a required field.

    The tables of a refused file come back with the questions whose answers would complete them."""
    lacking = [absent(part, contract) for part in parts]
    if not lacking or not all(lacking):
        return list(parts), None
    asked = [
        _asking(part, fields, contract, answers, filename)
        for part, fields in zip(parts, lacking, strict=True)
    ]
    fewest = min(lacking, key=len)
    part = parts[lacking.index(fewest)]
    return asked, _reason(part, fewest)


def _reason(part: Part, fields: Sequence[Field]) -> str:
    several = len(fields) > 1
    labels = ", ".join(f"« {item.label} »" for item in fields)
    heads = [
        column.header or f"colonne {column.letter} sans en-tête"
        for column in part.table.columns
        if column.letter
    ]
    found = ", ".join(f"« {' '.join(head.split())[:60]} »" for head in heads[:12]) + (
        f"… ({len(heads)} colonnes)" if len(heads) > 12 else ""
    )
    what = (
        f"Colonnes obligatoires introuvables : {labels}."
        if several
        else f"Colonne obligatoire introuvable : {labels}."
    )
    return (
        f"{what} Colonnes lues dans la feuille « {part.table.sheet} » : {found or 'aucune'}. "
        f"{'Ajoutez-les, ou dites lesquelles ce sont si elles portent' if several else 'Ajoutez-la, ou dites laquelle c’est si elle porte'} "
        "un autre nom, puis renvoyez le fichier."
    )


def _asking(
    part: Part, fields: Sequence[Field], contract: Contract, answers: MappingOf[str, str], filename: str
) -> Part:
    offered = {value for question in part.mapping.questions for value, _, _ in question.choices}
    if any(question.id.startswith("code:") for question in part.mapping.questions):  # one column a category: nothing else gives it
        offered |= {name for wide in contract.wide for name in (wide.into, wide.value)}
    questions = [
        question
        for field in fields
        if field.name not in offered
        if (question := _question(part, field, contract, answers, filename))
    ]
    return replace(part, mapping=replace(part.mapping, questions=(*part.mapping.questions, *questions)))


def _question(
    part: Part, field: Field, contract: Contract, answers: MappingOf[str, str], filename: str
) -> Question | None:
    layout = part.mapping.layout
    column, once = f"wanted:{layout}:{field.name}", f"once:{layout}:{field.name}"
    of_the_list = part.each is not None and contract.listing is not None and field.name == contract.listing.dated
    if column not in answers and not of_the_list and (columns := _columns(part, field, contract)):
        return _holding(column, part, field, WANTED_QUESTION, columns)
    if contract.listing is not None and field.name == contract.listing.count:  # asked with what it means: see ``listing``
        return None
    values = _values(part, field, filename)
    if once not in answers and (values or of_the_list):
        free = "date" if field.type is FieldType.DATE else ""
        return _holding(once, part, field, ONCE_QUESTION, values, free)
    return None


def _holding(key: str, part: Part, field: Field, text: str, choices: tuple[tuple[str, str, float], ...], free: str = "") -> Question:
    """A question about ``field`` without whose answer nothing is accepted; none of the choices is one too."""
    message = text.format(label=field.label)
    return Question(key, "mapping", part.table.sheet, field.label, message, (*choices, ("", NONE_CHOICE, 0.0)), True, free)


def _columns(part: Part, field: Field, contract: Contract) -> tuple[tuple[str, str, float], ...]:
    """Columns that nothing else took and whose cells read as the field."""
    if field.type not in _BY_CONTENT:
        return ()
    wide = part.mapping.wide
    used = set(part.mapping.fields.values()) | (wide.positions if wide else set())
    words = known_names(contract).words[contract.field_names.index(field.name)]
    found = []
    for position, column in enumerate(part.table.columns):
        if (
            position in used
            or not column.letter
            or of_another_state(part.mapping.headers[position], field, words)
        ):
            continue
        texts = sample_of(part.table.frame[f"c{position}"])
        share = fit(texts, field) if texts else 0.0
        if share >= _FITS:
            found.append(
                (
                    column.letter,
                    f"Colonne {column.letter} « {column.header or 'sans en-tête'} »",
                    round(100 * share, 1),
                )
            )
    return tuple(sorted(found, key=lambda item: -item[2])[:_MOST])


def _values(part: Part, field: Field, filename: str) -> tuple[tuple[str, str, float], ...]:
    """What one value may be for the whole table: a code of the list, a date written around it."""
    if field.type is FieldType.CODE:
        return tuple((code.value, code.label, 0.0) for code in field.codes)
    if field.type is FieldType.DATE:
        return tuple((text, text, 0.0) for text in dates_around(part, filename)[:_MOST])
    if field.type is FieldType.INTEGER and any(_DEVICE.search(folded(column.header)) for column in part.table.columns):
        return (("1", ONE_CHOICE, 0.0),)
    return ()
