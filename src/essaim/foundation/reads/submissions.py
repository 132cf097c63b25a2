"""Submissions as their readers may see them: lists, pages of issues and rows, what accepting would do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
from django.contrib.auth.models import AnonymousUser
from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Cast, Coalesce

from essaim.engines.ledger import Preview

from .. import storage
from ..contracts import contract as contract_named
from ..models import Account, Act, Place, State, Submission
from ..scopes import scope_of
from .facts import ledger, table_spec
from .kept import kept


def visible_to(account: Account | AnonymousUser) -> QuerySet[Submission]:
    """Submissions that ``account`` may read: its own; those of its organisations and schools; those that concern its
    départements and no other."""
    scope = scope_of(account)
    if scope.is_national:
        return Submission.objects.all()
    if scope.is_empty and not account.is_authenticated:
        return Submission.objects.none()
    inside = Place.objects.filter(submission=OuterRef("pk"))
    wholly = Exists(inside) & ~Exists(inside.exclude(departement__in=scope.departements))
    return Submission.objects.filter(_own(account) | Q(sender__in=scope.organisations | scope.uais) | Q(wholly))


def readable_numbers(account: Account | AnonymousUser, entries: Iterable[Mapping[str, Any]]) -> set[int]:
    """Among the submissions that state ``entries`` (``origin``), the numbers of those that ``account`` may open."""
    return set(visible_to(account).filter(number__in={entry["origin"] for entry in entries}).values_list("number", flat=True))


def with_rows_to_correct(found: QuerySet[Submission]) -> QuerySet[Submission]:
    """Those of ``found`` that were accepted with rows refused, not all of which came back corrected since."""
    repaired = Coalesce(Sum("corrections__rows_accepted", filter=Q(corrections__state=State.ACCEPTED)), 0)
    marred = found.filter(state=State.ACCEPTED, rows_refused__gt=0).annotate(repaired=repaired)
    return marred.filter(rows_refused__gt=F("repaired")).order_by(*Submission._meta.ordering)


def _own(account: Account) -> Q:
    """Handed in by ``account``; by a program, under the mandate lent to it only."""
    if account.acting_under is None:
        return Q(received_by_id=account.pk)
    received = Act.objects.filter(
        object_type="submission", object_id=Cast(OuterRef("pk"), CharField()), mandate_id=account.acting_under
    )
    return Q(received_by_id=account.pk) & Q(Exists(received))


def submission_numbered(number: int) -> Submission:
    """The submission accepted under ``number``; Submission.DoesNotExist otherwise."""
    return Submission.objects.get(number=number)


def content(submission: Submission) -> bytes:
    """The bytes as they were received."""
    return storage.bytes_path(submission.sha256).read_bytes()


def annotated(submission: Submission) -> bytes:
    """The sender's own workbook with its anomalies marked; ValueError before the check."""
    from essaim.engines.intake import annotated_workbook

    return annotated_workbook(content(submission), submission.filename, kept(submission))


@dataclass(frozen=True, slots=True)
class Page:
    """One page of rows as dictionaries; ``total`` counts all rows after filtering."""

    items: tuple[dict[str, Any], ...]
    total: int
    page: int
    size: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))


def _page(frame: pl.LazyFrame, page: int, size: int) -> Page:
    page = max(1, page)
    total = frame.select(pl.len()).collect().item()
    found = frame.slice((page - 1) * size, size).collect()
    return Page(tuple(found.to_dicts()), total, page, size)


def _part(submission: Submission, name: str) -> pl.LazyFrame:
    if not submission.checked_key:
        return pl.LazyFrame()
    return storage.part(submission.checked_key, name)


def issues(
    submission: Submission,
    *,
    page: int = 1,
    size: int = 50,
    severity: str = "",
    code: str = "",
    field: str = "",
) -> Page:
    """Issues in file order, narrowed by severity, code and field."""
    frame = _part(submission, "issues")
    for name, wish in (("severity", severity), ("code", code), ("field", field)):
        if wish:
            frame = frame.filter(pl.col(name) == wish)
    return _page(frame, page, size)


def rows(submission: Submission, *, page: int = 1, size: int = 50) -> Page:
    """Rows retained, typed, in file order."""
    return _page(_part(submission, "rows"), page, size)


def refused_rows(submission: Submission, *, page: int = 1, size: int = 50) -> Page:
    """Rows refused, as text, in file order."""
    return _page(_part(submission, "refused"), page, size)


def accepted_rows(submission: Submission) -> pl.DataFrame:
    """The rows that accepting posts. A correction in a contract that replaces by perimeter carries the rows of the
    submission it corrects, so that it adds to them instead of replacing them."""
    declared = contract_named(submission.contract)
    own = _part(submission, "rows").collect()
    if submission.corrects is None or declared.replaces != "perimeter":
        return own
    base = accepted_rows(submission.corrects)
    keys = [name for name in declared.key if name in own.columns]
    return pl.concat([base.join(own, on=keys, how="anti", nulls_equal=True), own], how="vertical_relaxed")


def report(submission: Submission) -> dict[str, Any]:
    """The outcome of the check as the command line prints it (JSON of ``essaim check``), every issue included.
    ValueError before the check."""
    from essaim.engines.intake import to_json

    return to_json(kept(submission))


def standing_under(contract: str, keys: pl.DataFrame) -> pl.DataFrame:
    """Rows of the ledger that stand under ``keys`` (key columns, distinct); no row when the table does not exist yet."""
    spec = table_spec(contract_named(contract))
    named = [name for name in spec.key if name in keys.columns]
    book = ledger()
    if not named or not book.last(spec):
        return pl.DataFrame(schema=dict.fromkeys(spec.schema.names, pl.String))
    widest = max(named, key=lambda name: keys[name].n_unique())
    found = pl.DataFrame(book.state(spec, where={widest: keys[widest].unique().to_list()}))
    return found.join(keys.select(named), on=named, how="semi", nulls_equal=True)


def preview(submission: Submission) -> Preview:
    """What accepting would do to the ledger now; writes nothing. LedgerRefused as posting would."""
    spec = table_spec(contract_named(submission.contract))
    return ledger().preview(spec, accepted_rows(submission).to_arrow(), sender=submission.sender)


def preview_counts(submission: Submission, foreseen: Preview | None = None) -> dict[str, int]:
    """New, changed, unchanged and withdrawn rows: foreseen before acceptance (by ``foreseen`` when it is at hand), as posted after."""
    if submission.state in (State.ACCEPTED, State.WITHDRAWN):
        names = ("new", "changed", "unchanged", "withdrawn")
        return {name: getattr(submission, f"rows_{name}") or 0 for name in names}
    if not submission.checked_key or not submission.rows_accepted:
        return {"new": 0, "changed": 0, "unchanged": 0, "withdrawn": 0}
    found = foreseen or preview(submission)
    return {
        "new": found.new,
        "changed": found.changed,
        "unchanged": found.unchanged,
        "withdrawn": found.withdrawn,
    }
