"""What the dated list of communes (since 1943) adds to the lists of each year: which are no more, and their former names.

It never says that a commune is one of today where a list of the year does: it fills départements that no list covers, takes away
communes merged since the list that names them, when their successor is known, and knows names that nobody bears any more.
"""

from __future__ import annotations

import polars as pl

from essaim.kernel import communes as commune_codes
from essaim.kernel.french import folded

from ..contracts import DATED_COMMUNES
from .standing import standing

_ALONE = ("COM", "commune-actuelle", "commune actuelle", "commune")


def dated_communes() -> pl.DataFrame:
    """Communes on their own and their periods: ``code, name, departement, valid_from, valid_to`` (the day it ends; null: today)."""
    rows = standing(DATED_COMMUNES).filter(pl.col("kind").is_null() | pl.col("kind").is_in(_ALONE))
    departement = pl.col("code").map_elements(commune_codes.departement_of, return_dtype=pl.String)
    found = rows.with_columns(pl.coalesce(departement, "departement").alias("departement"))
    found = found.sort("valid_from", "submission").unique(["code", "valid_from"], keep="last", maintain_order=True)
    return found.select("code", "name", "departement", "valid_from", "valid_to")


def living(dated: pl.DataFrame) -> pl.DataFrame:
    """The communes whose last period goes on: ``code, name, departement``."""
    last = dated.unique("code", keep="last", maintain_order=True)
    return last.filter(pl.col("valid_to").is_null()).select("code", "name", "departement")


def ended_since(dated: pl.DataFrame, listed: pl.DataFrame) -> pl.DataFrame:
    """Those of the communes ``listed`` (``code, vintage``) whose last period ended after the 1 January that the list describes."""
    last = dated.unique("code", keep="last", maintain_order=True).filter(pl.col("valid_to").is_not_null()).select("code", pl.col("valid_to").alias("_end"))
    described = pl.date(pl.col("vintage").cast(pl.Int32, strict=False), 1, 1)
    return listed.join(last, on="code").filter(pl.col("_end") > described).select("code")


def former_names(dated: pl.DataFrame, current: pl.DataFrame, led: pl.DataFrame) -> pl.DataFrame:
    """Names that communes of today bore, as `places` tells former ones: ``code, current`` (the same), ``name``. A name that another
    commune of the département bears or bore until it merged (``led``) is that commune's."""
    named = _keyed(dated.join(current.select("code"), on="code", how="semi").select("code", pl.col("code").alias("current"), "name"))
    borne = pl.concat([_keyed(current.select("code", pl.col("code").alias("current"), "name")), _keyed(led.select("code", "current", "name"))])
    taken = named.join(borne.select("_place", "_key", pl.col("current").alias("_other")), on=["_place", "_key"])
    found = named.join(taken.select("_place", "_key").unique(), on=["_place", "_key"], how="anti")
    return found.select("code", "current", "name").unique(maintain_order=True)


def _keyed(rows: pl.DataFrame) -> pl.DataFrame:
    """Adds the département of the commune and its name as one compares names."""
    place = pl.col("code").map_elements(commune_codes.departement_of, return_dtype=pl.String).alias("_place")
    return rows.drop_nulls("name").with_columns(place, pl.col("name").map_elements(folded, return_dtype=pl.String).alias("_key"))
