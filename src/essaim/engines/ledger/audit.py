"""Proving a table right, and keeping its files few."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

import polars as pl
from deltalake import PostCommitHookProperties

from . import acts
from .acts import Act
from .copies import COPIED
from .finding import only_claims
from .replay import replayed, standing
from .shape import CLAIMS, ENTRIES, compared
from .spec import Compacted, TableSpec, Verification
from .store import Snapshot

_BODY_EXCLUDED = ("sign", "submission", "part", "act")


def verify(snapshot: Snapshot, journal: Iterable[int] | None) -> Verification:
    """Every check, every problem; reads the table once."""
    spec = snapshot.spec
    entries = snapshot.scan([("part", "=", ENTRIES)]).collect()
    claims = only_claims(pl.concat([entries, snapshot.scan([("part", "=", CLAIMS)]).collect()]), ())
    known = acts.known(snapshot)
    void = acts.void(known)
    problems = [
        *_netting(spec, entries),
        *_mirrors(spec, entries),
        *_counts(spec, entries, known),
        *_numbers(snapshot, known),
        *_replay(spec, standing(spec, entries), replayed(spec, only_claims(claims, void))),
        *_claimed(spec, claims, known),
        *_journal(spec, set(known), journal),
    ]
    return Verification(not problems, tuple(problems), len(known), entries.height)


def _netting(spec: TableSpec, entries: pl.DataFrame) -> list[str]:
    """At every number, every key nets to 0 or 1."""
    steps = entries.select(*spec.key, "submission", "sign")
    many = (
        steps.filter(pl.struct(spec.key).is_duplicated())
        if len(spec.key) > 1
        else steps.filter(pl.col(spec.key[0]).is_duplicated())
    )
    alone = steps.join(many.select(spec.key).unique(), on=spec.key, how="anti", nulls_equal=True)
    net = many.sort("submission", "sign", maintain_order=True).with_columns(
        pl.col("sign").cast(pl.Int64).cum_sum().over(spec.key).alias("net")
    )
    wrong = pl.concat(
        [
            net.filter(~pl.col("net").is_in([0, 1])).select(spec.key),
            alone.filter(pl.col("sign") != 1).select(spec.key),
        ]
    ).unique()
    if wrong.is_empty():
        return []
    shown = ", ".join(str(part) for part in wrong.row(0))
    return [f"Table {spec.name} : {wrong.height} clé(s) dont le solde sort de 0 ou 1 (exemple : {shown})."]


def _mirrors(spec: TableSpec, entries: pl.DataFrame) -> list[str]:
    """Every −1 cancels a +1 equal in every column."""
    names = [name for name in entries.columns if name not in _BODY_EXCLUDED]
    moved = entries.filter(pl.col("sign") == -1).select(spec.key).unique()
    concerned = entries.join(moved, on=spec.key, how="semi", nulls_equal=True)
    net = concerned.group_by(names).agg(pl.col("sign").cast(pl.Int64).sum().alias("net"))
    alone = net.filter(pl.col("net") < 0).height
    return [f"Table {spec.name} : {alone} annulation(s) sans écriture correspondante."] if alone else []


def _counts(spec: TableSpec, entries: pl.DataFrame, known: Mapping[int, Act]) -> list[str]:
    """Each act wrote as many entries as it says, and no entry is without act."""
    found = dict(entries.group_by("submission").len().iter_rows())
    problems = []
    for number in sorted(set(found) | set(known)):
        said = known[number].entries if number in known else None
        if said is None:
            problems.append(f"Table {spec.name} : {found[number]} écriture(s) sous le n° {number}, inconnu.")
        elif said != found.get(number, 0):
            problems.append(
                f"Table {spec.name} : le n° {number} annonce {said} écriture(s), {found.get(number, 0)} trouvée(s)."
            )
    return problems


def _claimed(spec: TableSpec, claims: pl.DataFrame, known: Mapping[int, Act]) -> list[str]:
    """Each submission kept every row it asserted."""
    found = dict(claims.group_by("origin").len().iter_rows())
    problems = []
    for number, act in known.items():
        if act.kind != "post":
            continue
        said = act.new + act.changed + act.unchanged
        if said != found.get(number, 0):
            problems.append(
                f"Table {spec.name} : le dépôt n° {number} compte {said} ligne(s), "
                f"{found.get(number, 0)} conservée(s)."
            )
    return problems


def _numbers(snapshot: Snapshot, known: Mapping[int, Act]) -> list[str]:
    """Acts are recorded once, in increasing order of versions, up to the last number committed."""
    name = snapshot.spec.name
    problems = []
    recorded = snapshot.acts()["submission"].to_list()
    if len(recorded) != len(set(recorded)):
        problems.append(f"Table {name} : un même numéro est inscrit plusieurs fois.")
    copied = int(snapshot.delta.metadata().configuration.get(COPIED, 0)) if snapshot.delta is not None else 0
    versions = [act.version for number, act in sorted(known.items()) if number > copied]
    if versions != sorted(versions):
        problems.append(f"Table {name} : les numéros ne suivent pas l'ordre d'acceptation.")
    if max(recorded, default=0) != snapshot.last:
        problems.append(
            f"Table {name} : dernier numéro inscrit {max(recorded, default=0)}, dernier validé {snapshot.last}."
        )
    return problems


def _replay(spec: TableSpec, stands: pl.DataFrame, replay: pl.DataFrame) -> list[str]:
    """What stands is what a replay of the claims gives, in every compared column."""
    names = [*spec.key, *compared(spec)]
    extra = stands.join(replay, on=names, how="anti", nulls_equal=True).height
    lacking = replay.join(stands, on=names, how="anti", nulls_equal=True).height
    if not extra and not lacking:
        return []
    return [
        f"Table {spec.name} : l'état diffère du rejeu des dépôts ({extra} ligne(s) en trop, {lacking} manquante(s))."
    ]


def _journal(spec: TableSpec, recorded: set[int], journal: Iterable[int] | None) -> list[str]:
    if journal is None:
        return []
    said = set(journal)
    problems = []
    if said - recorded:
        shown = ", ".join(map(str, sorted(said - recorded)[:20]))
        problems.append(f"Table {spec.name} : au journal mais pas au registre : n° {shown}.")
    if recorded - said:
        shown = ", ".join(map(str, sorted(recorded - said)[:20]))
        problems.append(f"Table {spec.name} : au registre mais pas au journal : n° {shown}.")
    return problems


def scattered(snapshot: Snapshot) -> int:
    """Files beyond one for each partition that holds rows: what a compaction would spare every reader."""
    return 0 if snapshot.delta is None else len(snapshot.delta.file_uris()) - len(snapshot.delta.partitions())


def compact(snapshot: Snapshot, keep_hours: int) -> Compacted:
    """Merge files within each partition, then delete those replaced more than ``keep_hours`` ago."""
    delta = snapshot.delta
    if delta is None:
        return Compacted(0, 0, 0, -1)
    before = len(delta.file_uris())
    hooks = PostCommitHookProperties(create_checkpoint=True)
    delta.optimize.compact(min_commit_interval=timedelta(minutes=10), post_commithook_properties=hooks)
    delta.update_incremental()
    after = len(delta.file_uris())
    removed = delta.vacuum(
        retention_hours=keep_hours, dry_run=False, enforce_retention_duration=keep_hours >= 168
    )
    delta.create_checkpoint()
    return Compacted(before, after, len(removed), delta.version())
