"""Communes, their intercommunality and their former codes, from the standing rows of the places contract."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from essaim.kernel import communes as commune_codes

from ..contracts import FORMER_COMMUNES, PLACES
from .history import dated_communes, ended_since, former_names, living
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
_SYNDICATES = ("SIVU", "SIVOM", "SMF", "SMO", "PETR", "POLEM", "SYND")
# A later list that holds this share of a département's communes says which are no more; a shorter one is only a part of it.
_MOST = 0.8


@dataclass(frozen=True, slots=True)
class Places:
    """``communes``: current communes, columns of COMMUNE_SCHEMA. ``former``: ``code, current, name`` for codes no longer in
    use, municipal arrondissements included, and for former names whose code is still in use (``code`` equals ``current``)."""

    communes: pl.DataFrame
    former: pl.DataFrame


def places() -> Places:
    """The places known to the register; both frames empty when none was loaded."""
    rows = standing(PLACES)
    communes = _dated(rows.filter(pl.col("source") == "cog-communes"))
    dated, moves = dated_communes(), _moves()
    current, gone = _brought_forward(*_current(communes), dated, _steps(communes, moves))
    if current.height == 0:
        current = _from_postal(rows)
    members = _members(rows)
    found = current.join(members, on="code", how="left", suffix="_epci").join(_extras(rows), on="code", how="left", suffix="_extra")
    found = found.with_columns(
        *(pl.coalesce(f"{name}_epci", name).alias(name) for name in ("epci_code", "epci_name", "epci_kind")),
        *(pl.coalesce(name, f"{name}_extra").alias(name) for name in ("population", "siren", "postal_codes")),
    )
    return Places(found.select(list(COMMUNE_SCHEMA)).cast(COMMUNE_SCHEMA).sort("code"), _former(communes, current, gone, moves, dated))  # type: ignore[arg-type]


def _departement(column: str) -> pl.Expr:
    return pl.col(column).map_elements(commune_codes.departement_of, return_dtype=pl.String)


def _dated(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of communes with whole codes (until 2018 INSEE wrote the département apart), their ``departement`` and ``vintage``: the
    1 January they describe, told by the name of the file, else by the day it was handed in."""
    short = (pl.col("code").str.len_chars() <= 3) & pl.col("departement").is_not_null()
    rest = 5 - pl.col("departement").str.len_chars()
    whole = pl.col("departement") + pl.col("code").str.zfill(3).str.tail(rest)
    rows = rows.with_columns(pl.when(short).then(whole).otherwise("code").alias("code"))
    vintage = pl.coalesce("told_year", "posted_year").str.head(4)
    return rows.with_columns(pl.coalesce(_departement("code"), "departement").alias("departement"), vintage.alias("vintage")).sort("vintage", "submission")


def _latest(rows: pl.DataFrame, per: str) -> pl.DataFrame:
    return rows.unique(per, keep="last", maintain_order=True)


