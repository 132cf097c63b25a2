"""The same path with the intake engine itself, on a messy file."""

from __future__ import annotations

import io
import json

import openpyxl
import polars as pl
import pytest

from essaim.engines.intake.checking import check as real_check
from essaim.foundation import acts, reads
from essaim.foundation.acts import checking
from essaim.foundation.models import State
from plain_intake import COUNTS

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def real_engine(monkeypatch, plain_reader):
    monkeypatch.setattr(checking.intake, "check", real_check)


def workbook(*rows: tuple) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Suivi"
    for row in (("Livraisons de la commune",), (), ("UAI", "Catégorie", "Quantité"), *rows):
        sheet.append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def test_a_workbook_becomes_traced_rows(admin):
    """Title rows, a wrong quantity: the good rows are posted, the bad one told, the cell found again, the workbook annotated."""
    content = workbook(("0020011B", "tablette", 12), ("0020036D", "tablette", "douze?"))
    submission = acts.receive(content=content, filename="suivi.xlsx", contract=COUNTS, sender="s", by=admin)
    steps = []
    acts.check(submission=submission, by=admin, progress=lambda share, step: steps.append(share))
    assert submission.state == State.CHECKED and steps[-1] == 1.0
    told = reads.report(submission)
    assert (told["rows_accepted"], told["rows_refused"]) == (1, 1)
    assert reads.issues(submission, severity="blocking").total >= 1
    acts.accept(submission=submission, by=admin)
    found = reads.cell(1, "Suivi", 4, "quantity")
    assert (found.cell, found.header, found.written) == ("C4", "Quantité", "12")
    assert "Anomalies" in openpyxl.load_workbook(io.BytesIO(reads.annotated(submission))).sheetnames


def test_the_cell_of_a_table_on_its_side_is_found_again(admin):
    """One line a field: the entry leads to the column of the school and the line of the field."""
    book = openpyxl.Workbook()
    book.active.title = "Suivi"
    for row in (("UAI", "0020011B", "0020012C"), ("Catégorie", "tablette", "tablette"), ("Quantité", 12, 7)):
        book.active.append(row)
    target = io.BytesIO()
    book.save(target)
    submission = acts.receive(content=target.getvalue(), filename="suivi.xlsx", contract=COUNTS, sender="s", by=admin)
    acts.accept(submission=acts.check(submission=submission, by=admin), by=admin)
    found = reads.cell(1, "Suivi", 3, "quantity")
    assert (found.cell, found.header, found.written) == ("C3", "Quantité", "7")


def test_a_corrected_row_passes_the_real_check(admin):
    """What the screen sends back is understood without a question."""
    content = workbook(("0020011B", "tablette", 12), ("0020036D", "tablette", "douze?"))
    origin = acts.receive(content=content, filename="suivi.xlsx", contract=COUNTS, sender="s", by=admin)
    acts.check(submission=origin, by=admin)
    row = {**reads.refused_rows(origin).items[0], "quantity": "12"}
    fields = {name: row[name] for name in ("source_sheet", "source_row", *COUNTS.field_names)}
    small = acts.check(submission=acts.correct_rows(submission=origin, rows=[fields], by=admin), by=admin)
    assert (small.status, small.rows_accepted, small.report["questions"]) == ("clean", 1, [])


def test_history_is_read_from_the_ledger(handed_in, admin):
    """The check is told what stands under the keys of the file, and only that."""
    keys = pl.DataFrame({"sender": ["s"], "uai": ["0020011B"], "category": ["tablette"]})
    assert reads.submissions.standing_under(COUNTS.code, keys).is_empty()
    content = workbook(("0020011B", "tablette", 12), ("0020036D", "tablette", 3))
    first = acts.receive(content=content, filename="a.xlsx", contract=COUNTS, sender="s", by=admin)
    acts.accept(submission=acts.check(submission=first, by=admin), by=admin)
    assert reads.submissions.standing_under(COUNTS.code, keys)["quantity"].to_list() == [12]


def test_a_file_that_is_none_is_refused(admin):
    """Bytes of no known format end refused, with a sentence for the sender."""
    found = acts.receive(content=b"\x00\x01\x02" * 400, filename="x.xlsx", contract=COUNTS, sender="s", by=admin)
    acts.check(submission=found, by=admin)
    assert found.state == State.REFUSED and found.reason
    assert json.dumps(reads.report(found))
