"""The map: a tile per département, then the contours that were loaded."""

from __future__ import annotations

import pytest

from essaim.territories.reads import map_shapes
from essaim.territories.reads.shapes import tiles


def test_the_map_has_a_tile_per_departement_then_contours(load, stores):
    """101 tiles, each at its own place; loaded contours take over, one département at a time if asked."""
    grid = tiles()
    assert len(grid) == 101 == len({(item.column, item.row) for item in grid}) == len({item.code for item in grid})
    assert not map_shapes().has_contours
    ring = "[[[3,49],[4,49],[4,50],[3,49]]]"
    feature = '{"type":"Feature","properties":{"code":"%s","nom":"X"},"geometry":{"type":"Polygon","coordinates":' + ring + "}}"
    whole = '{"type":"FeatureCollection","features":[' + feature % "02" + "," + feature % "95" + "]}"
    outcome = load({"dep.geojson": whole, "faux.geojson": "{}"})
    assert [bool(item.problem) for item in outcome.files] == [False, True]
    assert {item["properties"]["code"] for item in map_shapes().features} == {"02", "95"}
    assert len(map_shapes(departement="02").features) == 1 and map_shapes().tiles == ()
    with pytest.raises(ValueError):
        map_shapes("planete")
