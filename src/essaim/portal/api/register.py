"""The register of establishments and places, for programs that hold a token."""

# ruff: noqa: B008 — django-ninja declares parameters by their defaults

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from django.http import Http404, HttpRequest
from ninja import Query, Router, Schema

from essaim.portal.api.access import READING
from essaim.portal.api.texts import PageNumber, PageSize, Short
from essaim.territories.reads import establishments, search, units

router = Router(tags=["Registre"], auth=READING)
_MOST_FOUND = 500


class EstablishmentOut(Schema):
    """Un établissement du registre."""

    uai: str
    name: str
    kind: str
    level: str
    sector: str
    commune_code: str
    commune_name: str
    postal_code: str
    departement: str
    latitude: float | None
    longitude: float | None
    opened_on: date | None
    closed_on: date | None
    successor_uai: str
    owner_code: str
    priority_education: str


class EstablishmentPage(Schema):
    """Une page d'établissements."""

    total: int
    page: int
    size: int
    items: list[EstablishmentOut]


class PlaceOut(Schema):
    """Un lieu d'une hiérarchie."""

    hierarchy: str
    level: str
    code: str
    label: str
    departement: str
    population: int | None


class PlacePage(Schema):
    """Une page de lieux."""

    total: int
    page: int
    size: int
    items: list[PlaceOut]


def _paged(found: Any, page: int, size: int) -> dict[str, Any]:
    start = (page - 1) * size
    return {"total": found.count(), "page": page, "size": size, "items": list(found[start : start + size])}


@router.get("/establishments", response=EstablishmentPage, summary="Chercher des établissements")
def establishment_list(
    request: HttpRequest,
    q: Short = Query("", description="Nom, commune ou UAI ; accents et casse ignorés (500 résultats au plus)."),
    departement: Short = Query("", description="Code du département."),
    commune: Short = Query("", description="Code de la commune."),
    level: Short = Query("", description="ecole, college, lycee ou autre."),
    sector: Short = Query("", description="public ou prive."),
    owner: Short = Query("", description="Code de la collectivité ou du propriétaire."),
    closed: Annotated[bool, Query(description="Inclut les établissements fermés.")] = False,
    page: PageNumber = 1,
    size: PageSize = 50,
) -> dict[str, Any]:
    """Établissements du registre national, filtrés."""
    found = establishments(open_only=not closed, schools_only=False)
    if q.strip():
        found = found.filter(pk__in=[item.pk for item in search(q.strip(), limit=_MOST_FOUND, open_only=not closed)])
    wishes = {"departement": departement, "commune_code": commune, "level": level, "sector": sector, "owner_code": owner}
    found = found.filter(**{name: wish for name, wish in wishes.items() if wish})
    return _paged(found.order_by("commune_name", "name", "uai"), page, size)


@router.get("/establishments/{uai}", response=EstablishmentOut, summary="Obtenir un établissement")
def establishment_detail(request: HttpRequest, uai: Short) -> Any:
    """Un établissement, par son UAI."""
    found = establishments(open_only=False, schools_only=False).filter(uai=uai.upper()).first()
    if found is None:
        raise Http404
    return found


@router.get("/places", response=PlacePage, summary="Lister les lieux")
def place_list(
    request: HttpRequest,
    hierarchy: Short = Query(..., description="administrative, academic, owner, diocesan ou programme."),
    level: Short = Query(..., description="commune, epci, departement, region, academie…"),
    departement: Short = Query("", description="Code du département."),
    page: PageNumber = 1,
    size: PageSize = 100,
) -> dict[str, Any]:
    """Les lieux des hiérarchies datées du registre."""
    return _paged(units(hierarchy, level, departement or None).order_by("code"), page, size)
