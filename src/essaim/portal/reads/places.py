"""Places as pages need them: names, maps, lists of schools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from essaim.kernel.departements import name_of
from essaim.portal.drawing import Shape
from essaim.territories.reads import establishments, map_shapes, territories


@dataclass(frozen=True, slots=True)
class SchoolName:
    """How a school is named in a list."""

    uai: str
    name: str
    commune: str
    departement: str


def territory(code: str) -> Any | None:
    """The territory ``code``, None when it is not one."""
    return next((item for item in territories() if item.code == code), None)


def school(uai: str) -> Any | None:
    """The establishment ``uai``, None when the register does not know it."""
    return establishments().filter(uai=uai.upper()).first()


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
    found = establishments()
    if uais is not None:
        found = found.filter(uai__in=list(uais))
    elif level == "commune":
        found = found.filter(commune_code=unit, closed_on__isnull=True)
    else:
        found = found.filter(departement=unit, closed_on__isnull=True)
    return {row[0]: SchoolName(*row) for row in found.values_list("uai", "name", "commune_name", "departement")}


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


def country_shapes(found: Sequence[Any]) -> list[Shape]:
    """Every département; territories of the programme are links."""
    inside = {item.code: item for item in found}
    return [
        Shape(
            shape.code, shape.label, shape.geometry, reverse("territoire", args=[shape.code]) if shape.code in inside else "",
            shape.code in inside, inside[shape.code].label if shape.code in inside else shape.label,
        )
        for shape in map_shapes()
    ]


def local_shapes(code: str) -> list[Shape]:
    """Contours of the communes of a département when loaded, else its own contour when loaded."""
    found = [shape for shape in map_shapes(code) if not isinstance(shape.geometry, tuple)]
    return [Shape(shape.code, shape.label, shape.geometry) for shape in found]
