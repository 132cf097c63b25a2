"""Keeping the contours of départements and communes given as GeoJSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings

from essaim.kernel.communes import PATTERN as COMMUNE
from essaim.kernel.departements import BY_CODE

_CODE_NAMES = ("code", "code_insee", "insee", "INSEE_DEP", "INSEE_COM", "code_departement")
_LABEL_NAMES = ("nom", "name", "label", "libelle", "NOM")


def keep_contours(path: Path) -> int:
    """Keep the polygons of a GeoJSON file whose codes are départements or communes, replacing those of the same codes; how
    many. ValueError when it holds none."""
    told = json.loads(path.read_text(encoding="utf-8-sig"))
    kept: dict[str, dict[str, Any]] = {"departement": {}, "commune": {}}
    for feature in told.get("features", ()):
        code = _property(feature, _CODE_NAMES)
        level = "departement" if code in BY_CODE else "commune" if COMMUNE.match(code) else ""
        geometry = feature.get("geometry") or {}
        if level and geometry.get("type") in ("Polygon", "MultiPolygon"):
            properties = {"code": code, "nom": _property(feature, _LABEL_NAMES)}
            kept[level][code] = {"type": "Feature", "properties": properties, "geometry": geometry}
    if not any(kept.values()):
        raise ValueError("aucun département ni commune n'y est reconnu (propriété « code » attendue)")
    for level, features in kept.items():
        if features:
            _merge(level, features)
    return sum(len(features) for features in kept.values())


def _property(feature: dict[str, Any], names: tuple[str, ...]) -> str:
    properties = feature.get("properties") or {}
    return next((str(properties[name]).strip() for name in names if properties.get(name)), "")


def _merge(level: str, features: dict[str, Any]) -> None:
    folder = Path(settings.ESSAIM_FILES_DIR) / "contours"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{level}.geojson"
    known = json.loads(target.read_text()) if target.exists() else {"features": []}
    merged = {item["properties"]["code"]: item for item in known["features"]} | features
    whole = {"type": "FeatureCollection", "features": [merged[code] for code in sorted(merged)]}
    temporary = target.with_suffix(".part")
    temporary.write_text(json.dumps(whole, ensure_ascii=False))
    temporary.replace(target)
