"""Numbers happen here: what stands, what differs, what a replay of the claims gives. Pure functions on frames."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from .shape import CLAIMS, ENTRIES, compared
from .spec import TableSpec


@dataclass(frozen=True, slots=True)
class Difference:
    """What turns ``current`` into ``target``. ``minus`` are rows of current, ``plus`` rows of target, ``same`` rows of
    target that stand already. ``before``/``after`` pair the changed rows in the same order."""

    minus: pl.DataFrame
    plus: pl.DataFrame
    same: pl.DataFrame
    before: pl.DataFrame
    after: pl.DataFrame
    new: int
    changed: int
    unchanged: int
    withdrawn: int


def standing(spec: TableSpec, entries: pl.DataFrame) -> pl.DataFrame:
    """The rows that stand among signed entries: per key, the last +1 that no −1 has cancelled.

    Sound on any subset of entries closed by key or selected by column values, since a −1 mirrors its +1."""
    plus = entries.filter(pl.col("sign") == 1)
    if plus.height == entries.height:
        return entries
    touched = entries.filter(pl.col("sign") == -1).select(spec.key).unique()
    calm = plus.join(touched, on=spec.key, how="anti", nulls_equal=True)
    moved = entries.join(touched, on=spec.key, how="semi", nulls_equal=True)
    last = moved.sort("submission", "sign").unique(subset=list(spec.key), keep="last", maintain_order=True)
    return pl.concat([calm, last.filter(pl.col("sign") == 1)])


def difference(
    spec: TableSpec, current: pl.DataFrame, target: pl.DataFrame, *, void: Collection[int] = ()
) -> Difference:
    """Compare standing rows with the rows that must stand; both hold one row per key.

    Every row of ``current`` without its key in ``target`` is withdrawn. A row whose values are equal stays, unless its
    origin is in ``void`` (its file was withdrawn): it is then re-entered under the file that still asserts it."""
    if current.is_empty():
        nothing = target.clear()
        return Difference(current, target, nothing, current, nothing, target.height, 0, 0, 0)
    key, others = list(spec.key), compared(spec)
    old = current.with_row_index("_old").rename({name: f"_old_{name}" for name in (*others, "origin")})
    old = old.select(*key, "_old", "_old_origin", *(f"_old_{name}" for name in others))
    pairs = target.with_row_index("_new").select("_new", *key, *others)
    pairs = pairs.join(old, on=key, how="left", nulls_equal=True)
    equal = pl.all_horizontal(pl.lit(True), *(pl.col(n).eq_missing(pl.col(f"_old_{n}")) for n in others))
    pairs = pairs.select("_new", "_old", equal.alias("equal"), among("_old_origin", void).alias("void"))
    fresh = pairs.filter(pl.col("_old").is_null())
    met = pairs.filter(pl.col("_old").is_not_null())
    kept = met.filter(pl.col("equal") & ~pl.col("void"))
    moved = met.filter(pl.col("equal") & pl.col("void"))
    changed = met.filter(~pl.col("equal"))
    # Every row of ``current`` met once at most: those never met are gone, without another join.
    stays = np.zeros(current.height, dtype=bool)
    stays[met["_old"].to_numpy()] = True
    gone = current.filter(pl.Series(~stays))
    before, after = current[changed["_old"]], target[changed["_new"]]
    return Difference(
        minus=pl.concat([before, current[moved["_old"]], gone]),
        plus=pl.concat([target[fresh["_new"]], after, target[moved["_new"]]]),
        same=target[kept["_new"]],
        before=before,
        after=after,
        new=fresh.height,
        changed=changed.height,
        unchanged=kept.height + moved.height,
        withdrawn=gone.height,
    )


def among(column: str, numbers: Collection[int]) -> pl.Expr:
    """Whether ``column`` is one of ``numbers``."""
    return pl.col(column).is_in(pl.Series(sorted(numbers), dtype=pl.Int64).implode())


def winners(spec: TableSpec, claims: pl.DataFrame) -> pl.DataFrame:
    """Per key, the latest claim. ``claims`` must hold standing submissions only, every claim of the keys concerned."""
    return claims.sort("origin").unique(subset=list(spec.key), keep="last", maintain_order=True)


def uncovered(spec: TableSpec, claims: pl.DataFrame, coverage: pl.DataFrame) -> pl.DataFrame:
    """Drop claims whose perimeter a later standing submission replaced. ``coverage``: perimeter columns and ``last``."""
    if spec.replaces != "perimeter":
        return claims
    covered = claims.join(coverage, on=list(spec.perimeter), how="left", nulls_equal=True)
    return covered.filter(pl.col("last") == pl.col("origin")).drop("last")


def coverage(spec: TableSpec, claims: pl.DataFrame) -> pl.DataFrame:
    """Per perimeter, the last standing submission that contains it."""
    return claims.group_by(list(spec.perimeter)).agg(pl.col("origin").max().alias("last"))


def replayed(spec: TableSpec, claims: pl.DataFrame) -> pl.DataFrame:
    """The state given by replaying all ``claims`` (of standing submissions only) in order."""
    latest = winners(spec, claims)
    if spec.replaces != "perimeter":
        return latest
    return uncovered(spec, latest, coverage(spec, claims))


def signed(difference_: Difference, number: int) -> pl.DataFrame:
    """The entries that post a difference under ``number``: −1 mirrors of what falls, +1 of what stands anew."""
    names = difference_.plus.columns
    minus = difference_.minus.select(names).with_columns(pl.lit(-1, pl.Int8).alias("sign"))
    plus = difference_.plus.with_columns(pl.lit(1, pl.Int8).alias("sign"))
    return pl.concat([minus, plus]).with_columns(
        pl.lit(number, pl.Int64).alias("submission"), pl.lit(ENTRIES).alias("part")
    )


def echoes(difference_: Difference, number: int) -> pl.DataFrame:
    """The claims that changed nothing, kept with sign 0 so that a later withdrawal knows who else asserts the row."""
    return difference_.same.with_columns(
        pl.lit(0, pl.Int8).alias("sign"),
        pl.lit(number, pl.Int64).alias("submission"),
        pl.lit(CLAIMS).alias("part"),
    )


def told_changes(spec: TableSpec, difference_: Difference) -> pa.Table:
    """Changed cells as text: key columns, ``column``, ``old``, ``new``, one row per cell that differs."""
    key = list(spec.key)
    pieces = []
    for name in compared(spec):
        both = difference_.after.select(
            *key,
            pl.lit(name).alias("column"),
            difference_.before[name].alias("old"),
            pl.col(name).alias("new"),
        ).filter(pl.col("old").ne_missing(pl.col("new")))
        pieces.append(both.with_columns(pl.col("old", "new").cast(pl.String)))
    empty = (
        difference_.after.clear()
        .select(key)
        .with_columns(*(pl.lit(None, pl.String).alias(name) for name in ("column", "old", "new")))
    )
    return pl.concat([empty, *pieces]).sort(*key, "column", maintain_order=True).to_arrow()
