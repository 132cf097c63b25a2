"""A territory over three years: every figure of a room, month by month, packed once and shown as often as asked.

What is packed holds the numbers as people read them, already written in French: a page then costs its layout only. The key of a
pack is everything that it depends on, the protection of small counts included: what a reader of the place gets never reaches
the public."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from essaim.engines.measures import Indicator, Kind
from essaim.evaluation.reads import indicators
from essaim.foundation.reads import number_known_at
from essaim.portal.drawing import spark
from essaim.portal.reads.figures import figure_rows
from essaim.portal.reads.sheets import Asked, months_up_to
from essaim.portal.templatetags.essaim import figure, figures_of_column, month, percent
from essaim.territories.reads import register_stamp

MONTHS = 36
_KEPT = 128
_ROW = '<tr><th scope="row">{}</th>{}</tr>'


@dataclass(frozen=True, slots=True)
class Evolution:
    """The table of the indicators with at least one value: its head (label, unit and curve of each, leading to its page) and its
    rows (target, coverage in the month asked, then months from the newest to the oldest); and the indicators without any."""

    head: SafeString
    rows: SafeString
    without: tuple[Indicator, ...]


def rooms_with_figures() -> tuple[str, ...]:
    """Codes of the rooms whose figures a territory can follow over time, in the order of the catalogue."""
    return tuple(dict.fromkeys(item.code.split(".")[0] for item in _followed()))


def _followed(room: str = "") -> list[Indicator]:
    return [item for item in indicators() if item.kind is not Kind.FLOW and item.code.startswith(room)]


def evolution(code: str, room: str, wanted: Asked, *, public: bool) -> Evolution:
    """The figures of ``room`` in the département ``code`` over the MONTHS months up to the one asked."""
    number = number_known_at(wanted.known_at or timezone.now())
    threshold = settings.ESSAIM_SECRECY_THRESHOLD if public else None
    place = (str(settings.ESSAIM_LEDGER_URL), register_stamp(), number, threshold)
    return _packed(code, room, wanted.period, wanted.known_at, place)


@lru_cache(maxsize=_KEPT)
def _packed(code: str, room: str, period: str, known_at: date | None, place: tuple[Any, ...]) -> Evolution:
    months = months_up_to(period, MONTHS)
    found = _by_month(code, room, Asked(period, known_at), public=place[-1] is not None)
    held, without = [], []
    for item in _followed(f"{room}."):
        rows = [found.get((item.code, name), {}) for name in months]
        (held if any(row.get("value") is not None or row.get("suppressed") for row in rows) else without).append((item, rows))
    cells = [_column(rows) for _, rows in held]
    known = f"&connu={known_at.isoformat()}" if known_at else ""
    head = _head([(item, rows) for item, rows in held], code, f"periode={period}{known}")
    return Evolution(head, _first_rows(held) + _rows(months, cells), tuple(item for item, _ in without))


def _by_month(code: str, room: str, wanted: Asked, *, public: bool) -> dict[tuple[str, str], dict[str, Any]]:
    codes = [item.code for item in _followed(f"{room}.")]
    months = months_up_to(wanted.period, MONTHS)
    found = figure_rows(codes, level="departement", units=[code], period=months, known_at=wanted.known_at, public=public)
    return {(str(row["indicator"]), str(row["period"])): row for row in found}


Followed = tuple[Indicator, list[dict[str, Any]]]


def _head(held: list[Followed], code: str, query: str) -> SafeString:
    told = (
        (reverse("chiffre", args=["departement", code, item.code]), query, item.label, "" if item.label.endswith(item.unit) else item.unit, spark([row.get("value") for row in rows]))
        for item, rows in held
    )
    cell = '<th scope="col" class="essaim-number"><a href="{}?{}">{}</a> <span class="essaim-muted">{}</span>{}</th>'
    return format_html_join("", cell, told)


def _first_rows(held: list[Followed]) -> SafeString:
    """What each figure aims at, and on how many schools it stands."""
    targets = ["" if item.target is None else figure(item.target) for item, _ in held]
    coverages = ["" if rows[-1].get("coverage") is None else percent(rows[-1]["coverage"]) for _, rows in held]
    return format_html_join("\n", _ROW, (("Cible", _cells(targets)), ("Couverture", _cells(coverages)))) if held else SafeString("")


def _column(rows: list[dict[str, Any]]) -> list[str]:
    shown = figures_of_column([None if row.get("suppressed") else row.get("value") for row in rows])
    return ["masqué" if row.get("suppressed") else text for row, text in zip(rows, shown, strict=True)]


def _rows(months: list[str], columns: list[list[str]]) -> SafeString:
    """Newest first: what people look for is at the top."""
    lines = ((month(name), _cells([column[index] for column in columns])) for index, name in reversed(list(enumerate(months))))
    return format_html_join("\n", _ROW, lines)


def _cells(texts: Iterable[str]) -> SafeString:
    return format_html_join("", '<td class="essaim-number">{}</td>', ((text,) for text in texts))


HEADINGS = (
    "Mois", "Indicateur", "Code", "Valeur", "Unité", "Prouvé", "Déclaré", "Numérateur", "Dénominateur", "Couverture", "Masqué", "Tel que connu le",
    "Empreinte",
)  # fmt: skip


def evolution_lines(code: str, room: str, wanted: Asked, *, public: bool) -> list[tuple[Any, ...]]:
    """The same figures as a table to export, under HEADINGS: a line a month and indicator, what is missing left out."""
    labels = {item.code: item for item in _followed(f"{room}.")}
    known = wanted.known_at or timezone.localdate()
    lines = []
    for (name, period), row in sorted(_by_month(code, room, wanted, public=public).items(), key=lambda pair: (pair[0][1], pair[0][0])):
        if row["value"] is None and not row["suppressed"]:
            continue
        item = labels[name]
        numbers = (row["numerator"], row["denominator"], row["coverage"])
        lines.append((period, item.label, name, row["value"], item.unit, row["low"], row["high"], *numbers, bool(row["suppressed"]), known, row["fingerprint"]))
    return lines

