"""The outcome of a check, kept and read back as the engine gave it."""

from __future__ import annotations

from typing import Any

import polars as pl

from essaim.engines.intake.report import Check, Mapping, Question, TableReading

from .. import storage
from ..contracts import contract as contract_named
from ..models import Submission


def report_of(check: Check) -> dict[str, Any]:
    """What the database keeps of a check: everything but its rows and issues."""
    return without_nul(_as_json(check))


def without_nul(value: Any) -> Any:
    """The same JSON without U+0000, that a CSV may hold and PostgreSQL does not store."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, dict):
        return {without_nul(key): without_nul(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nul(item) for item in value]
    return value


def _as_json(check: Check) -> dict[str, Any]:
    return {
        "contract": check.contract.code,
        "file": check.filename,
        "status": check.status,
        "tables": [_table_as_json(item) for item in check.tables],
        "rows_read": check.rows_read,
        "rows_accepted": check.rows.height,
        "rows_refused": check.rows_refused,
        "summary": check.summary.to_dicts(),
        "questions": [_question_as_json(item) for item in check.questions],
        "notices": [list(item) for item in check.notices],
        "extra": {key: value for key, value in check.extra.items() if isinstance(value, (str, int, float))},
    }


def _table_as_json(item: TableReading) -> dict[str, Any]:
    return {
        "sheet": item.sheet,
        "header_row": item.header_row,
        "rows": item.rows,
        "mapping": [
            {"column": m.column, "header": m.header, "field": m.field, "score": m.score, "reason": m.reason, "code": m.code}
            for m in item.mapping
        ],
        "unmapped": list(item.unmapped),
        "missing": list(item.missing),
        "layout": item.layout,
        "skipped": [list(line) for line in item.skipped],
        "letters": list(item.letters),
    }


def _question_as_json(item: Question) -> dict[str, Any]:
    return {
        "id": item.id,
        "kind": item.kind,
        "sheet": item.sheet,
        "about": item.about,
        "message": item.message,
        "choices": [list(choice) for choice in item.choices],
        "holds": item.holds,
        "free": item.free,
    }


def frames_of(check: Check) -> dict[str, pl.DataFrame]:
    """The frames of a check, to be kept as files."""
    return {
        "rows": check.rows,
        "refused": check.refused,
        "issues": check.issues,
        "summary": check.summary,
        "missing_why": check.missing_why,
        "lines": check.lines,
    }


def kept(submission: Submission) -> Check:
    """The last check of ``submission``, whole. ValueError when it has not been checked."""
    if not submission.checked_key:
        raise ValueError(f"submission {submission.pk} has not been checked")
    told = submission.report
    frames = {name: storage.part(submission.checked_key, name).collect() for name in storage.PARTS}
    return Check(
        contract=contract_named(submission.contract),
        filename=submission.filename,
        sha256=submission.sha256,
        status=told["status"],
        tables=tuple(_table(item) for item in told["tables"]),
        questions=questions(submission),
        notices=tuple((code, message) for code, message in told["notices"]),
        rows_read=told["rows_read"],
        rows_refused=told["rows_refused"],
        extra=told.get("extra", {}),
        **frames,
    )


def questions(submission: Submission) -> tuple[Question, ...]:
    """What the last check asks the sender."""
    return tuple(
        Question(**{**item, "choices": tuple((v, label, score) for v, label, score in item["choices"])})
        for item in submission.report.get("questions", ())
    )


def _table(item: dict[str, Any]) -> TableReading:
    return TableReading(
        sheet=item["sheet"],
        header_row=item["header_row"],
        rows=item["rows"],
        mapping=tuple(Mapping(**found) for found in item["mapping"]),
        unmapped=tuple(item["unmapped"]),
        missing=tuple(item["missing"]),
        layout=item["layout"],
        skipped=tuple((row, reason) for row, reason in item["skipped"]),
        letters=tuple(item.get("letters", ())),
    )
