"""The map: contours when some were loaded, otherwise one tile per département."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from essaim.kernel.communes import departement_of

from .declared import NAMES

# Column and row of each département on a grid that keeps neighbours together (column 0 west, row 0 north); overseas at the left.
_ROWS = (
    "  .   .   .   .   .   .   62  59  .   .   .   .  ",
    "  .   .   .   .   .   76  80  02  08  .   .   .  ",
    "  .   .   50  14  27  95  60  51  55  57  67  .  ",
    "  29  22  35  61  78  92  93  77  10  54  68  .  ",
    "  56  44  53  28  91  75  94  89  52  88  90  .  ",
    "  .   49  72  41  45  58  21  70  25  .   .   .  ",
    "  85  79  37  36  18  03  71  39  .   .   .   .  ",
    "  17  86  87  23  63  42  69  01  74  .   .   .  ",
    "  16  24  19  15  43  07  38  73  .   .   .   .  ",
    "  33  47  46  12  48  30  26  05  .   .   .   .  ",
    "  40  32  82  81  34  13  84  04  06  .   .   2B ",
    "  64  65  31  09  11  66  .   83  .   .   .   2A ",
    "  971 972 973 974 976 .   .   .   .   .   .   .  ",
)


@dataclass(frozen=True, slots=True)
class Tile:
    """One square of the tile map."""

    code: str
    label: str
    column: int
    row: int


@dataclass(frozen=True, slots=True)
class MapShapes:
    """``level``: ``departement`` or ``commune``. ``features``: GeoJSON features with ``code`` and ``nom``, empty without contours, in
    which case ``tiles`` holds the grid of the 101 départements."""

    level: str
    features: tuple[dict[str, Any], ...]
    tiles: tuple[Tile, ...]

    @property
    def has_contours(self) -> bool:
        return bool(self.features)


def tiles() -> tuple[Tile, ...]:
    """The tile grid of the 101 départements."""
    return tuple(
        Tile(code, NAMES[code], column, row)
        for row, line in enumerate(_ROWS)
        for column, code in enumerate(line.split())
        if code != "."
    )


def map_shapes(level: str = "departement", departement: str | None = None) -> MapShapes:
    """Contours of ``level``, of one département when given; the tile grid when none were loaded. ValueError for another level."""
    if level not in ("departement", "commune"):
        raise ValueError(f"no contours of level {level}")
    path = _path(level)
    features = _features(path, path.stat().st_mtime_ns) if path.exists() else ()
    if departement is not None:
        features = tuple(item for item in features if _home(item["properties"]["code"], level) == departement)
    return MapShapes(level, features, () if features else tiles())


def _path(level: str) -> Path:
    return Path(settings.ESSAIM_FILES_DIR) / "contours" / f"{level}.geojson"


def contours_stamp(level: str) -> int:
    """Changes whenever contours of ``level`` are loaded; 0 while there are none."""
    path = _path(level)
    return path.stat().st_mtime_ns if path.exists() else 0


@lru_cache(maxsize=4)
def _features(path: Path, _written_at: int) -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(path.read_text())["features"])


def _home(code: str, level: str) -> str | None:
    return code if level == "departement" else departement_of(code)
