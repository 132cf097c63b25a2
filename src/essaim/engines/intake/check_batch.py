"""Tables of one contract, from one file or many, laid end to end as one frame of text."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from .cells_readers import ColumnSense
from .contract import Contract
from .issues import Places
from .mapping import TableMapping
from .mapping_wide import WideColumns
from .tables import RawTable

ZERO = ("0", "0.0", "0,0", "-", "–", "—", "0,00")


@dataclass(frozen=True, slots=True)
class Each:
    """A table of one line a thing. ``identity``: a number a line, equal where the same thing is named, null where none is; ``letter``
    and ``header`` of the column that names it, empty without one. ``counts``: each line counts for one; otherwise for its quantity."""

    identity: pl.Series
    letter: str = ""
    header: str = ""
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Marks:
    """What the unread columns of a table say of each line: ``lines`` has its ``row`` and one number a column, equal where cells are;
    ``headers`` of those columns."""

    lines: pl.DataFrame
    headers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One mapped table of ``rows`` rows. ``file`` is the number of its file in the batch; ``undone``: the rows that a column of
    status says did not happen, with the text of the cell and the header of that column; ``each``: of a table of one line
    a thing; ``marks``: of one whose lines of one key may differ by unread columns only."""

    file: int
    table: RawTable
    mapping: TableMapping
    rows: int
    undone: tuple[tuple[int, str, str], ...] = ()
    each: Each | None = None
    marks: Marks | None = None

    def emptied(self) -> Part:
        """The same without its cells."""
        return replace(self, table=replace(self.table, frame=self.table.frame.clear()))

    def remarked(self, remarks: Sequence[tuple[str, str, str]]) -> Part:
        """The same with more remarks on its columns: (code, field, detail)."""
        return replace(self, mapping=replace(self.mapping, remarks=(*self.mapping.remarks, *remarks))) if remarks else self


@dataclass(frozen=True, slots=True)
class Batch:
    """``text``: field → String column, batch rows in file order. ``senses[field]`` lists, by part, what headers say."""

    contract: Contract
    parts: tuple[Part, ...]
    text: dict[str, pl.Series]
    places: Places
    file_of_part: tuple[int, ...]
    skipped: tuple[tuple[tuple[int, str], ...], ...]

    @property
    def size(self) -> int:
        return len(self.places.row)

    def senses(self, field: str) -> list[ColumnSense]:
        """What the header of ``field`` says in each part."""
        return [_sense(part, field) for part in self.parts]

    def files(self) -> pl.Series:
        """Number of the file of each row (UInt32)."""
        return pl.Series(list(self.file_of_part), dtype=pl.UInt32)[self.places.part]

    def extents(self) -> dict[int, tuple[int, int]]:
        """First row and number of rows of each file: the rows of a file follow one another."""
        counts = dict(self.places.part.value_counts().iter_rows())
        found: dict[int, tuple[int, int]] = {}
        start = 0
        for part, file in enumerate(self.file_of_part):
            first, size = found.get(file, (start, 0))
            found[file] = (first, size + counts.get(part, 0))
            start += counts.get(part, 0)
        return found

    def has_column(self, part: int, field: str) -> bool:
        return field in self.places.letters[part]


def _sense(part: Part, field: str) -> ColumnSense:
    wide = part.mapping.wide
    beside = next((found[field] for found in wide.beside.values() if field in found), None) if wide else None
    position = part.mapping.fields.get(field, beside)
    if position is None:
        return ColumnSense(epoch_1904=part.table.epoch_1904)
    header = part.mapping.headers[position]
    return ColumnSense(header.factor, header.tax_included, part.table.epoch_1904, minutes=header.minutes)


def build_batch(contract: Contract, parts: list[Part], answers: MappingOf[str, str]) -> Batch:
    """Lays mapped tables end to end. ``answers["value:field:text"]`` replaces a text the sender corrected.

    ``parts`` lose their cells as they are taken, so that a large file is not held twice."""
    taken, skipped = [], []
    for number in range(len(parts)):
        columns, missed = _part_columns(contract, parts[number])
        taken.append(columns)
        skipped.append(missed)
        parts[number] = parts[number].emptied()
    letters = [{item.field: item.column for item in part.mapping.mapping} for part in parts]
    part_numbers = _joined([pl.Series([n], dtype=pl.UInt32).new_from_index(0, len(columns["row"])) for n, columns in enumerate(taken)])
    rows, by_row = _joined([columns.pop("row") for columns in taken]), {}
    for name in {name for part in parts if part.mapping.wide for name in part.mapping.wide.fields}:
        letter = _joined([columns.pop(f"_letter:{name}", _nothing(len(columns[contract.fields[0].name]))) for columns in taken])
        by_row[name] = letter.fill_null(pl.Series([item.get(name) for item in letters], dtype=pl.String)[part_numbers])
    text = {name: _corrected(_joined([columns.pop(name) for columns in taken]), name, answers) for name in contract.field_names}
    places = Places(part_numbers, rows, tuple(part.table.sheet for part in parts), tuple(letters), by_row, tuple(part.table.turned for part in parts))
    return Batch(contract, tuple(parts), text, places, tuple(part.file for part in parts), tuple(skipped))


