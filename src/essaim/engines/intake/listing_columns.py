"""What the columns of a table of one line a thing say: where it is, what it is, whether it serves, the year it was bought."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from essaim.kernel.french import folded, read_date

from .cells_readers import read_cell, uai_within
from .check_batch import Part
from .check_status import begins_with, of_status
from .context import SCHOOL
from .contract import Contract, FieldType, Listing
from .mapping_content import fit, sample_of
from .mapping_names import HeaderName
from .report import Mapping as Mapped

_MOST_STATES, _MOST_PLACES, _UAI_LENGTH, _KNOWN = 40, 0.5, 8, 94.0


@dataclass(frozen=True, slots=True)
class Column:
    """A field's text on every line of a table, and the sender's column it was read in, None when there is none."""

    field: str
    texts: pl.Series
    mapping: Mapped | None


def columns_of(part: Part, names: Iterable[str], positions: Iterable[int]) -> list[int]:
    """The columns at ``positions`` whose header is one of ``names``, or begins with one of several words (``n° de série du PC``)."""
    wanted = {folded(name) for name in names}
    starts = tuple(f"{name} " for name in wanted if " " in name)
    headers = part.mapping.headers
    return [i for i in positions if i < len(headers) and any(form in wanted or form.startswith(starts) for form in headers[i].forms)]


def identifying(part: Part, contract: Contract, names: Iterable[str]) -> list[int]:
    """The sender's columns under ``names`` that hold something other than the place of each line (a TAG is often a school's UAI)."""
    place = part.mapping.fields.get(contract.place or "")
    held = [i for i, column in enumerate(part.table.columns) if column.letter and i != place and part.table.frame[f"c{i}"].null_count() < part.rows]
    return columns_of(part, names, held)


def without(part: Part, contract: Contract, fields: Iterable[str]) -> Part:
    """The table with the columns of ``fields`` left aside, and nothing asked about them."""
    mapping, gone = part.mapping, {name: part.mapping.fields[name] for name in fields if name in part.mapping.fields}
    letters = {part.table.columns[position].letter for position in gone.values()}
    titles = [part.table.columns[position].header or part.table.columns[position].letter for position in gone.values()]
    kept = {name: position for name, position in mapping.fields.items() if name not in gone}
    changed = replace(
        mapping,
        mapping=tuple(item for item in mapping.mapping if item.field not in gone),
        fields=kept,
        unmapped=(*mapping.unmapped, *titles),
        missing=tuple(item.name for item in contract.fields if item.name in gone or item.name in mapping.missing),
        questions=tuple(question for question in mapping.questions if question.about not in letters),
    )
    return replace(part, mapping=changed)


def with_columns(part: Part, columns: Sequence[Column]) -> Part:
    """The table with one more column for each field given, told where the sender has it."""
    table, mapping = part.table, part.mapping
    frame, fields, told = table.frame, dict(mapping.fields), list(mapping.mapping)
    extra = list(table.columns)
    for column in columns:
        fields[column.field] = len(extra)
        frame = frame.with_columns(column.texts.alias(f"c{len(extra)}"))
        extra.append(replace(table.columns[0], letter="", header=""))
        told = [item for item in told if item.field != column.field] + ([column.mapping] if column.mapping else [])
    if not columns:
        return part
    given = {column.mapping.column for column in columns if column.mapping}
    titles = {column.header or column.letter for column in table.columns if column.letter in given}
    changed = replace(
        mapping,
        mapping=tuple(told),
        fields=fields,
        unmapped=tuple(title for title in mapping.unmapped if title not in titles),
        missing=tuple(name for name in mapping.missing if name not in fields),
        headers=(*mapping.headers, *[HeaderName((), ())] * len(columns)),
        questions=tuple(question for question in mapping.questions if question.about not in given),
    )
    return replace(part, table=replace(table, frame=frame.select(pl.exclude("row"), "row"), columns=tuple(extra)), mapping=changed)


def columns_told(part: Part, contract: Contract, listing: Listing) -> list[Column]:
    """Every column that says a field of a line in its own way."""
    found = [_place(part, contract, listing), _kind(part, contract, listing), *_years(part, listing), *_states(part, contract, listing)]
    return [column for column in found if column is not None]


def _free(part: Part, *taken: str) -> list[int]:
    """Positions of the sender's columns that no field took, those of ``taken`` apart."""
    used = {position for name, position in part.mapping.fields.items() if name not in taken}
    return [position for position, column in enumerate(part.table.columns) if column.letter and position not in used]


