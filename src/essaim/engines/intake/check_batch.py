"""Tables of one contract, from one file or many, laid end to end as one frame of text."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from .cells_readers import ColumnSense
from .contract import Contract
from .issues import Places
from .mapping import TableMapping
from .tables import RawTable

ZERO = ("0", "0.0", "0,0", "-", "–", "—", "0,00")


@dataclass(frozen=True, slots=True)
class Part:
    """One mapped table. ``file`` is the number of its file in the batch."""

    file: int
    table: RawTable
    mapping: TableMapping


@dataclass(frozen=True, slots=True)
class Batch:
    """``text``: one String column per contract field, batch rows in file order. ``senses[field]`` lists, by part, what headers say."""

    contract: Contract
    parts: tuple[Part, ...]
    text: pl.DataFrame
    places: Places
    file_of_part: tuple[int, ...]
    skipped: tuple[tuple[tuple[int, str], ...], ...]

    @property
    def size(self) -> int:
        return self.text.height

    def senses(self, field: str) -> list[ColumnSense]:
        """What the header of ``field`` says in each part."""
        return [_sense(part, field) for part in self.parts]

    def has_column(self, part: int, field: str) -> bool:
        return field in self.places.letters[part]


def _sense(part: Part, field: str) -> ColumnSense:
    position = part.mapping.fields.get(field)
    if position is None:
        return ColumnSense(epoch_1904=part.table.epoch_1904)
    header = part.mapping.headers[position]
    return ColumnSense(header.factor, header.tax_included, part.table.epoch_1904)


def build_batch(contract: Contract, parts: Sequence[Part], answers: MappingOf[str, str]) -> Batch:
    """Lays mapped tables end to end. ``answers["value:field:text"]`` replaces a text the sender corrected."""
    frames, letters, skipped = [], [], []
    for number, part in enumerate(parts):
        frame, missed = _part_frame(contract, part)
        frames.append(frame.with_columns(pl.lit(number, dtype=pl.UInt32).alias("_part")))
        letters.append({item.field: item.column for item in part.mapping.mapping})
        skipped.append(missed)
    whole = pl.concat(frames) if len(frames) > 1 else frames[0]
    whole = _corrected(whole, contract, answers)
    by_row = {}
    for wide in {(part.mapping.wide.into, part.mapping.wide.value) for part in parts if part.mapping.wide}:
        for name in wide:
            plain = pl.Series([item.get(name) for item in letters], dtype=pl.String).gather(whole["_part"])
            by_row[name] = whole["_letter"].fill_null(plain)
    places = Places(whole["_part"], whole["row"], tuple(part.table.sheet for part in parts), tuple(letters), by_row)
    text = whole.select(contract.field_names)
    return Batch(contract, tuple(parts), text, places, tuple(part.file for part in parts), tuple(skipped))


def _corrected(frame: pl.DataFrame, contract: Contract, answers: MappingOf[str, str]) -> pl.DataFrame:
    for name in contract.field_names:
        prefix = f"value:{name}:"
        fixes = {key[len(prefix) :]: value or None for key, value in answers.items() if key.startswith(prefix)}
        if fixes:
            frame = frame.with_columns(pl.col(name).replace(fixes))
    return frame


def _part_frame(contract: Contract, part: Part) -> tuple[pl.DataFrame, tuple[tuple[int, str], ...]]:
    wide = part.mapping.wide
    if wide is None:
        return part.table.frame.select(*_columns(contract, part), pl.lit(None, dtype=pl.String).alias("_letter"), "row"), ()
    blocks = []
    for position, code in sorted(wide.codes.items()):
        cell = pl.col(f"c{position}")
        blocks.append(
            part.table.frame.filter(cell.is_not_null() & ~cell.str.strip_chars().is_in(["", *ZERO])).select(
                *_columns(contract, part, {wide.into: pl.lit(code), wide.value: cell}),
                pl.lit(part.table.columns[position].letter).alias("_letter"),
                "row",
            )
        )
    frame = pl.concat(blocks).sort("row", maintain_order=True)
    empty = part.table.frame.filter(~pl.col("row").is_in(frame["row"].implode()))["row"].to_list()
    return frame, tuple((row, "aucune quantité indiquée") for row in empty)


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
