"""The « Anomalies » sheet: what it holds and how it looks, whichever writer puts it down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl

from ..issues_messages import SEVERITIES
from ..locate import ANNOTATION_MARK
from .neutralise import neutralise

SHEET = "Anomalies"
LIST_HEADERS = (
    "Feuille",
    "Ligne",
    "Colonne",
    "Valeur trouvée",
    "Attendu",
    "Correction proposée",
    "Gravité",
    "Message",
    "Champ",
)
SUMMARY_HEADERS = ("Gravité", "Nombre", "Champ", "Message", "Code")
# The summary stands in columns of the list wide enough for it; the message runs over those it leaves empty.
SUMMARY_COLUMNS = (1, 2, 4, 5, 9)
WIDTHS = (24, 9, 10, 28, 34, 28, 14, 70, 22)
COLOURS = {"blocking": "FFFFC7CE", "warning": "FFFFE699", "notice": "FFDDEBF7"}
RANKS = {"blocking": 0, "warning": 1, "notice": 2}
MAX_COMMENTS = 2_000
MAX_COLOURED = 100_000
MAX_LINKS = 20_000
MAX_LISTED = 1_000_000
MAX_WRAPPED = 2_000
# Height of a line of text, and how many characters of a message fit on one.
LINE_HEIGHT, LINE_LENGTH = 15, 72
TAB = "FFCE0500"


@dataclass(frozen=True, slots=True)
class Layout:
    """The lines of the sheet: title lines, summary, then ``height`` issues under ``list_row`` (1-based rows)."""

    intro: tuple[str, ...]
    summary: tuple[tuple[Any, ...], ...]
    summary_row: int
    list_row: int
    height: int

    @property
    def filter(self) -> str:
        """The range of the list with its heads."""
        return f"A{self.list_row}:{chr(64 + len(LIST_HEADERS))}{self.list_row + max(1, self.height)}"

    @property
    def frozen(self) -> int:
        """How many rows stay in sight: those above the list, or the title alone when they are many."""
        return self.list_row if self.list_row <= 40 else 1


def layout_of(issues: pl.DataFrame, summary: pl.DataFrame, title: str, notes: list[str]) -> Layout:
    """Place title, counts, notes, grouped summary and list."""
    counts = dict(issues.group_by("severity").len().iter_rows()) if issues.height else {}
    told = [f"{counts[key]} {label.lower()}{'s' if counts[key] > 1 and key != 'warning' else ''}" for key, label in SEVERITIES.items() if counts.get(key)]
    intro = [title, " · ".join(told) if told else "Aucune anomalie.", *notes]
    intro.append("Corrigez les cellules colorées dans vos feuilles, puis déposez de nouveau ce classeur : cette feuille sera ignorée.")
    rows = tuple(_summary_rows(summary))
    summary_row = len(intro) + 2
    return Layout(tuple(map(neutralise, intro)), rows, summary_row, summary_row + len(rows) + 2, min(issues.height, MAX_LISTED))


def _summary_rows(summary: pl.DataFrame) -> Iterator[tuple[Any, ...]]:
    for row in summary.iter_rows(named=True):
        yield (
            SEVERITIES.get(row.get("severity") or "", row.get("severity")),
            row.get("count"),
            _safe(row.get("field")),
            _safe(row.get("message")),
            _safe(row.get("code")),
        )


class Drawn(NamedTuple):
    """One cell of the sheet: 1-based row and column, a harmless value, the name of its style."""

    row: int
    column: int
    value: str | int | None
    style: str | None = None


def head_cells(layout: Layout) -> Iterator[Drawn]:
    """Title, remarks, grouped summary and the heads of both tables, from top to bottom."""
    for row, text in enumerate(layout.intro, start=1):
        yield Drawn(row, 1, text, "title" if row == 1 else None)
        if row == 1:
            yield Drawn(1, len(WIDTHS) + 1, ANNOTATION_MARK, "mark")
    titles = dict(zip(SUMMARY_COLUMNS, SUMMARY_HEADERS, strict=True))
    yield from (Drawn(layout.summary_row, column, titles.get(column), "head") for column in range(1, len(LIST_HEADERS) + 1))
    for row, line in enumerate(layout.summary, start=layout.summary_row + 1):
        yield from (Drawn(row, column, value) for column, value in zip(SUMMARY_COLUMNS, line, strict=True) if value is not None)
    yield from (Drawn(layout.list_row, column, header, "head") for column, header in enumerate(LIST_HEADERS, start=1))


def _safe(value: Any) -> Any:
    return neutralise(value) if isinstance(value, str) else value


def cell_marks(issues: pl.DataFrame) -> dict[str, dict[tuple[int, str | None], tuple[str, list[str]]]]:
    """By sheet, then by (row, column letter or None for the whole row): the worst severity and the messages."""
    marks: dict[str, dict[tuple[int, str | None], tuple[str, list[str]]]] = {}
    wanted = issues.filter(pl.col("row").is_not_null()).select(
        "sheet", "row", "column", "severity", "message", "expected", "suggestion"
    )
    for sheet, row, column, severity, message, expected, suggestion in wanted.iter_rows():
        places = marks.setdefault(sheet, {})
        old, texts = places.get((row, column), (severity, []))
        worst = severity if RANKS.get(severity, 3) < RANKS.get(old, 3) else old
        texts.append(_comment(severity, message, expected, suggestion))
        places[(row, column)] = (worst, texts)
    return marks


def _comment(severity: str, message: str | None, expected: str | None, suggestion: str | None) -> str:
    parts = [f"{SEVERITIES.get(severity, severity)} : {message or ''}"]
    if expected:
        parts.append(f"Attendu : {expected}")
    if suggestion:
        parts.append(f"Proposition : {suggestion}")
    return neutralise("\n".join(parts)[:2000])


def limits_notes(issues: pl.DataFrame, marks: dict[str, dict[tuple[int, str | None], tuple[str, list[str]]]]) -> list[str]:
    """What the sheet must say when there are too many issues to mark every cell."""
    notes = []
    crowded = [sheet for sheet, places in marks.items() if len(places) > MAX_COMMENTS]
    if crowded:
        notes.append(
            f"Seules les {MAX_COMMENTS} premières cellules signalées de chaque feuille portent un commentaire ; "
            "la liste ci-dessous est complète."
        )
    if any(len(places) > MAX_COLOURED for places in marks.values()):
        notes.append(f"Seules les {MAX_COLOURED} premières cellules signalées de chaque feuille sont colorées.")
    if issues.height > MAX_LISTED:
        notes.append(f"La liste est limitée à {MAX_LISTED} lignes sur {issues.height}.")
    return notes
