"""Findings kept as columns of row numbers, and their expansion into the frame of issues that people read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from essaim.kernel.french import format_number

from .contract import Contract, Severity
from .grid import letter_of
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
    column or table, which has no row (``index`` null). ``letter``: the sender's column, where no field has it."""

    code: str
    severity: Severity
    field: str | None
    frame: pl.DataFrame
    expected: str | None = None
    message: str | None = None
    part: int | None = None
    letter: str | None = None


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
    columns = [index.cast(pl.UInt32).alias("index")]
    for name, given in (("value", value), ("suggestion", suggestion), ("detail", detail)):
        text = given.cast(pl.String) if isinstance(given, pl.Series) else pl.Series([given], dtype=pl.String).new_from_index(0, size)
        columns.append(text.alias(name))
    return Finding(code, severity or severity_of(code), field, pl.DataFrame(columns), expected, message)


def remark_on_table(code: str, part: int, field: str | None = None, *, detail: str | None = None, severity: Severity | None = None) -> Finding:
    """A remark about a whole table or column: no row, one line."""
    frame = pl.DataFrame({"index": [None], "value": [None], "suggestion": [None], "detail": [detail]}, schema=FRAME_SCHEMA)
    return Finding(code, severity or severity_of(code), field, frame, part=part)


@dataclass(frozen=True, slots=True)
class Places:
    """Where batch rows come from. ``part`` (UInt32) and ``row`` (UInt32) per batch row; by part: sheet name,
    by field, column letter, and whether the table lies on its side (see RawTable)."""

    part: pl.Series
    row: pl.Series
    sheets: tuple[str, ...]
    letters: tuple[dict[str, str], ...]
    by_row: dict[str, pl.Series]
    turned: tuple[bool, ...] = ()


def refused_rows(findings: Iterable[Finding], size: int) -> pl.Series:
    """Boolean mask of batch rows that have a blocking finding."""
    blocking = [item.frame["index"] for item in findings if item.severity is Severity.BLOCKING and item.part is None]
    mask = pl.repeat(False, size, dtype=pl.Boolean, eager=True)
    return mask.scatter(pl.concat(blocking), True) if blocking else mask


@dataclass(slots=True)
class BatchIssues:
    """Every finding of a batch as one line an issue, written out when a file's are first looked at."""

    findings: Sequence[Finding]
    contract: Contract
    places: Places
    _frame: pl.DataFrame | None = field(default=None, init=False, repr=False)
    _part: np.ndarray = field(default_factory=lambda: np.empty(0), init=False, repr=False)

    def of_parts(self, first: int, last: int) -> pl.DataFrame:
        """The issues of the parts ``first`` to ``last``, in file order (part, row, column)."""
        if self._frame is None:
            frame = _issues_frame(self.findings, self.contract, self.places)
            self._part, self._frame = frame.drop_in_place("part").to_numpy(), frame
        start, stop = np.searchsorted(self._part, first, side="left"), np.searchsorted(self._part, last, side="right")
        return self._frame.slice(int(start), int(stop - start))


def _issues_frame(findings: Sequence[Finding], contract: Contract, places: Places) -> pl.DataFrame:
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
    parts = pl.Series([item.part for item in told], dtype=pl.UInt32)[which].fill_null(places.part[whole["index"]])
    columns = {name: pl.Series(name, values, dtype=pl.String)[which] for name, values in fixed.items()} | {
        "sheet": _by_part(parts, places.sheets),
        "row": places.row[whole["index"]],
        "column": pl.concat([_letters(item, places) for item in told]),
        "value": whole["value"],
        "suggestion": whole["suggestion"],
        "message": _messages(told, labels, whole, which),
        "part": parts,
    }
    frame = _turned_back(pl.DataFrame({name: columns[name] for name in (*ISSUE_COLUMNS, "part")}), places)
    return frame.sort("part", pl.col("row").fill_null(0), pl.col("column").str.len_bytes(), "column", "code", maintain_order=True)


