"""Text whose columns are aligned by spaces (.txt, .prn, listings), with or without a line of dashes under the header.

The columns are where every line of the table is blank. A file whose lines do not agree on them is refused: a figure cut at the wrong
place is another figure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import polars as pl

from ..grid import Grid, grid_from_columns
from ..tables import FileRefused, Limits
from .delimited import cell_too_long, too_many_columns, too_many_rows

SAMPLE = 64 * 1024
_OFTEN, _LEAST, _WIDEST = 0.6, 3, 4_000
_WIDE_GAP = re.compile(r"\S {2,}(?=\S)")
_RULER = re.compile(r"\s*[-=_]{2,}(?:[ +|]+[-=_]{2,})+[ +|]*")
_SEPARATED = re.compile(r"[;\t|]")
NOTICE = ("aligned_text", "Les colonnes de ce fichier texte ont été trouvées à leur alignement : vérifiez la première et la dernière.")
Span = tuple[int, int]


def seems_aligned(content: bytes) -> bool:
    """Whether most of the first lines of UTF-8 text have several pieces far apart and nothing that separates records."""
    lines = [line for line in content[:SAMPLE].decode("utf-8", "replace").splitlines() if line.strip()]
    apart = sum(bool(_WIDE_GAP.search(line.strip())) for line in lines)
    if len(lines) < _LEAST or apart < _OFTEN * len(lines) or sum(bool(_SEPARATED.search(line)) for line in lines) > 0.1 * len(lines):
        return False
    commas = {line.count(",") for line in lines}
    return len(commas) > 1 or commas == {0}


def read_aligned(content: bytes, sheet: str, limits: Limits) -> Grid:
    """The grid of UTF-8 aligned text; refuses lines that do not agree on their columns."""
    lines = [line.replace("\u00a0", " ").replace("\f", "").expandtabs().rstrip() for line in content.decode("utf-8", "replace").splitlines()]
    if len(lines) > limits.rows:
        raise too_many_rows(limits)
    if max(map(len, lines)) > _WIDEST:
        raise cell_too_long(limits)
    ruler = next((number for number, line in enumerate(lines) if _RULER.fullmatch(line)), None)
    spans = _ruled(lines[ruler]) if ruler is not None else _spans(lines)
    if len(spans) > limits.columns:
        raise too_many_columns(len(spans), limits)
    if ruler is not None:
        _check_ruled(lines, ruler, spans)
    cells = [_cut(line, spans) if not _RULER.fullmatch(line) else [None] * len(spans) for line in lines]
    return grid_from_columns(sheet, [pl.Series(list(column), dtype=pl.String) for column in zip(*cells, strict=True)])


def _cut(line: str, spans: Sequence[Span]) -> list[str | None]:
    """The cells of a line; one that has but one piece is a title or a note, whole in the first column."""
    if not _WIDE_GAP.search(line.strip()) and sum(bool(line[start:stop].strip()) for start, stop in spans) > 1 and _crosses(line, spans):
        return [line.strip(), *[None] * (len(spans) - 1)]
    return [line[start:stop].strip() or None for start, stop in spans]


def _crosses(line: str, spans: Sequence[Span]) -> bool:
    """Whether a word of the line runs over the edge of a column."""
    return any(start and line[start - 1 : start].strip() and line[start : start + 1].strip() for start, _ in spans)


def _ruled(ruler: str) -> list[Span]:
    """One column a run of dashes, as far as the next."""
    starts = [found.start() for found in re.finditer(r"[-=_]+", ruler)]
    return _bounded([0, *starts[1:]])


def _bounded(starts: Sequence[int]) -> list[Span]:
    return [*pairwise(starts), (starts[-1], _WIDEST)]


def _check_ruled(lines: Sequence[str], ruler: int, spans: Sequence[Span]) -> None:
    for number, line in enumerate(lines[ruler + 1 :], start=ruler + 2):
        if _WIDE_GAP.search(line.strip()) and not _RULER.fullmatch(line) and _crosses(line, spans):
            raise _unclear(number)


def _spans(lines: Sequence[str]) -> list[Span]:
    """Columns between which every line of the table is blank, each under a label of its first line."""
    table = [(number, line) for number, line in enumerate(lines, start=1) if _WIDE_GAP.search(line.strip())]
    if not table:
        raise _unclear(1)
    header = table[0][1]
    labels = [found.start() for found in re.finditer(r"(?:(?<=  )|^)\S", header)]
    blank = np.ones(max(map(len, lines)) + 1, dtype=bool)
    for number, line in table:
        written = np.frombuffer(line.encode("utf-32-le"), dtype=np.uint32) != 32
        blank[: len(written)] &= ~written
        if len(list(_gaps(blank, header))) < len(labels):
            raise _unclear(number)
    return _bounded(list(_gaps(blank, header)))


def _gaps(blank: np.ndarray, header: str) -> Iterator[int]:
    """Where each column begins: after blanks common to all lines, under a label apart from the one before it."""
    edges = np.flatnonzero(blank[:-1] & ~blank[1:]) + 1
    starts = [0, *(int(edge) for edge in edges if edge > 0 and not blank[:edge].all())]
    last = 0
    yield 0
    for start, stop in _bounded(starts)[1:]:
        label = header[start:stop].strip()
        before = header[last:start]
        if label and before.strip() and (len(before) - len(before.rstrip()) + len(header[start:stop]) - len(header[start:stop].lstrip()) > 1):
            last = start
            yield start


def _unclear(line: int) -> FileRefused:
    return FileRefused(
        "columns_unclear",
        f"Les colonnes de ce fichier texte sont séparées par des espaces, mais ne sont pas alignées du début à la fin (ligne {line}) : "
        "enregistrez-le en .csv ou en .xlsx.",
    )
