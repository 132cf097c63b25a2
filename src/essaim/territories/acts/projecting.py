"""Writing the register into the database: what changed only, in bulk, then the snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from django.conf import settings
from django.db import models, transaction

from essaim.foundation.acts.journal import record
from essaim.foundation.models import Account

from ..models import Establishment, FormerCommune, Membership, Organisation, Unit
from ..reads import affiliations, snapshot
from ..reads.projection import Projection, projection
from .bulk import inserted
from .indexing import index_establishments
from .refusals import demand_register

BATCH = 2_000
Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of one kind in the database before and after: those ``created``, ``changed``, left ``unchanged``."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Projected:
    """What projecting the register changed. ``stamp`` names the register as it now is."""

    establishments: Counts
    organisations: Counts
    units: Counts
    memberships: Counts
    stamp: str


def project_register(*, by: Account, step: Step = lambda _text: None) -> Projected:
    """Bring database and snapshot in line with the ledger. Done again on the same ledger, it changes nothing.

    Needs the right to load the register."""
    demand_register(by)
    made = projection(step)
    step("Base de données")
    with transaction.atomic():
        projected = _written(made)
        if any(item.created or item.changed for item in (projected.establishments, projected.organisations, projected.units)):
            index_establishments()
            first = Establishment.objects.order_by("pk").first()
            if first is not None:
                record("project_register", first, by=by, stamp=made.stamp, created=projected.establishments.created)
    snapshot.write_snapshot(Path(settings.ESSAIM_CACHE_DIR), made.frames, made.stamp)
    return projected


def _written(made: Projection) -> Projected:
    frames = made.frames
    columns = [field.name for field in Establishment._meta.fields if field.name not in ("id", "uai")]
    schools = _synced(Establishment, "uai", frames["establishments"], columns)
    bodies = _synced(Organisation, "code", frames["organisations"], ["siren", "siret", "name", "kind", "departement", "commune_code"])
    former = frames["former"].filter(pl.col("code") != pl.col("current")).select("code", pl.col("current").alias("current_code"), "name")
    _synced(FormerCommune, "code", former, ["current_code", "name"])
    units = _synced_units(_units(frames))
    return Projected(schools, bodies, units, _synced_memberships(frames["communes"]), made.stamp)


def _synced(model: type[models.Model], key: str, frame: pl.DataFrame, columns: list[str]) -> Counts:
    """Create what is missing, update what differs; rows that no source names any more are left as they are."""
    frame = _fitted(model, frame.select(key, *columns))
    known = {getattr(row, key): row for row in model._default_manager.only("pk", key, *columns).iterator(chunk_size=20_000)}
    created, changed = [], []
    for values in frame.iter_rows(named=True):
        row = known.get(values[key])
        if row is None:
            created.append(tuple(values.values()))
        elif any(getattr(row, name) != values[name] for name in columns):
            for name in columns:
                setattr(row, name, values[name])
            changed.append(row)
    inserted(model, frame.columns, created)
    _updated(model, changed, columns)
    return Counts(len(created), len(changed), frame.height - len(created) - len(changed))


def _updated(model: type[models.Model], rows: list[Any], columns: Iterable[str]) -> None:
    """Rewrite whole rows at once: an insertion that meets its own key updates it."""
    if rows:
        model._default_manager.bulk_create(
            rows, batch_size=BATCH, update_conflicts=True, unique_fields=["id"], update_fields=list(columns)
        )


def _fitted(model: type[models.Model], frame: pl.DataFrame) -> pl.DataFrame:
    """Texts cut to their column, missing texts empty: as the database keeps them."""
    expressions = []
    for name in frame.columns:
        field = model._meta.get_field(name)
        if isinstance(field, models.CharField):
            expressions.append(pl.col(name).fill_null("").str.slice(0, field.max_length))
    return frame.with_columns(expressions)


def _units(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Every unit: declared ones, communes and intercommunalities, and those that schools name."""
    above = affiliations.links().filter(pl.col("level") != "national")
    declared = above.group_by("hierarchy", "level", "unit").agg(
        pl.col("label").first(), pl.col("departement").unique(), pl.col("valid_from").min(), pl.col("valid_to").max()
    )
    one = pl.when(pl.col("departement").list.len() == 1).then(pl.col("departement").list.first())
    communes = frames["communes"].select(
        pl.lit("administrative").alias("hierarchy"), pl.lit("commune").alias("level"), pl.col("code").alias("unit"),
        pl.col("name").alias("label"), "departement", "population",
    )  # fmt: skip
    named = frames["affiliations"].filter(pl.col("level").is_in(["epci", "circonscription", "organisation", "diocese", "commune"]))
    homes = frames["establishments"].select("uai", "departement")
    used = named.join(homes, on="uai").group_by("hierarchy", "level", "unit").agg(
        pl.col("label").mode().sort().first(), pl.col("departement").mode().sort().first()
    )
    parts = [declared.with_columns(one.alias("departement")), communes, used]
    found = pl.concat(parts, how="diagonal_relaxed").unique(["hierarchy", "level", "unit"], keep="first", maintain_order=True)
    return found.rename({"unit": "code"}).with_columns(pl.col("departement").fill_null(""), pl.col("population").cast(pl.Int64))


