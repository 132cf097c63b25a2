"""Findings and typed columns of a batch turned into one Check a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from essaim.kernel.departements import BY_CODE, from_uai_prefix

from .cells import dtype_of
from .check_batch import Batch, Part, side_by_side
from .check_cells import SILENT, Typed
from .contract import Contract, FieldType, Severity
from .issues import ISSUE_SCHEMA, Finding, by_file, issues_frame, refused_rows, summary_frame
from .issues_messages import CELL_MESSAGES
from .report import SYSTEM_COLUMNS, Check, Question, TableReading
from .tables import ReadFile

_NOTHING = pl.Series([], dtype=pl.UInt32)
MISSING_WHY_SCHEMA = {"source_sheet": pl.String, "source_row": pl.UInt32, "field": pl.String, "why": pl.String, "written": pl.String}


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything found about a batch of files. ``checked`` is None when no table of any file was usable; ``questions`` go
    with the number of their file."""

    contract: Contract
    files: Sequence[tuple[ReadFile, str]]
    checked: tuple[Batch, Typed] | None
    ignored: list[tuple[Part, str]]
    sender: str | None
    questions: tuple[tuple[int, Question], ...] = ()
    merged: pl.Series = field(default_factory=lambda: _NOTHING)
    counts: dict[str, int] = field(default_factory=dict)


def empty_rows(contract: Contract, *, as_text: bool = False) -> pl.DataFrame:
    """No row, the right columns."""
    schema: dict[str, pl.DataType] = {item.name: pl.String() if as_text else dtype_of(item) for item in contract.fields}
    schema |= {name: pl.UInt32() if name == "source_row" else pl.String() for name in SYSTEM_COLUMNS}
    return pl.DataFrame(schema=schema)


def empty_check(contract: Contract, filename: str, sha256: str, notices: tuple[tuple[str, str], ...], sender: str | None) -> Check:
    """A file refused as a whole: the reason is a blocking issue without row."""
    code, message = notices[-1]
    line = dict.fromkeys(ISSUE_SCHEMA) | {"code": code, "severity": "blocking", "message": message}
    issues = pl.DataFrame([line], schema=ISSUE_SCHEMA)
    return Check(
        contract, filename, sha256, "refused", (), empty_rows(contract), empty_rows(contract, as_text=True), issues,
        issues.select("code", "severity", "field", pl.lit(1, dtype=pl.UInt32).alias("count"), "message"), missing_why=pl.DataFrame(schema=MISSING_WHY_SCHEMA), notices=notices,
    )  # fmt: skip


def split_by_file(outcome: Outcome) -> list[Check]:
    """One Check per file of the batch, in order."""
    if outcome.checked is None:
        return [_unusable(outcome, number) for number in range(len(outcome.files))]
    batch, typed = outcome.checked
    told = [item for item in typed.findings if item.code != SILENT]
    repeated = pl.repeat(False, batch.size, dtype=pl.Boolean, eager=True).scatter(outcome.merged, True) if len(outcome.merged) else None
    whole = _Whole(
        by_file(told, batch.places, batch.file_of_part), refused_rows(typed.findings, batch.size), repeated,
        typed.columns, _placed(batch, typed), _missing_why(batch, typed), _extents(batch),
    )  # fmt: skip
    return [_file_check(outcome, whole, number) if number in whole.extents else _unusable(outcome, number) for number in range(len(outcome.files))]


def _extents(batch: Batch) -> dict[int, tuple[int, int]]:
    """First row and number of rows of each file: the rows of a file follow one another."""
    counts = dict(batch.places.part.value_counts().iter_rows())
    found: dict[int, tuple[int, int]] = {}
    start = 0
    for part, file in enumerate(batch.file_of_part):
        first, size = found.get(file, (start, 0))
        found[file] = (first, size + counts.get(part, 0))
        start += counts.get(part, 0)
    return found


@dataclass(frozen=True, slots=True)
class _Whole:
    """What is known of the batch once: ``values`` typed, ``extents`` of files, ``repeated`` rows merged with an earlier one."""

    findings: dict[int, list[Finding]]
    refused: pl.Series
    repeated: pl.Series | None
    values: dict[str, pl.Series]
    departement: pl.Series
    missing: pl.DataFrame
    extents: dict[int, tuple[int, int]]


