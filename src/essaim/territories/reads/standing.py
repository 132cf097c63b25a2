"""What the sources say now: the standing rows of the register's contracts, each with the source that tells it."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from essaim.engines.intake.contract import Contract
from essaim.foundation.models import Posting
from essaim.foundation.reads.facts import ledger, table_spec
from essaim.kernel.periods import SchoolYear

from ..sources import SOURCES, Source, is_extract, sent_by

_RANK = {item.code: position for position, item in enumerate(sorted(SOURCES, key=lambda item: (item.rank, item.code)))}
_LAST = len(SOURCES)


def standing(
    contract: Contract, *, known_at: int | None = None, departements: Sequence[str] | None = None
) -> pl.DataFrame:
    """Rows standing at ``known_at``: the contract's columns, those of the entry, then ``source`` (code), ``rank`` (the lower,
    the more believed), ``track`` (enrolment), ``told_year`` (school year told by the sender's name) and ``posted_year`` (that of
    the day of posting, where the name tells none)."""
    found = pl.DataFrame(ledger().state(table_spec(contract), known_at=known_at, departements=departements))
    return with_source(found)


def _rank(sender: str, source: Source) -> int:
    return _RANK.get(source.code, _LAST) + (_LAST + 1 if is_extract(sender) else 0)


def with_source(frame: pl.DataFrame) -> pl.DataFrame:
    """Adds ``source``, ``rank``, ``track``, ``told_year`` and ``posted_year`` to rows that hold ``sender`` and ``submission``."""
    senders = frame["sender"].unique().to_list()
    told = [(item, *sent_by(item or "")) for item in senders]
    table = pl.DataFrame(
        [(sender, source.code, _rank(sender or "", source), source.track, year) for sender, source, year in told],
        schema={"sender": pl.String, "source": pl.String, "rank": pl.Int64, "track": pl.String, "told_year": pl.String},
        orient="row",
    )
    joined = frame.join(table, on="sender", how="left", nulls_equal=True)
    if joined.height == 0 or joined["told_year"].null_count() == 0:
        return joined.with_columns(pl.lit(None, pl.String).alias("posted_year"))
    numbers = joined.filter(pl.col("told_year").is_null())["submission"].unique().to_list()
    days = Posting.objects.filter(number__in=numbers).values_list("number", "begun_at")
    years = pl.DataFrame(
        [(number, str(SchoolYear.of(moment.date()))) for number, moment in days],
        schema={"submission": pl.Int64, "posted_year": pl.String},
        orient="row",
    )
    return joined.join(years, on="submission", how="left")
