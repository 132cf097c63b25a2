"""Findings kept as columns of row numbers, and their expansion into the frame of issues that people read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from .contract import Contract, Severity
from .issues_messages import CELL_MESSAGES, SUMMARY_MESSAGES, severity_of

ISSUE_COLUMNS = ("code", "severity", "sheet", "row", "column", "field", "value", "expected", "suggestion", "message")
ISSUE_SCHEMA = {name: pl.UInt32 if name == "row" else pl.String for name in ISSUE_COLUMNS}
FRAME_SCHEMA = {"index": pl.UInt32, "value": pl.String, "suggestion": pl.String, "detail": pl.String}
_SEVERITY_ORDER = {Severity.BLOCKING: 0, Severity.WARNING: 1, Severity.NOTICE: 2}
_PLACEHOLDER = re.compile(r"\{(label|value|suggestion|expected|detail)\}")


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of remark on some rows of one field. ``frame``: ``index`` (row of the batch), ``value, suggestion, detail``.

    ``message`` replaces the template of ``code`` (rules bring their own sentence). ``part`` places a remark about a whole
    column or table, which has no row (``index`` null)."""

    code: str
    severity: Severity
    field: str | None
    frame: pl.DataFrame
    expected: str | None = None
    message: str | None = None
    part: int | None = None


def finding(
    code: str,
    field: str | None,
    index: pl.Series,
    *,
    value: pl.Series | None = None,
    suggestion: pl.Series | None = None,
    detail: pl.Series | str | None = None,
    severity: Severity | None = None,
    expected: str | None = None,
    message: str | None = None,
) -> Finding:
    """A Finding from aligned columns; what is not given is null."""
    size = len(index)
    columns = {"index": index.cast(pl.UInt32)}
    for name, given in (("value", value), ("suggestion", suggestion), ("detail", detail)):
        if isinstance(given, pl.Series):
            columns[name] = given.cast(pl.String)
        else:
            columns[name] = pl.Series([given], dtype=pl.String).new_from_index(0, size)
    return Finding(code, severity or severity_of(code), field, pl.DataFrame(columns), expected, message)


def remark_on_table(code: str, part: int, field: str | None = None, *, detail: str | None = None, severity: Severity | None = None) -> Finding:
    """A remark about a whole table or column: no row, one line."""
    frame = pl.DataFrame({"index": [None], "value": [None], "suggestion": [None], "detail": [detail]}, schema=FRAME_SCHEMA)
    return Finding(code, severity or severity_of(code), field, frame, part=part)


@dataclass(frozen=True, slots=True)
class Places:
    """Where batch rows come from. ``part`` (UInt32) and ``row`` (UInt32) per batch row; by part: sheet name and, by field, column letter."""

    part: pl.Series
    row: pl.Series
    sheets: tuple[str, ...]
    letters: tuple[dict[str, str], ...]
    by_row: dict[str, pl.Series]


def refused_rows(findings: Iterable[Finding], size: int) -> pl.Series:
    """Boolean mask of batch rows that have a blocking finding."""
    blocking = [item.frame["index"].drop_nulls() for item in findings if item.severity is Severity.BLOCKING]
    mask = pl.repeat(False, size, dtype=pl.Boolean, eager=True)
    if blocking and (rows := pl.concat(blocking).unique()).len():
        mask = mask.scatter(rows, True)
    return mask


def issues_frame(findings: Sequence[Finding], contract: Contract, places: Places) -> pl.DataFrame:
    """Every finding as one line an issue, in file order (part, row, column). Adds ``part`` to split by table."""
    labels = {item.name: item.label for item in contract.fields}
    told = [item for item in findings if item.frame.height]
    if not told:
        return pl.DataFrame(schema={**ISSUE_SCHEMA, "part": pl.UInt32})
    whole = pl.concat([item.frame for item in told])
    which = pl.concat([pl.Series([number], dtype=pl.UInt32).new_from_index(0, item.frame.height) for number, item in enumerate(told)])
    fixed: dict[str, list[str | None]] = {
        "code": [item.code for item in told],
        "severity": [item.severity.value for item in told],
        "field": [item.field for item in told],
        "expected": [item.expected for item in told],
    }
    parts = pl.Series([item.part for item in told], dtype=pl.UInt32).gather(which).fill_null(places.part.gather(whole["index"]))
    columns = {name: pl.Series(name, values, dtype=pl.String).gather(which) for name, values in fixed.items()} | {
        "sheet": _by_part(parts, places.sheets),
        "row": places.row.gather(whole["index"]),
        "column": pl.concat([_letters(item, places) for item in told]),
        "value": whole["value"],
        "suggestion": whole["suggestion"],
        "message": pl.concat([item.frame.with_columns(_message(item, labels).alias("message"))["message"] for item in told]),
        "part": parts,
    }
    frame = pl.DataFrame({name: columns[name] for name in (*ISSUE_COLUMNS, "part")})
    return frame.sort("part", pl.col("row").fill_null(0), pl.col("column").str.len_bytes(), "column", "code", maintain_order=True)