def _synced_units(frame: pl.DataFrame) -> Counts:
    columns = ["label", "departement", "population", "valid_from", "valid_to"]
    known = {(row.hierarchy, row.level, row.code): row for row in Unit.objects.iterator(chunk_size=20_000)}
    created, changed = [], []
    fitted = _fitted(Unit, frame.select("hierarchy", "level", "code", *columns))
    for values in fitted.iter_rows(named=True):
        row = known.get((values["hierarchy"], values["level"], values["code"]))
        if row is None:
            created.append(tuple(values.values()))
        elif any(getattr(row, name) != values[name] for name in columns):
            for name in columns:
                setattr(row, name, values[name])
            changed.append(row)
    inserted(Unit, fitted.columns, created)
    _updated(Unit, changed, columns)
    return Counts(len(created), len(changed), frame.height - len(created) - len(changed))


def _synced_memberships(communes: pl.DataFrame) -> Counts:
    """Units inside units: commune → EPCI and département, département → region, DSDEN → académie, territory → wave."""
    ids = {(h, level, code): pk for h, level, code, pk in Unit.objects.values_list("hierarchy", "level", "code", "pk")}
    wanted = {}
    for child, parent, since, until in _declared_links(communes):
        if child in ids and parent in ids:
            wanted[ids[child], ids[parent], since] = until
    known = {(row.child_id, row.parent_id, row.valid_from): row for row in Membership.objects.iterator(chunk_size=20_000)}
    created = [
        (child, parent, since, until)
        for (child, parent, since), until in wanted.items()
        if (child, parent, since) not in known
    ]
    inserted(Membership, ("child_id", "parent_id", "valid_from", "valid_to"), created)
    gone = [row.pk for key, row in known.items() if key not in wanted]
    for start in range(0, len(gone), 500):
        Membership.objects.filter(pk__in=gone[start : start + 500]).delete()
    return Counts(len(created), len(gone), len(known) - len(gone))


Key = tuple[str, str, str]


def _declared_links(communes: pl.DataFrame) -> Iterable[tuple[Key, Key, Any, Any]]:
    for code, departement, epci in communes.select("code", "departement", "epci_code").iter_rows():
        child = ("administrative", "commune", code)
        yield child, ("administrative", "departement", departement), None, None
        if epci:
            yield child, ("administrative", "epci", epci), None, None
    inside = {"region": ("administrative", "departement"), "academie": ("academic", "dsden"), "wave": ("programme", "territory")}
    for departement, hierarchy, level, unit, _label, since, until in affiliations.links().iter_rows():
        if level in inside:
            yield (*inside[level], departement), (hierarchy, level, unit), since, until