def _unusable(outcome: Outcome, number: int) -> Check:
    read, sha256 = outcome.files[number]
    reasons = [reason for part, reason in outcome.ignored if part.file == number]
    message = f"Aucun tableau du fichier n'a les colonnes de « {outcome.contract.title} ». {reasons[0] if reasons else ''}".strip()
    check = empty_check(outcome.contract, read.filename, sha256, (*read.notices, ("table_unusable", message)), outcome.sender)
    readings = tuple(_reading(part, ()) for part, _ in outcome.ignored if part.file == number)
    questions = tuple(question for part, _ in outcome.ignored if part.file == number for question in part.mapping.questions)
    return replace(check, tables=readings, questions=questions, extra={"format": read.format})


def _file_check(outcome: Outcome, whole: _Whole, number: int) -> Check:
    batch = outcome.checked[0]  # type: ignore[index]
    parts = [index for index, file in enumerate(batch.file_of_part) if file == number]
    findings = whole.findings[number]
    read, sha256 = outcome.files[number]
    rows, refused, count, again = _rows(outcome, whole, number)
    questions = tuple(q for index in parts for q in batch.parts[index].mapping.questions) + _asked(outcome, number)
    missing = whole.missing if len(outcome.files) == 1 else whole.missing.filter(pl.col("_part").is_in(parts))
    grave = any(item.severity is not Severity.NOTICE and item.frame.height for item in findings)
    ignored = _ignored(outcome, number)
    summary = summary_frame(findings, outcome.contract, batch.places)
    contract, places = outcome.contract, batch.places
    return Check(
        contract, read.filename, sha256, "issues" if grave or questions else "clean",
        tuple(_reading(batch.parts[index], batch.skipped[index]) for index in parts),
        rows, refused, lambda: pl.concat([issues_frame(findings, contract, places), ignored]),  # type: ignore[arg-type]
        pl.concat([summary, _counted(ignored)]), questions, missing.drop("_part"),
        (*read.notices, *_notices(outcome, number)), count, {"merged": again, "format": read.format, "encoding": read.encoding, "separator": read.separator, **outcome.counts},
    )  # fmt: skip


def _counted(issues: pl.DataFrame) -> pl.DataFrame:
    """Issues of one code as one line of summary, none when there is none."""
    first = issues.head(1)
    return first.select("code", "severity", "field", pl.lit(issues.height, dtype=pl.UInt32).alias("count"), "message")


def _asked(outcome: Outcome, number: int) -> tuple[Question, ...]:
    return tuple(question for file, question in outcome.questions if file == number)


def _rows(outcome: Outcome, whole: _Whole, number: int) -> tuple[pl.DataFrame, pl.DataFrame, int, int]:
    """Accepted rows (merged duplicates once), refused rows as text, rows read, rows merged."""
    batch = outcome.checked[0]  # type: ignore[index]
    start, size = whole.extents[number]
    bad = whole.refused.slice(start, size)
    good = ~bad
    again = 0
    if whole.repeated is not None:
        repeated = whole.repeated.slice(start, size) & good
        again = int(repeated.sum())
        good = good & ~repeated

    def kept(columns: dict[str, pl.Series], mask: pl.Series) -> pl.DataFrame:
        """Filtered by column: nothing of the size of the batch is copied."""
        kept_only = side_by_side(lambda name: columns[name].slice(start, size).filter(mask).alias(name), list(columns), size)
        frame = pl.DataFrame(kept_only)
        return _beside(frame, _system(outcome, whole, start, size, mask))

    return kept(whole.values, good), kept(batch.text, bad), size, again


def _beside(frame: pl.DataFrame, system: pl.DataFrame) -> pl.DataFrame:
    """System columns after the contract's; a contract that names one itself keeps its own, completed where it is empty."""
    own = [name for name in system.columns if name in frame.columns]
    filled = frame.with_columns(pl.coalesce(pl.col(name), system[name]) for name in own) if own else frame
    return filled.hstack(system.drop(own))


def _system(outcome: Outcome, whole: _Whole, start: int, size: int, mask: pl.Series) -> pl.DataFrame:
    """System columns of the rows of one file kept by ``mask``."""
    places = outcome.checked[0].places  # type: ignore[index]
    part = places.part.slice(start, size).filter(mask)
    sheets = pl.Series(list(places.sheets), dtype=pl.String)
    one = len(set(places.sheets)) == 1
    return pl.DataFrame(
        {
            "departement": whole.departement.slice(start, size).filter(mask),
            "sender": pl.Series([outcome.sender], dtype=pl.String).new_from_index(0, len(part)),
            "source_sheet": sheets.new_from_index(0, len(part)) if one else sheets.gather(part),
            "source_row": places.row.slice(start, size).filter(mask),
        }
    )