def _mapped(part: Part, position: int, field: str, reason: str) -> Mapped:
    column = part.table.columns[position]
    return Mapped(column.letter, column.header, field, 90.0, reason)


def _translated(texts: pl.Series, said: Mapping[str, str | None]) -> pl.Series:
    return texts.replace_strict(dict(said), default=None, return_dtype=pl.String)


def _place(part: Part, contract: Contract, listing: Listing) -> Column | None:
    """The school in a path of places (``Laon > Collège Matisse > Salle 12``), or the UAI written in it, when no column gives it alone."""
    if listing.place is None or contract.place is None:
        return None
    sure, known = part.mapping.fields.get(contract.place), part.mapping.fields.get(listing.place)
    if sure is not None:
        return _uai_in_a_path(part, contract.place, sure)
    for position in [known] if known is not None else columns_of(part, listing.places, _free(part)):
        texts = part.table.frame[f"c{position}"]
        distinct = texts.drop_nulls().unique().to_list()
        if (column := _uai_in_a_path(part, contract.place, position)) is not None:
            return column
        schools = {text: _school_in(text) for text in distinct}
        found = sum(name is not None for name in schools.values())
        if found >= _MOST_PLACES * max(1, len(distinct)) and (known is None or any(schools[text] not in (None, text) for text in distinct)):
            said = {text: name or text for text, name in schools.items()}
            return Column(listing.place, _translated(texts, said), _mapped(part, position, listing.place, "établissement nommé dans le lieu"))
    return None


def _uai_in_a_path(part: Part, field: str, position: int) -> Column | None:
    """The valid UAI that most texts of a column of places hold among other words; each text that holds none stays as it is."""
    texts = part.table.frame[f"c{position}"]
    distinct = texts.drop_nulls().unique().to_list()
    codes = {text: uai_within(text) if len(text) > _UAI_LENGTH and any(map(str.isalpha, text)) else None for text in distinct}
    if not distinct or sum(code is not None for code in codes.values()) < 0.8 * len(distinct):
        return None
    said = {text: code or text for text, code in codes.items()}
    return Column(field, _translated(texts, said), _mapped(part, position, field, "UAI écrit dans le lieu"))


def _school_in(text: str) -> str | None:
    named = [step for step in (step.strip() for step in text.split(">")) if SCHOOL.match(folded(step))]
    return named[-1] if named else None


def _kind(part: Part, contract: Contract, listing: Listing) -> Column | None:
    """The kind read in the model where no column gives it; where it is given by a vague word, the model's own."""
    if listing.kind is None:
        return None
    field = contract.field(listing.kind)
    given = part.mapping.fields.get(field.name)
    models = columns_of(part, listing.models, range(len(part.table.columns)))
    given = None if given in models else given
    if not models:
        return None
    texts = part.table.frame[f"c{models[0]}"]
    if given is None:
        sample = sample_of(texts)
        return Column(field.name, texts, _mapped(part, models[0], field.name, "lue dans le modèle")) if sample and fit(sample, field) >= _MOST_PLACES else None
    certain = {text for text in texts.drop_nulls().unique().to_list() if read_cell(text, field).remark == "code_product"}
    kinds = part.table.frame[f"c{given}"]
    vague = {folded(word) for word in listing.vague}
    loose = kinds.is_in([text for text in kinds.drop_nulls().unique().to_list() if folded(text) in vague]).fill_null(False) | kinds.is_null()
    better = loose & texts.is_in(list(certain)).fill_null(False)
    if not better.any():
        return None
    header = part.table.columns[models[0]].header
    mapped = replace(_mapped(part, given, field.name, f"précisée par « {header} » où elle est vague"), score=99.0)
    return Column(field.name, texts.zip_with(better, kinds), mapped)


