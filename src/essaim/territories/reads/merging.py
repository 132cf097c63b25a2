"""One description per establishment from what every source says, whatever the order in which they were loaded."""

from __future__ import annotations

import polars as pl

from essaim.kernel.organisations import check_siret

from ..contracts import CLOSURES, ENROLMENT, ESTABLISHMENTS, SOCIAL_POSITION
from .describing import level_of, levels_of, mapped, placed, readable
from .neighbouring import neighbouring
from .places import Places
from .standing import standing

TEXTS = (
    "name", "kind", "levels", "level", "sector", "contract_type", "postal_code", "commune_code", "commune_name", "departement_code",
    "departement_name", "circonscription_code", "circonscription", "parent_uai", "siret", "priority_education", "successor_uai",
)  # fmt: skip
NUMBERS = ("latitude", "longitude")
DATES = ("opened_on", "closed_on")
_DEGREES = {"ecole": "ecole", "college": "college", "gt": "lycee", "pro": "lycee"}
COLUMNS = (*TEXTS, *NUMBERS, *DATES)


def establishments(where: Places) -> pl.DataFrame:
    """One row per UAI known to any source: ``uai``, COLUMNS, ``departement`` and ``commune_is_derived``."""
    views = [view for contract in (ESTABLISHMENTS, CLOSURES, SOCIAL_POSITION, ENROLMENT) for view in _views(contract)]
    merged = pl.DataFrame(schema={"uai": pl.String, **_schema()})
    for _rank, view in sorted(views, key=lambda item: item[0]):
        joined = merged.join(view, on="uai", how="full", coalesce=True, suffix="_next")
        merged = joined.select("uai", *(pl.coalesce(name, f"{name}_next").alias(name) for name in COLUMNS))
    merged = _taught(merged)
    return neighbouring(_sound(placed(merged, where)), where.communes).sort("uai")


def _taught(merged: pl.DataFrame) -> pl.DataFrame:
    """What has pupils counted in a track or at a level is a school of that degree, whatever its name (« Institut Rocroy », « Groupe
    scolaire Centre »)."""
    counted = standing(ENROLMENT).filter(pl.col("pupils") > 0)
    told = pl.coalesce(pl.col("track").replace_strict(_DEGREES, default=None, return_dtype=pl.String), mapped("level", level_of))
    schools = counted.with_columns(told.alias("_degree")).filter(pl.col("_degree").is_in(["ecole", "college", "lycee"]))
    highest = schools.group_by("uai").agg(pl.col("_degree").cast(pl.Enum(["ecole", "college", "lycee"])).max().cast(pl.String))
    joined = merged.join(highest, on="uai", how="left")
    unknown = pl.col("level").is_null() | (pl.col("level") == "autre")
    return joined.with_columns(pl.when(unknown).then(pl.coalesce("_degree", "level")).otherwise("level").alias("level")).drop("_degree")


def _schema() -> dict[str, pl.DataType]:
    kinds: dict[str, pl.DataType] = {name: pl.String() for name in TEXTS}
    return kinds | {name: pl.Float64() for name in NUMBERS} | {name: pl.Date() for name in DATES}


def _views(contract) -> list[tuple[tuple[int, int], pl.DataFrame]]:  # type: ignore[no-untyped-def]
    """One frame per source: the last thing it says of each UAI, with every column of COLUMNS."""
    rows = standing(contract)
    order = {"territories.establishments": 0, "territories.closures": 1, "territories.social_position": 2, "territories.enrolment": 3}
    found = []
    for (rank,), part in rows.group_by("rank"):
        first = _newest_first(part).unique("uai", keep="first", maintain_order=True)
        found.append(((order[contract.code], rank), _described(first)))
    return found


def _newest_first(part: pl.DataFrame) -> pl.DataFrame:
    """Main sites before annexes, then the latest year, update and submission; the name settles what is left."""
    annexe = pl.col("name").str.to_lowercase().str.contains("annexe").fill_null(False) if "name" in part.columns else pl.lit(False)
    order = [name for name in ("school_year", "updated_on", "submission") if name in part.columns]
    rest = [name for name in ("name", "commune_code", "level", "track") if name in part.columns]
    descending = [False, *(True for _ in order), *(False for _ in rest)]
    return part.sort([annexe, *order, *rest], descending=descending, nulls_last=True, maintain_order=True)


def _described(part: pl.DataFrame) -> pl.DataFrame:
    absent = [pl.lit(None, kind).alias(name) for name, kind in _schema().items() if name not in part.columns]
    part = part.with_columns(absent)
    for name in ("denomination", "nature", "state"):
        if name not in part.columns:
            part = part.with_columns(pl.lit(None, pl.String).alias(name))
    spoken = pl.concat_str([pl.col("denomination"), pl.col("name")], separator=" ", ignore_nulls=True)
    named = pl.when(pl.col("denomination").is_not_null() & ~_starts_alike()).then(spoken).otherwise(pl.coalesce("name", "denomination"))
    stated = [mapped(name, level_of) for name in ("kind", "nature", "denomination")]
    called = mapped("name", level_of)  # a name may look like a service (« Groupe scolaire Centre »): levels that are told say more
    stated.append(pl.when(called != "autre").then(called))
    stated += [mapped(name, level_of) for name in ("levels", "level") if name in part.columns]
    stated.append(called)
    return part.with_columns(
        pl.coalesce(stated).alias("level"),
        pl.coalesce(mapped("levels", levels_of), mapped("level", levels_of), mapped("kind", levels_of)).alias("levels"),
        pl.coalesce("nature", "denomination", "kind").alias("kind"),
        named.alias("name"),
    ).with_columns(mapped("name", readable).alias("name"), mapped("kind", readable).alias("kind")).select(
        "uai", *(pl.col(name).cast(kind) for name, kind in _schema().items())
    )


def _starts_alike() -> pl.Expr:
    """Whether the name already says what the denomination says."""
    first = pl.col("denomination").str.to_lowercase().str.head(4)
    return pl.col("name").str.to_lowercase().str.starts_with(first).fill_null(False)


def _sound(frame: pl.DataFrame) -> pl.DataFrame:
    """Values that the database would refuse are left out: impossible coordinates, dates in the wrong order, false SIRET."""
    on_earth = pl.col("latitude").is_between(-90, 90) & pl.col("longitude").is_between(-180, 180)
    return frame.with_columns(
        *(pl.when(on_earth).then(pl.col(name)).alias(name) for name in NUMBERS),
        pl.when(pl.col("opened_on") <= pl.coalesce("closed_on", "opened_on")).then("opened_on").alias("opened_on"),
        mapped("siret", lambda text: check_siret(text).value).alias("siret"),
        pl.when(pl.col("successor_uai") != pl.col("uai")).then("successor_uai").alias("successor_uai"),
        pl.col("postal_code").str.zfill(5).str.extract(r"^(\d{5})$"),
        pl.col("level").fill_null("autre"),
    )
