"""The sender's workbook back, from a Check."""

from __future__ import annotations

import polars as pl

from .report import Check
from .tables import FileRefused, Limits, ReadFile


def annotated_workbook(content: bytes, filename: str, check: Check, *, limits: Limits | None = None) -> bytes:
    """The file checked, as an xlsx with its offending cells marked and an « Anomalies » sheet first.

    FileRefused ``not_annotated`` when the file could not be read at all: there is nothing to write on. Written in a process of its
    own: a workbook is opened again, and still not trusted."""
    from .annotate import annotate_contained

    kind = check.extra.get("format")
    if kind is None:
        raise FileRefused("not_annotated", f"« {filename} » n'a pas pu être lu : il ne peut pas être annoté. {check.issues['message'][0]}")
    read = ReadFile(filename, kind, ())
    labels = pl.col("field").replace({item.name: item.label for item in check.contract.fields})  # people read labels
    issues, summary = check.issues.with_columns(labels), check.summary.with_columns(labels)
    return annotate_contained(content, filename, read, issues, summary, title=check.contract.title, limits=limits)