def _years(part: Part, listing: Listing) -> list[Column]:
    """The year of a date of purchase, where the year itself has no column."""
    found = []
    for name, headers in listing.years.items():
        for position in columns_of(part, headers, _free(part)) if name not in part.mapping.fields else []:
            texts = part.table.frame[f"c{position}"]
            said = {text: _year(text) for text in texts.drop_nulls().unique().to_list()}
            if said and sum(year != text for text, year in said.items()) >= 0.8 * len(said):
                found.append(Column(name, _translated(texts, said), _mapped(part, position, name, "année de la date")))
                break
    return found


def _year(text: str) -> str:
    written = read_date(text[:10]) or read_date(text)
    return str(written.value.year) if written and written.value else text


def _states(part: Part, contract: Contract, listing: Listing) -> list[Column]:
    """One or nothing in each counted state, where every word of a column of status is known; otherwise nobody knows."""
    for position in _free(part):
        if not listing.states or not of_status(part.table.columns[position].header):
            continue
        texts = part.table.frame[f"c{position}"]
        said = texts.drop_nulls().unique().head(_MOST_STATES + 1).to_list()
        counted = {name: {text for text in said if begins_with(text, words)} for name, words in listing.states.items() if name not in part.mapping.fields}
        idle = {text for text in said if begins_with(text, (*listing.idle, *contract.undone))}
        if not said or len(said) > _MOST_STATES or set(said) - idle - set().union(*counted.values(), set()):
            continue
        reason = "compté d'après le statut"
        return [
            Column(name, _translated(texts, {text: "1" if text in own else "0" for text in said}), _mapped(part, position, name, reason))
            for name, own in counted.items()
            if own
        ]
    return []


def own_fields(part: Part, contract: Contract, listing: Listing) -> list[str]:
    """Fields whose column speaks of one thing: what identifies it, its name taken for a school's, a remark about it, a date of its own."""
    fields = part.mapping.fields
    naming = identifying(part, contract, (*listing.serials, *listing.tags))
    found = [name for name, position in fields.items() if position in naming or name in listing.left_out]
    # « État : En panne » is no state of purchase.
    found += [
        item.name for item in contract.fields
        if item.type is FieldType.CODE and not item.required and item.name in fields and fit(sample_of(part.table.frame[f"c{fields[item.name]}"]), item) < 0.5
    ]  # fmt: skip
    for name in contract.field(contract.place).references_with if contract.place else ():
        position = fields.get(name)
        if position is not None and _is_of_a_thing(part, contract, name, position, listing):
            found.append(name)
    if listing.dated in fields and not _is_said(part, contract, str(listing.dated)):
        found.append(str(listing.dated))
    return found


def _is_of_a_thing(part: Part, contract: Contract, name: str, position: int, listing: Listing) -> bool:
    """Whether a column taken for a school's name or commune is a thing's own name, or a room where another column tells the school."""
    if columns_of(part, listing.names, [position]):
        return name != listing.place or _share_of_schools(part, position) < _MOST_PLACES
    if name != listing.place or _share_of_schools(part, position) >= _MOST_PLACES:
        return False
    told = contract.place in part.mapping.fields and _score(part, name) < _KNOWN and bool(columns_of(part, listing.places, [position]))
    return told or any(_share_of_schools(part, other) >= _MOST_PLACES for other in columns_of(part, listing.places, _free(part)))


def _score(part: Part, name: str) -> float:
    return next((item.score for item in part.mapping.mapping if item.field == name), 0.0)


def _share_of_schools(part: Part, position: int) -> float:
    """Share of the different texts of a column that name a school, alone or in a path."""
    texts = part.table.frame[f"c{position}"].drop_nulls().unique().to_list()
    return sum(_school_in(text) is not None for text in texts) / max(1, len(texts))


def _is_said(part: Part, contract: Contract, name: str) -> bool:
    """Whether the header is the field's own: « date de livraison » is near « date », and another date."""
    return _score(part, name) >= 90.0 or contract.field(name).type is not FieldType.DATE
