"""Tables lying on their side: one line a field, one column a school."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import polars as pl

from ..grid import Grid
from .shape import NUMBER, TEXT, is_expected, is_usual, kind_of, words_of

MAX_LINES = 200
_UAI = re.compile(r"(?<![0-9A-Za-z])[0-9]{7} ?[A-Za-z]\b")
_LOOKED_AT = 40
_CATEGORY = frozenset(("materiel", "equipement", "categorie", "type", "article", "designation", "nature", "produit"))
_MARGIN = 0.1

Cells = list[tuple[str | None, ...]]


def turned(grid: Grid, start: int, stop: int, vocabulary: frozenset[str]) -> Grid | None:
    """The lines ``start``–``stop`` upright, when their labels run down the first column; None when they stand already.

    Rows of the result number the sender's columns (A is 1), and its columns are the sender's rows less one."""
    if not vocabulary or not 2 <= stop - start <= MAX_LINES:
        return None
    part = grid.frame[start:stop]
    used = [i for i, series in enumerate(part.iter_columns()) if series.null_count() < part.height]
    if len(used) < 2 or not _labels([cell for cell in part.to_series(used[0]).to_list() if cell], vocabulary):
        return None
    lines = part[:, used].rows()
    body = [line for line in lines if any(line[1:])]
    if not _lies(body, vocabulary):
        return None
    return _upright(grid, start, stop, used)


def stands_under_a_header(grid: Grid, start: int, stop: int, vocabulary: frozenset[str]) -> bool:
    """Whether a run of lines begins with a line of labels only, one of them a usual header beyond the first (``Désignation | Quantité``)."""
    return stop - start > 1 and names_columns(grid.frame.row(start), vocabulary)


def names_columns(line: Sequence[str | None], vocabulary: frozenset[str]) -> bool:
    """Whether a line holds labels of the contract only, one of them usual beyond the first."""
    cells = [cell for cell in line if cell]
    return len(cells) > 1 and all(is_expected(cell, vocabulary) for cell in cells) and any(is_usual(cell) for cell in cells[1:])


def _labels(cells: Sequence[str], vocabulary: frozenset[str]) -> bool:
    """Whether a column reads like a header: mostly different labels (« dont en service » may come again), those of the contract."""
    if len(cells) < 2 or 2 * len({cell.casefold() for cell in cells}) < len(cells):
        return False
    weight = sum(1.0 if is_expected(cell, vocabulary) else 0.5 * (is_usual(cell) and kind_of(cell) == TEXT) for cell in cells)
    return weight >= max(2.0, 0.6 * len(cells))


def _lies(body: Cells, vocabulary: frozenset[str]) -> bool:
    """Whether each line holds things of one kind and the columns do not, under no header of their own. A line of schools that
    is not called one (``Matériel | 0020001X | 0020002Y``) is itself a header."""
    heads = [line for line in body[:3] if not _CATEGORY.intersection(words_of(line[0] or "").split())]  # « Matériel | Tablette | VPI » are values
    if len(body) < 2 or any(is_expected(cell, vocabulary) for line in heads for cell in line[1:_LOOKED_AT] if cell):
        return False
    schools = any(_UAI.search(cell) for cell in body[0][1:] if cell)
    if schools and not {"uai", "rne", "identifiant", "etablissement", "ecole"} & set(words_of(body[0][0] or "").split()):
        return False
    if not is_expected(body[0][0] or "", vocabulary) and all(kind_of(cell) == TEXT for cell in body[0][1:] if cell) and _are_numbers(body[1:]):
        return False  # « Étiquettes de lignes | Somme de Quantité » above articles
    lines = [list(line[1:_LOOKED_AT]) for line in body[:_LOOKED_AT]]
    return _alike(lines) > _alike([list(column) for column in zip(*lines, strict=True)]) + _MARGIN


def _are_numbers(lines: Cells) -> bool:
    return all(kind_of(cell) == NUMBER for line in lines for cell in line[1:] if cell)


def _alike(groups: list[list[str | None]]) -> float:
    """Mean share of the commonest kind in each group."""
    shares = []
    for group in groups:
        kinds = Counter(kind_of(cell) for cell in group if cell)
        if kinds:
            shares.append(kinds.most_common(1)[0][1] / kinds.total())
    return sum(shares) / len(shares) if shares else 0.0


def _upright(grid: Grid, start: int, stop: int, used: list[int]) -> Grid:
    names = [grid.frame.columns[i] for i in used]
    frame = grid.frame[start:stop].select(names).transpose()
    frame = frame.rename({old: str(i) for i, old in enumerate(frame.columns)})
    rows = pl.Series("row", [grid.columns[i] + 1 for i in used], dtype=pl.UInt32)
    lines = grid.rows[start:stop].to_list()
    merged = tuple((left + 1, top - 1, right + 1, bottom - 1) for top, left, bottom, right in grid.merged if top in lines)
    return Grid(grid.sheet, frame, rows, tuple(int(line) - 1 for line in lines), merged, grid.hidden, epoch_1904=grid.epoch_1904)
