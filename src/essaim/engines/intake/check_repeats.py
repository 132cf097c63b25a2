"""Rows that the contract cannot tell apart and their sender can: one line a room, a class or a serial number.

Merged as repetitions they would be undercounted in silence, refused as contradictions they would count for nothing: whether their
numbers add up is asked, once per layout."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import replace

import polars as pl

from .cells_readers import read_cell
from .check_batch import Part
from .contract import Contract, Field, FieldType
from .issues_messages import ADD_CHOICES, ADD_QUESTION, ADDED, ADDED_TO
from .report import Question

SUM = "sum"
_SHOWN = 3


def added_up(part: Part, contract: Contract, answers: MappingOf[str, str]) -> Part:
    """The table with the question whether such rows add up; added up when the sender said yes."""
    mapping, frame = part.mapping, part.table.frame
    numbers = _numbers(part, contract)
    keys = [f"c{mapping.fields[name]}" for name in contract.key if name in mapping.fields]
    others = [f"c{place}" for place in _unread(part)]
    if not numbers or not keys or not others or frame.height < 2 or frame.select(keys).n_unique() == frame.height:
        return part
    refused = {row for row, _ in part.undone} | part.table.struck
    groups = _groups(frame, keys, others, _required(part, contract), refused)
    if not groups.height:
        return part
    identity = f"add:{mapping.layout}"
    answer = answers.get(identity)
    if answer is None:
        message = ADD_QUESTION.format(count=groups["lines"].list.len().sum(), columns=_varying(part, groups, others))
        question = Question(identity, "mapping", part.table.sheet, part.table.sheet, message, ADD_CHOICES, True)
        return replace(part, mapping=replace(mapping, questions=(*mapping.questions, question)))
    return _added(part, groups["lines"].to_list(), numbers, contract) if answer == SUM else part


def _numbers(part: Part, contract: Contract) -> dict[int, Field]:
    """Columns whose numbers may be added up, by position."""
    found = {part.mapping.fields[name]: contract.field(name) for name in contract.adds if name in part.mapping.fields}
    wide = part.mapping.wide
    if wide and wide.value in contract.adds:
        found |= dict.fromkeys(wide.codes, contract.field(wide.value))
    return found


def _required(part: Part, contract: Contract) -> list[str]:
    return [f"c{part.mapping.fields[name]}" for name in contract.key if name in part.mapping.fields and contract.field(name).required]


def _unread(part: Part) -> list[int]:
    """Columns with a header that nothing took, those that only number the lines apart."""
    wide = part.mapping.wide
    used = {*part.mapping.fields.values(), *(wide.positions if wide else ())}
    names = {item.column for item in part.mapping.mapping}
    return [
        place for place, column in enumerate(part.table.columns)
        if place not in used and column.header and column.letter not in names and not _counts_lines(part.table.frame[f"c{place}"])
    ]  # fmt: skip


def _counts_lines(column: pl.Series) -> bool:
    steps = column.cast(pl.Int64, strict=False).drop_nulls().diff().drop_nulls()
    return len(steps) > 0 and bool((steps == 1).all())


def _groups(frame: pl.DataFrame, keys: list[str], others: list[str], required: list[str], refused: set[int]) -> pl.DataFrame:
    """Lines of one key that the unread columns tell apart one by one: their positions, and the texts of those columns."""
    given = [pl.col(name).is_not_null() for name in required]
    whole = frame.with_row_index("line").filter(pl.all_horizontal([*given, ~pl.col("row").is_in(list(refused))]))
    told = whole.with_columns(pl.struct(others).alias("told"))
    groups = told.group_by(keys, maintain_order=True).agg(pl.col("line").alias("lines"), pl.col("told"))
    distinct = pl.col("told").list.n_unique() == pl.col("told").list.len()
    return groups.filter((pl.col("lines").list.len() > 1) & distinct)


def _varying(part: Part, groups: pl.DataFrame, others: list[str]) -> str:
    rows = groups["told"].explode().struct.unnest()
    names = {f"c{place}": " ".join(column.header.split()) for place, column in enumerate(part.table.columns)}
    varying = [names[name] for name in others if rows[name].n_unique() > 1]
    return ", ".join(f"« {name} »" for name in varying[:_SHOWN]) + ("…" if len(varying) > _SHOWN else "")


def _added(part: Part, groups: list[list[int]], numbers: dict[int, Field], contract: Contract) -> Part:
    """Each group as its first line, with the sums; a group whose other values disagree, or with a number that cannot be read, as it is."""
    frame = part.table.frame
    kinds = {place: contract.field(name) for name, place in part.mapping.fields.items()}
    same = [f"c{place}" for place, field in kinds.items() if place not in numbers and field.type is not FieldType.TEXT]
    gone: dict[int, int] = {}
    rows, texts = frame["row"].to_list(), {place: frame[f"c{place}"].to_list() for place in numbers}
    for lines in groups:
        if same and frame[lines].select(same).n_unique() > 1:
            continue
        sums = {place: _sum([texts[place][line] for line in lines], field) for place, field in numbers.items()}
        if any(total is None and any(texts[place][line] for line in lines) for place, total in sums.items()):
            continue
        for place, total in sums.items():
            texts[place][lines[0]] = total
        gone |= dict.fromkeys(lines[1:], lines[0])
    if not gone:
        return part
    frame = frame.with_columns(pl.Series(f"c{place}", values, dtype=pl.String) for place, values in texts.items())
    kept = pl.Series([line not in gone for line in range(frame.height)])
    skipped = tuple((int(rows[line]), ADDED_TO.format(row=rows[first])) for line, first in gone.items())
    table = replace(part.table, frame=frame.filter(kept), skipped=(*part.table.skipped, *skipped))
    remark = ("rows_added", "", ADDED.format(count=len(gone)))
    return replace(part, table=table, rows=table.frame.height, mapping=replace(part.mapping, remarks=(*part.mapping.remarks, remark)))


def _sum(texts: list[str | None], field: Field) -> str | None:
    """The sum of the numbers written, None when one cannot be read or there is none."""
    readings = [read_cell(text, field) for text in texts if text]
    if not readings or any(reading.problem or reading.value is None for reading in readings):
        return None
    total = sum(reading.value for reading in readings)
    return str(int(total)) if total == int(total) else str(round(total, 2))
