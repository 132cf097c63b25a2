"""Establishments, their units and their groups as arrays, made once for a register and then only sliced.

A level is a list of (establishment, unit, since, until). The same arrays answer every period: what holds on the last day
of a period is a mask, never another table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from essaim.engines.measures.coding import Seats, coded, seated
from essaim.engines.measures.hierarchies import (
    ESTABLISHMENT,
    NATIONAL,
    NATIONAL_UNIT,
    UNKNOWN_GROUP,
    Frame,
    LevelUnknown,
    as_frame,
    hierarchy_frame,
)

_EPOCH = date(1970, 1, 1)
_NEVER, _ALWAYS = -(2**31), 2**31 - 1


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH).days


@dataclass(frozen=True, slots=True)
class Level:
    """One level: ``schools`` (positions), ``units`` (positions in ``names``, sorted), ``since`` and ``until`` (day numbers, both
    included)."""

    schools: np.ndarray
    units: np.ndarray
    names: tuple[str, ...]
    since: np.ndarray
    until: np.ndarray

    def at(self, day: int) -> tuple[np.ndarray, np.ndarray]:
        """(schools, units) of the memberships that hold on a day."""
        held = (self.since <= day) & (day <= self.until)
        return self.schools[held], self.units[held]


@dataclass(frozen=True, slots=True)
class Places:
    """A register ready for figures. ``schools``: sorted identifiers; what is asked of levels and groups is kept in
    ``memory``, which lives and dies with this object."""

    frame: pl.DataFrame
    attributes: pl.DataFrame
    schools: pl.Series
    memory: dict[Any, Any] = field(default_factory=dict)

    @property
    def seats(self) -> Seats:
        """The establishments, coded, each in its row."""
        if "seats" not in self.memory:
            self.memory["seats"] = seated(coded(self.schools))
        return self.memory["seats"]  # type: ignore[no-any-return]

    def level(self, level: str, hierarchy: str | None = None) -> Level:
        """The memberships of a level (``hierarchy/level`` or ``level``); LevelUnknown, in French, when nothing has it."""
        key = ("level", level, hierarchy)
        if key not in self.memory:
            self.memory[key] = _level(self, level, hierarchy)
        return self.memory[key]  # type: ignore[no-any-return]

    def groups(self, names: Sequence[str], school_year: str) -> tuple[np.ndarray, tuple[str, ...]]:
        """Group of each establishment in a school year, and the labels."""
        key = ("groups", tuple(names), school_year)
        if key not in self.memory:
            self.memory[key] = _groups(self, names, school_year)
        return self.memory[key]  # type: ignore[no-any-return]

    def schools_of(self, level: str, hierarchy: str | None, units: Sequence[str]) -> np.ndarray:
        """Positions of the establishments that belong or have belonged to ``units``, sorted."""
        held = self.level(level, hierarchy)
        asked = set(units)
        wanted = np.isin(held.units, [index for index, name in enumerate(held.names) if name in asked])
        return np.unique(held.schools[wanted])


def places(frame: Frame | None, attributes: Frame | None = None, *, schools: pl.Series | None = None) -> Places:
    """The register of ``frame`` (see `figures`); ``schools``: those to count when no hierarchy is given."""
    held = hierarchy_frame(frame)
    found = held["uai"].cast(pl.String) if held.height or schools is None else schools
    known = found.drop_nulls().unique().sort().rename("uai")
    return Places(held, as_frame(attributes, ("uai",)), known.filter(known != ""))


def _level(held: Places, level: str, hierarchy: str | None) -> Level:
    days = (("valid_from", "since", _NEVER), ("valid_to", "until", _ALWAYS))
    bounds = [pl.col(name).cast(pl.Int32).fill_null(edge).alias(short) for name, short, edge in days]
    codes = pl.DataFrame({"uai": held.schools, "row": pl.int_range(len(held.schools), eager=True)})
    rows = _level_rows(held, level, hierarchy).select("uai", "unit", *bounds).unique().join(codes, on="uai")
    names = rows["unit"].unique().sort()
    rows = rows.join(pl.DataFrame({"unit": names, "u": pl.int_range(len(names), eager=True)}), on="unit").sort("u", "row")
    columns = (rows[name].to_numpy() for name in ("row", "u", "since", "until"))
    schools, units, since, until = columns
    return Level(schools, units, tuple(names.to_list()), since, until)


def _level_rows(held: Places, level: str, hierarchy: str | None) -> pl.DataFrame:
    frame = held.frame
    if "/" in level and hierarchy is None:
        hierarchy, level = level.split("/", 1)
    kept = pl.col("level") == level
    if hierarchy is not None:
        kept = kept & (pl.col("hierarchy") == hierarchy)
    rows = frame.filter(kept)
    if rows.height:
        return rows.drop_nulls(["uai", "unit"])
    if level not in (NATIONAL, ESTABLISHMENT):
        known = ", ".join(sorted(frame["level"].drop_nulls().unique().to_list()))
        raise LevelUnknown(f"Niveau « {level} » inconnu. Niveaux disponibles : {known or 'aucun'}.")
    # Without a declared level, an establishment exists as long as one hierarchy knows it.
    unit = pl.lit(NATIONAL_UNIT) if level == NATIONAL else pl.col("uai")
    if frame.height:
        return frame.select("uai", "valid_from", "valid_to").drop_nulls("uai").unique().with_columns(unit.alias("unit"))
    everyone = pl.DataFrame({"uai": held.schools}).with_columns(unit.alias("unit"))
    return everyone.with_columns(pl.lit(None, pl.Date).alias(name) for name in ("valid_from", "valid_to"))


def _groups(held: Places, names: Sequence[str], school_year: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """The group of each establishment in a school year (or the last known before it). A missing attribute makes the group
    « non renseigné », never a silent loss."""
    frame = held.attributes
    if "school_year" in frame.columns:
        frame = frame.filter(pl.col("school_year") <= school_year).sort("school_year")
    label = pl.concat_str([pl.col(name).cast(pl.String).fill_null(UNKNOWN_GROUP) for name in names], separator=" × ")
    frame = frame.select("uai", label.alias("label")).unique("uai", keep="last", maintain_order=True)
    placed = pl.DataFrame({"uai": held.schools}).join(frame, on="uai", how="left", maintain_order="left")
    labels = placed["label"].fill_null(" × ".join([UNKNOWN_GROUP] * len(names)))
    found = labels.unique().sort()
    codes = labels.cast(pl.Enum(found)).to_physical().cast(pl.Int64).to_numpy()
    return codes, tuple(found.to_list())


def nesting(held: Places, fine: Level, coarse: Level, day: int) -> np.ndarray | None:
    """Position of the coarse unit that holds each fine unit on ``day`` (−1: the unit does not exist then); None unless every
    fine unit lies in exactly one, and there are fewer coarse ones."""
    size = len(held.schools)
    schools, units = coarse.at(day)
    low, high = np.full(size, 2**31), np.full(size, -1)
    np.minimum.at(low, schools, units)
    np.maximum.at(high, schools, units)
    members, owners = fine.at(day)
    first, last = np.full(len(fine.names), 2**31), np.full(len(fine.names), -1)
    np.minimum.at(first, owners, np.where(high[members] < 0, -1, low[members]))
    np.maximum.at(last, owners, high[members])
    present = np.zeros(len(fine.names), dtype=bool)
    present[owners] = True
    if not (first[present] == last[present]).all() or (last[present] < 0).any():
        return None
    if len(np.unique(units)) >= max(int(present.sum()), 2):
        return None
    return np.where(present, last, -1)