def _turned_back(frame: pl.DataFrame, places: Places) -> pl.DataFrame:
    """Cells of tables that lie on their side: the batch's row is the sender's column, its column the sender's row."""
    lying = [part for part, is_turned in enumerate(places.turned) if is_turned]
    if not lying:
        return frame
    here = pl.col("part").is_in(lying)
    across = pl.col("row").map_elements(lambda row: letter_of(row - 1), return_dtype=pl.String)
    return frame.with_columns(
        pl.when(here).then(pl.col("column").cast(pl.UInt32, strict=False)).otherwise(pl.col("row")).alias("row"),
        pl.when(here).then(across).otherwise(pl.col("column")).alias("column"),
    )


def _by_part(part: pl.Series, values: Sequence[str | None]) -> pl.Series:
    return pl.Series(list(values), dtype=pl.String)[part]


def _letters(item: Finding, places: Places) -> pl.Series:
    if item.letter:
        return pl.Series([item.letter], dtype=pl.String).new_from_index(0, item.frame.height)
    letters = [found.get(item.field or "") for found in places.letters]
    if item.part is not None:
        return pl.Series([letters[item.part]], dtype=pl.String).new_from_index(0, item.frame.height)
    if item.field in places.by_row:
        return places.by_row[item.field][item.frame["index"]]
    if len(letters) == 1:
        return pl.Series(letters, dtype=pl.String).new_from_index(0, item.frame.height)
    return _by_part(places.part[item.frame["index"]], letters)


@dataclass(frozen=True, slots=True)
class _Sentence:
    """What a kind of remark says: ``words`` between the columns ``told`` of each of its lines, and whether a suggestion is added."""

    words: tuple[str, ...]
    told: tuple[str, ...]
    hinted: bool

    @classmethod
    def of(cls, item: Finding, labels: dict[str, str]) -> _Sentence:
        template = item.message or CELL_MESSAGES[item.code]
        fixed = {"label": labels.get(item.field or "", item.field or ""), "expected": item.expected or ""}
        words, told = [""], []
        for number, piece in enumerate(_PLACEHOLDER.split(template)):
            if number % 2 == 0 or piece in fixed:
                words[-1] += piece if number % 2 == 0 else fixed[piece]
            else:
                told.append(piece)
                words.append("")
        return cls(tuple(words), tuple(told), "{suggestion}" not in template)


def _messages(findings: Sequence[Finding], labels: dict[str, str], lines: pl.DataFrame, which: pl.Series) -> pl.Series:
    """The message of each of ``lines``, ``which`` finding each comes from."""
    sentences = [_Sentence.of(item, labels) for item in findings]
    columns: dict[str, pl.Series] = {}
    pieces: list[pl.Expr] = []
    for place in range(max(len(item.words) for item in sentences)):
        columns[f"words{place}"] = pl.Series([item.words[place] if place < len(item.words) else "" for item in sentences])[which]
        pieces.append(pl.col(f"words{place}"))
        names = [item.told[place] if place < len(item.told) else None for item in sentences]
        said = sorted({name for name in names if name})
        for name in said:
            columns[f"{name}{place}"] = pl.Series([name == given for given in names])[which]
        if said:
            pieces.append(pl.coalesce(*(pl.when(f"{name}{place}").then(pl.col(name)) for name in said), pl.lit("")))
    if lines["suggestion"].null_count() < lines.height:
        columns["hinted"] = pl.Series([item.hinted for item in sentences])[which]
        hint = pl.format(" Proposition : « {} ».", pl.col("suggestion"))
        pieces.append(pl.when(pl.col("hinted") & pl.col("suggestion").is_not_null()).then(hint).otherwise(pl.lit("")))
    shown = lines.select(_shortened(lines[name]) for name in ("value", "suggestion", "detail"))
    return shown.hstack([column.alias(name) for name, column in columns.items()]).select(pl.concat_str(pieces)).to_series()


def _shortened(text: pl.Series) -> pl.Series:
    longest = text.str.len_bytes().max()
    if not isinstance(longest, int) or longest <= 240:
        return text
    return pl.select(pl.when(text.str.len_bytes() > 240).then(text.str.slice(0, 60) + "…").otherwise(text)).to_series()


