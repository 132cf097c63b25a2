"""The register as frames for the engine of figures and the demonstration. Rebuilt from the ledger when the cache is lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from django.conf import settings

from . import affiliations, snapshot
from .declared import TERRITORIES

PROFILE_SCHEMA = {
    "uai": pl.String, "school_year": pl.String, "pupils": pl.Int64, "classes": pl.Int64, "ips": pl.Float64, "ips_quartile": pl.String,
    "rep": pl.String, "sector": pl.String, "school_level": pl.String, "commune": pl.String, "departement": pl.String,
    "commune_size": pl.String, "fragility": pl.String,
}  # fmt: skip


def _cache() -> Path:
    return Path(settings.ESSAIM_CACHE_DIR)


def frame(name: str) -> pl.DataFrame | None:
    """One frame of the register (``snapshot.PARTS``), made again from the ledger if the cache was emptied; None before the
    first loading."""
    found = snapshot.part(_cache(), name)
    if found is None:
        from ..models import Establishment

        if not Establishment.objects.exists():
            return None
        from .projection import projection

        made = projection()
        snapshot.write_snapshot(_cache(), made.frames, made.stamp)
        found = snapshot.part(_cache(), name)
    return found


def hierarchy_frame(at: date | None = None) -> pl.DataFrame:
    """Columns ``uai, hierarchy, level, unit, label, valid_from, valid_to`` (dates, both included, null for open), for the schools
    open since 2015; only what holds on ``at`` when given."""
    found = frame("affiliations")
    if found is None:
        return pl.DataFrame(schema=affiliations.SCHEMA)
    if at is None:
        return found
    since, until = pl.col("valid_from"), pl.col("valid_to")
    return found.filter((since.is_null() | (since <= at)) & (until.is_null() | (until >= at)))


def profile_frame() -> pl.DataFrame:
    """UAI × school year: the columns of PROFILE_SCHEMA. ``ips_quartile`` 1 is the least favoured quarter of its degree."""
    found = frame("profile")
    return pl.DataFrame(schema=PROFILE_SCHEMA) if found is None else found


def register_stamp() -> str:
    """Changes whenever the register does: part of every fingerprint and cache key. Empty before the first loading."""
    told = snapshot.pointed(_cache())
    if told is None and frame("establishments") is not None:
        told = snapshot.pointed(_cache())
    return told[1] if told else ""


def demonstration_schools(departements: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Open schools of the territories of the programme (or of ``departements``) with pupils: ``uai, name, commune_name,
    departement, level`` (``ecole``, ``college``, ``lycee``), ``is_private``, ``pupils``; in order of UAI."""
    schools = frame("establishments")
    if schools is None:
        return []
    chosen = schools.filter(
        pl.col("departement").is_in(list(departements or TERRITORIES))
        & pl.col("closed_on").is_null() & (pl.col("level") != "autre") & (pl.col("pupils") > 0)
    )  # fmt: skip
    return chosen.sort("uai").select(
        "uai", pl.coalesce("name", "kind", "uai").alias("name"), pl.col("commune_name").fill_null(""), "departement", "level",
        (pl.col("sector") == "prive").fill_null(False).alias("is_private"), "pupils",
    ).to_dicts()  # fmt: skip
