"""A reader of plain CSV with the door of the intake engine, for tests of what surrounds it."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from essaim.engines.intake.contract import Contract, Field, FieldType
from essaim.engines.intake.report import Check, Question, TableReading
from essaim.engines.intake.report import Mapping as Mapped

_FIELDS = (
    Field("uai", "UAI", FieldType.UAI, required=True),
    Field("category", "Catégorie", FieldType.TEXT, required=True),
    Field("quantity", "Quantité", FieldType.INTEGER, required=True),
)
COUNTS = Contract(
    "equipment.counts", 1, "Comptages", "Pour les essais.", _FIELDS, ("sender", "uai", "category"), place="uai"
)
PLANS = Contract(
    "equipment.plans", 1, "Plans", "Pour les essais.", _FIELDS, ("sender", "uai", "category"),
    replaces="perimeter", perimeter=("sender",), place="uai",
)  # fmt: skip
_ISSUES = ("code", "severity", "sheet", "row", "column", "field", "value", "expected", "suggestion", "message")


def _raw(content: bytes, filename: str) -> pl.DataFrame:
    """Cells as text under the field names, with the row number that the sender sees."""
    if filename.endswith(".jsonl"):
        found = [json.loads(line) for line in content.decode().splitlines()]
        frame, first = pl.DataFrame(found, schema={item.name: pl.String for item in _FIELDS}), 1
    else:
        frame, first = pl.read_csv(io.BytesIO(content), separator=";", infer_schema=False), 2
    return frame.with_row_index("source_row", offset=first).with_columns(pl.col("source_row").cast(pl.Int64))


def plain_check(
    source: Path,
    filename: str,
    contract: Contract,
    *,
    answers: Mapping[str, str] | None = None,
    sender: str | None = None,
    progress: Any = None,
    **_others: Any,
) -> Check:
    """Rows whose quantity is a number are retained; a ``?`` in the first column's name is asked about."""
    if progress:
        progress(0.5, "Lecture")
    content = source.read_bytes()
    raw = _raw(content, filename)
    asked = [name for name in raw.columns if name.endswith("?")]
    answered = {name: (answers or {}).get(name) for name in asked}
    raw = raw.rename({name: field for name, field in answered.items() if field})
    questions = tuple(
        Question(name, "mapping", "livraisons", "A", f"Que contient « {name} » ?", (("uai", "UAI", 60.0),))
        for name, field in answered.items()
        if not field
    )
    usable = set(contract.field_names) <= set(raw.columns)
    frame = raw.with_columns(
        pl.col("uai").str.slice(1, 2).alias("departement") if usable else pl.lit(None).alias("departement"),
        pl.lit(sender).alias("sender"),
        pl.lit("livraisons").alias("source_sheet"),
    )
    number = pl.col("quantity").cast(pl.Int64, strict=False)
    good = frame.filter(number.is_not_null()).with_columns(number) if usable else frame.clear()
    bad = frame.filter(number.is_null()) if usable else frame.clear()
    issues = pl.DataFrame(
        [("number", "blocking", "livraisons", row, "C", "quantity", value, "", "", "nombre attendu")
         for row, value in (bad.select("source_row", "quantity").rows() if usable else [])],
        schema=dict.fromkeys(_ISSUES, pl.String) | {"row": pl.Int64}, orient="row",
    )  # fmt: skip
    mapping = tuple(Mapped("ABCDEFGH"[n], name, name, 100.0, "nom") for n, name in enumerate(raw.columns[1:]))
    summary = issues.group_by("code", "severity", "field", "message").agg(pl.len().cast(pl.Int64).alias("count"))
    return Check(
        contract=contract, filename=filename, sha256=hashlib.sha256(content).hexdigest(),
        status="refused" if not usable else "issues" if bad.height else "clean",
        tables=(TableReading("livraisons", 1, raw.height, mapping, (), (), "layout-" + "-".join(sorted(raw.columns))),),
        rows=good, refused=bad, issues=issues, summary=summary, questions=questions, rows_read=raw.height,
    )  # fmt: skip
