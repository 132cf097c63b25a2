"""Which school belongs to which unit of which hierarchy, from when to when: computed from descriptions and declared data."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from essaim.kernel.places import ACADEMIES, BEYOND_REGIONS, COLLECTIVITIES, DEPARTEMENTS, REGIONS

from . import declared
from .places import Places

SCHEMA = {
    "uai": pl.String, "hierarchy": pl.String, "level": pl.String, "unit": pl.String, "label": pl.String,
    "valid_from": pl.Date, "valid_to": pl.Date,
}  # fmt: skip
# Schools closed before that day take part in no figure of the programme.
OLDEST_CLOSING = date(2015, 9, 1)
Link = tuple[str, str, str, str, str, date | None, date | None]


def links() -> pl.DataFrame:
    """Declared units above the département: ``departement, hierarchy, level, unit, label, valid_from, valid_to``."""
    academies = {item.code: item for item in ACADEMIES}
    rows: list[Link] = []
    for item in DEPARTEMENTS:
        region = declared.lycee_owner(item.code)
        rows.append((item.code, "administrative", "departement", item.code, item.name, None, None))
        rows.append((item.code, "administrative", "region", item.region, REGIONS.get(item.region, region[1]), None, None))
        rows.append((item.code, "administrative", "national", "FR", "France", None, None))
        since, academie = declared.MERGED_ON if item.code in declared.NORMANDIE else None, academies[item.academie]
        rows.append((item.code, "academic", "academie", academie.code, academie.title, since, None))
        if academie.is_assimilated:
            rows.append((item.code, "academic", "region_academique", *BEYOND_REGIONS, None, None))
        if item.code not in COLLECTIVITIES:
            rows.append((item.code, "academic", "dsden", item.code, f"DSDEN {item.name}", None, None))
            rows.append((item.code, "academic", "region_academique", item.region, f"Région académique {REGIONS[item.region]}", None, None))
    until = declared.MERGED_ON - timedelta(days=1)
    for code, name, departements in declared.FORMER_ACADEMIES:
        rows += [(item, "academic", "academie", code, f"Académie {name}", None, until) for item in departements]
    for wave in declared.WAVES:
        for item in wave.departements:
            rows.append((item, "programme", "territory", item, declared.NAMES[item], wave.starts_on, None))
            rows.append((item, "programme", "wave", wave.code, wave.label, wave.starts_on, None))
    return pl.DataFrame(rows, schema={"departement": pl.String, **{name: kind for name, kind in SCHEMA.items() if name != "uai"}}, orient="row")


def owned(described: pl.DataFrame, where: Places) -> pl.DataFrame:
    """Adds ``owner_code`` and ``owner_name``: the commune equips public écoles, the département collèges, the region lycées,
    its own management body (OGEC) a private school."""
    codes = [item.code for item in DEPARTEMENTS]
    table = pl.DataFrame(
        [(code, *declared.college_owner(code), *declared.lycee_owner(code)) for code in codes],
        schema=["departement", "_college", "_college_name", "_lycee", "_lycee_name"], orient="row",
    )
    towns = where.communes.select(
        pl.col("code").alias("commune_code"),
        pl.coalesce("siren", pl.format("commune-{}", "code")).alias("_town"),
        pl.format("Commune de {}", "name").alias("_town_name"),
        (pl.col("epci_code") == declared.LYON_METROPOLE[0]).fill_null(False).alias("_lyon"),
    )
    frame = described.join(table, on="departement", how="left").join(towns, on="commune_code", how="left")
    private = pl.col("sector") == "prive"
    town = pl.coalesce("_town", pl.format("commune-{}", "commune_code"))
    lyon = pl.col("_lyon").fill_null(False)
    ogec = pl.coalesce(pl.col("siret").str.head(9), pl.format("prive-{}", "uai"))
    level = pl.col("level")

    def owner(ogec_value: pl.Expr, town_value: pl.Expr, lyon_value: str, suffix: str) -> pl.Expr:
        college = pl.when(lyon).then(pl.lit(lyon_value)).otherwise(pl.col(f"_college{suffix}"))
        return (
            pl.when(private).then(ogec_value).when(level == "lycee").then(pl.col(f"_lycee{suffix}"))
            .when(level == "college").then(college).when(level == "ecole").then(town_value)
        )  # fmt: skip

    ogec_name = pl.format("Organisme de gestion – {}", pl.coalesce("name", "uai"))
    return frame.with_columns(
        owner(ogec, town, declared.LYON_METROPOLE[0], "").alias("owner_code"),
        owner(ogec_name, pl.coalesce("_town_name", "commune_name"), declared.LYON_METROPOLE[1], "_name").alias("owner_name"),
    ).drop("_college", "_college_name", "_lycee", "_lycee_name", "_town", "_town_name", "_lyon")


def affiliations(described: pl.DataFrame, where: Places) -> pl.DataFrame:
    """Columns of SCHEMA: one row per school, level and span (both days included, null for open), for schools that were open
    after OLDEST_CLOSING. ``described`` holds ``owner_code`` (see ``owned``)."""
    schools = described.filter(
        (pl.col("level") != "autre") & (pl.col("closed_on").is_null() | (pl.col("closed_on") >= OLDEST_CLOSING))
    ).select(
        "uai", "departement", "sector", "commune_code", "commune_name", "circonscription",
        pl.coalesce("circonscription_code", pl.format("{} – {}", "departement", _short_circonscription())).alias("circonscription_code"),
        "owner_code", "owner_name", "opened_on", "closed_on",
    )  # fmt: skip
    above = schools.join(links(), on="departement", how="inner")
    parts = [_spans(above)]
    near = (
        ("administrative", "commune", "commune_code", "commune_name"),
        ("academic", "circonscription", "circonscription_code", "circonscription"),
        ("owner", "organisation", "owner_code", "owner_name"),
    )
    for hierarchy, level, unit, label in near:
        parts.append(_direct(schools, hierarchy, level, unit, label))
    towns = where.communes.select(pl.col("code").alias("commune_code"), "epci_code", "epci_name")
    parts.append(_direct(schools.join(towns, on="commune_code", how="left"), "administrative", "epci", "epci_code", "epci_name"))
    dioceses = pl.DataFrame(
        [(item.code, *declared.diocese(item.code)) for item in DEPARTEMENTS], schema=["departement", "_code", "_name"], orient="row"
    )
    private = schools.filter(pl.col("sector") == "prive").join(dioceses, on="departement")
    parts.append(_direct(private, "diocesan", "diocese", "_code", "_name"))
    return pl.concat(parts).sort("hierarchy", "level", "uai", "valid_from")


def _short_circonscription() -> pl.Expr:
    """What tells one circonscription from another, short enough to be the code of a unit."""
    named = pl.col("circonscription").str.replace(r"(?i)^circonscription d['’]inspection du 1er degr[ée] (?:de |du |d['’])?", "")
    return named.str.slice(0, 32)


def _direct(schools: pl.DataFrame, hierarchy: str, level: str, unit: str, label: str) -> pl.DataFrame:
    return schools.filter(pl.col(unit).is_not_null() & (pl.col(unit) != "")).select(
        "uai", pl.lit(hierarchy).alias("hierarchy"), pl.lit(level).alias("level"), pl.col(unit).alias("unit"),
        pl.coalesce(label, unit).alias("label"), pl.col("opened_on").alias("valid_from"), pl.col("closed_on").alias("valid_to"),
    )  # fmt: skip


def _spans(above: pl.DataFrame) -> pl.DataFrame:
    """The life of the school and the life of the link, together; empty spans are left out."""
    spans = above.with_columns(
        pl.max_horizontal("opened_on", "valid_from").alias("valid_from"), pl.min_horizontal("closed_on", "valid_to").alias("valid_to")
    )
    alive = pl.col("valid_from").is_null() | pl.col("valid_to").is_null() | (pl.col("valid_from") <= pl.col("valid_to"))
    return spans.filter(alive).select(list(SCHEMA))
