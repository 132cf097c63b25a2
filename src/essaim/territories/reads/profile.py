"""The school-year profile: facts counted once whatever the number of sources, and the attributes that break figures down."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pyarrow as pa

from ..contracts import ENROLMENT, ESTABLISHMENTS, SOCIAL_POSITION
from .fragility import fragility
from .places import Places
from .standing import standing

ENTRY = ("departement", "sender", "submission", "origin", "source_sheet", "source_row")
FIRST_YEAR = "2019-2020"
LEVEL_LABELS = {"ecole": "école", "college": "collège", "lycee": "lycée", "autre": "autre"}
SECTOR_LABELS = {"public": "public", "prive": "privé"}
REP_LABELS = {"rep": "REP", "rep_plus": "REP+", "hors_ep": "hors EP"}
SIZES = ((2_000, "moins de 2 000 habitants"), (10_000, "2 000 à 9 999 habitants"), (50_000, "10 000 à 49 999 habitants"))
LARGEST = "50 000 habitants et plus"


def counted(*, known_at: int | None = None, departements: Sequence[str] | None = None) -> pl.DataFrame:
    """Pupils and classes, once: one row per UAI, school year and level of the sources retained, with the entry that states it.

    Details by track are preferred to totals, published counts to those written in a directory; tracks of one school add up."""
    rows = standing(ENROLMENT, known_at=known_at, departements=departements)
    rows = rows.with_columns(pl.coalesce("school_year", "told_year", "posted_year").alias("school_year"))
    year = ["uai", "school_year"]
    # One track of one school is told once, though a file of one year and a file of all of them hold it.
    detailed = _most_believed(rows.filter(pl.col("track").is_in(["ecole", "college", "gt", "pro"])), [*year, "track"])
    totals = _most_believed(rows.filter(~pl.col("track").is_in(["ecole", "college", "gt", "pro"])), year)
    named = standing(ESTABLISHMENTS, known_at=known_at, departements=departements).filter(pl.col("pupils").is_not_null())
    named = named.with_columns(
        _year_of(pl.col("updated_on"), pl.col("told_year")).alias("school_year"),
        pl.lit(None, pl.Int64).alias("classes"), pl.lit(None, pl.String).alias("level"),
        pl.lit(None, pl.Boolean).alias("rep"), pl.lit(None, pl.Boolean).alias("rep_plus"),
    )
    named = _most_believed(named.filter(pl.col("school_year").is_not_null()), year).unique(year, keep="first")
    columns = ["uai", "school_year", "level", "pupils", "classes", "rep", "rep_plus", *ENTRY]
    found = [part.select(columns) for part in (detailed, totals, named)]
    kept = found[0]
    for part in found[1:]:
        kept = pl.concat([kept, part.join(kept.select(year).unique(), on=year, how="anti")])
    return kept.with_columns(pl.lit(1, pl.Int8).alias("sign"))


def _year_of(day: pl.Expr, otherwise: pl.Expr) -> pl.Expr:
    """The school year of ``day``, or ``otherwise``."""
    start = day.dt.year() - (day.dt.month() < 9).cast(pl.Int32)
    return pl.when(day.is_not_null()).then(pl.format("{}-{}", start, start + 1)).otherwise(otherwise)


def _most_believed(rows: pl.DataFrame, per: list[str]) -> pl.DataFrame:
    """The rows of the most believed sender of each group: one that writes the year before one whose file name tells it, then the
    latest submission."""
    if rows.height == 0:
        return rows
    order = rows.sort("rank", pl.col("told_year").is_not_null(), "submission", descending=[False, False, True])
    best = order.unique(per, keep="first", maintain_order=True).select(*per, pl.col("sender").alias("_best"))
    return rows.join(best, on=per).filter(pl.col("sender").eq_missing(pl.col("_best"))).drop("_best")


def positions(*, known_at: int | None = None, departements: Sequence[str] | None = None) -> pl.DataFrame:
    """Social position, once: one row per UAI and school year with an index, and ``pupils``, the number it weighs: that of the
    same source, else of the same year, else the last one counted."""
    rows = standing(SOCIAL_POSITION, known_at=known_at, departements=departements)
    rows = rows.with_columns(
        pl.coalesce("school_year", "told_year", "posted_year").alias("school_year"), pl.coalesce("ips", "ips_gt", "ips_pro").alias("ips")
    ).filter(pl.col("ips").is_not_null())
    rows = _most_believed(rows, ["uai", "school_year"]).unique(["uai", "school_year"], keep="first", maintain_order=True)
    totals = counted(known_at=known_at, departements=departements).group_by("uai", "school_year").agg(pl.col("pupils").sum())
    same = totals.rename({"pupils": "_same"})
    last = totals.sort("school_year").group_by("uai", maintain_order=True).last().select("uai", pl.col("pupils").alias("_last"))
    joined = rows.join(same, on=["uai", "school_year"], how="left").join(last, on="uai", how="left")
    weight = pl.coalesce(pl.when(pl.col("pupils") > 0).then("pupils"), "_same", "_last").alias("pupils")
    return joined.select("uai", "school_year", "ips", "ips_std", weight, *ENTRY, pl.lit(1, pl.Int8).alias("sign"))


def counted_facts(*, known_at: int | None = None, departements: Sequence[str] | None = None) -> pa.Table:
    """The fact table ``territories.counted``: see ``counted``."""
    return counted(known_at=known_at, departements=departements).drop("rep", "rep_plus").to_arrow()


def position_facts(*, known_at: int | None = None, departements: Sequence[str] | None = None) -> pa.Table:
    """The fact table ``territories.position``: see ``positions``."""
    return positions(known_at=known_at, departements=departements).to_arrow()


def profile(described: pl.DataFrame, where: Places) -> pl.DataFrame:
    """Attributes by UAI and school year: ``pupils, classes, ips, ips_quartile, rep, sector, school_level, commune, departement,
    commune_size, fragility``. Counts are those of the year only; structural attributes missing one year are those of the nearest known
    year, the past first; a row for FIRST_YEAR at the latest makes earlier periods readable."""
    counts = counted()
    sums = counts.group_by("uai", "school_year").agg(
        pl.col("pupils").sum(), pl.when(pl.col("classes").count() > 0).then(pl.col("classes").sum()).alias("classes"),
        pl.col("rep").any().alias("_rep"), pl.col("rep_plus").any().alias("_plus"), pl.col("rep").count().alias("_told"),
    )
    ranked = positions().select("uai", "school_year", "ips")
    first = described.select("uai", pl.lit(FIRST_YEAR).alias("school_year"))
    years = pl.concat([sums.select("uai", "school_year"), ranked.select("uai", "school_year"), first]).unique()
    labels = described.select(
        "uai", "departement", pl.col("commune_code").alias("commune"), _label("sector", SECTOR_LABELS).alias("sector"),
        _label("level", LEVEL_LABELS).alias("school_level"), _label("priority_education", REP_LABELS).alias("_ep"),
    )
    joined = years.join(sums, on=["uai", "school_year"], how="left").join(ranked, on=["uai", "school_year"], how="left")
    joined = joined.join(labels, on="uai", how="left").join(_sizes(where.communes), on="commune", how="left")
    joined = joined.join(fragility(where), on="commune", how="left")
    told = pl.when(pl.col("_plus")).then(pl.lit("REP+")).when(pl.col("_rep")).then(pl.lit("REP")).when(pl.col("_told") > 0).then(pl.lit("hors EP"))
    joined = joined.with_columns(told.alias("rep"), _quartile().alias("ips_quartile")).sort("uai", "school_year")
    nearest = [pl.col(name).forward_fill().backward_fill().over("uai") for name in ("rep", "ips", "ips_quartile")]
    return joined.with_columns(nearest).with_columns(pl.coalesce("rep", "_ep").alias("rep")).select(
        "uai", "school_year", "pupils", "classes", "ips", "ips_quartile", "rep", "sector", "school_level", "commune", "departement", "commune_size",
        "fragility",
    )  # fmt: skip


def _label(column: str, labels: dict[str, str]) -> pl.Expr:
    return pl.col(column).replace_strict(labels, default=None, return_dtype=pl.String)


def _quartile() -> pl.Expr:
    """Quartile (1 the least favoured) among the establishments of the same degree, the same school year."""
    groups = ["school_year", "school_level"]
    rank = pl.col("ips").rank("ordinal").over(groups)
    size = pl.col("ips").count().over(groups)
    return pl.when(pl.col("ips").is_not_null()).then(((rank - 1) * 4 // size + 1).cast(pl.Int64).cast(pl.String))


def _sizes(communes: pl.DataFrame) -> pl.DataFrame:
    sized = pl.lit(LARGEST)
    for below, label in reversed(SIZES):
        sized = pl.when(pl.col("population") < below).then(pl.lit(label)).otherwise(sized)
    label = pl.when(pl.col("population").is_not_null()).then(sized)
    return communes.select(pl.col("code").alias("commune"), label.alias("commune_size"))
