"""Findings and typed columns of a batch turned into one Check a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from .cells import dtype_of
from .check_batch import Batch, Part
from .check_cells import SILENT, Typed
from .check_rows import BatchRows
from .contract import Contract
from .issues import ISSUE_SCHEMA, BatchIssues, FindingsByFile, refused_rows, summary_frame
from .issues_messages import CELL_MESSAGES, expected_of
from .report import LINES_SCHEMA, SYSTEM_COLUMNS, Check, Question, TableReading
from .tables import ReadFile

_NOTHING = pl.Series([], dtype=pl.UInt32)
EMPTY = "Il ne contient aucune ligne."
MISSING_WHY_SCHEMA = {"source_sheet": pl.String, "source_row": pl.UInt32, "field": pl.String, "why": pl.String, "written": pl.String}
_NO_REASON = pl.DataFrame(schema=MISSING_WHY_SCHEMA)
_NO_ISSUE, _NO_LINE = pl.DataFrame(schema=ISSUE_SCHEMA), pl.DataFrame(schema=LINES_SCHEMA)


@dataclass(frozen=True, slots=True)
class Aside:
    """A table left aside and why; ``lacking``: the required fields whose want refuses the file, whose other tables lack some too;
    ``heading``: read as the words around another table; ``code``: of the remark that tells it."""

    part: Part
    reason: str
    lacking: tuple[str, ...] = ()
    heading: bool = False
    code: str = "table_ignored"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything found about a batch of files. ``checked`` is None when no table of any file was usable; ``questions`` go
    with the number of their file. ``merged`` and ``added``: rows that repeat another, that another adds up; ``lines``: see Check, by ``_file``."""

    contract: Contract
    files: Sequence[tuple[ReadFile, str]]
    checked: tuple[Batch, Typed] | None
    ignored: list[Aside]
    sender: str | None
    questions: tuple[tuple[int, Question], ...] = ()
    merged: pl.Series = field(default_factory=lambda: _NOTHING)
    counts: dict[str, int] = field(default_factory=dict)
    added: pl.Series = field(default_factory=lambda: _NOTHING)
    lines: pl.DataFrame | None = None


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
    again = pl.concat([outcome.merged, outcome.added])
    repeated = pl.repeat(False, batch.size, dtype=pl.Boolean, eager=True).scatter(again, True) if len(again) else None
    rows = BatchRows(batch, typed, outcome.sender, refused_rows(typed.findings, batch.size), repeated)
    issues = BatchIssues(told, outcome.contract, batch.places)
    whole = _Whole(FindingsByFile(told, batch.places, batch.file_of_part), issues, rows, _missing_by_file(batch, typed), batch.extents())
    return [_file_check(outcome, whole, number) if number in whole.extents else _unusable(outcome, number) for number in range(len(outcome.files))]


@dataclass(frozen=True, slots=True)
class _Whole:
    """What is known of the batch once: ``findings``, ``missing`` and ``extents`` by file, ``issues`` and ``rows`` of all of them."""

    findings: FindingsByFile
    issues: BatchIssues
    rows: BatchRows
    missing: dict[int, pl.DataFrame]
    extents: dict[int, tuple[int, int]]


def _unusable(outcome: Outcome, number: int) -> Check:
    """A file none of whose tables can be used: every reason, the columns that were found, the questions that would let it in."""
    read, sha256 = outcome.files[number]
    aside = [item for item in outcome.ignored if item.part.file == number and not item.heading]
    best = max(aside, key=lambda item: (bool(item.lacking), len(item.part.mapping.mapping)), default=None)
    code, message = _why_unusable(outcome.contract, best)
    check = empty_check(outcome.contract, read.filename, sha256, (*read.notices, (code, message)), outcome.sender)
    check = _with_lacking(check, outcome.contract, aside)
    readings = tuple(_reading(item.part, ()) for item in aside)
    questions = _once_each(question for item in aside for question in item.part.mapping.questions)
    rows = sum(item.part.rows for item in aside if item.lacking)
    return replace(check, tables=readings, questions=questions, extra={"format": read.format}, rows_read=rows, rows_refused=rows)


def _why_unusable(contract: Contract, best: Aside | None) -> tuple[str, str]:
    if best is None:
        return "table_unusable", f"Aucun tableau du fichier n'a les colonnes de « {contract.title} »."
    if best.lacking:
        return "columns_missing", best.reason
    if not best.part.rows and best.reason == EMPTY:
        return "table_unusable", f"Le tableau a bien les colonnes de « {contract.title} », mais ne contient aucune ligne."
    return "table_unusable", f"Aucun tableau du fichier n'a les colonnes de « {contract.title} ». {best.reason}"


def _with_lacking(check: Check, contract: Contract, aside: Sequence[Aside]) -> Check:
    """One more issue for each required field that each table lacks, at its header."""
    lines = []
    for item in aside:
        for name in item.lacking:
            message = CELL_MESSAGES["column_missing"].replace("{label}", contract.field(name).label)
            place = {"sheet": item.part.table.sheet, "row": item.part.table.header_row, "field": name, "expected": expected_of(contract.field(name))}
            lines.append(dict.fromkeys(ISSUE_SCHEMA) | place | {"code": "column_missing", "severity": "blocking", "message": message})
    if not lines:
        return check
    told = pl.DataFrame(lines, schema=ISSUE_SCHEMA)
    groups = [_counted(told.filter(pl.col("field") == name)) for name in told["field"].unique(maintain_order=True)]
    return replace(check, issues=pl.concat([check.issues, told]), summary=pl.concat([check.summary, *groups]))