def _joined(pieces: list[pl.Series]) -> pl.Series:
    return pl.concat(pieces, rechunk=True) if len(pieces) > 1 else pieces[0]


def _nothing(size: int) -> pl.Series:
    return pl.Series([None], dtype=pl.String).new_from_index(0, size)


def _corrected(text: pl.Series, name: str, answers: MappingOf[str, str]) -> pl.Series:
    prefix = f"value:{name}:"
    fixes = {key[len(prefix) :]: value or None for key, value in answers.items() if key.startswith(prefix)}
    return text.replace(fixes) if fixes else text


def _part_columns(contract: Contract, part: Part) -> tuple[dict[str, pl.Series], tuple[tuple[int, str], ...]]:
    """Field → text, with ``row`` and, where columns became rows, ``_letter:`` and the field; and the rows that gave none."""
    frame = part.table.frame
    if part.mapping.wide is not None:
        unpivoted, missed = _part_frame(contract, part)
        return {series.name: series for series in unpivoted.get_columns()}, missed
    blank = _nothing(frame.height)
    found = {"row": frame.get_column("row")}
    for field in contract.fields:
        position = part.mapping.fields.get(field.name)
        if position is not None:
            found[field.name] = frame.get_column(f"c{position}").rename(field.name)
        elif field.default is None:
            found[field.name] = blank.alias(field.name)
        else:
            found[field.name] = pl.Series(field.name, [field.default], dtype=pl.String).new_from_index(0, frame.height)
    return found, ()


def _part_frame(contract: Contract, part: Part) -> tuple[pl.DataFrame, tuple[tuple[int, str], ...]]:
    """One row for each filled cell of the columns that became rows."""
    wide = part.mapping.wide
    assert wide is not None
    blocks = []
    for position, code in sorted(wide.codes.items()):
        cell = pl.col(f"c{position}")
        blocks.append(
            part.table.frame.filter(cell.is_not_null() & ~cell.str.strip_chars().is_in(["", *ZERO])).select(
                *_columns(contract, part, {wide.into: pl.lit(code), wide.value: cell, **_companions(wide, position)}),
                *_letters(part, position),
                "row",
            )
        )
    frame = pl.concat(blocks).sort("row", maintain_order=True)
    empty = part.table.frame.filter(~pl.col("row").is_in(frame["row"].implode()))["row"].to_list()
    return frame, tuple((row, "aucune quantité indiquée") for row in empty)


def _companions(wide: WideColumns, position: int) -> dict[str, pl.Expr]:
    """What is said of one code only; a field said of other codes is unknown for this one."""
    beside = wide.beside.get(position, {})
    return {name: pl.col(f"c{beside[name]}") if name in beside else pl.lit(None, pl.String) for name in wide.fields - {wide.into, wide.value}}


def _letters(part: Part, position: int) -> list[pl.Expr]:
    """The sender's column of each field of the block, for the rows of one code."""
    wide = part.mapping.wide
    assert wide is not None
    beside = wide.beside.get(position, {})
    letters = {name: part.table.columns[beside.get(name, position)].letter for name in sorted(wide.fields)}
    return [pl.lit(letter).alias(f"_letter:{name}") for name, letter in letters.items()]


def _columns(contract: Contract, part: Part, given: dict[str, pl.Expr] | None = None) -> list[pl.Expr]:
    columns = []
    for field in contract.fields:
        if given and field.name in given:
            columns.append(given[field.name].cast(pl.String).alias(field.name))
        elif field.name in part.mapping.fields:
            columns.append(pl.col(f"c{part.mapping.fields[field.name]}").alias(field.name))
        else:
            columns.append(pl.lit(field.default, dtype=pl.String).alias(field.name))
    return columns
