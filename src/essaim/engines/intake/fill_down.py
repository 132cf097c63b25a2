"""Cells that stand for the one above: marks of repetition (« idem », « " ») say so; schools written on the first of their lines
only are asked, because an empty cell may as well be a forgotten one."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from .check_batch import Part
from .contract import NUMERIC, Contract, Field
from .issues_messages import FILL_CHOICES, FILL_QUESTION, REPEATED_ABOVE
from .repetition import DITTO
from .report import Question

ABOVE = "above"
_OFTEN = 0.25
_TYPED_BY_HAND = 50_000


def repeated(part: Part, contract: Contract) -> Part:
    """The table with its marks of repetition replaced by the text above them, and the remark that tells it."""
    frame = part.table.frame
    places = {place: contract.field(name) for name, place in part.mapping.fields.items() if contract.field(name).type not in NUMERIC}
    if not places or not 0 < frame.height <= _TYPED_BY_HAND or part.table.spelt_out:
        return part
    written = _marks([frame[f"c{place}"] for place in places])
    cells, labels, example = 0, [], ""
    for place, field in places.items() if len(written) else ():
        column = frame[f"c{place}"]
        marks = column.is_in(written.implode()).fill_null(False)
        if not marks.any() or marks[0]:
            continue
        above = pl.select(pl.when(marks).then(None).otherwise(pl.int_range(len(marks)))).to_series().forward_fill()
        frame = frame.with_columns(column.gather(above).alias(f"c{place}"))
        cells, example = cells + int(marks.sum() or 0), example or column.filter(marks)[0].strip()
        labels.append(f"« {field.label} »")
    if not labels:
        return part
    remark = ("cell_ditto", "", REPEATED_ABOVE.format(count=cells, labels=", ".join(labels), example=example))
    return replace(part, table=replace(part.table, frame=frame)).remarked([remark])


def _marks(columns: Sequence[pl.Series]) -> pl.Series:
    """The marks of repetition written in any of the columns: none begins with a digit."""
    texts = pl.concat([column.filter((column < "0") | (column >= ":")).alias("text") for column in columns])
    return texts.filter(texts.str.contains(DITTO)).unique()


def said_once(part: Part, contract: Contract, answers: MappingOf[str, str]) -> Part:
    """The table with the question whether lines without school belong to the one above; filled when the sender said yes."""
    for field in contract.fields:
        if not field.required or not field.references_with:
            continue
        columns = _columns(part, field)
        empty = part.table.frame.select(pl.all_horizontal(pl.col(name).is_null() for name in columns))[:, 0] if columns else None
        if empty is None or not len(empty) or empty[0] or not _OFTEN <= float(empty.mean() or 0.0) < 1:  # type: ignore[arg-type]
            continue
        place = part.mapping.fields.get(field.name, part.mapping.fields.get(next(iter(field.references_with)), 0))
        return _answered(part, field, columns, part.table.columns[place].letter, answers)
    return part


def _columns(part: Part, field: Field) -> list[str]:
    """The columns that say which school a line is about, those the table has."""
    places = [part.mapping.fields[name] for name in (field.name, *field.references_with) if name in part.mapping.fields]
    return [f"c{place}" for place in places]


def _answered(part: Part, field: Field, columns: list[str], letter: str, answers: MappingOf[str, str]) -> Part:
    identity = f"fill:{part.mapping.layout}:{field.name}"
    answer = answers.get(identity)
    if answer is None:
        question = Question(identity, "mapping", part.table.sheet, letter, FILL_QUESTION.format(label=field.label), FILL_CHOICES, True)
        return replace(part, mapping=replace(part.mapping, questions=(*part.mapping.questions, question)))
    if answer != ABOVE:
        return part
    frame = part.table.frame
    alone = pl.all_horizontal(pl.col(name).is_null() for name in columns)
    group = (~alone).cast(pl.UInt32).cum_sum()
    filled = frame.with_columns(pl.col(name).first().over(group) for name in columns)
    frame = frame.with_columns(pl.when(alone).then(filled[name]).otherwise(pl.col(name)).alias(name) for name in columns)
    return replace(part, table=replace(part.table, frame=frame))
