"""The sender's own workbook back: what is wrong, where, what to do, and everything else as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

import polars as pl

from ..contain import contained
from ..locate import ANNOTATION_MARK
from ..reading import read_grids
from ..reading.package import gunzip
from ..reading.sniff import sniff
from ..tables import Limits, ReadFile
from .neutralise import neutralise

__all__ = ["ANNOTATION_MARK", "annotate", "annotate_contained", "annotated_name", "neutralise"]


def annotate(
    content: bytes,
    filename: str,
    read: ReadFile,
    issues: pl.DataFrame,
    summary: pl.DataFrame,
    *,
    title: str,
    limits: Limits | None = None,
) -> bytes:
    """The workbook (xlsx, or xlsm for xlsm) with an « Anomalies » sheet first and offending cells coloured and commented.

    ``issues``: ``code, severity, sheet, row, column, field, value, expected, suggestion, message`` (column null: the row);
    ``summary``: ``code, severity, field, count, message``. Excel workbooks are marked in place and keep all the rest; other
    formats are given back as xlsx with the same cells at the same places. At most 2 000 comments a sheet; the list is whole."""
    # Writers of workbooks are loaded by those who write one.
    if read.format in ("xlsx", "xlsm"):
        from .original import annotate_original

        limits = limits or Limits()
        content = gunzip(content, limits) if sniff(content) == "gzip" else content
        return annotate_original(content, read.format == "xlsm", issues, summary, title, limits)
    from .rebuilt import annotate_rebuilt

    sheets = read_grids(content, filename, limits=limits)
    return annotate_rebuilt(sheets.grids, issues, summary, title)


def annotate_contained(
    content: bytes,
    filename: str,
    read: ReadFile,
    issues: pl.DataFrame,
    summary: pl.DataFrame,
    *,
    title: str,
    limits: Limits | None = None,
) -> bytes:
    """``annotate`` in a process of its own: the door for a sender's file, whose workbook is opened again to be marked.

    Refuses as ``contain.contained``; the tables of ``read`` stay here, only what describes the file is sent."""
    described = replace(read, tables=())
    return contained(
        annotate, content, filename, described, issues, summary, title=title, limits=limits
    )


def annotated_name(filename: str, read: ReadFile) -> str:
    """The name under which the annotated workbook is given back."""
    stem = PurePosixPath(filename.replace("\\", "/")).name.removesuffix(".gz")
    stem = stem.rsplit(".", 1)[0] if "." in stem else stem
    return f"{stem}_anomalies.{'xlsm' if read.format == 'xlsm' else 'xlsx'}"