def _by_part(part: pl.Series, values: Sequence[str | None]) -> pl.Series:
    return pl.Series(list(values), dtype=pl.String).gather(part)


def _letters(item: Finding, places: Places) -> pl.Series:
    letters = [found.get(item.field or "") for found in places.letters]
    if item.part is not None:
        return pl.Series([letters[item.part]], dtype=pl.String).new_from_index(0, item.frame.height)
    if item.field in places.by_row:
        return places.by_row[item.field].gather(item.frame["index"])
    if len(letters) == 1:
        return pl.Series(letters, dtype=pl.String).new_from_index(0, item.frame.height)
    return _by_part(places.part.gather(item.frame["index"]), letters)


def _message(item: Finding, labels: dict[str, str]) -> pl.Expr:
    template = item.message or CELL_MESSAGES[item.code]
    label = labels.get(item.field or "", item.field or "")
    pieces: list[pl.Expr] = []
    for number, piece in enumerate(_PLACEHOLDER.split(template)):
        if number % 2 == 0:
            pieces.append(pl.lit(piece))
        elif piece in ("label", "expected"):
            pieces.append(pl.lit(label if piece == "label" else item.expected or ""))
        else:
            pieces.append(_shortened(pl.col(piece), item.frame[piece]))
    if "{suggestion}" in template or item.frame["suggestion"].null_count() == item.frame.height:
        return pl.concat_str(pieces)
    hint = pl.format(" Proposition : « {} ».", _shortened(pl.col("suggestion"), item.frame["suggestion"]))
    return pl.concat_str([*pieces, pl.when(pl.col("suggestion").is_null()).then(pl.lit("")).otherwise(hint)])


def _shortened(text: pl.Expr, held: pl.Series) -> pl.Expr:
    longest = held.str.len_bytes().max()
    text = text.fill_null("") if held.null_count() else text
    if not isinstance(longest, int) or longest <= 240:
        return text
    return pl.when(text.str.len_bytes() > 240).then(text.str.slice(0, 60) + "…").otherwise(text)


def summary_frame(issues: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Issues grouped by code and field: ``code, severity, field, count, message``, the gravest and most frequent first."""
    schema = {"code": pl.String, "severity": pl.String, "field": pl.String, "count": pl.UInt32, "message": pl.String}
    if issues.is_empty():
        return pl.DataFrame(schema=schema)
    groups = issues.group_by("code", "severity", "field", maintain_order=True).agg(
        pl.len().alias("count"),
        pl.col("value").drop_nulls().unique(maintain_order=True).head(3).alias("values"),
        pl.col("message").first().alias("first"),
    )
    rank = pl.col("severity").replace_strict({str(k): v for k, v in _SEVERITY_ORDER.items()}, return_dtype=pl.Int8)
    groups = groups.sort([rank, -pl.col("count").cast(pl.Int64)], maintain_order=True)
    labels = {item.name: item.label for item in contract.fields}
    messages = [_summary_message(line, labels) for line in groups.iter_rows(named=True)]
    return groups.select("code", "severity", "field", pl.col("count").cast(pl.UInt32)).with_columns(pl.Series("message", messages, dtype=pl.String))


def _summary_message(line: dict[str, object], labels: dict[str, str]) -> str:
    code, count, field = str(line["code"]), int(str(line["count"])), line["field"]
    shown = [str(text) if len(str(text)) <= 40 else f"{str(text)[:40]}…" for text in line["values"]]  # type: ignore[union-attr, attr-defined]
    examples = f" ({', '.join(f'« {text} »' for text in shown)})" if shown else ""
    where = f"« {labels.get(str(field), str(field))} »" if field else ""
    template = SUMMARY_MESSAGES.get(code)
    if template is None or count == 1:
        return str(line["first"])
    return template.format(count=f"{count:,}".replace(",", "\u202f"), where=where, examples=examples).replace("  ", " ")
