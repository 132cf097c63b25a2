"""Acts: what each submission number did, kept in the table itself, and what withdrawing one implies."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import polars as pl
import pyarrow as pa

from .finding import body, claims_of_keys, claims_of_submission, current_rows, only_claims, perimeter_rows
from .replay import Difference, among, coverage, difference, uncovered, winners
from .shape import CLAIMS, ENTRIES, compared
from .spec import Posted, TableSpec, UnknownSubmission
from .store import Snapshot

_LISTING = {
    "submission": pl.Int64,
    "kind": pl.String,
    "target": pl.Int64,
    "sender": pl.String,
    "posted_at": pl.String,
    "new": pl.Int64,
    "changed": pl.Int64,
    "unchanged": pl.Int64,
    "withdrawn": pl.Int64,
    "entries": pl.Int64,
    "version": pl.Int64,
}


@dataclass(frozen=True, slots=True)
class Act:
    """One act as recorded: ``kind`` is ``post`` or ``withdraw`` (then of ``target``); counts as in Posted."""

    kind: str
    target: int | None
    sender: str
    posted_at: str
    new: int
    changed: int
    unchanged: int
    withdrawn: int
    entries: int
    version: int

    def as_json(self) -> Mapping[str, Any]:
        return asdict(self)

    def outcome(self, number: int, version: int) -> Posted:
        return Posted(
            submission=number if self.entries else None,
            new=self.new,
            changed=self.changed,
            unchanged=self.unchanged,
            withdrawn=self.withdrawn,
            entries=self.entries,
            version=version,
            posted_at=datetime.fromisoformat(self.posted_at),
        )


def as_target(spec: TableSpec, claims: pl.DataFrame, number: int) -> pl.DataFrame:
    """Claims of submission ``number`` as rows that must stand."""
    return claims.with_columns(pl.lit(number, pl.Int64).alias("origin")).select(body(spec))


def posting(found: Difference, *, sender: str, posted_at: datetime, target: int | None = None) -> Act:
    """The record of an act that posts ``found``; its version is known at commit."""
    return Act(
        kind="post" if target is None else "withdraw",
        target=target,
        sender=sender,
        posted_at=posted_at.isoformat(),
        new=found.new,
        changed=found.changed,
        unchanged=found.unchanged,
        withdrawn=found.withdrawn,
        entries=found.minus.height + found.plus.height,
        version=-1,
    )


def known(snapshot: Snapshot) -> dict[int, Act]:
    """Every act of the table by number."""
    return {number: Act(**json.loads(text)) for number, text in snapshot.acts().iter_rows()}


def one(snapshot: Snapshot, number: int) -> Act | None:
    """Act ``number``, or None."""
    found = snapshot.acts(number)
    return Act(**json.loads(found["act"][0])) if found.height else None


def is_same_post(
    spec: TableSpec, snapshot: Snapshot, number: int, claims: pl.DataFrame, act: Act, sender: str
) -> bool:
    """Whether submission ``number``, as recorded, asserted exactly ``claims`` (source positions aside)."""
    if act.sender != sender or act.new + act.changed + act.unchanged != claims.height:
        return False
    names = [*spec.key, *compared(spec)]
    kept = claims_of_submission(snapshot, number)
    return claims.join(kept, on=names, how="anti", nulls_equal=True).is_empty()


def void(acts: Mapping[int, Act]) -> set[int]:
    """Submissions withdrawn by one of ``acts``."""
    return {act.target for act in acts.values() if act.target is not None}


def withdrawable(spec: TableSpec, acts: Mapping[int, Act], target: int) -> Act:
    """The act ``target``, a submission that still stands; UnknownSubmission otherwise."""
    act = acts.get(target)
    if act is None:
        raise UnknownSubmission(f"Table {spec.name} : le dépôt n° {target} n'y figure pas.")
    if act.kind != "post":
        raise UnknownSubmission(
            f"Table {spec.name} : le n° {target} est lui-même un retrait ; déposez de nouveau le fichier."
        )
    if target in void(acts):
        raise UnknownSubmission(f"Table {spec.name} : le dépôt n° {target} est déjà retiré.")
    return act


def without(spec: TableSpec, snapshot: Snapshot, target: int, void_: Collection[int]) -> Difference:
    """The difference between what stands and a replay without ``void_``, on the keys that ``target`` could affect: its
    own, and in its perimeters those that it may have hidden."""
    own = claims_of_submission(snapshot, target)
    keys = own.select(spec.key)
    if spec.replaces == "perimeter":
        beside = only_claims(perimeter_rows(spec, snapshot, own, (ENTRIES, CLAIMS)), ())
        keys = pl.concat([keys, beside.select(spec.key)]).unique()
    claims = claims_of_keys(spec, snapshot, keys, void_)
    latest = winners(spec, claims)
    if spec.replaces == "perimeter":
        around = only_claims(perimeter_rows(spec, snapshot, latest, (ENTRIES, CLAIMS)), void_)
        latest = uncovered(spec, latest, coverage(spec, around))
    latest = latest.select(body(spec))
    # Rows that stand under these keys, wherever they are: the keys of every claim, standing or not.
    asked = own if spec.replaces == "key" else pl.concat([own, *_same_columns(own, claims, beside)])
    met = current_rows(spec, snapshot, asked.unique(subset=list(spec.key)))
    met = met.join(keys, on=spec.key, how="semi", nulls_equal=True)
    return difference(spec, met, latest, void=void_)


def _same_columns(model: pl.DataFrame, *frames: pl.DataFrame) -> list[pl.DataFrame]:
    return [frame.select(model.columns) for frame in frames]


def listing(snapshot: Snapshot) -> pa.Table:
    """The acts as a table, ``posted_at`` in UTC, with ``is_withdrawn``."""
    acts = known(snapshot)
    gone = void(acts)
    rows = [{"submission": number, **act.as_json()} for number, act in acts.items()]
    table = pl.DataFrame(rows, schema=_LISTING).with_columns(
        pl.col("posted_at").str.to_datetime(time_unit="us", time_zone="UTC", strict=True),
        among("submission", gone).alias("is_withdrawn"),
    )
    return table.to_arrow()
