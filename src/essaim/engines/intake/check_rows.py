"""Rows of a checked batch: accepted ones typed, refused ones as text, each with what the intake adds to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from essaim.kernel.departements import BY_CODE, from_uai_prefix

from .check_batch import Batch
from .check_cells import Typed
from .contract import FieldType
from .masks import true_rows
from .threads import side_by_side


@dataclass(slots=True)
class BatchRows:
    """Which rows of a batch are refused, and which accepted ones repeat an earlier one; frames are only built when asked."""

    batch: Batch
    typed: Typed
    sender: str | None
    refused: pl.Series
    repeated: pl.Series | None
    _departement: pl.Series | None = field(default=None, init=False)

    def of_file(self, start: int, size: int) -> FileRows:
        """The rows of the file that begins at row ``start`` of the batch."""
        bad = self.refused.slice(start, size)
        again = self.repeated.slice(start, size) & ~bad if self.repeated is not None else None
        return FileRows(self, start, size, bad, again)

    @property
    def departement(self) -> pl.Series:
        """Département of each row of the batch."""
        if self._departement is None:
            self._departement = _placed(self.batch, self.typed)
        return self._departement


@dataclass(frozen=True, slots=True)
class FileRows:
    """The rows of one file: ``bad`` ones are refused, ``again`` ones merged with an identical one."""

    whole: BatchRows
    start: int
    size: int
    bad: pl.Series
    again: pl.Series | None

    @property
    def count_refused(self) -> int:
        return int(self.bad.sum() or 0)

    @property
    def count_repeated(self) -> int:
        return int(self.again.sum() or 0) if self.again is not None else 0

    def accepted(self) -> pl.DataFrame:
        """Accepted rows, merged duplicates once."""
        good = ~self.bad if self.again is None else ~(self.bad | self.again)
        return self._kept(self.whole.typed.columns, good)

    def refused(self) -> pl.DataFrame:
        """Refused rows, as text."""
        return self._kept(self.whole.batch.text, self.bad)

    def _kept(self, columns: dict[str, pl.Series], mask: pl.Series) -> pl.DataFrame:
        """Filtered by column. A file alone in its batch gives its columns up as it goes, so that they are not held twice."""
        system = self._system(mask)
        alone = self.size == self.whole.batch.size
        take: Callable[[str], pl.Series] = columns.pop if alone else columns.__getitem__
        kept = side_by_side(lambda name: take(name).slice(self.start, self.size).filter(mask).alias(name), list(columns), self.size)
        return _beside(pl.DataFrame(kept), system)

    def _system(self, mask: pl.Series) -> pl.DataFrame:
        """System columns of the rows kept by ``mask``."""
        places = self.whole.batch.places
        part = places.part.slice(self.start, self.size).filter(mask)
        sheets = pl.Series(list(places.sheets), dtype=pl.String)
        one = len(set(places.sheets)) == 1
        return pl.DataFrame(
            {
                "departement": self.whole.departement.slice(self.start, self.size).filter(mask),
                "sender": pl.Series([self.whole.sender], dtype=pl.String).new_from_index(0, len(part)),
                "source_sheet": sheets.new_from_index(0, len(part)) if one else sheets.gather(part),
                "source_row": places.row.slice(self.start, self.size).filter(mask),
            }
        )


def _beside(frame: pl.DataFrame, system: pl.DataFrame) -> pl.DataFrame:
    """System columns after the contract's; a contract that names one itself keeps its own, completed where it is empty."""
    own = [name for name in system.columns if name in frame.columns]
    filled = frame.with_columns(pl.coalesce(pl.col(name), system[name]) for name in own) if own else frame
    return filled.hstack(system.drop(own))


def _placed(batch: Batch, typed: Typed) -> pl.Series:
    """Of the place field first: the register's word, else its own code; then of any commune, département or school of the row."""
    contract = batch.contract
    names = [item.name for item in contract.fields if item.type in _PLACED]
    order = sorted(names, key=lambda name: (name != contract.place, _RANK[contract.field(name).type]))
    found = pl.Series([None], dtype=pl.String).new_from_index(0, batch.size)
    for name in order:
        rows = true_rows(found.is_null())
        if not len(rows):
            break
        whole = len(rows) == batch.size
        values = typed.columns[name] if whole else typed.columns[name].gather(rows)
        places = _places(values, contract.field(name).type, typed.attributes.get(name))
        found = places if whole else found.scatter(rows, places)
    return found


_PLACED = {FieldType.UAI, FieldType.COMMUNE, FieldType.DEPARTEMENT}
_RANK = {FieldType.DEPARTEMENT: 0, FieldType.COMMUNE: 1, FieldType.UAI: 2}
_UAI_PREFIXES = pl.Series([from_uai_prefix(f"{number:03d}") for number in range(1000)], dtype=pl.String)


def _places(values: pl.Series, kind: FieldType, attributes: pl.DataFrame | None) -> pl.Series:
    """Département of each value: what the register says, else what the code itself says."""
    said = None
    if attributes is not None and "departement" in attributes.columns:
        known = attributes.select("value", "departement").drop_nulls().unique(subset="value", keep="first")
        said = values.replace_strict(known["value"], known["departement"], default=None, return_dtype=pl.String)
        if not said.null_count():
            return said
    own = _own_place(values, kind)
    return own if said is None else said.fill_null(own)


def _own_place(values: pl.Series, kind: FieldType) -> pl.Series:
    if kind is FieldType.UAI:
        return _UAI_PREFIXES.gather(values.str.slice(0, 3).cast(pl.UInt16, strict=False))
    codes = {code: code for code in BY_CODE}
    if kind is FieldType.DEPARTEMENT:
        return values.replace_strict(codes, default=None, return_dtype=pl.String)
    short = values.str.slice(0, 2).replace_strict({k: k for k in codes if len(k) == 2}, default=None, return_dtype=pl.String)
    return short.fill_null(values.str.slice(0, 3).replace_strict(codes, default=None, return_dtype=pl.String)) if short.null_count() else short
