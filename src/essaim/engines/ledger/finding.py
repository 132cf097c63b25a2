"""Finding the rows an act concerns without reading the whole table."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import polars as pl

from .replay import among, standing
from .shape import CLAIMS, ENTRIES, fields, frame_schema
from .spec import TableSpec
from .store import Filters, Snapshot


def body(spec: TableSpec) -> list[str]:
    """Columns that a row carries whatever act wrote it."""
    own = [name for name in fields(spec) if name != "departement"]
    return [*own, "departement", "sender", "origin", "source_sheet", "source_row"]


def nothing(spec: TableSpec) -> pl.DataFrame:
    """No row, every stored column."""
    return pl.DataFrame(schema=frame_schema(spec))


def in_departements(values: Iterable[str | None]) -> list[tuple[str, str, object]]:
    """File filter on départements (null included)."""
    return [("departement", "in", list(dict.fromkeys(values)))]


def current_rows(spec: TableSpec, snapshot: Snapshot, target: pl.DataFrame) -> pl.DataFrame:
    """Standing rows that ``target`` meets: those of its keys, and those of its perimeters."""
    names = [*body(spec), "sign", "submission"]
    found = [keyed_entries(spec, snapshot, target).select(names)]
    if spec.replaces == "perimeter":
        found.append(perimeter_rows(spec, snapshot, target, (ENTRIES,)).select(names))
    entries = pl.concat(found).unique() if len(found) > 1 else found[0]
    return standing(spec, entries).select(body(spec))


def keyed_entries(spec: TableSpec, snapshot: Snapshot, target: pl.DataFrame) -> pl.DataFrame:
    """Entries of the keys of ``target`` (each once): first in its own départements, then, for keys that do not stand there, wherever
    a look at the key columns alone finds them."""
    keys = target.select(spec.key)
    if spec.replaces == "perimeter" and set(spec.perimeter) <= set(spec.key):
        return nothing(spec)
    home = set(target["departement"].unique().to_list())
    near = _semi(spec, snapshot, keys, (ENTRIES,), home)
    elsewhere = snapshot.departements((ENTRIES,)) - home
    if not elsewhere:
        return near
    settled = standing(spec, near).select(spec.key)
    missing = keys.join(settled, on=spec.key, how="anti", nulls_equal=True)
    far = far_rows(spec, snapshot, missing, (ENTRIES,), elsewhere)
    return pl.concat([near, far])


def far_rows(
    spec: TableSpec, snapshot: Snapshot, keys: pl.DataFrame, parts: Collection[str], places: set[str | None]
) -> pl.DataFrame:
    """Rows of ``keys`` in the départements ``places``, reading whole rows only where the keys occur."""
    if keys.is_empty() or not places:
        return nothing(spec)
    look = _files(snapshot, parts, places).join(keys.lazy(), on=spec.key, how="semi", nulls_equal=True)
    seen = set(look.select("departement").unique().collect()["departement"].to_list())
    return _semi(spec, snapshot, keys, parts, seen) if seen else look.clear().collect()


def _semi(
    spec: TableSpec, snapshot: Snapshot, keys: pl.DataFrame, parts: Collection[str], places: set[str | None]
) -> pl.DataFrame:
    rows = _files(snapshot, parts, places)
    return rows.join(keys.lazy(), on=spec.key, how="semi", nulls_equal=True).collect()


def _files(snapshot: Snapshot, parts: Collection[str], places: Iterable[str | None]) -> pl.LazyFrame:
    filters: Filters = [("part", "in", sorted(parts)), *in_departements(places)]
    return snapshot.scan(filters)


def perimeter_rows(
    spec: TableSpec, snapshot: Snapshot, target: pl.DataFrame, parts: Collection[str]
) -> pl.DataFrame:
    """Rows of ``parts`` inside the perimeters met in ``target``."""
    names = list(spec.perimeter)
    perimeters = target.select(names).unique()
    if perimeters.is_empty():
        return nothing(spec)
    filters: Filters = [("part", "in", sorted(parts))]
    if "sender" in names and perimeters["sender"].n_unique() == 1:
        filters.append(("sender", "=", perimeters["sender"][0]))
    return snapshot.scan(filters).join(perimeters.lazy(), on=names, how="semi", nulls_equal=True).collect()


def claims_of_keys(
    spec: TableSpec, snapshot: Snapshot, keys: pl.DataFrame, void: Collection[int]
) -> pl.DataFrame:
    """Every claim of ``keys`` made by submissions outside ``void``."""
    found = far_rows(
        spec, snapshot, keys.unique(), (ENTRIES, CLAIMS), snapshot.departements((ENTRIES, CLAIMS))
    )
    return only_claims(found, void)


def only_claims(rows: pl.DataFrame, void: Collection[int]) -> pl.DataFrame:
    """Among stored rows, what submissions outside ``void`` asserted: their own +1 entries and their echoes."""
    asserted = (pl.col("sign") >= 0) & (pl.col("submission") == pl.col("origin"))
    return rows.filter(asserted & ~among("origin", void))


def claims_of_submission(snapshot: Snapshot, number: int) -> pl.DataFrame:
    """Every claim of one submission."""
    filters: Filters = [("part", "in", [CLAIMS, ENTRIES]), ("submission", "=", number)]
    rows = snapshot.scan(filters).filter(pl.col("submission") == number).collect()
    return only_claims(rows, ())
