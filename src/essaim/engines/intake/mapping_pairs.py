"""Which column goes to which field: the assignment of greatest total weight."""

from __future__ import annotations

import numpy as np


def heaviest_pairs(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lines and columns of the assignment of greatest summed weight, one pair for each of the fewer side, lines in order.

    Shortest augmenting paths (Crouse, 2016, "On implementing 2D rectangular assignment algorithms", IEEE Transactions on
    Aerospace and Electronic Systems 52), as scipy does it and with the same choice among equals. Tables have tens of columns:
    importing scipy would take longer than all the rest of a check."""
    if weights.shape[0] > weights.shape[1]:
        columns, lines = heaviest_pairs(weights.T)
        order = np.argsort(lines)
        return lines[order], columns[order]
    cost = -weights
    lines, columns = cost.shape
    above, left = np.zeros(lines), np.zeros(columns)
    of_line, of_column = np.full(lines, -1), np.full(columns, -1)
    for line in range(lines):
        _augment(cost, line, above, left, of_line, of_column)
    return np.arange(lines), of_line


def _augment(cost: np.ndarray, start: int, above: np.ndarray, left: np.ndarray, of_line: np.ndarray, of_column: np.ndarray) -> None:
    """Gives line ``start`` a column, moving the lines of a shortest path; ``above`` and ``left`` are the dual prices."""
    columns = cost.shape[1]
    shortest, path = np.full(columns, np.inf), np.full(columns, -1)
    seen_lines, seen = np.zeros(len(above), dtype=bool), np.zeros(columns, dtype=bool)
    remaining = list(range(columns - 1, -1, -1))
    line, least, sink = start, 0.0, -1
    while sink < 0:
        seen_lines[line] = True
        index, lowest = -1, np.inf
        reduced = least + cost[line] - above[line] - left
        for place, column in enumerate(remaining):
            if reduced[column] < shortest[column]:
                path[column], shortest[column] = line, reduced[column]
            if shortest[column] < lowest or (shortest[column] == lowest and of_column[column] < 0):
                lowest, index = shortest[column], place
        least, column = float(lowest), remaining[index]
        seen[column] = True
        remaining[index] = remaining[-1]
        remaining.pop()
        sink, line = (column, line) if of_column[column] < 0 else (-1, int(of_column[column]))
    others = seen_lines.copy()
    others[start] = False
    above[start] += least
    above[others] += least - shortest[of_line[others]]
    left[seen] -= least - shortest[seen]
    column = sink
    while True:
        line = int(path[column])
        of_column[column] = line
        of_line[line], column = column, int(of_line[line])
        if line == start:
            return
