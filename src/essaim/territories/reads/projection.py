"""The whole register computed from the ledger: what the database and the snapshot are made of."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from essaim.kernel.departements import parse
from essaim.kernel.places import ACADEMIES, DEPARTEMENTS

from ..contracts import ORGANISATIONS
from . import declared
from .affiliations import affiliations, owned
from .merging import establishments
from .places import Places, places
from .profile import profile
from .standing import standing


@dataclass(frozen=True, slots=True)
class Projection:
    """``frames``: one per part of the snapshot. ``stamp``: equal for equal registers."""

    frames: Mapping[str, pl.DataFrame]
    stamp: str


def projection(step: Callable[[str], None] = lambda _text: None) -> Projection:
    """Merges every source in the declared order of belief. ``step`` is told what is being done."""
    step("Code géographique")
    where = places()
    step("Établissements")
    described = owned(establishments(where), where)
    step("Rattachements")
    members = affiliations(described, where)
    step("Profils")
    profiles = profile(described, where)
    latest = (
        profiles.filter(pl.col("pupils").is_not_null())
        .sort("school_year")
        .group_by("uai", maintain_order=True)
        .last()
        .select("uai", "pupils", "classes")
    )
    position = profiles.sort("school_year").group_by("uai", maintain_order=True).last().select("uai", "ips")
    schools = described.join(latest, on="uai", how="left").join(position, on="uai", how="left").sort("uai")
    frames = {
        "establishments": schools,
        "communes": where.communes,
        "former": where.former,
        "organisations": organisations(described, where),
        "affiliations": members,
        "profile": profiles.sort("uai", "school_year"),
    }
    return Projection(frames, _stamp(frames))


def _stamp(frames: Mapping[str, pl.DataFrame]) -> str:
    digest = hashlib.sha256()
    for name, frame in sorted(frames.items()):
        buffer = io.BytesIO()
        frame.write_csv(buffer)
        digest.update(name.encode() + hashlib.sha256(buffer.getbuffer()).digest())
    return digest.hexdigest()[:16]


ORGANISATION_SCHEMA = {
    "code": pl.String, "siren": pl.String, "siret": pl.String, "name": pl.String, "kind": pl.String, "departement": pl.String,
    "commune_code": pl.String,
}  # fmt: skip


def organisations(described: pl.DataFrame, where: Places) -> pl.DataFrame:
    """Every organisation the register can name: communes, intercommunalities, départements, regions, dioceses, académies,
    management bodies of private schools, national actors."""
    blank = {name: pl.lit(None, pl.String).alias(name) for name in ORGANISATION_SCHEMA}

    def shaped(frame: pl.DataFrame, kind: str) -> pl.DataFrame:
        extra = [blank[name] for name in ORGANISATION_SCHEMA if name not in frame.columns and name != "kind"]
        return frame.with_columns(*extra, pl.lit(kind).alias("kind")).select(list(ORGANISATION_SCHEMA))

    towns = where.communes.select(
        pl.coalesce("siren", pl.format("commune-{}", "code")).alias("code"), "siren",
        pl.format("Commune de {}", "name").alias("name"), "departement", pl.col("code").alias("commune_code"),
    )  # fmt: skip
    groups = where.communes.drop_nulls("epci_code").group_by("epci_code").agg(
        pl.col("epci_name").first(), pl.col("departement").mode().sort().first()
    )
    groups = groups.select(pl.col("epci_code").alias("code"), pl.col("epci_code").alias("siren"), pl.col("epci_name").alias("name"), "departement")
    private = described.filter((pl.col("sector") == "prive") & pl.col("siret").is_not_null()).unique("owner_code", keep="first", maintain_order=True)
    bodies = private.select(
        pl.col("owner_code").alias("code"), pl.col("owner_code").alias("siren"), "siret", pl.col("owner_name").alias("name"), "departement", "commune_code"
    )
    parts = [shaped(towns, "commune"), shaped(groups, "epci"), _declared(), _given(), shaped(bodies, "ogec")]
    return pl.concat(parts).drop_nulls(["code", "name"]).unique("code", keep="first", maintain_order=True).sort("code")


def _given() -> pl.DataFrame:
    """Organisations that administrators named and no other source knows."""
    rows = standing(ORGANISATIONS).sort("submission")
    departement = pl.col("departement").map_elements(lambda text: parse(text).value, return_dtype=pl.String)
    frame = rows.with_columns(departement, pl.col("siren").alias("code"), pl.col("kind").fill_null(""))
    return frame.with_columns(pl.lit(None, pl.String).alias(name) for name in ("siret", "commune_code")).select(list(ORGANISATION_SCHEMA))


def _declared() -> pl.DataFrame:
    rows: list[tuple[str, str, str, str | None]] = []
    for item in DEPARTEMENTS:
        rows.append((*declared.college_owner(item.code), "departement", item.code))
        rows.append((*declared.lycee_owner(item.code), "region", None))
        rows.append((*declared.diocese(item.code), "diocese", item.code))
    rows += [(f"academie-{item.code}", item.title, "academie", None) for item in ACADEMIES]
    rows += [(code, name, kind, None) for code, name, kind in declared.NATIONAL_ACTORS]
    regions = {code for code, _name, kind, _d in rows if kind == "region"}
    kept = [row for row in rows if not (row[2] == "departement" and row[0] in regions)]
    frame = pl.DataFrame(kept, schema=["code", "name", "kind", "departement"], orient="row")
    siren = pl.col("code").replace_strict(declared.SIRENS, default=None, return_dtype=pl.String).alias("siren")
    return frame.with_columns(siren, *(pl.lit(None, pl.String).alias(name) for name in ("siret", "commune_code"))).select(list(ORGANISATION_SCHEMA))
