"""Indicators, figures and their origin: the same parameters and the same JSON as the command line."""

# ruff: noqa: B008 — django-ninja declares parameters by their defaults

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from django.http import Http404, HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema
from ninja.errors import HttpError
from pydantic import Field

from essaim.engines.measures import IndicatorRefused, LevelUnknown, explain
from essaim.evaluation import reads
from essaim.evaluation.reads.lineage import described_entries, entries_of_submission
from essaim.foundation.reads.submissions import visible_to
from essaim.portal.api.access import OPEN_TO_ALL, PUBLIC, READING, account_of, sees_in_full
from essaim.portal.api.texts import Identifier, PageNumber, PageSize, Short

router = Router(tags=["Indicateurs et chiffres"])
ROW_KEYS = (
    "unit", "period", "breakdown", "numerator", "denominator", "value", "low", "high", "coverage", "suppressed", "fingerprint",
)  # fmt: skip
_REFUSALS = (IndicatorRefused, LevelUnknown, ValueError)


class IndicatorOut(Schema):
    """Un indicateur du catalogue."""

    code: str
    version: int
    label: str
    definition: str
    unit: str
    kind: str
    direction: str
    target: float | None
    objective: str
    limits: str
    breakdowns: list[str]


class IndicatorFull(IndicatorOut):
    """Un indicateur et sa formule en français."""

    formula: str


class FigureRow(Schema):
    """Un chiffre. Une valeur absente est nulle, jamais zéro ; « suppressed » signale un chiffre masqué par le secret."""

    unit: str
    period: str
    breakdown: str
    numerator: float | None
    denominator: float | None
    value: float | None
    low: float | None = Field(description="Borne prouvée, quand les sources divergent.")
    high: float | None = Field(description="Borne déclarée, quand les sources divergent.")
    coverage: float | None = Field(description="Part (0 à 1) des établissements concernés dont on a les données.")
    suppressed: bool
    fingerprint: str


class FigureDocument(Schema):
    """Les chiffres d'un indicateur, dans la forme de « essaim figures --format json »."""

    indicator: str
    version: int
    unit: str
    level: str
    period: str | list[str]
    known_at: date | None
    by: list[str]
    rows: list[FigureRow]


class Entry(Schema):
    """Une écriture signée et la ligne du fichier d'où elle vient."""

    submission: int = Field(description="Numéro d'inscription au registre.")
    origin: int | None = Field(description="Numéro du dépôt dont la ligne provient.")
    file: str
    sheet: str | None
    row: int | None
    sign: int
    values: dict[str, Any]


class TraceDocument(Schema):
    """Les écritures derrière un chiffre, dans la forme de « essaim trace --json »."""

    figure: dict[str, Any]
    total: int
    page: int
    size: int
    entries: list[Entry]


def _indicator(code: str) -> Any:
    try:
        return reads.indicator(code)
    except reads.IndicatorUnknown as error:
        raise Http404 from error


def _described(item: Any) -> dict[str, Any]:
    plain = ("code", "version", "label", "definition", "unit", "target", "objective", "limits")
    told = {name: getattr(item, name) for name in plain}
    return told | {"kind": item.kind.value, "direction": item.direction.value, "breakdowns": list(item.breakdowns)}


@router.get("/indicators", response=list[IndicatorOut], summary="Lister les indicateurs", auth=PUBLIC, openapi_extra=OPEN_TO_ALL)
def indicator_list(request: HttpRequest) -> list[dict[str, Any]]:
    """Le catalogue des indicateurs."""
    return [_described(item) for item in reads.indicators()]


@router.get("/indicators/{code}", response=IndicatorFull, summary="Décrire un indicateur", auth=PUBLIC, openapi_extra=OPEN_TO_ALL)
def indicator_detail(request: HttpRequest, code: Short) -> dict[str, Any]:
    """Un indicateur, sa définition, sa formule et ses limites."""
    item = _indicator(code)
    return _described(item) | {"formula": explain(item)}


def _day(known_at: date | None) -> date | None:
    """A day past; None for today and after, which is what is known now."""
    return known_at if known_at is not None and known_at < timezone.localdate() else None


def _months(wanted: list[str]) -> list[str]:
    return wanted or [timezone.localdate().strftime("%Y-%m")]