@dataclass(slots=True)
class FindingsByFile:
    """The findings of each file of a batch, in the same order; those without row go with their part."""

    findings: Sequence[Finding]
    places: Places
    file_of_part: Sequence[int]
    _cut: list[tuple[Finding, dict[int, tuple[int, int]]]] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        """Lays the rows of each finding file after file, with the extent of each."""
        if len(set(self.file_of_part)) == 1:
            self._cut = [(item, {self.file_of_part[0]: (0, item.frame.height)}) for item in self.findings]
            return
        files = np.array(self.file_of_part, dtype=np.uint32)[self.places.part.to_numpy()]
        for item in self.findings:
            if item.part is not None:
                self._cut.append((item, {self.file_of_part[item.part]: (0, item.frame.height)}))
                continue
            owners = files[item.frame["index"].to_numpy()]
            if (owners[1:] < owners[:-1]).any():
                order = np.argsort(owners, kind="stable")  # keeps the order within a file
                item, owners = replace(item, frame=item.frame[order]), owners[order]
            starts = np.flatnonzero(np.diff(owners, prepend=owners[:1] + 1)).tolist() if len(owners) else []
            sizes = np.diff([*starts, len(owners)]).tolist()
            self._cut.append((item, dict(zip(owners[starts].tolist(), zip(starts, sizes, strict=True), strict=True))))

    def of(self, file: int) -> list[Finding]:
        """The findings of one file."""
        return [replace(item, frame=item.frame.slice(*extents[file])) for item, extents in self._cut if file in extents]

    def is_grave(self, file: int) -> bool:
        """Whether a file has more than notices."""
        return any(item.severity is not Severity.NOTICE and extents.get(file, (0, 0))[1] for item, extents in self._cut)


_SUMMARY = {"code": pl.String, "severity": pl.String, "field": pl.String, "count": pl.UInt32, "message": pl.String}


def summary_frame(findings: Sequence[Finding], contract: Contract, places: Places) -> pl.DataFrame:
    """Findings grouped by code and field: ``code, severity, field, count, message``, the gravest and most frequent first."""
    groups: dict[tuple[str, Severity, str | None], list[Finding]] = {}
    for item in findings:
        if item.frame.height:
            groups.setdefault((item.code, item.severity, item.field), []).append(item)
    labels = {item.name: item.label for item in contract.fields}
    lines = []
    for (code, severity, name), items in groups.items():
        count = sum(item.frame.height for item in items)
        place, first = min(((_place(item, places), item) for item in items), key=lambda found: found[0])
        message = _summary_message(code, count, labels.get(name or "", name or ""), items, first, labels)
        lines.append(((_SEVERITY_ORDER[severity], -count, place), (code, severity.value, name, count, message)))
    lines.sort(key=lambda line: line[0])
    columns = zip(*(line for _, line in lines), strict=True) if lines else [()] * len(_SUMMARY)
    return pl.DataFrame([pl.Series(name, column, dtype=dtype) for (name, dtype), column in zip(_SUMMARY.items(), columns, strict=True)])


def _place(item: Finding, places: Places) -> tuple[int, int, int, str, str]:
    """Where a finding first stands, in file order: part, row, column, code."""
    index = item.frame["index"].min()
    if isinstance(index, int):
        part, row = int(places.part[index]), int(places.row[index])
    else:
        part, row = item.part or 0, 0
    letter = places.letters[part].get(item.field or "") or ""
    return part, row, len(letter), letter, item.code


def _summary_message(code: str, count: int, label: str, items: list[Finding], first: Finding, labels: dict[str, str]) -> str:
    template = SUMMARY_MESSAGES.get(code)
    if template is None or count == 1:
        frame = first.frame.head(1) if first.frame["index"].null_count() else first.frame[[first.frame["index"].arg_min() or 0]]
        return str(_messages([first], labels, frame, pl.Series([0], dtype=pl.UInt32))[0])
    shown = [text if len(text) <= 40 else f"{text[:40]}…" for text in _examples(items)]
    examples = f" ({', '.join(f'« {text} »' for text in shown)})" if shown else ""
    where = f"« {label} »" if label else ""
    return template.format(count=format_number(count), where=where, examples=examples).replace("  ", " ")


def _examples(items: list[Finding]) -> list[str]:
    """Three different values, the first in file order."""
    if len(items) > 1:
        values = pl.concat([item.frame.select("index", "value") for item in items]).sort("index", maintain_order=True)["value"]
    else:
        values = items[0].frame["value"]
    for size in (100, len(values)):
        found = [text for text in dict.fromkeys(values.head(size).to_list()) if text is not None]
        if len(found) >= 3:
            break
    return found[:3]
