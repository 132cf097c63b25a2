"""Rows that the contract cannot tell apart and their sender can: one line a room or a class, the same line in two sheets, two columns of
one category (« Tablettes élèves », « Tablettes enseignants »).

Merged as repetitions they would be undercounted in silence, refused as contradictions they would count for nothing: whether their
numbers add up is asked, once per layout. Those that do are added up with their lineage, as lists of devices are (``check_sums``)."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from .check_batch import Batch, Marks, Part
from .check_cells import Typed
from .check_keys import repeats_a_key
from .contract import Contract
from .issues import refused_rows
from .issues_messages import ADD_CHOICES, ADD_QUESTION, THE_SHEET
from .report import Question

SUM = "sum"
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Repeats:
    """``questions`` with the number of their file; ``summed``: the rows that their sender says are to be added up."""

    questions: tuple[tuple[int, Question], ...] = ()
    summed: pl.Series | None = None


def marked(part: Part, contract: Contract) -> Part:
    """The table with what its unread columns say of each line: nobody knows before they are read which have the same key."""
    frame, mapping = part.table.frame, part.mapping
    wide = mapping.wide
    added = set(contract.adds) & (set(mapping.fields) | ({wide.value} if wide else set()))
    others = _unread(part) if added and part.each is None and frame.height > 1 else []
    if not others:
        return part
    marks = pl.DataFrame([frame["row"], *(frame[f"c{place}"].hash().alias(str(n)) for n, place in enumerate(others))])
    return replace(part, marks=Marks(marks, tuple(" ".join(part.table.columns[place].header.split()) for place in others)))


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
    head = column.head(_SHOWN).drop_nulls()
    if len(head) and not head[0].strip().isdigit():
        return False
    steps = column.cast(pl.Int64, strict=False).drop_nulls().diff().drop_nulls()
    return len(steps) > 0 and bool((steps == 1).all())


def told_apart(batch: Batch, typed: Typed, answers: MappingOf[str, str]) -> Repeats:
    """Good rows of one key in one file that only unread columns, or the sheet they stand in, tell apart one by one."""
    several = {file for number, file in enumerate(batch.file_of_part) if file in batch.file_of_part[:number]}
    parts = [
        number for number, part in enumerate(batch.parts)
        if part.each is None and (part.marks is not None or repeats_a_code(part) or batch.file_of_part[number] in several)
    ]  # fmt: skip
    keys = [name for name in batch.contract.key if name in typed.columns]
    if not parts or not keys or not batch.contract.adds or not repeats_a_key(batch, typed):
        return Repeats()
    groups = _groups(batch, typed, parts, keys)
    if not groups.height:
        return Repeats()
    questions: list[tuple[int, Question]] = []
    summed = []
    for (file, layout), mine in groups.group_by("_file", "_layout", maintain_order=True):
        key = f"add:{layout}"
        if key not in answers:
            questions.append((int(file), _question(key, batch, mine)))  # type: ignore[call-overload]
        elif answers[key] == SUM:
            summed.append(mine["_index"].explode())
    mask = pl.repeat(False, batch.size, dtype=pl.Boolean, eager=True).scatter(pl.concat(summed), True) if summed else None
    return Repeats(tuple(questions), mask)


def repeats_a_code(part: Part) -> bool:
    """Whether several columns of a table give one category."""
    codes = list(part.mapping.wide.codes.values()) if part.mapping.wide else []
    return len(set(codes)) < len(codes)


def _groups(batch: Batch, typed: Typed, parts: Sequence[int], keys: Sequence[str]) -> pl.DataFrame:
    """The rows of each such group, with the layout of the first and what tells them apart."""
    required = [name for name in keys if batch.contract.field(name).required]
    frame = pl.DataFrame([typed.columns[name] for name in keys]).with_columns(
        pl.int_range(batch.size, dtype=pl.UInt32).alias("_index"), batch.places.part.alias("_part"), batch.places.row.alias("row"),
        batch.files().alias("_file"), refused_rows(typed.findings, batch.size).alias("_bad"), _letters(batch),
    )  # fmt: skip
    mine = frame.filter(pl.col("_part").is_in(list(parts)) & ~pl.col("_bad") & pl.all_horizontal(pl.lit(True), *(pl.col(name).is_not_null() for name in required)))
    repeated = mine.filter(pl.len().over("_file", *keys) > 1)
    if not repeated.height:
        return repeated.clear()
    marks = [
        part.marks.lines.select(pl.lit(number, dtype=pl.UInt32).alias("_part"), "row", pl.struct(pl.exclude("row")).hash().alias("_told"))
        for number in parts if (part := batch.parts[number]).marks is not None
    ]  # fmt: skip
    none = pl.DataFrame(schema={"_part": pl.UInt32, "row": pl.UInt32, "_told": pl.UInt64})
    told = repeated.join(pl.concat([none, *marks]).unique(["_part", "row"]), on=["_part", "row"], how="left", maintain_order="left")
    layouts = pl.Series([part.mapping.layout for part in batch.parts], dtype=pl.String)
    told = told.with_columns(layouts.gather(told["_part"]).alias("_layout"), pl.struct("_part", "_told", "_letter").alias("_apart"))
    groups = told.group_by(["_file", *keys], maintain_order=True).agg("_index", "_part", "row", "_letter", "_apart", pl.col("_layout").first())
    return groups.filter(pl.col("_apart").list.n_unique() == pl.col("_apart").list.len())


def _letters(batch: Batch) -> pl.Series:
    """The sender's column of what is counted, where each category has its own."""
    given = next((batch.places.by_row[name] for name in batch.contract.adds if name in batch.places.by_row), None)
    return (pl.Series([None], dtype=pl.String).new_from_index(0, batch.size) if given is None else given).alias("_letter")


def _question(key: str, batch: Batch, groups: pl.DataFrame) -> Question:
    first = int(groups["_part"][0][0])
    sheet = batch.places.sheets[first]
    message = ADD_QUESTION.format(count=groups["_index"].list.len().sum(), columns=_varying(batch, groups))
    return Question(key, "mapping", sheet, sheet, message, ADD_CHOICES, True)


def _varying(batch: Batch, groups: pl.DataFrame) -> str:
    """What differs between the rows of one key: unread columns by their header, columns of one category, or the sheet."""
    rows = groups.select("_part", "row", "_letter").explode("_part", "row", "_letter")
    names: dict[str, None] = {}
    for number in rows["_part"].unique(maintain_order=True):
        if repeats_a_code(batch.parts[number]):
            letters = set(rows.filter(_part=number)["_letter"])
            names |= {f"« {' '.join(column.header.split())} »": None for column in batch.parts[number].table.columns if column.letter in letters}
        marks = batch.parts[number].marks
        if marks is not None:
            lines = marks.lines.join(rows.filter(_part=number).select("row"), on="row", how="semi")
            names |= {f"« {header} »": None for place, header in enumerate(marks.headers) if lines[str(place)].n_unique() > 1}
    found = list(names) or [THE_SHEET]
    return ", ".join(found[:_SHOWN]) + ("…" if len(found) > _SHOWN else "")