def _placed(batch: Batch, typed: Typed) -> pl.Series:
    """Of the place field first: the register's word, else its own code; then of any commune, département or school of the row."""
    contract = batch.contract
    names = [item.name for item in contract.fields if item.type in _PLACED]
    order = sorted(names, key=lambda name: (name != contract.place, _RANK[contract.field(name).type]))
    found = pl.Series([None], dtype=pl.String).new_from_index(0, batch.size)
    for name in order:
        rows = found.is_null().arg_true()
        if not len(rows):
            break
        whole = len(rows) == batch.size
        values = typed.columns[name] if whole else typed.columns[name].gather(rows)
        places = _places(values, contract.field(name).type, typed.attributes.get(name))
        found = places if whole else found.scatter(rows, places)
    return found


_PLACED = {FieldType.UAI, FieldType.COMMUNE, FieldType.DEPARTEMENT}
_RANK = {FieldType.DEPARTEMENT: 0, FieldType.COMMUNE: 1, FieldType.UAI: 2}
_UAI_PREFIXES = {f"{n:03d}": code for n in range(1000) if (code := from_uai_prefix(f"{n:03d}"))}


def _places(values: pl.Series, kind: FieldType, attributes: pl.DataFrame | None) -> pl.Series:
    """Département of each value: what the register says, else what the code itself says."""
    said = None
    if attributes is not None and "departement" in attributes.columns:
        known = attributes.select("value", "departement").drop_nulls().unique(subset="value", keep="first")
        said = values.replace_strict(known["value"], known["departement"], default=None, return_dtype=pl.String)
        if not said.null_count():
            return said
    own = _own_place(values, kind)
    return own if said is None else said.fill_null(own)


def _own_place(values: pl.Series, kind: FieldType) -> pl.Series:
    if kind is FieldType.UAI:
        return values.str.slice(0, 3).replace_strict(_UAI_PREFIXES, default=None, return_dtype=pl.String)
    codes = {code: code for code in BY_CODE}
    if kind is FieldType.DEPARTEMENT:
        return values.replace_strict(codes, default=None, return_dtype=pl.String)
    short = values.str.slice(0, 2).replace_strict({k: k for k in codes if len(k) == 2}, default=None, return_dtype=pl.String)
    return short.fill_null(values.str.slice(0, 3).replace_strict(codes, default=None, return_dtype=pl.String)) if short.null_count() else short


def _missing_why(batch: Batch, typed: Typed) -> pl.DataFrame:
    if not typed.missing:
        return pl.DataFrame(schema={**MISSING_WHY_SCHEMA, "_part": pl.UInt32})
    cells = pl.concat([frame.select(pl.col("index").cast(pl.UInt32), "why", "written", "field") for frame in typed.missing])
    part = batch.places.part.gather(cells["index"])
    return pl.DataFrame(
        {
            "source_sheet": pl.Series(list(batch.places.sheets), dtype=pl.String).gather(part),
            "source_row": batch.places.row.gather(cells["index"]),
            "field": cells["field"], "why": cells["why"], "written": cells["written"], "_part": part,
        }
    )  # fmt: skip


def _reading(part: Part, skipped: tuple[tuple[int, str], ...]) -> TableReading:
    mapping = part.mapping
    return TableReading(
        part.table.sheet, part.table.header_row, part.rows, mapping.mapping, mapping.unmapped, mapping.missing,
        mapping.layout, (*part.table.skipped, *skipped),
    )  # fmt: skip


def _ignored(outcome: Outcome, number: int) -> pl.DataFrame:
    """One issue for each table of the file that was left aside."""
    lines = []
    for part, reason in outcome.ignored:
        if part.file == number:
            message = CELL_MESSAGES["table_ignored"].replace("{detail}", reason)
            row = part.table.header_row
            lines.append(dict.fromkeys(ISSUE_SCHEMA) | {"code": "table_ignored", "severity": "notice", "sheet": part.table.sheet, "row": row, "message": message})
    return pl.DataFrame(lines, schema=ISSUE_SCHEMA)


def _notices(outcome: Outcome, number: int) -> tuple[tuple[str, str], ...]:
    return tuple(
        ("table_ignored", f"Feuille « {part.table.sheet} » : ce tableau n'a pas été lu. {reason}") for part, reason in outcome.ignored if part.file == number
    )


__all__ = ["Outcome", "empty_check", "empty_rows", "split_by_file"]