@router.get("/figures", response=FigureDocument | list[FigureDocument], summary="Obtenir des chiffres", auth=PUBLIC, openapi_extra=OPEN_TO_ALL)
def figure_list(
    request: HttpRequest,
    indicator: Annotated[list[Short], Query(min_length=1, max_length=20, description="Code d'indicateur ; répétable.")],
    level: Short = Query(..., description="national, departement, commune, academie, territory, establishment…"),
    unit: Annotated[list[Short], Query(max_length=500, description="Code d'unité ; répétable. Par défaut toutes.")] = [],  # noqa: B006
    period: Annotated[
        list[Short], Query(max_length=36, description="2026-03, 2026-T1, 2026 ou 2025-2026 ; répétable. Par défaut ce mois.")
    ] = [],  # noqa: B006
    by: Annotated[list[Short], Query(max_length=3, description="Ventilation ; répétable pour croiser.")] = [],  # noqa: B006
    known_at: Annotated[date | None, Query(description="Tel que connu à la fin de ce jour.")] = None,
    public: Annotated[bool, Query(description="Applique le secret statistique même à qui pourrait tout voir.")] = False,
) -> dict[str, Any] | list[dict[str, Any]]:
    """Un document ; une liste de documents quand plusieurs indicateurs sont demandés. Sans jeton, ou hors du périmètre du jeton, les chiffres sont ceux du public : ceux qui
    portent sur trop peu d'élèves ou d'établissements sont masqués (« suppressed »)."""
    items, day = {code: _indicator(code) for code in dict.fromkeys(indicator)}, _day(known_at)
    hidden = public or not sees_in_full(account_of(request), level, unit)
    wanted = _months(period)
    try:
        found = reads.figures(
            list(items), level=level, units=unit or None, period=wanted, by=tuple(dict.fromkeys(by)), known_at=day, public=hidden
        )
    except _REFUSALS as error:
        raise HttpError(422, str(error.args[-1])) from error
    rows: dict[str, list[dict[str, Any]]] = {code: [] for code in items}
    for row in found.rows():
        rows[row["indicator"]].append({key: row[key] for key in ROW_KEYS})
    shared = {"level": found.level, "period": wanted[0] if len(wanted) == 1 else wanted, "known_at": day, "by": by}
    documents = [
        {"indicator": code, "version": item.version, "unit": item.unit, **shared, "rows": rows[code]} for code, item in items.items()
    ]
    return documents[0] if len(documents) == 1 else documents


@router.get("/trace", response=TraceDocument, summary="Remonter d'un chiffre à ses lignes", auth=READING)
def figure_trace(
    request: HttpRequest,
    indicator: Short = Query(..., description="Code d'indicateur."),
    level: Short = Query("national"),
    unit: Short = Query("FR"),
    period: Short = Query("", description="Par défaut ce mois."),
    by: Annotated[list[Short], Query(max_length=3)] = [],  # noqa: B006
    breakdown: Short = Query("", description="Libellé de la ventilation, tel que rendu par les chiffres."),
    known_at: Annotated[date | None, Query()] = None,
    page: PageNumber = 1,
    size: PageSize = 100,
) -> dict[str, Any]:
    """Les écritures signées dont un chiffre est la somme : fichier, feuille et ligne de l'expéditeur. Réservé au périmètre du
    jeton."""
    _indicator(indicator)
    if not sees_in_full(account_of(request), level, [unit]):
        raise Http404
    day, month = _day(known_at), period or _months([])[0]
    try:
        entries = reads.trace(indicator, level=level, unit=unit, period=month, by=by, breakdown=breakdown, known_at=day)
    except _REFUSALS as error:
        raise HttpError(422, str(error.args[-1])) from error
    figure = {"indicator": indicator, "level": level, "unit": unit, "period": month, "by": by, "breakdown": breakdown, "known_at": day}
    return _traced(figure, entries, page, size)


def _traced(figure: dict[str, Any], entries: Any, page: int, size: int) -> dict[str, Any]:
    shown = described_entries(entries.slice((page - 1) * size, size)) if entries.num_rows > (page - 1) * size else []
    return {"figure": figure, "total": entries.num_rows, "page": page, "size": size, "entries": shown}


@router.get("/trace/submissions/{number}", response=TraceDocument, summary="Voir ce qu'un dépôt a inscrit", auth=READING)
def submission_trace(request: HttpRequest, number: Identifier, page: PageNumber = 1, size: PageSize = 100) -> dict[str, Any]:
    """Les écritures d'un dépôt visible, par son numéro d'inscription au registre."""
    if not visible_to(account_of(request)).filter(number=number).exists():
        raise Http404
    return _traced({"submission": number}, entries_of_submission(number), page, size)
