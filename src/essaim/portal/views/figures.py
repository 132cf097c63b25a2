"""Pages of figures: one indicator in one place, its trend, its breakdowns, its schools, and the entries behind it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from essaim.engines.measures import Indicator, IndicatorRefused, LevelUnknown, explain
from essaim.equipment.reads.naming import sender_labels
from essaim.evaluation.reads import IndicatorUnknown, figures, indicator, indicators, trace
from essaim.evaluation.reads.lineage import described_entries, told_lines
from essaim.foundation.reads.facts import cells, lines_added
from essaim.foundation.reads.submissions import readable_numbers, visible_to
from essaim.portal.drawing import trend
from essaim.portal.exports import FORMATS, exported
from essaim.portal.freshness import fresh
from essaim.portal.reads.figures import figure_rows
from essaim.portal.reads.places import is_known_unit, school_names, unit_label
from essaim.portal.reads.sheets import asked, cards, is_public

LAST_ROW = 2**31
LEVELS = {"national": "France", "departement": "Département", "territory": "Territoire", "commune": "Commune", "establishment": "Établissement"}
BREAKDOWN_LABELS = {
    "sector": "Secteur", "school_level": "Type d'établissement", "rep": "Éducation prioritaire", "ips_quartile": "Quartile d'IPS",
    "commune_size": "Taille de la commune", "fragility": "Fragilité numérique de la commune",
    "category": "Catégorie de matériel", "buyer_siren": "Acheteur",
}


def _indicator(code: str) -> Any:
    try:
        return indicator(code)
    except IndicatorUnknown as error:
        raise Http404(str(error)) from error


def departement_of(level: str, unit: str) -> str | None:
    """The département that decides who may read a unit's figures in full."""
    if level in {"departement", "territory"}:
        return unit
    if level == "commune":
        return unit[:3] if unit.startswith("97") else unit[:2]
    if level == "establishment":
        names = school_names([unit])
        return names[unit].departement if unit in names else None
    return None


def _is_public(request: HttpRequest, level: str, unit: str) -> bool:
    """A figure is given in full in the places of the reader, those of a school to who answers for it too."""
    return is_public(request.user, departement_of(level, unit), unit if level == "establishment" else None)


@require_GET
@fresh()
def indicator_list(request: HttpRequest) -> HttpResponse:
    """The catalogue: every indicator with its definition, formula and limits."""
    rooms: dict[str, list[Any]] = {}
    for item in indicators():
        rooms.setdefault(item.code.split(".")[0], []).append((item, explain(item)))
    return render(request, "portal/figures/catalogue.html", {"rooms": rooms})


@require_GET
@fresh()
def figure_detail(request: HttpRequest, level: str, unit: str, code: str) -> HttpResponse:
    """One figure, with its trend, breakdown and schools."""
    if level not in LEVELS or not is_known_unit(level, unit):
        raise Http404
    item = _indicator(code)
    wanted, remark = asked(request.GET.dict())
    public = _is_public(request, level, unit)
    by = request.GET.get("par", "")
    by = by if by in item.breakdowns else ""
    (card,) = cards(level, unit, wanted, public=public, codes=[code])
    context: dict[str, Any] = {
        "card": card,
        "item": item,
        "explained": explain(item),
        "level": level,
        "level_label": LEVELS[level],
        "unit": unit,
        "unit_label": unit_label(level, unit),
        "wanted": wanted,
        "remark": remark,
        "public": public,
        "drawing": trend(card.trend, title=f"{item.label}, {'année par année' if card.is_yearly else 'mois par mois depuis un an'}", unit=item.unit, target=item.target),
        "by": by,
        "breakdowns": [(name, BREAKDOWN_LABELS.get(name, name)) for name in item.breakdowns],
    }
    if by:
        try:
            found = figures([code], level=level, units=[unit], period=card.period, by=by, known_at=wanted.known_at, public=public)
            context["broken_down"] = [row for row in found.rows() if row["breakdown"]]
        except (IndicatorRefused, LevelUnknown) as error:
            context["remark"] = str(error.args[0])
    return render(request, "portal/figures/detail.html", context)


