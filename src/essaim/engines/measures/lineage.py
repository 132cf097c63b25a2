"""From a figure back to the signed entries that make it, with the way to the sender's sheet and row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
import pyarrow as pa

from essaim.engines.measures.cells import fact_dimensions
from essaim.engines.measures.engines import Facts, given, paths_of
from essaim.engines.measures.figures import check_breakdowns
from essaim.engines.measures.hierarchies import (
    UNKNOWN_GROUP,
    Frame,
    as_frame,
    group_codes,
    hierarchy_frame,
    memberships,
)
from essaim.engines.measures.indicator import Indicator, Kind, Measure, Quantity, Timing
from essaim.engines.measures.periods import Period
from essaim.engines.measures.periods import period as parse_period
from essaim.engines.measures.rows import joined, row_value, to_polars

TRACE_COLUMNS = ("part", "measure", "table", "contribution")


def trace(
    indicator: Indicator,
    facts: Facts,
    hierarchies: Frame | None,
    *,
    level: str,
    unit: str,
    period: str,
    by: str | Sequence[str] | None = None,
    breakdown: str = "",
    known_at: int | None = None,
    attributes: Frame | None = None,
    hierarchy: str | None = None,
) -> pa.Table:
    """The signed entries behind one figure, asked as `figures` was (``breakdown``: the label it shows).

    Columns: ``part`` (``numerator``, ``denominator``, ``proved``), ``measure``, ``table``, ``contribution`` (what one
    entry of sign +1 adds, in the measure's unit; null for distinct counts and quantiles, where ``value`` of the row is
    what matters), then the columns of the entries (``origin``: the submission whose file states the row). Σ sign × contribution per part and measure is what was added. For a
    gap, the entries of both groups of the indicator compared. Refuses a breakdown as `figures` does.
    """
    names = (by,) if isinstance(by, str) else tuple(by or ())
    wanted = parse_period(period)
    source = indicator.of if indicator.kind is Kind.GAP and indicator.of is not None else indicator
    frame, attribute_frame = hierarchy_frame(hierarchies), as_frame(attributes, ("uai",))
    check_breakdowns((indicator,), names, attribute_frame)
    # An attribute of the establishment wins over a fact column of the same name, as in `figures`.
    dimensions = fact_dimensions((source,), [name for name in names if name not in attribute_frame.columns])
    attribute_names = [name for name in names if name in attribute_frame.columns]
    group, category = _split(breakdown, len(attribute_names), bool(dimensions))
    found: list[pl.DataFrame] = []
    everyone = _everyone(source, facts, frame, level)
    schools = _schools(frame, attribute_frame, level, hierarchy, unit, wanted, attribute_names, group, everyone)
    for part, measure in _parts(source):
        rows = _rows(measure, facts, schools, wanted, known_at, dimensions, category)
        found.append(
            rows.select(
                pl.lit(part).alias("part"),
                pl.lit(measure.code).alias("measure"),
                pl.lit(measure.facts.name).alias("table"),
                "contribution",
                pl.exclude("part", "measure", "table", "contribution"),
            )
        )
    return pl.concat(found, how="diagonal_relaxed").to_arrow()


def _split(breakdown: str, attributes: int, has_category: bool) -> tuple[str | None, str | None]:
    """(attribute group, category) of a breakdown label."""
    if not breakdown:
        return None, None
    texts = breakdown.split(" × ")
    group = " × ".join(texts[:attributes]) if attributes else None
    category = "\x1f".join("" if part == UNKNOWN_GROUP else part for part in texts[attributes:])
    return group, category if has_category else None


def _parts(indicator: Indicator) -> Iterator[tuple[str, Measure]]:
    quantities: tuple[tuple[str, Quantity | None], ...] = (
        ("numerator", indicator.numerator),
        ("denominator", indicator.denominator),
        ("proved", indicator.proved),
    )
    for part, quantity in quantities:
        for measure in quantity.measures if quantity is not None else ():
            yield part, measure


def _everyone(source: Indicator, facts: Facts, frame: pl.DataFrame, level: str) -> pl.Series:
    found = [frame["uai"].cast(pl.String)]
    if level == "establishment" or not frame.height:
        for table in dict.fromkeys(item.facts for item in source.measures):
            held = _table(table.name, facts).select(pl.col(table.place).cast(pl.String).unique())
            found.append(held.collect().to_series())
    return pl.concat(found).drop_nulls().unique().sort().rename("uai")


def _table(name: str, facts: Facts) -> pl.LazyFrame:
    """The entries given: in memory, or Parquet files with what their folders say."""
    source = given(name, facts)
    if isinstance(source, pa.Table | pl.DataFrame):
        return as_frame(source, ()).lazy()
    return pl.concat([_file(path) for path in paths_of(source)], how="diagonal_relaxed")


def _file(path: str) -> pl.LazyFrame:
    folders = {part.partition("=")[0]: pl.String() for part in path.split("/")[:-1] if "=" in part}
    return pl.scan_parquet(path, hive_partitioning=bool(folders), hive_schema=folders or None)


def _schools(
    frame: pl.DataFrame,
    attributes: pl.DataFrame,
    level: str,
    hierarchy: str | None,
    unit: str,
    wanted: Period,
    names: Sequence[str],
    group: str | None,
    everyone: pl.Series,
) -> list[str]:
    (member,) = memberships(frame, level, hierarchy, (wanted,), everyone)
    if unit not in member.names:
        return []
    rows = member.schools[member.units == member.names.index(unit)]
    if group is not None:
        codes, labels = group_codes(attributes, names, wanted.school_year, everyone)
        rows = rows[codes[rows] == labels.index(group)] if group in labels else rows[:0]
    return everyone.gather(np.unique(rows)).to_list()


def _rows(
    measure: Measure,
    facts: Facts,
    schools: list[str],
    wanted: Period,
    known_at: int | None,
    dimensions: Sequence[str],
    category: str | None,
) -> pl.DataFrame:
    held = _table(measure.facts.name, facts)
    columns = held.collect_schema().names()
    if "sign" not in columns:
        held = held.with_columns(pl.lit(1, pl.Int8).alias("sign"))
    if "origin" not in columns and "submission" in columns:
        # Rows of a derived table carry the submission that states them.
        held = held.with_columns(pl.col("submission").alias("origin"))
    # Entries of sign 0 are claims: they say who stands behind a row, and add nothing.
    held = held.filter(pl.col(measure.facts.place).cast(pl.String).is_in(schools) & (pl.col("sign") != 0))
    if known_at is not None:
        held = held.filter(pl.col("submission") <= known_at)
    kept = [name for name in dimensions if measure.facts.has(name)]
    frame = held.with_columns(**_worked_out(measure, kept)).collect()
    # In order of posting, then as the file goes.
    order = [name for name in ("submission", "sign", "source_sheet", "source_row") if name in frame.columns]
    frame = frame.sort(order, maintain_order=True)
    frame = _in_time(measure, frame, wanted).filter(pl.col("_met"))
    if category is not None and kept:
        frame = frame.filter(pl.col("_by") == category)
    contribution = pl.col("_value").cast(pl.Float64) / 10.0**measure.places_kept
    return frame.with_columns(contribution.alias("contribution")).select(pl.exclude("^_.*$"))


def _worked_out(measure: Measure, kept: Sequence[str]) -> dict[str, pl.Expr]:
    """What decides whether a row counts, and for how much."""
    value, met, _ = row_value(measure)
    found = {
        "_met": met,
        "_value": value if measure.distinct is None else pl.lit(None, pl.Int64),
        "_date": to_polars(measure.date_expr, measure.facts),
        "_part": joined(measure.observed_per) if measure.observed_per else pl.lit(""),
        "_by": joined(kept) if kept else pl.lit(""),
    }
    if measure.until_expr is not None:
        found["_until"] = to_polars(measure.until_expr, measure.facts)
    return found


def _in_time(measure: Measure, frame: pl.DataFrame, wanted: Period) -> pl.DataFrame:
    """Rows that count at the end of the period."""
    frame = frame.filter(pl.col("_date") <= wanted.end)
    if measure.timing is Timing.FLOW:
        return frame.filter(pl.col("_date") >= wanted.start)
    if measure.timing is Timing.CUMULATIVE:
        if "_until" in frame.columns:
            frame = frame.filter(pl.col("_until").is_null() | (pl.col("_until") > wanted.end))
        return frame
    place = [measure.facts.place, "_part"]
    has_data = pl.col("_value").is_not_null() | ~pl.col("_met")
    seen = frame.group_by(*place, "_date").agg((pl.col("sign").cast(pl.Int64) * has_data).sum().alias("_n"))
    last = seen.filter(pl.col("_n") > 0).group_by(place).agg(pl.col("_date").max())
    if measure.max_age_months is not None:
        month = pl.col("_date").dt.year() * 12 + pl.col("_date").dt.month().cast(pl.Int32) - 1
        last = last.filter(month + measure.max_age_months >= wanted.last)
    return frame.join(last, on=[*place, "_date"])
