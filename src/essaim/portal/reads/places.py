"""Places as pages need them: names, maps, lists of schools."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from essaim.evaluation.reads import indicator
from essaim.foundation.reads import number_known_at
from essaim.kernel.departements import BY_CODE, name_of
from essaim.portal.drawing import Shape, country_map
from essaim.portal.reads.figures import figure_rows
from essaim.territories.reads import (
    WAVES,
    MapShapes,
    contours_stamp,
    establishments,
    map_shapes,
    register_stamp,
    territories,
)

SIZES = ("territories.establishments", "territories.pupils")
# What the home page compares: the four levers.
SHOWN = (
    "equipment.delivered_over_ordered", "equipment.used_over_present", "training.schools_trained", "resources.schools_using",
    "families.schools_reached",
)  # fmt: skip
WAVE_YEARS = {code: str(wave.starts_on.year) for wave in WAVES for code in wave.departements}


@dataclass(frozen=True, slots=True)
class SchoolName:
    """How a school is named in a list."""

    uai: str
    name: str
    commune: str
    departement: str


@dataclass(frozen=True, slots=True)
class Territory:
    """A territory of the programme in a line: schools with pupils, pupils at the last known *rentrée*."""

    code: str
    label: str
    wave: str
    establishments: int | None
    pupils: int | None
    figures: tuple[dict[str, Any], ...] = ()


def programme(*, period: str | None = None, known_at: date | None = None) -> tuple[Territory, ...]:
    """The territories, with their size and main figures at the end of ``period`` (this month) as known at the end of ``known_at``
    (now), protected as for the public."""
    month = period or timezone.localdate().strftime("%Y-%m")
    return _programme(month, known_at, number_known_at(timezone.now()), register_stamp(), str(settings.ESSAIM_LEDGER_URL), settings.ESSAIM_SECRECY_THRESHOLD)


@lru_cache(maxsize=8)
def _programme(month: str, known_at: date | None, *place: Any) -> tuple[Territory, ...]:
    """Made again when anything in ``place`` moves: what was accepted, the register, the ledger, the protection."""
    names = {item.code: item.label for item in territories()}
    found = figure_rows((*SIZES, *SHOWN), level="departement", period=month, units=sorted(names), known_at=known_at, public=True)
    rows = {(row["indicator"], row["unit"]): row for row in found}
    sizes = {key: row["value"] for key, row in rows.items()}
    return tuple(
        Territory(
            code, names[code], WAVE_YEARS.get(code, ""), _whole(sizes.get((SIZES[0], code))), _whole(sizes.get((SIZES[1], code))),
            tuple(rows.get((item, code), {}) | {"label": indicator(item).label, "code": item} for item in SHOWN),
        )
        for code in sorted(names)
    )


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def territory(code: str) -> Territory | None:
    """The territory ``code``, None when it is not one."""
    return next((item for item in programme() if item.code == code), None)


def territory_name(code: str) -> str:
    """The name of the territory ``code``, empty when it is not one."""
    return territory_names().get(code, "")


def territory_names() -> dict[str, str]:
    """Names of the territories by code; none before a register is loaded."""
    return _names(register_stamp())


@lru_cache(maxsize=2)
def _names(stamp: str) -> dict[str, str]:
    """Names of the territories, for as long as the register is the same."""
    return {item.code: item.label for item in territories()}


def school(uai: str) -> Any | None:
    """The establishment ``uai``, None when the register does not know it."""
    return establishments(open_only=False, schools_only=False).filter(uai=uai.upper()).first()


def schools_of(departement: str, *, text: str = "", kind: str = "") -> QuerySet[Any]:
    """The open schools of a département, by commune then name, narrowed by text and level."""
    found = establishments().filter(departement=departement, closed_on__isnull=True)
    if kind:
        found = found.filter(level=kind)
    if text:
        found = found.filter(name__icontains=text) | found.filter(commune_name__icontains=text) | found.filter(uai__istartswith=text)
    return found.order_by("commune_name", "name", "uai")


def school_names(uais: Sequence[str] | None = None, *, level: str = "", unit: str = "") -> dict[str, SchoolName]:
    """Names of ``uais``, or of the open schools of a département or commune."""
    found = establishments(open_only=uais is None, schools_only=uais is None)
    if uais is not None:
        found = found.filter(uai__in=list(uais))
    elif level == "commune":
        found = found.filter(commune_code=unit, closed_on__isnull=True)
    else:
        found = found.filter(departement=unit, closed_on__isnull=True)
    return {row[0]: SchoolName(*row) for row in found.values_list("uai", "name", "commune_name", "departement")}


def is_known_unit(level: str, unit: str) -> bool:
    """Whether a page can be made about this unit: a place of France, or one that the register knows."""
    if level == "national":
        return unit == "FR"
    if level == "departement":
        return unit in BY_CODE
    if level == "territory":
        return any(item.code == unit for item in territories())
    if level == "commune":
        return establishments(open_only=False, schools_only=False).filter(commune_code=unit).exists()
    return unit in school_names([unit])


def unit_label(level: str, unit: str) -> str:
    """How a unit is called on a page."""
    if level == "national":
        return "France"
    if level in {"departement", "territory"}:
        return name_of(unit) or unit
    if level == "establishment":
        names = school_names([unit])
        return f"{names[unit].name or unit}, {names[unit].commune}" if unit in names else unit
    return unit


def map_of_territories() -> SafeString:
    """Every département; territories of the programme are links."""
    return _country(register_stamp(), contours_stamp("departement"))


@lru_cache(maxsize=2)
def _country(stamp: str, contours: int) -> SafeString:
    """Drawn once for as long as the register and the contours are the same."""
    inside = set(_names(stamp))
    shapes = [
        Shape(code, label, geometry, reverse("territoire", args=[code]) if code in inside else "", code in inside, label)
        for code, label, geometry in _geometries(map_shapes("departement"))
    ]
    return country_map(shapes, title="Carte des territoires")


def local_shapes(code: str) -> list[Shape]:
    """Contours of the communes of a département when loaded, else its own contour when loaded, else nothing."""
    for level in ("commune", "departement"):
        found = map_shapes(level, code)
        if found.has_contours:
            return [Shape(*item) for item in _geometries(found)]
    return []


def _geometries(found: MapShapes) -> Iterator[tuple[str, str, Any]]:
    for feature in found.features:
        told = feature["properties"]
        yield told["code"], told.get("nom") or told["code"], feature["geometry"]
    for tile in found.tiles:
        yield tile.code, tile.label, (tile.column, tile.row)