def _current(communes: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Communes of today and communes of earlier vintages that are no more: those which a later vintage that covers their
    département (most of its communes) does not list, or lists as part of another."""
    listed = _latest(communes.filter(pl.col("kind").is_null() | pl.col("kind").is_in(_CURRENT)), "code")
    sizes = communes.filter(pl.col("kind").is_null() | pl.col("kind").is_in(_CURRENT)).group_by("departement", "vintage").agg(pl.col("code").n_unique().alias("size"))
    whole = sizes.filter(pl.col("size") >= _MOST * pl.col("size").max().over("departement"))
    latest = whole.group_by("departement").agg(pl.col("vintage").max().alias("_latest"))
    inside = _latest(communes.filter(~(pl.col("kind").is_null() | pl.col("kind").is_in(_CURRENT))), "code").select("code", pl.col("vintage").alias("_absorbed"))
    marked = listed.join(latest, on="departement", how="left").join(inside, on="code", how="left")
    stands = (pl.col("vintage") >= pl.col("_latest")).fill_null(True) & (pl.col("vintage") >= pl.col("_absorbed")).fill_null(True)
    marked = marked.with_columns(stands.alias("_stands")).drop("_latest", "_absorbed")
    return marked.filter("_stands").drop("_stands"), marked.filter(~pl.col("_stands")).drop("_stands")


def _from_postal(rows: pl.DataFrame) -> pl.DataFrame:
    """Communes named by a table of postal codes, when the official list was not loaded."""
    named = rows.filter(pl.col("source").is_in(["cog-codes-postaux", "cog-epci"])).drop_nulls("code")
    return named.unique("code", keep="last").with_columns(departement=_departement("code"))


def _members(rows: pl.DataFrame) -> pl.DataFrame:
    """The intercommunality of each commune, of the latest vintage that tells it; syndicates are none, ZZZZZZZZZ says there is none."""
    told = rows.filter(pl.col("source") == "cog-epci", pl.col("code").is_not_null(), ~pl.col("epci_kind").is_in(_SYNDICATES).fill_null(False))
    found = _latest(_dated(told), "code").filter(pl.col("epci_code").str.contains(r"^\d{9}$"))
    return found.select("code", "epci_code", "epci_name", "epci_kind")


def _extras(rows: pl.DataFrame) -> pl.DataFrame:
    """Population, SIREN and postal codes of communes, from any list that tells them."""
    told = _dated(rows.filter(pl.col("source").is_in(["cog-epci", "cog-communes", "cog-codes-postaux"]), pl.col("code").str.len_chars() == 5))
    return told.group_by("code", maintain_order=True).agg(
        pl.col("population").drop_nulls().last(), pl.col("siren").drop_nulls().last(),
        pl.col("postal_codes").drop_nulls().unique(maintain_order=True).str.join("|"),
    ).with_columns(pl.col("postal_codes").replace("", None))  # fmt: skip


def _brought_forward(
    current: pl.DataFrame, gone: pl.DataFrame, dated: pl.DataFrame, steps: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The same two frames with what the dated list knows later: a commune that ended since the list which names it leaves its place
    to its successor, when that is known and lives on; a département that no list covers has the communes that live on."""
    alive = living(dated)
    today = pl.concat([current["code"], alive["code"]]).implode()
    led = _followed(steps.filter(pl.col("code").is_in(ended_since(dated, current)["code"].implode()))).filter(pl.col("current").is_in(today))
    left = pl.col("code").is_in(led["code"].implode())
    gone, current = pl.concat([gone, current.filter(left)]), current.filter(~left)
    missing = ~pl.col("code").is_in(current["code"].implode())
    wanted = pl.col("code").is_in(led["current"].implode()) | ~pl.col("departement").is_in(current["departement"].drop_nulls().unique().implode())
    return pl.concat([current, alive.filter(missing & wanted)], how="diagonal"), gone


def _steps(communes: pl.DataFrame, moves: pl.DataFrame) -> pl.DataFrame:
    """One step from each former commune: associated and delegated ones, merged ones (``anciens_codes``), arrondissements of Paris,
    Lyon and Marseille, moves told by INSEE."""
    attached = communes.filter(pl.col("parent_code").is_not_null(), pl.col("kind").is_not_null(), ~pl.col("kind").is_in(_CURRENT))
    attached = _latest(attached, "code").select("code", pl.col("parent_code").alias("current"), "name")
    listed = communes.select(
        pl.col("former_codes").str.extract_all(r"[0-9AB]{5}").alias("former"), pl.col("code").alias("current"), "name"
    )
    listed = listed.explode("former").drop_nulls("former").select(pl.col("former").alias("code"), "current", "name")
    cities = pl.DataFrame(list(commune_codes.ARRONDISSEMENTS.items()), schema={"code": pl.String, "current": pl.String}, orient="row")
    names = attached.rename({"name": "_own"}).select("code", "_own").unique("code", keep="first")
    cities = cities.join(names, on="code", how="left").select("code", "current", pl.col("_own").alias("name"))
    return pl.concat([cities, attached, listed, moves]).unique("code", keep="first", maintain_order=True)


_NONE = pl.DataFrame(schema={"code": pl.String, "current": pl.String, "name": pl.String})


def _former(
    communes: pl.DataFrame, current: pl.DataFrame, gone: pl.DataFrame = _NONE, moves: pl.DataFrame = _NONE, dated: pl.DataFrame = _NONE
) -> pl.DataFrame:
    """Communes that are no more, each led to the commune of today through as many steps as it takes; former names of those of today."""
    led = _followed(_steps(communes, moves).filter(~pl.col("code").is_in(current["code"].implode())))
    told = pl.concat([dated.select("code", "name"), gone.select("code", "name")]).drop_nulls().unique("code", keep="last", maintain_order=True)
    led = led.join(told.rename({"name": "_told"}), on="code", how="left").select("code", "current", pl.coalesce("_told", "name").alias("name"))
    renamed = pl.concat([_renamed(communes, current), former_names(dated, current, led)]).unique(["code", "name"], keep="first", maintain_order=True)
    return pl.concat([led, renamed]).sort("code", "name")


def _moves() -> pl.DataFrame:
    """The last move of each commune that took it to another code."""
    rows = standing(FORMER_COMMUNES).filter(pl.col("former_code") != pl.col("current_code"))
    # COMD and COMA say that the old commune became a part of itself; only what stands on its own is a successor.
    rows = rows.filter(pl.col("current_kind").is_null() | (pl.col("current_kind") == "COM"))
    rows = rows.sort("effective_on", "submission", nulls_last=False).unique("former_code", keep="last", maintain_order=True)
    return rows.select(pl.col("former_code").alias("code"), pl.col("current_code").alias("current"), pl.col("former_name").alias("name"))


def _followed(steps: pl.DataFrame) -> pl.DataFrame:
    """A commune merged into one that merged later is led to the last."""
    onward = dict(steps.select("code", "current").iter_rows())

    def last(code: str) -> str:
        seen: set[str] = set()
        while code in onward and code not in seen:
            seen.add(code)
            code = onward[code]
        return code

    return steps.with_columns(pl.col("current").map_elements(last, return_dtype=pl.String))


def _renamed(communes: pl.DataFrame, current: pl.DataFrame) -> pl.DataFrame:
    """Delegated communes whose code the new commune took over (Bellegarde-sur-Valserine, now Valserhône): the name alone is former."""
    inner = communes.filter(pl.col("parent_code") == pl.col("code"), pl.col("code").is_in(current["code"].implode()))
    named = inner.filter(~pl.col("kind").is_in(_CURRENT)).join(current.select("code", pl.col("name").alias("today")), on="code")
    return named.filter(pl.col("name") != pl.col("today")).select("code", pl.col("code").alias("current"), "name").unique("code", keep="first", maintain_order=True)
