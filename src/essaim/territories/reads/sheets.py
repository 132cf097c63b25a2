"""What is shown of a school and of a territory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl
from django.utils import timezone

from ..models import Establishment, Unit
from .frames import frame, profile_frame


@dataclass(frozen=True, slots=True)
class Affiliation:
    """A unit a school belongs to, from ``valid_from`` to ``valid_to`` (both included, None: open)."""

    hierarchy: str
    level: str
    code: str
    label: str
    valid_from: date | None
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class SchoolYearProfile:
    """What is known of a school one year: counts of that year (None: not published), attributes of the nearest known year."""

    school_year: str
    pupils: int | None
    classes: int | None
    ips: float | None
    ips_quartile: str | None
    rep: str | None


@dataclass(frozen=True, slots=True)
class SchoolSheet:
    """A school: its description, its units, its years (latest first), the school that took over and those it took over from."""

    school: Establishment
    affiliations: tuple[Affiliation, ...]
    years: tuple[SchoolYearProfile, ...]
    successor: Establishment | None
    predecessors: tuple[Establishment, ...]


@dataclass(frozen=True, slots=True)
class TerritorySheet:
    """A unit in short. ``pupils``: of the last known year of each school; ``by_level``: (degree, schools, pupils) of open schools;
    ``mean_ips``: weighted by pupils, None without any; ``parents``: the units above."""

    unit: Unit
    schools: int
    schools_with_pupils: int
    pupils: int
    mean_ips: float | None
    private_schools: int
    by_level: tuple[tuple[str, int, int], ...]
    parents: tuple[Unit, ...]


def school_sheet(uai: str) -> SchoolSheet:
    """The sheet of one school. Establishment.DoesNotExist when the register does not know it."""
    school = Establishment.objects.get(uai=uai.strip().upper())
    members = frame("affiliations")
    rows = [] if members is None else members.filter(pl.col("uai") == school.uai).sort("hierarchy", "level", "valid_from").iter_rows()
    years = profile_frame().filter((pl.col("uai") == school.uai) & (pl.col("pupils").is_not_null() | pl.col("ips").is_not_null()))
    columns = ("school_year", "pupils", "classes", "ips", "ips_quartile", "rep")
    return SchoolSheet(
        school,
        tuple(Affiliation(*row[1:]) for row in rows),
        tuple(SchoolYearProfile(*row) for row in years.sort("school_year", descending=True).select(columns).iter_rows()),
        Establishment.objects.filter(uai=school.successor_uai).first() if school.successor_uai else None,
        tuple(Establishment.objects.filter(successor_uai=school.uai)),
    )


def territory_sheet(unit: Unit, at: date | None = None) -> TerritorySheet:
    """The sheet of one unit on ``at`` (today when None): open schools that belong to it that day."""
    day = at or timezone.localdate()
    inside = _members(unit, day)
    counted = inside.filter(pl.col("pupils") > 0)
    weighed = counted.filter(pl.col("ips").is_not_null())
    mean = (weighed["ips"] * weighed["pupils"]).sum() / weighed["pupils"].sum() if weighed.height else None
    levels = inside.group_by("level").agg(pl.len(), pl.col("pupils").sum()).sort("level")
    parents = Unit.objects.filter(members__child=unit).distinct()
    return TerritorySheet(
        unit,
        inside.height,
        counted.height,
        int(counted["pupils"].sum() or 0),
        round(mean, 1) if mean is not None else None,
        inside.filter(pl.col("sector") == "prive").height,
        tuple(_in_order([(level, count, int(pupils or 0)) for level, count, pupils in levels.iter_rows()])),
        tuple(parents),
    )


def _members(unit: Unit, day: date) -> pl.DataFrame:
    members, schools = frame("affiliations"), frame("establishments")
    if members is None or schools is None:
        return pl.DataFrame(schema={"level": pl.String, "sector": pl.String, "pupils": pl.Int64, "ips": pl.Float64})
    since, until = pl.col("valid_from"), pl.col("valid_to")
    held = members.filter(
        (pl.col("hierarchy") == unit.hierarchy) & (pl.col("level") == unit.level) & (pl.col("unit") == unit.code)
        & (since.is_null() | (since <= day)) & (until.is_null() | (until >= day))
    )  # fmt: skip
    return schools.join(held.select("uai").unique(), on="uai", how="semi").select("uai", "level", "sector", "pupils", "ips")


def _in_order(rows: Sequence[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    order = [choice for choice, _label in Establishment.Level.choices]
    return sorted(rows, key=lambda row: order.index(row[0]))
