"""Delimited text (csv, tsv, txt): separator found, every record kept, row numbers as a spreadsheet shows them."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter

import numpy as np
import polars as pl

from ..grid import Grid, grid_from_columns
from ..masks import true_rows
from ..tables import FileRefused, Limits
from .scan import may_start_with_wide_space, regular_quotes
from .values import blank_to_null, unshielded

_SEPARATORS = (";", "\t", "|", ",")
_SAMPLE = 256 * 1024
_FEW = 10_000  # lines so few that columns are looked at one after the other
_NUMBER = re.compile(r"\s*[-+]?\d[\d\s.]*\s*$")
_WHOLE, _CENTS, _GLANCED = re.compile(r"-?\d{1,9}"), re.compile(r"\d{2}"), 200
_APART = re.compile(r"[\W_]+")
_SEP_LINE = re.compile(rb'"?sep=(.)"?\r?\n')

Notices = tuple[tuple[str, str], ...]


class NotUtf8(Exception):
    """Bytes read before they were checked are not plain UTF-8 records: they must be decoded first."""


def read_delimited(
    content: bytes, sheet: str, limits: Limits, vocabulary: frozenset[str], *, checked: bool = True
) -> tuple[Grid, str, Notices]:
    """The grid of UTF-8 delimited bytes, its separator and notices; refuses more columns or longer cells than allowed.

    With ``checked=False`` the bytes only seem to be UTF-8; NotUtf8 asks for a sure decoding."""
    content, declared = _without_sep_line(content)
    content = _newlines(content)
    _refuse_endless_line(content, limits)
    separator = declared or find_separator(content, vocabulary)
    quoted = b'"' in content
    columns, notices = _columns(content, separator, limits, quoted, checked)
    if len(columns) == 1 and columns[0].len():
        inner = _quoted_whole(columns[0])
        if inner is not None:
            return _reread(inner, sheet, limits, vocabulary)
    if separator == ",":
        _refuse_cut_decimals(columns)
    if b"'" in content:
        columns = [unshielded(series) for series in columns]
    if (quoted or not has_short_lines(content, limits.cell_characters)) and _too_long(columns, limits):
        raise cell_too_long(limits)
    return grid_from_columns(sheet, columns), separator, notices


def cell_too_long(limits: Limits) -> FileRefused:
    """The refusal of a cell above ``limits.cell_characters``."""
    return FileRefused(
        "cell_too_long",
        f"Une cellule dépasse {limits.cell_characters} caractères : vérifiez les guillemets et le contenu du fichier.",
    )


_ENDLESS = 32 * 2**20


def _refuse_endless_line(content: bytes, limits: Limits) -> None:
    """Refuses a line of more than 32 MiB before anything is computed on it: no sheet has one."""
    end = -1
    while len(content) - end > _ENDLESS:
        end, before = content.rfind(b"\n", end + 1, end + 1 + _ENDLESS), end
        if end <= before:
            raise cell_too_long(limits)


def has_short_lines(content: bytes, most: int) -> bool:
    """Whether no line is longer than ``most`` bytes, nor then any cell where no quote joins lines. False says nothing."""
    end = -1
    while len(content) - end > most:
        end, before = content.rfind(b"\n", end + 1, end + 1 + most), end
        if end <= before:
            return False
    return True


def too_many_columns(found: int, limits: Limits) -> FileRefused:
    """The refusal of a sheet with more than ``limits.columns`` columns."""
    return FileRefused(
        "too_many_columns",
        f"La feuille compte {found} colonnes, au-delà du maximum de {limits.columns} : gardez les colonnes utiles.",
    )


def too_many_rows(limits: Limits) -> FileRefused:
    """The refusal of a sheet with more than ``limits.rows`` rows."""
    return FileRefused("too_many_rows", f"Le fichier dépasse {limits.rows} lignes : découpez-le, puis déposez chaque partie.")


def _too_long(columns: list[pl.Series], limits: Limits) -> bool:
    frame = pl.DataFrame([series.alias(str(place)) for place, series in enumerate(columns)])
    longest = frame.select(pl.max_horizontal(pl.all().str.len_bytes().max())).item() if columns else None
    return isinstance(longest, int) and longest > limits.cell_characters


def has_sep_line(content: bytes) -> bool:
    """Whether the first line only declares the separator."""
    return _SEP_LINE.match(content) is not None


def _without_sep_line(content: bytes) -> tuple[bytes, str | None]:
    found = _SEP_LINE.match(content)
    return (content[found.end() :], found.group(1).decode()) if found else (content, None)


def _newlines(content: bytes) -> bytes:
    if b"\n" not in content and b"\r" in content:
        return content.replace(b"\r", b"\n")
    return content


def _quoted_whole(series: pl.Series) -> str | None:
    values = series.drop_nulls().head(50).to_list()
    if len(values) > 1 and all(value.count(";") + value.count(",") + value.count("\t") >= 2 for value in values):
        return "\n".join(value or "" for value in series.to_list())
    return None


def _reread(text: str, sheet: str, limits: Limits, vocabulary: frozenset[str]) -> tuple[Grid, str, Notices]:
    content = text.encode()
    separator = find_separator(content, vocabulary)
    columns, notices = _columns(content, separator, limits, b'"' in content)
    message = "Chaque ligne était entourée de guillemets : les colonnes ont été séparées."
    return grid_from_columns(sheet, columns), separator, (*notices, ("quoted_lines", message))


def _refuse_cut_decimals(columns: list[pl.Series]) -> None:
    """Refuses commas that separate columns and decimals alike: lines have more fields than the header, and two of them in a row read
    as a number and its two decimals. Read so, every column beyond would be another."""
    named = next((place for place, series in enumerate(columns) if not len(series) or series[0] is None), len(columns))
    beyond = [series for series in columns[named:] if len(series) and series[0] is None]
    if not 2 <= named < len(columns) or len(beyond) < len(columns) - named or any(_NUMBER.match(series[0] or "") for series in columns[:named]):
        return
    longer = true_rows(columns[named].is_not_null()).head(_GLANCED)
    if not len(longer):
        return
    rows = list(zip(*(series.gather(longer).to_list() for series in columns), strict=True))
    if all(any(_WHOLE.fullmatch(a or "") and _CENTS.fullmatch(b or "") for a, b in itertools.pairwise(row)) for row in rows):
        raise FileRefused(
            "decimal_commas",
            f"La virgule sépare à la fois les colonnes et les décimales : la ligne {longer[0] + 1} a plus de cellules que l'en-tête. "
            "Enregistrez le fichier avec des points-virgules, ou en .xlsx.",
        )


# -- separator ---------------------------------------------------------------------------------------------------


def find_separator(content: bytes, vocabulary: frozenset[str] = frozenset()) -> str:
    """The separator that splits most records into the same number of fields; ``;`` for a single column."""
    head = content[:_SAMPLE]
    if len(content) > _SAMPLE:
        head = head[: head.rfind(b"\n") + 1] or head
    present = [separator for separator in _SEPARATORS if separator.encode() in head]
    if len(present) <= 1 and b'"' not in head:
        first, mark = head.partition(b"\n")[0].decode("utf-8", "replace"), "".join(present)
        if not mark or (mark in first and first.replace(mark, "").strip()):
            return mark or ";"
    text = head.decode("utf-8", "replace")
    scores = {separator: _separator_score(text, separator, vocabulary) for separator in _SEPARATORS}
    best = max(scores, key=lambda separator: scores[separator])
    return best if scores[best] > 0 else ";"


def _separator_score(text: str, separator: str, vocabulary: frozenset[str]) -> float:
    if separator not in text:
        return 0.0
    records = [record for record in _records(text, separator, 400) if any(field.strip() for field in record)]
    counts = Counter(len(record) for record in records)
    if not records or max(counts) < 2:
        return 0.0
    width, _ = max(((n, seen) for n, seen in counts.items() if n > 1), key=lambda item: (item[1], item[0]))
    near = sum(seen for n, seen in counts.items() if n > 1 and abs(n - width) <= max(1, width // 10))
    score = near / len(records) * (1 + min(width, 20) / 10)
    if separator == "," and _splits_numbers(records):
        score *= 0.3
    known = (field for record in records[:40] for field in record if _word(field) in vocabulary)
    words = len(list(itertools.islice(known, 10)))
    return score + (0.5 + words / 5 if words else 0)


def _splits_numbers(records: list[list[str]]) -> bool:
    """Whether commas look like decimal marks: they sit between digits, never at a cell boundary with text."""
    pairs = [(a, b) for record in records[1:60] for a, b in itertools.pairwise(record)]
    inside = sum(bool(a) and bool(b) and a[-1:].isdigit() and b[:1].isdigit() for a, b in pairs)
    spaced = sum(b.startswith(" ") and bool(b.strip()) for _, b in pairs)
    return bool(pairs) and (inside + spaced) / len(pairs) > 0.8 and not all(
        _NUMBER.match(field) for record in records[1:10] for field in record if field
    )


def _word(field: str) -> str:
    return _APART.sub(" ", field).strip().casefold()


def _records(text: str, separator: str, limit: int | None = None) -> list[list[str]]:
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        return list(itertools.islice(reader, limit))
    except csv.Error:
        return [line.split(separator) for line in text.splitlines()[:limit]]


# -- columns -----------------------------------------------------------------------------------------------------


def _columns(content: bytes, separator: str, limits: Limits, quoted: bool, checked: bool = True) -> tuple[list[pl.Series], Notices]:
    columns, notices = _plain_columns(content, separator, limits, quoted, checked)
    if quoted and b'="' in content:  # ="0020011B": how exports keep a text from being read as a number
        columns = [column.str.replace(r'^="([^"]*)"$', "${1}") for column in columns]
    return columns, notices


def _plain_columns(content: bytes, separator: str, limits: Limits, quoted: bool, checked: bool) -> tuple[list[pl.Series], Notices]:
    if not quoted or regular_quotes(content, separator):
        frame = _native(content, separator, limits)
        if frame is not None:
            return frame.get_columns(), ()
    if not checked:
        raise NotUtf8
    return _tolerant(content, separator, limits)


def _native(content: bytes, separator: str, limits: Limits) -> pl.DataFrame | None:
    """The columnar reading; None when records are irregular in a way only the tolerant reader handles."""
    width = _sample_width(content, separator)
    if width > limits.columns:
        raise too_many_columns(width, limits)
    frame = read_records(content, separator, width, limits.rows + 1)
    if frame is not None and frame.height > limits.rows:
        raise too_many_rows(limits)
    return frame


def read_records(content: bytes, separator: str, width: int, rows: int) -> pl.DataFrame | None:
    """The first ``rows`` records as ``width`` columns of text, blank cells null; None when one is longer, or cannot be read so."""
    try:
        frame = pl.read_csv(
            content,
            separator=separator,
            has_header=False,
            infer_schema=False,
            schema={f"c{i}": pl.String for i in range(width)},
            missing_columns="insert",
            n_rows=rows,
        )
    except pl.exceptions.PolarsError:
        return None
    return _blanked(frame, may_start_with_wide_space(content, separator))


def _blanked(frame: pl.DataFrame, wide: bool) -> pl.DataFrame:
    """Texts made of white space, or of empty quotes only, become null; columns without any are not copied.

    ``wide``: some may begin with a no-break space; the others sort before ``!``."""
    if frame.height < _FEW and not wide:
        doubtful = [column.name for column in frame.iter_columns() if (column < "!").any()]
    else:
        suspects = pl.all() < "!"
        if wide:
            suspects = suspects | pl.all().str.starts_with("\u00a0") | pl.all().str.starts_with("\u202f")
        found = frame.lazy().select(suspects.any()).collect().row(0)
        doubtful = [name for name, blank in zip(frame.columns, found, strict=True) if blank]
    return frame.with_columns(blank_to_null(frame.get_column(name)).alias(name) for name in doubtful)


def _sample_width(content: bytes, separator: str) -> int:
    """The greatest number of fields of the first records. Without quotes nor lone returns, a line is a record."""
    head = content[:_SAMPLE]
    if b'"' not in head and head.count(b"\r") == head.count(b"\r\n"):
        data = np.frombuffer(b"\n" + head, dtype=np.uint8)
        return 1 + int(np.add.reduceat(data == ord(separator), np.flatnonzero(data == ord("\n")), dtype=np.int32).max())
    text = head.decode("utf-8", "replace")
    return max((len(record) for record in _records(text, separator)), default=1) or 1


def _tolerant(content: bytes, separator: str, limits: Limits) -> tuple[list[pl.Series], Notices]:
    text = content.decode("utf-8", "replace")
    records = _records(text, separator)
    notices: Notices = ()
    if any(field.count("\n") > 50 for record in records for field in record):
        records = [line.split(separator) for line in text.splitlines()]
        notices = (("unbalanced_quotes", "Un guillemet n'est jamais refermé : les guillemets ont été lus tels quels."),)
    if len(records) > limits.rows:
        raise too_many_rows(limits)
    width = max((len(record) for record in records), default=1) or 1
    if width > limits.columns:
        raise too_many_columns(width, limits)
    padded = [record + [""] * (width - len(record)) for record in records]
    return [blank_to_null(pl.Series(list(column), dtype=pl.String)) for column in zip(*padded, strict=False)], notices
