"""Dated, parallel hierarchies and attributes: which establishment belongs to which unit and group at a date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import polars as pl
import pyarrow as pa

from essaim.engines.measures.periods import Period

NATIONAL = "national"
ESTABLISHMENT = "establishment"
NATIONAL_UNIT = "FR"
UNKNOWN_GROUP = "non renseigné"

Frame: TypeAlias = pl.DataFrame | pa.Table


class LevelUnknown(LookupError):
    """No hierarchy has this level. ``args[0]`` is the French message."""


def as_frame(given: Frame | None, columns: Sequence[str]) -> pl.DataFrame:
    """A polars frame, with at least ``columns`` (text) when nothing is given."""
    if given is None:
        return pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    if isinstance(given, pl.DataFrame):
        return given
    found = pl.from_arrow(given)
    assert isinstance(found, pl.DataFrame)
    return found


def hierarchy_frame(given: Frame | None) -> pl.DataFrame:
    """Columns ``uai``, ``hierarchy``, ``level``, ``unit``, ``valid_from``, ``valid_to`` (dates, both included, null for
    open): the membership of establishments."""
    frame = as_frame(given, ("uai", "hierarchy", "level", "unit", "valid_from", "valid_to"))
    missing = [pl.lit(None, pl.Date).alias(name) for name in ("valid_from", "valid_to") if name not in frame.columns]
    if "hierarchy" not in frame.columns:
        missing.append(pl.lit("").alias("hierarchy"))
    return frame.with_columns(missing).with_columns(pl.col("valid_from", "valid_to").cast(pl.Date))


@dataclass(frozen=True, slots=True)
class Membership:
    """Who belongs where, for the periods (positions ``periods``) during which nothing moves. ``schools`` are positions on
    the axis of establishments, ``units`` positions in ``names``; a pair appears once even if declared twice."""

    periods: tuple[int, ...]
    schools: np.ndarray
    units: np.ndarray
    names: tuple[str, ...]


def memberships(
    frame: pl.DataFrame, level: str, hierarchy: str | None, periods: Sequence[Period], schools: pl.Series
) -> tuple[Membership, ...]:
    """Membership at the end of each period, periods with the same membership together."""
    codes = pl.DataFrame({"uai": schools, "row": pl.int_range(len(schools), eager=True)})
    rows = _level_rows(frame, level, hierarchy, schools)
    groups: dict[int, list[int]] = {}
    changes = sorted(
        {day.toordinal() for day in rows["valid_from"].drop_nulls()}
        | {day.toordinal() + 1 for day in rows["valid_to"].drop_nulls()}
    )
    for index, item in enumerate(periods):
        groups.setdefault(int(np.searchsorted(changes, item.end.toordinal(), side="right")), []).append(index)
    found = []
    for positions in groups.values():
        valid = valid_at(rows, periods[positions[0]]).select("uai", "unit").unique().join(codes, on="uai")
        names = tuple(sorted(valid["unit"].unique().to_list()))
        unit_codes = pl.DataFrame({"unit": names, "u": range(len(names))}, schema={"unit": pl.String, "u": pl.Int64})
        placed = valid.join(unit_codes, on="unit").sort("row", "u")
        found.append(Membership(tuple(positions), placed["row"].to_numpy(), placed["u"].to_numpy(), names))
    return tuple(found)


def valid_at(rows: pl.DataFrame, period: Period) -> pl.DataFrame:
    """Rows valid on the last day of ``period``."""
    end = period.end
    return rows.filter(
        (pl.col("valid_from").is_null() | (pl.col("valid_from") <= end))
        & (pl.col("valid_to").is_null() | (pl.col("valid_to") >= end))
    )


def _level_rows(frame: pl.DataFrame, level: str, hierarchy: str | None, schools: pl.Series) -> pl.DataFrame:
    if "/" in level and hierarchy is None:
        hierarchy, level = level.split("/", 1)
    rows = frame.filter(pl.col("level") == level)
    if hierarchy is not None:
        rows = rows.filter(pl.col("hierarchy") == hierarchy)
    if rows.height:
        return rows.drop_nulls(["uai", "unit"])
    if level not in (NATIONAL, ESTABLISHMENT):
        known = ", ".join(sorted(frame["level"].drop_nulls().unique().to_list()))
        raise LevelUnknown(f"Niveau « {level} » inconnu. Niveaux disponibles : {known or 'aucun'}.")
    # Without a declared level, an establishment exists as long as one hierarchy knows it.
    unit = pl.lit(NATIONAL_UNIT) if level == NATIONAL else pl.col("uai")
    if frame.height:
        return frame.drop_nulls("uai").with_columns(unit.alias("unit"))
    everyone = pl.DataFrame({"uai": schools}).with_columns(unit.alias("unit"))
    return everyone.with_columns(pl.lit(None, pl.Date).alias(name) for name in ("valid_from", "valid_to"))


def group_codes(
    attributes: pl.DataFrame, names: Sequence[str], school_year: str, schools: pl.Series
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The breakdown group of each establishment in a school year (or the last known before it): positions in the labels
    returned. A missing attribute makes the group « non renseigné », never a silent loss."""
    if not names:
        return np.zeros(len(schools), dtype=np.int64), ("",)
    frame = attributes.filter(pl.col("uai").is_in(schools.implode()))
    if "school_year" in frame.columns:
        frame = frame.filter(pl.col("school_year") <= school_year).sort("school_year")
        frame = frame.group_by("uai", maintain_order=True).last()
    else:
        frame = frame.unique("uai", keep="last", maintain_order=True)
    label = pl.concat_str(
        [pl.col(name).cast(pl.String).fill_null(UNKNOWN_GROUP) for name in names], separator=" × "
    )
    placed = pl.DataFrame({"uai": schools}).join(
        frame.select("uai", label.alias("label")), on="uai", how="left", maintain_order="left"
    )
    unknown = " × ".join([UNKNOWN_GROUP] * len(names))
    labels = placed["label"].fill_null(unknown)
    names_found = tuple(sorted(labels.unique().to_list()))
    position = {text: index for index, text in enumerate(names_found)}
    return labels.replace_strict(position, return_dtype=pl.Int64).to_numpy(), names_found
