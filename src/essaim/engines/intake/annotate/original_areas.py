"""Where a mark goes on a sheet: the first cell of a merged area, the first column for a whole row."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from ..grid import index_of
from .original_cells import Place

_MERGED = re.compile(rb"<(?:[^\s/>:]+:)?mergeCell\s[^>]*?\bref\s*=\s*[\"']([A-Z]+)(\d+):([A-Z]+)(\d+)[\"']")
_IN_A = re.compile(rb"\br\s*=\s*[\"']A\d")
_COLUMN = re.compile(rb"\br\s*=\s*[\"']([A-Z]{1,3})\d+[\"']")


def first_column(xml: bytes) -> int:
    """The first column (0-based) that holds a cell."""
    if _IN_A.search(xml) or not (letters := set(_COLUMN.findall(xml))):
        return 0
    return min(index_of(found.decode()) for found in letters)


def merged_areas(xml: bytes) -> list[tuple[int, int, int, int]]:
    """The merged areas: first row, first column (0-based), last row, last column."""
    found = _MERGED.findall(xml) if b"mergeCell" in xml else []
    return [(int(top), index_of(left.decode()), int(bottom), index_of(right.decode())) for left, top, right, bottom in found]


def anchored(places: Iterable[Place], merged: list[tuple[int, int, int, int]]) -> dict[Place, Place]:
    """Each place → the cell that shows it."""
    by_column: dict[int, list[int]] = {}
    anchors = {place: place for place in places}
    for row, column in sorted(anchors):
        by_column.setdefault(column, []).append(row)
    columns = sorted(by_column)
    for top, left, bottom, right in merged:
        for column in columns[bisect_left(columns, left) : bisect_right(columns, right)]:
            rows = by_column[column]
            for row in rows[bisect_left(rows, top) : bisect_right(rows, bottom)]:
                anchors[row, column] = (top, left)
    return anchors
