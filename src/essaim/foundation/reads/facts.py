"""The ledger of this installation: its tables, its clock, and the way from an entry back to the sender's cell."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
from django.conf import settings
from django.db import connection
from django.utils import timezone

from essaim.engines.intake.contract import Contract, FieldType
from essaim.engines.intake.grid import letter_of
from essaim.engines.ledger import Ledger, TableSpec
from essaim.kernel.french import read_date
from essaim.kernel.identity import Same

from .. import storage
from ..contracts import contract
from ..models import Posting, Submission

_COUNTED = (FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY, FieldType.PERCENT)
_ARROW = {
    FieldType.INTEGER: pa.int64(),
    FieldType.DECIMAL: pa.float64(),
    FieldType.MONEY: pa.float64(),
    FieldType.PERCENT: pa.float64(),
    FieldType.DATE: pa.date32(),
    FieldType.MONTH: pa.date32(),
    FieldType.BOOLEAN: pa.bool_(),
}

_LAST_KNOWN = f"SELECT max(number) FROM {Posting._meta.db_table} WHERE status = %s AND at <= %s"


def ledger() -> Ledger:
    """The ledger at ESSAIM_LEDGER_URL; copies of what it keeps far away go to the cache."""
    return Ledger(str(settings.ESSAIM_LEDGER_URL), cache=Path(settings.ESSAIM_CACHE_DIR) / "ledger")


def table_spec(contract: Contract) -> TableSpec:
    """The ledger table of a contract: integers int64; decimals, money and percents float64; dates and months date32;
    booleans bool; everything else text."""
    return _table_spec(Same(contract))


@lru_cache(maxsize=256)
def _table_spec(same: Same[Contract]) -> TableSpec:
    contract = same.value
    schema = pa.schema([(item.name, _ARROW.get(item.type, pa.string())) for item in contract.fields])
    return TableSpec(contract.code, schema, contract.key, contract.replaces, contract.perimeter)


def _instant(moment: date | datetime) -> datetime:
    """The last instant of a day in Paris, or the moment itself (taken in Paris time when naive)."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment + timedelta(days=1), time.min) - timedelta(microseconds=1)
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment


def number_known_at(moment: date | datetime) -> int:
    """The last number posted at ``moment``; for a date, at the end of that day in Paris. 0 before the first."""
    # Asked by every page of figures, several times: in SQL, since building the query took longer than answering it.
    with connection.cursor() as cursor:
        known = connection.ops.adapt_datetimefield_value(_instant(moment))
        cursor.execute(_LAST_KNOWN, [Posting.Status.DONE.value, known])
        return int(cursor.fetchone()[0] or 0)


def last_posted_at() -> datetime | None:
    """When something was last written in the ledger, None before the first time."""
    done = Posting.objects.filter(status=Posting.Status.DONE).order_by("-number")
    return done.values_list("at", flat=True).first()


def posted_numbers(contract: Contract) -> tuple[int, ...]:
    """Numbers that the journal says are in the ledger table of ``contract``: what ``Ledger.verify`` compares with."""
    found = Posting.objects.filter(status=Posting.Status.DONE, submission__contract=contract.code)
    return tuple(found.values_list("number", flat=True))


def posting(number: int) -> Posting:
    """The acceptance or withdrawal posted under ``number``; Posting.DoesNotExist otherwise."""
    return Posting.objects.select_related("submission", "by").get(number=number)


@dataclass(frozen=True, slots=True)
class CellOrigin:
    """Where a value comes from: the sender's file, sheet and cell. ``cell`` is None when the value was not read from one
    (a default, or a field deduced from others); ``written`` is the typed value retained, as text."""

    submission: int
    file: str
    sender: str
    sheet: str
    row: int
    cell: str | None
    header: str
    field: str
    written: str | None


def cell(number: int, sheet: str, row: int, field: str) -> CellOrigin:
    """The sender's cell behind ``field`` of the entry of origin ``number`` at ``sheet``, ``row``.

    Submission.DoesNotExist when no submission has that number."""
    return cells(number, sheet, row, (field,))[0]


def cells(number: int, sheet: str, row: int, fields: Sequence[str]) -> list[CellOrigin]:
    """``cell`` for each of ``fields``, the row being read once."""
    submission = Submission.objects.get(number=number)
    values = _values(submission, sheet, row, fields)
    found = []
    for field in fields:
        letter, header = _column(submission, sheet, row, field, {text for text in values.values() if text})
        found.append(CellOrigin(number, submission.filename, submission.sender, sheet, row, _cell(letter, row), header, field, values.get(field)))
    return found


def _column(submission: Submission, sheet: str, row: int, field: str, said: Collection[str] = ()) -> tuple[str, str]:
    """Letter and header of the column read as ``field``: of the last table of the sheet that starts above ``row``. ``said``: texts
    of the other fields of the row, which tell one column a category (a school, a month) from the others."""
    tables = [item for item in submission.report.get("tables", ()) if item["sheet"] == sheet]
    above = [item for item in tables if (item.get("header_row") or 0) < row]
    for table in sorted(above, key=lambda item: item.get("header_row") or 0, reverse=True):
        found = [item for item in table["mapping"] if item["field"] == field]
        for item in [item for item in found if item.get("code") and _meant(item["code"]) & set(said)] or found:
            return item["column"], item.get("header", "")
    return "", ""


def _meant(code: str) -> set[str]:
    """A code as rows hold it: itself, or the first day of the month that a header names."""
    written = read_date(code)
    return {code, str(written.value)} if written and written.value else {code}


def counted_cell(submission: Submission, sheet: str, row: int, values: Mapping[str, Any]) -> str | None:
    """The sender's cell of what the row of ``submission`` at ``sheet``, ``row`` counts, ``values`` being its fields; None when no
    column gave it. In a table on its side ``row`` is the rank of the sender's column."""
    counted = (item.name for item in contract(submission.contract).fields if item.type in _COUNTED and values.get(item.name) is not None)
    letter, _ = _column(submission, sheet, row, next(counted, ""), {str(value) for value in values.values()})
    return _cell(letter, row)


def lines_added(submission: Submission, places: Collection[tuple[str, int]]) -> dict[tuple[str, int], list[tuple[str, int]]]:
    """The lines of the sender's file, as (sheet, row), that each of the rows at ``places`` adds up, in files of one line a device; nothing
    of rows that are one line."""
    if not submission.checked_key or not submission.report.get("extra", {}).get("added"):
        return {}
    wanted = pl.LazyFrame([{"source_sheet": sheet, "source_row": row} for sheet, row in places], schema=pl.Schema({"source_sheet": pl.String, "source_row": pl.UInt32}))
    found = storage.part(submission.checked_key, "lines").join(wanted, on=["source_sheet", "source_row"], how="semi").collect()
    added: dict[tuple[str, int], list[tuple[str, int]]] = {}
    for sheet, row, line_sheet, line_row in found.iter_rows():
        added.setdefault((sheet, row), []).append((line_sheet, line_row))
    return added


def _cell(letter: str, row: int) -> str | None:
    return (f"{letter_of(row - 1)}{letter}" if letter.isdigit() else f"{letter}{row}") if letter else None


def _values(submission: Submission, sheet: str, row: int, fields: Sequence[str]) -> dict[str, str | None]:
    found = (
        storage.part(submission.checked_key, "rows")
        .filter((pl.col("source_sheet") == sheet) & (pl.col("source_row") == row))
        .select(pl.col(list(fields)).cast(pl.String))
        .collect()
    )
    return found.row(0, named=True) if found.height else {}
