"""What may be asked of the register. Doors load on demand: some work on files alone, before or without Django."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .declared import WAVES, Wave
    from .frames import demonstration_schools, hierarchy_frame, profile_frame, register_stamp
    from .references import snapshot_references
    from .searching import search
    from .shapes import MapShapes, contours_stamp, map_shapes
    from .sheets import SchoolSheet, TerritorySheet, school_sheet, territory_sheet
    from .visible import establishments, is_place, territories, units

_DOORS = {
    "WAVES": "declared",
    "Wave": "declared",
    "demonstration_schools": "frames",
    "hierarchy_frame": "frames",
    "profile_frame": "frames",
    "register_stamp": "frames",
    "snapshot_references": "references",
    "search": "searching",
    "MapShapes": "shapes",
    "contours_stamp": "shapes",
    "map_shapes": "shapes",
    "SchoolSheet": "sheets",
    "TerritorySheet": "sheets",
    "school_sheet": "sheets",
    "territory_sheet": "sheets",
    "establishments": "visible",
    "is_place": "visible",
    "territories": "visible",
    "units": "visible",
}
__all__ = [
    "WAVES", "MapShapes", "SchoolSheet", "TerritorySheet", "Wave", "contours_stamp", "demonstration_schools", "establishments", "hierarchy_frame", "is_place",
    "map_shapes", "profile_frame", "register_stamp", "school_sheet", "search", "snapshot_references", "territories", "territory_sheet", "units",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _DOORS:
        return getattr(import_module(f"{__name__}.{_DOORS[name]}"), name)
    raise AttributeError(name)
