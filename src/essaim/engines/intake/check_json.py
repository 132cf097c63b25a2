"""The check of a file as plain JSON values, in the documented order of keys (docs/reference/check.schema.json)."""

from __future__ import annotations

from typing import Any

from .issues import ISSUE_COLUMNS
from .report import Check


def to_json(check: Check, *, issues: bool = True) -> dict[str, Any]:
    """Plain dict, ready for ``json.dumps``. ``rows_accepted + rows_refused == rows_read``; rows merged with an identical one are
    accepted. Without ``issues`` their list is empty: the summary tells how many there are."""
    refused = check.rows_refused
    return {
        "contract": check.contract.code,
        "file": check.filename,
        "status": check.status,
        "tables": [_table(item) for item in check.tables],
        "rows_read": check.rows_read,
        "rows_accepted": check.rows_read - refused,
        "rows_refused": refused,
        "summary": check.summary.select("code", "severity", "field", "count", "message").to_dicts(),
        "issues": check.issues.select(ISSUE_COLUMNS).to_dicts() if issues else [],
        "questions": [_question(item) for item in check.questions],
        "notices": [{"code": code, "message": message} for code, message in check.notices],
        "sha256": check.sha256,
    }


def _table(table: Any) -> dict[str, Any]:
    return {
        "sheet": table.sheet,
        "header_row": table.header_row,
        "rows": table.rows,
        "mapping": [{"column": m.column, "field": m.field, "score": m.score, "reason": m.reason} for m in table.mapping],
        "unmapped": list(table.unmapped),
        "missing": list(table.missing),
        "layout": table.layout,
        "skipped": [{"row": row, "reason": reason} for row, reason in table.skipped],
    }


def _question(question: Any) -> dict[str, Any]:
    return {
        "id": question.id,
        "kind": question.kind,
        "sheet": question.sheet,
        "about": question.about,
        "message": question.message,
        "choices": [{"value": value, "label": label, "score": score} for value, label, score in question.choices],
        "holds": question.holds,
        "free": question.free,
    }