def _file_check(outcome: Outcome, whole: _Whole, number: int) -> Check:
    batch = outcome.checked[0]  # type: ignore[index]
    parts = [index for index, file in enumerate(batch.file_of_part) if file == number]
    read, sha256 = outcome.files[number]
    rows = whole.rows.of_file(*whole.extents[number])
    questions = _once_each(q for index in parts for q in batch.parts[index].mapping.questions) + _asked(outcome, number)
    grave = whole.findings.is_grave(number)
    ignored = _ignored(outcome, number)

    def summary() -> pl.DataFrame:
        told = summary_frame(whole.findings.of(number), outcome.contract, batch.places)
        return pl.concat([told, _counted(ignored)]) if ignored.height else told

    return Check(
        outcome.contract, read.filename, sha256, "issues" if grave or questions else "clean",
        tuple(_reading(batch.parts[index], batch.skipped[index]) for index in parts),
        rows.accepted, rows.refused, lambda: pl.concat([whole.issues.of_parts(parts[0], parts[-1]), ignored]),  # type: ignore[arg-type]
        summary,  # type: ignore[arg-type]
        questions, whole.missing.get(number, _NO_REASON),
        (*read.notices, *_notices(outcome, number)), rows.size, {"merged": rows.count_repeated, **_added(outcome, number), "format": read.format, "encoding": read.encoding, "separator": read.separator, **outcome.counts},
        rows.count_refused, lines=_lines(outcome, number),
    )  # fmt: skip


def _added(outcome: Outcome, number: int) -> dict[str, int]:
    """How many lines of a file were added up, and into how many rows."""
    lines = _lines(outcome, number)
    return {"added": lines.height, "sums": lines.select("source_sheet", "source_row").n_unique()} if lines.height else {}


def _lines(outcome: Outcome, number: int) -> pl.DataFrame:
    """The lines that rows of one file add up."""
    found = outcome.lines
    return found.filter(pl.col("_file") == number).drop("_file") if found is not None else _NO_LINE


def _counted(issues: pl.DataFrame) -> pl.DataFrame:
    """Issues of one code as one line of summary, none when there is none."""
    first = issues.head(1)
    return first.select("code", "severity", "field", pl.lit(issues.height, dtype=pl.UInt32).alias("count"), "message")


def _once_each(questions: Iterable[Question]) -> tuple[Question, ...]:
    """Tables of one layout ask the same thing: once."""
    return tuple({question.id: question for question in reversed(list(questions))}.values())[::-1]


def _asked(outcome: Outcome, number: int) -> tuple[Question, ...]:
    return tuple(question for file, question in outcome.questions if file == number)


def _missing_by_file(batch: Batch, typed: Typed) -> dict[int, pl.DataFrame]:
    """Cells that say why they are empty (MISSING_WHY_SCHEMA), by number of file, of those that have some."""
    if not typed.missing:
        return {}
    cells = pl.concat([frame.select(pl.col("index").cast(pl.UInt32), "why", "written", "field") for frame in typed.missing])
    part = batch.places.part[cells["index"]]
    frame = pl.DataFrame(
        {
            "source_sheet": pl.Series(list(batch.places.sheets), dtype=pl.String)[part],
            "source_row": batch.places.row[cells["index"]],
            "field": cells["field"], "why": cells["why"], "written": cells["written"],
        }
    )  # fmt: skip
    if len(set(batch.file_of_part)) == 1:
        return {batch.file_of_part[0]: frame}
    files = pl.Series(list(batch.file_of_part), dtype=pl.UInt32)[part]
    told = frame.with_columns(files.alias("_file")).partition_by("_file", as_dict=True, include_key=False, maintain_order=True)
    return {int(file): cells for (file,), cells in told.items()}


def _reading(part: Part, skipped: tuple[tuple[int, str], ...]) -> TableReading:
    mapping = part.mapping
    return TableReading(
        part.table.sheet, part.table.header_row, part.rows, mapping.mapping, mapping.unmapped, mapping.missing,
        mapping.layout, (*part.table.skipped, *skipped), tuple(column.letter for column in part.table.columns if column.letter),
    )  # fmt: skip


def _ignored(outcome: Outcome, number: int) -> pl.DataFrame:
    """One issue for each table of the file that was left aside."""
    if not outcome.ignored:
        return _NO_ISSUE
    lines = []
    for item in outcome.ignored:
        if item.part.file == number and not item.heading:
            message = CELL_MESSAGES[item.code].replace("{detail}", item.reason)
            place = {"sheet": item.part.table.sheet, "row": item.part.table.header_row}
            lines.append(dict.fromkeys(ISSUE_SCHEMA) | place | {"code": item.code, "severity": "notice", "message": message})
    return pl.DataFrame(lines, schema=ISSUE_SCHEMA)


def _notices(outcome: Outcome, number: int) -> tuple[tuple[str, str], ...]:
    return tuple(
        (item.code, f"Feuille « {item.part.table.sheet} » : ce tableau n'a pas été lu. {item.reason}") for item in outcome.ignored if item.part.file == number and not item.heading
    )


__all__ = ["Aside", "Outcome", "empty_check", "empty_rows", "split_by_file"]
