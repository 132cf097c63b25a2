"""Digital fragility of communes, from the index published by quarter, and their rank in the country."""

from __future__ import annotations

import polars as pl

from essaim.kernel import communes as commune_codes

from ..contracts import FRAGILITY
from .places import Places
from .standing import standing

# From the most fragile quarter of the inhabitants to the least, as IPS quartiles go from the least favoured.
QUARTERS = ("1 (la plus forte)", "2", "3", "4 (la plus faible)")
_SCHEMA = {"commune": pl.String, "fragility": pl.String}


def fragility(where: Places) -> pl.DataFrame:
    """Columns ``commune, fragility``: the quarter of each commune of which something is known.

    The index of a commune is the mean of its quarters, weighted by their inhabitants; a quarter without inhabitants or with
    an index of zero says nothing. Communes are then laid end to end from the most fragile, each as long as its population:
    the middle of a commune says in which quarter of the inhabitants it lies. Former communes count in the current one."""
    rows = standing(FRAGILITY).filter((pl.col("population") > 0) & (pl.col("score") > 0))
    if rows.height == 0:
        return pl.DataFrame(schema=_SCHEMA)
    best = rows.sort("rank", "submission", descending=[False, True]).unique("code", keep="first", maintain_order=True)
    known = dict(where.former.select("code", "current").iter_rows())
    codes = best["code"].str.slice(0, 5).unique().to_list()
    current = {code: known.get(code) or commune_codes.city_of(code) for code in codes}
    placed = best.with_columns(pl.col("code").str.slice(0, 5).replace_strict(current).alias("commune"))
    inhabitants = pl.col("population").sum()
    found = placed.group_by("commune").agg(
        ((pl.col("score") * pl.col("population")).sum() / inhabitants).alias("index"), inhabitants.alias("inhabitants")
    )
    # Rounded, so that the order of rows cannot decide of a tie.
    found = found.with_columns(pl.col("index").round(6)).sort("index", "commune", descending=[True, False])
    middle = (pl.col("inhabitants").cum_sum() - pl.col("inhabitants") / 2) / pl.col("inhabitants").sum()
    quarter = (middle * len(QUARTERS)).floor().clip(0, len(QUARTERS) - 1).cast(pl.Int64)
    return found.select("commune", quarter.replace_strict(dict(enumerate(QUARTERS)), return_dtype=pl.String).alias("fragility"))
