"""Communes, their intercommunality and their former codes, from the standing rows of the places contract."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from essaim.kernel import communes as commune_codes

from ..contracts import PLACES
from .standing import standing

COMMUNE_SCHEMA = {
    "code": pl.String,
    "name": pl.String,
    "departement": pl.String,
    "region": pl.String,
    "population": pl.Int64,
    "siren": pl.String,
    "postal_codes": pl.String,
    "epci_code": pl.String,
    "epci_name": pl.String,
    "epci_kind": pl.String,
}
_CURRENT = ("commune-actuelle", "COM", "commune actuelle", "commune")


@dataclass(frozen=True, slots=True)
class Places:
    """``communes``: current communes, columns of COMMUNE_SCHEMA. ``former``: ``code, current, name`` for codes no longer in
    use, municipal arrondissements included, and for former names whose code is still in use (``code`` equals ``current``)."""

    communes: pl.DataFrame
    former: pl.DataFrame


def places() -> Places:
    """The places known to the register; both frames empty when none was loaded."""
    rows = standing(PLACES)
    communes = rows.filter(pl.col("source") == "cog-communes")
    current = communes.filter(pl.col("kind").is_null() | pl.col("kind").is_in(_CURRENT))
    current = current.unique("code", keep="last").with_columns(
        pl.col("departement").fill_null(_departement("code")),
    )
    if current.height == 0:
        current = _from_postal(rows)
    members = _members(rows)
    found = current.join(members, on="code", how="left", suffix="_epci")
    found = found.with_columns(
        *(pl.coalesce(f"{name}_epci", name).alias(name) for name in ("epci_code", "epci_name", "epci_kind"))
    )
    return Places(found.select(list(COMMUNE_SCHEMA)).cast(COMMUNE_SCHEMA).sort("code"), _former(communes, current))  # type: ignore[arg-type]


def _departement(column: str) -> pl.Expr:
    return pl.col(column).map_elements(commune_codes.departement_of, return_dtype=pl.String)


def _from_postal(rows: pl.DataFrame) -> pl.DataFrame:
    """Communes named by a table of postal codes, when the official list was not loaded."""
    named = rows.filter(pl.col("source").is_in(["cog-codes-postaux", "cog-epci"])).drop_nulls("code")
    return named.unique("code", keep="last").with_columns(departement=_departement("code"))


def _members(rows: pl.DataFrame) -> pl.DataFrame:
    found = rows.filter(pl.col("source") == "cog-epci").unique("code", keep="last")
    return found.select("code", "epci_code", "epci_name", "epci_kind")


def _former(communes: pl.DataFrame, current: pl.DataFrame) -> pl.DataFrame:
    """Associated and delegated communes, merged ones (``anciens_codes``), arrondissements of Paris, Lyon and Marseille."""
    inner = communes.filter(~pl.col("code").is_in(current["code"].implode()) & pl.col("parent_code").is_not_null())
    attached = inner.select("code", pl.col("parent_code").alias("current"), "name")
    listed = communes.select(
        pl.col("former_codes").str.extract_all(r"[0-9AB]{5}").alias("former"), pl.col("code").alias("current"), "name"
    )
    listed = listed.explode("former").drop_nulls("former").select(pl.col("former").alias("code"), "current", "name")
    cities = pl.DataFrame(list(commune_codes.ARRONDISSEMENTS.items()), schema={"code": pl.String, "current": pl.String}, orient="row")
    cities = cities.with_columns(pl.lit(None, pl.String).alias("name"))
    found = pl.concat([cities, attached, listed]).unique("code", keep="first", maintain_order=True)
    gone = found.filter(~pl.col("code").is_in(current["code"].implode()))
    return pl.concat([gone, _renamed(communes, current)]).sort("code", "name")


def _renamed(communes: pl.DataFrame, current: pl.DataFrame) -> pl.DataFrame:
    """Delegated communes whose code the new commune took over (Bellegarde-sur-Valserine, now Valserhône): the name alone is former."""
    inner = communes.filter(pl.col("parent_code") == pl.col("code"), pl.col("code").is_in(current["code"].implode()))
    named = inner.filter(~pl.col("kind").is_in(_CURRENT)).join(current.select("code", pl.col("name").alias("today")), on="code")
    return named.filter(pl.col("name") != pl.col("today")).select("code", pl.col("code").alias("current"), "name").unique("code", keep="first", maintain_order=True)
