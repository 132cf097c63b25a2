"""The door of the ledger: post, withdraw, and ask what stood at any number."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

import polars as pl
import pyarrow as pa

from . import acts, audit, copies, reading
from .acts import Act
from .catalogue import Catalogue
from .finding import current_rows
from .lock import Lock, folder_lock
from .nearby import Nearby
from .replay import difference, echoes, signed, told_changes
from .shape import admit, check_number, check_spec
from .spec import Compacted, CopiedTable, LedgerBusy, OutOfOrder, Posted, Preview, TableSpec, Verification
from .store import Conflict, Snapshot, append, create_table, open_table

Rows: TypeAlias = pa.Table | pl.DataFrame
Where: TypeAlias = Mapping[str, object]
_ATTEMPTS = 50


def _no_probe(_point: str) -> None:
    return None


class Ledger:
    """Signed entries kept as Delta Lake tables under ``url``, a local folder or an S3-compatible address.

    ``storage_options``: credentials and endpoint, as object stores name them (``aws_access_key_id``…).
    ``lock``: ``name -> context manager`` excluding other writers; a file lock for local folders when not given. Without
    any lock (remote), two writers are still safe: Delta Lake refuses the second, which compares again.
    ``cache``: a folder for local copies of the Parquet files of a remote ledger, so that engines without access to the
    object store read them; unused for a local one.
    ``probe`` is called with the name of each step of a writing act; tests interrupt the process there.
    A Ledger holds no state but these settings; several processes and threads may each have one."""

    def __init__(
        self,
        url: str | Path,
        *,
        storage_options: Mapping[str, str] | None = None,
        lock: Lock | None = None,
        cache: Path | None = None,
        probe: Callable[[str], None] = _no_probe,
    ) -> None:
        text = os.fspath(url).removeprefix("file://")
        self.is_local = "://" not in text
        self.url = str(Path(text).absolute()) if self.is_local else text.rstrip("/")
        self._options = dict(storage_options or {})
        self._probe = probe
        self._catalogue = Catalogue(self.url, self._options)
        self._nearby = None if self.is_local or cache is None else Nearby(self.url, self._options, cache)
        if lock is not None:
            self._lock = lock
        else:
            self._lock = (
                folder_lock(Path(self.url) / ".locks") if self.is_local else lambda _name: nullcontext()
            )

    # -- writing

    def preview(self, spec: TableSpec, rows: Rows, *, sender: str) -> Preview:
        """What posting ``rows`` now would do; writes nothing. Same refusals as ``post``."""
        check_spec(spec)
        claims = admit(spec, rows, sender=sender)
        snapshot = self._open(spec)
        target = acts.as_target(spec, claims, snapshot.last + 1)
        found = difference(spec, current_rows(spec, snapshot, target), target)
        return Preview(
            new=found.new,
            changed=found.changed,
            unchanged=found.unchanged,
            withdrawn=found.withdrawn,
            changes=told_changes(spec, found),
        )

    def planned(self, spec: TableSpec, rows: Rows, *, sender: str) -> pa.Table:
        """The signed entries that posting ``rows`` now would add, under the next number; writes nothing."""
        check_spec(spec)
        claims = admit(spec, rows, sender=sender)
        snapshot = self._open(spec)
        number = snapshot.last + 1
        target = acts.as_target(spec, claims, number)
        found = difference(spec, current_rows(spec, snapshot, target), target)
        return signed(found, number).to_arrow()

    def post(
        self, spec: TableSpec, rows: Rows, *, submission: int, sender: str, posted_at: datetime
    ) -> Posted:
        """Post one accepted submission: ``rows`` hold the contract's columns, ``departement``, ``source_sheet`` and
        ``source_row``. Upserts by key, or replaces the perimeters met in ``rows``, as ``spec`` says.

        ``submission`` must exceed the last number of the table (OutOfOrder), unless it repeats an act already posted
        (same number, sender and values): a no-op that gives back the first outcome. Refuses duplicate keys and values that do not fit. All or nothing, in one commit."""
        check_spec(spec)
        check_number(submission)
        claims = acts.as_target(spec, admit(spec, rows, sender=sender), submission)

        def attempt(snapshot: Snapshot) -> Posted:
            found = difference(spec, current_rows(spec, snapshot, claims), claims)
            self._probe("compared")
            act = acts.posting(found, sender=sender, posted_at=posted_at)
            return self._commit(
                snapshot, submission, act, signed(found, submission), echoes(found, submission)
            )

        def repeats(snapshot: Snapshot, act: Act) -> bool:
            return act.kind == "post" and acts.is_same_post(spec, snapshot, submission, claims, act, sender)

        return self._write(spec, submission, attempt, repeats)

    def withdraw(self, spec: TableSpec, *, target: int, submission: int, posted_at: datetime) -> Posted:
        """Withdraw submission ``target``: its table becomes what a replay without it gives. ``submission`` numbers this
        act, under the rules of ``post``. Refuses a target unknown, withdrawn already, or itself a withdrawal."""
        check_spec(spec)
        check_number(submission)

        def attempt(snapshot: Snapshot) -> Posted:
            known = acts.known(snapshot)
            sender = acts.withdrawable(spec, known, target).sender
            found = acts.without(spec, snapshot, target, acts.void(known) | {target})
            self._probe("compared")
            act = acts.posting(found, sender=sender, posted_at=posted_at, target=target)
            return self._commit(snapshot, submission, act, signed(found, submission))

        return self._write(
            spec, submission, attempt, lambda _snapshot, act: act.kind == "withdraw" and act.target == target
        )

    def _commit(self, snapshot: Snapshot, number: int, act: Act, *frames: pl.DataFrame) -> Posted:
        if snapshot.delta is None:
            snapshot = self._created(snapshot.spec)
        act = replace(act, version=snapshot.version + 1)
        self._probe("before commit")
        version = append(snapshot, number, act.as_json(), *frames)
        self._probe("committed")
        return act.outcome(number, version)

    def _created(self, spec: TableSpec) -> Snapshot:
        self._catalogue.add(spec.name)
        self._probe("named")
        snapshot = create_table(spec, self._location(spec.name), self._options)
        self._probe("created")
        if snapshot.last:
            raise Conflict("created and filled by another writer")
        return snapshot

    def _write(
        self,
        spec: TableSpec,
        number: int,
        attempt: Callable[[Snapshot], Posted],
        repeats: Callable[[Snapshot, Act], bool],
    ) -> Posted:
        with self._lock(spec.name):
            self._probe("locked")
            for _ in range(_ATTEMPTS):
                snapshot = self._open(spec)
                if number <= snapshot.last:
                    return self._repeated(spec, snapshot, number, repeats)
                try:
                    return attempt(snapshot)
                except Conflict:
                    continue
        raise LedgerBusy(f"Table {spec.name} : trop d'écritures simultanées, réessayez dans un instant.")

    def _repeated(
        self, spec: TableSpec, snapshot: Snapshot, number: int, repeats: Callable[[Snapshot, Act], bool]
    ) -> Posted:
        first = acts.one(snapshot, number)
        if first is None or not repeats(snapshot, first):
            raise OutOfOrder(
                f"Table {spec.name} : le n° {number} ne peut pas suivre le n° {snapshot.last}, déjà inscrit. "
                "Prenez un nouveau numéro."
            )
        return first.outcome(number, first.version)

    # -- reading

    def state(
        self,
        spec: TableSpec,
        *,
        known_at: int | None = None,
        columns: Sequence[str] | None = None,
        where: Where | None = None,
        departements: Iterable[str | None] | None = None,
    ) -> pa.Table:
        """Rows that stood once act ``known_at`` was posted (all acts when None): one row per key, the contract's
        columns then those of the entry. ``where``: column → value or collection of values. Order is not specified."""
        return reading.state(self._open(spec), known_at, columns, where, departements)

    def entries(
        self,
        spec: TableSpec,
        *,
        known_at: int | None = None,
        submission: int | None = None,
        key: Where | None = None,
        where: Where | None = None,
        departements: Iterable[str | None] | None = None,
        columns: Sequence[str] | None = None,
    ) -> pa.Table:
        """Signed entries posted up to ``known_at``, narrowed by act, key or column values, in order of posting."""
        return reading.entries(
            self._open(spec),
            after=0 if submission is None else submission - 1,
            upto=known_at if submission is None else min(submission, known_at or submission),
            columns=columns,
            where={**(where or {}), **(key or {})},
            departements=departements,
        )

    def trace(
        self,
        spec: TableSpec,
        *,
        key: Where | None = None,
        where: Where | None = None,
        known_at: int | None = None,
        departements: Iterable[str | None] | None = None,
        claims: bool = False,
    ) -> pa.Table:
        """History of the rows selected, newest act first: signed entries, each pointing by ``origin``, ``source_sheet``,
        ``source_row`` to the sender's cell that states its values. ``claims=True`` adds, with sign 0, the submissions
        that asserted the same row without changing anything."""
        chosen = {**(where or {}), **(key or {})}
        return reading.trace(self._open(spec), known_at, chosen, departements, claims)

    def changes(self, spec: TableSpec, *, after: int, upto: int | None = None) -> pa.Table:
        """Entries posted in (after, upto]: what a figure known at ``after`` must add to be known at ``upto``."""
        return reading.entries(self._open(spec), after=after, upto=upto)

    def files(self, spec: TableSpec, *, known_at: int | None = None) -> tuple[str, ...]:
        """Parquet files of signed entries, for DuckDB: paths (copies, for a remote ledger with a cache) or addresses. The
        département is in the path (``departement=02``, to be read as text); the reader keeps ``submission <= known_at``."""
        return self._readable(self._open(spec), known_at)

    def addresses(self, spec: TableSpec, *, known_at: int | None = None) -> tuple[str, ...]:
        """The same files where the ledger keeps them, for an engine that has its own access to the object store (Spark)."""
        return reading.files(self._open(spec), known_at)

    def duckdb_source(self, spec: TableSpec, *, known_at: int | None = None) -> str:
        """A parenthesised SELECT over the entries up to ``known_at``, every column typed, to put after FROM in DuckDB."""
        snapshot = self._open(spec)
        return reading.duckdb_source(snapshot, self._readable(snapshot, known_at), known_at)

    def _readable(self, snapshot: Snapshot, known_at: int | None) -> tuple[str, ...]:
        found = reading.files(snapshot, known_at)
        if self._nearby is None:
            return found
        if snapshot.delta is not None:
            self._nearby.drop(snapshot.spec.name, snapshot.delta.file_uris())
        return self._nearby.paths(found)

    def last(self, spec: TableSpec) -> int:
        """Number of the last act of the table, 0 before the first."""
        return self._open(spec).last

    def posted(self, spec: TableSpec, submission: int) -> bool:
        """Whether act ``submission`` (post or withdrawal) is in the table."""
        snapshot = self._open(spec)
        return submission <= snapshot.last and acts.one(snapshot, submission) is not None

    def submissions(self, spec: TableSpec) -> pa.Table:
        """The acts of the table in order: number, kind, target, sender, posted_at, counts, whether withdrawn since."""
        return acts.listing(self._open(spec))

    # -- care

    def verify(self, spec: TableSpec, *, journal: Iterable[int] | None = None) -> Verification:
        """Prove the table: keys net to 0 or 1 at every number, −1 mirrors +1, counts match the acts, the state equals a
        replay of the claims, and the acts are exactly those of ``journal`` when given."""
        return audit.verify(self._open(spec), journal)

    def scattered(self, spec: TableSpec) -> int:
        """How many files a reader opens beyond those that ``compact`` would leave."""
        return audit.scattered(self._open(spec))

    def compact(self, spec: TableSpec, *, keep_hours: int = 168) -> Compacted:
        """Merge small files, write a checkpoint, delete files replaced more than ``keep_hours`` ago. Changes no row."""
        with self._lock(spec.name):
            return audit.compact(self._open(spec), keep_hours)

    def tables(self) -> tuple[str, ...]:
        """Names of the tables that exist."""
        return self._catalogue.names()

    def copy_to(self, folder: str | Path) -> tuple[CopiedTable, ...]:
        """Copy every table, all at one instant, into an empty ``folder`` while others go on writing."""
        return copies.copy_to(self._catalogue, self._lock, Path(folder), self._probe)

    def restore(self, folder: str | Path) -> tuple[CopiedTable, ...]:
        """Fill this empty ledger from a folder made by ``copy_to``; refuses a partial copy or a ledger in use."""
        return copies.restore(self._catalogue, self._lock, Path(folder))

    def _location(self, name: str) -> str:
        return self._catalogue.location(name)

    def _open(self, spec: TableSpec) -> Snapshot:
        check_spec(spec)
        return open_table(spec, self._location(spec.name), self._options)