@require_GET
@fresh()
def figure_schools(request: HttpRequest, level: str, unit: str, code: str) -> HttpResponse:
    """The same figure school by school, for readers of the place; with exports."""
    item = _indicator(code)
    wanted, _ = asked(request.GET.dict())
    if level not in {"departement", "territory", "commune"} or is_public(request.user, departement_of(level, unit)):
        raise Http404
    names = school_names(level=level, unit=unit)
    found = figure_rows([code], level="establishment", units=list(names), period=wanted.period_of(item), known_at=wanted.known_at)
    rows = [row | {"school": names[str(row["unit"])]} for row in found]
    order = request.GET.get("tri", "valeur")
    rows.sort(key=_order(order), reverse=order.startswith("-"))
    form = request.GET.get("format", "")
    if form in FORMATS:
        headings = ("UAI", "Établissement", "Commune", "Valeur", "Unité", "Numérateur", "Dénominateur", "Période", "Empreinte")
        lines = (
            (r["unit"], r["school"].name, r["school"].commune, r["value"], item.unit, r["numerator"], r["denominator"], r["period"], r["fingerprint"])
            for r in rows
        )
        response = HttpResponse(exported(form, item.label, headings, lines), content_type=FORMATS[form])
        response.headers["Content-Disposition"] = f'attachment; filename="{code}-{unit}-{wanted.period_of(item)}.{form}"'
        return response
    page = Paginator(rows, 50).get_page(request.GET.get("page"))
    context = {"page": page, "item": item, "level": level, "unit": unit, "unit_label": unit_label(level, unit), "wanted": wanted, "period": wanted.period_of(item), "order": order}
    return render(request, "portal/figures/schools.html", context)


def _order(order: str) -> Any:
    name = order.lstrip("-")
    if name == "nom":
        return lambda row: row["school"].name
    if name == "commune":
        return lambda row: row["school"].commune
    return lambda row: (row["value"] is None, row["value"] or 0.0)


@require_GET
@fresh()
def figure_trace(request: HttpRequest, level: str, unit: str, code: str) -> HttpResponse:
    """The signed entries behind a figure, each with the file, sheet and row it comes from."""
    item = _indicator(code)
    wanted, _ = asked(request.GET.dict())
    if level not in LEVELS or not is_known_unit(level, unit) or _is_public(request, level, unit):
        raise Http404
    by, breakdown = request.GET.get("par", ""), request.GET.get("groupe", "")
    entries, remark = _traced(item, level, unit, wanted, by, breakdown)
    if remark:
        by = breakdown = ""
    part = request.GET.get("partie", "")
    if part:
        entries = entries.filter(pc.equal(entries["part"], part))
    paginator = Paginator(range(entries.num_rows), 50)
    page = paginator.get_page(request.GET.get("page"))
    shown = described_entries(entries.slice(page.start_index() - 1 if entries.num_rows else 0, 50))
    context = {
        "page": page, "entries": shown, "names": school_names(sorted({uai for entry in shown if (uai := entry["values"].get("uai"))})), "item": item, "level": level, "unit": unit, "unit_label": unit_label(level, unit),
        "wanted": wanted, "part": part, "by": by, "breakdown": breakdown, "remark": remark,
        "period": wanted.period_of(item), "readable": readable_numbers(request.user, shown),
    }
    return render(request, "portal/figures/trace.html", context)


def _traced(item: Indicator, level: str, unit: str, wanted: Any, by: str, breakdown: str) -> tuple[pa.Table, str]:
    """The entries behind a figure. Where the breakdown asked does not exist, those of the whole figure and the reason."""
    asked_of = {"level": level, "unit": unit, "period": wanted.period_of(item), "known_at": wanted.known_at}
    try:
        return trace(item.code, by=by or None, breakdown=breakdown, **asked_of), ""
    except LevelUnknown:  # no register yet
        return pa.table({"part": pa.array([], pa.string())}), ""
    except (IndicatorRefused, ValueError) as error:
        if not by:
            raise Http404(str(error)) from error
        return trace(item.code, **asked_of), str(error.args[0])


@require_GET
def origin(request: HttpRequest, number: int, row: int) -> HttpResponse:
    """The sender's own cells behind one entry: file, sheet, cell by cell."""
    submission = visible_to(request.user).filter(number=number).first() if request.user.is_authenticated else None
    if submission is None:
        raise Http404
    sheet = request.GET.get("feuille", "")
    from essaim.foundation.contracts import contract

    labels = {field.name: field.label for field in contract(submission.contract).fields}
    held = cells(number, sheet, row, tuple(labels)) if row < LAST_ROW else []
    found = [(labels[where.field], where) for where in held if where.cell or where.written]
    if not found:
        raise Http404
    lines = told_lines(lines_added(submission, {(sheet, row)}).get((sheet, row), ()), sheet)
    sender = sender_labels({submission.sender})[submission.sender]
    shown = {"submission": submission, "sender": sender, "cells": found, "sheet": sheet, "row": row, "lines": lines}
    return render(request, "portal/figures/origin.html", shown)
