"""Drawings made on the server: maps and curves as SVG, each page showing the same data in a table beside them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from essaim.kernel.french import MONTHS
from essaim.kernel.french import format_number as number

WIDTH = 600.0
COS = math.cos(math.radians(46.5))
METROPOLIS = (-5.3, 41.2, 9.8, 51.2)
# Overseas départements are drawn in boxes at the left edge, each at its own scale.
INSETS: Mapping[str, tuple[float, float]] = {"971": (0, 300), "972": (0, 365), "973": (0, 430), "974": (0, 495), "976": (66, 495)}
INSET_SIZE = 60.0
_STEP = 0.8
_SHORT = {"octobre": "oct.", "novembre": "nov.", "décembre": "déc."}


@dataclass(frozen=True, slots=True)
class Shape:
    """A place on a map. ``geometry``: GeoJSON Polygon or MultiPolygon in degrees, or ``(column, row)`` of a tile grid."""

    code: str
    label: str
    geometry: Any
    url: str = ""
    is_in: bool = False
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """An establishment on a map: degrees, radius in pixels, address of its sheet."""

    latitude: float
    longitude: float
    label: str
    url: str = ""
    radius: float = 3.0


@dataclass(frozen=True, slots=True)
class Frame:
    """From degrees to pixels: west and north edges, scale, offset."""

    west: float
    north: float
    scale: float
    left: float = 0.0
    top: float = 0.0
    squeeze: float = field(default=COS)

    def place(self, longitude: float, latitude: float) -> tuple[float, float]:
        x = self.left + (longitude - self.west) * self.squeeze * self.scale
        y = self.top + (self.north - latitude) * self.scale
        return round(x, 1), round(y, 1)


def country_map(shapes: Sequence[Shape], *, title: str) -> SafeString:
    """Map of départements (contours or tiles). Places with an address are links, named for screen readers."""
    if shapes and isinstance(shapes[0].geometry, tuple):
        return _tiles(shapes, title)
    west, _, _, north = METROPOLIS
    frame = Frame(west, north, 500 / (METROPOLIS[3] - METROPOLIS[1]), 70, 5)
    parts = []
    for shape in shapes:
        local = frame
        if shape.code in INSETS:
            local = _fitted(shape.geometry, INSET_SIZE, *INSETS[shape.code])
        parts.append(_linked(shape, _path(shape, local, step=_STEP)))
    return _svg(WIDTH, 565, title, parts)


def local_map(shapes: Sequence[Shape], points: Iterable[Point], *, title: str) -> SafeString:
    """Map of one territory: its communes (if contours are loaded) and its establishments as points."""
    points = list(points)
    places = [p for shape in shapes for ring in _rings(shape.geometry) for p in ring] or [
        (point.longitude, point.latitude) for point in points
    ]
    if not places:
        return SafeString("")
    frame, height = _frame(places, WIDTH)
    drawn = [_linked(shape, _path(shape, frame)) for shape in shapes]
    for point in points:
        x, y = frame.place(point.longitude, point.latitude)
        circle = format_html('<circle cx="{}" cy="{}" r="{}"><title>{}</title></circle>', x, y, point.radius, point.label)
        drawn.append(format_html('<a href="{}">{}</a>', point.url, circle) if point.url else circle)
    return _svg(WIDTH, height, title, drawn)


def trend(points: Sequence[tuple[str, float | None]], *, title: str, unit: str = "", target: float | None = None) -> SafeString:
    """Curve of a figure over periods; a period without data breaks the line, it is never drawn as zero."""
    known = [value for _, value in points if value is not None]
    if len(known) < 2:
        return SafeString("")
    levels = _levels(min([0.0, *known, target or 0.0]), max([0.0, *known, target or 0.0]))
    low, top = levels[0], levels[-1]
    marks = [number(level).replace("-", "−") for level in levels]
    left, right, height, foot = max(48.0, 12 + 8.0 * max(map(len, marks))), 590.0, 170.0, 140.0
    step = (right - left) / max(1, len(points) - 1)

    def at(index: int, value: float) -> tuple[float, float]:
        return round(left + index * step, 1), round(foot - (value - low) / (top - low) * (foot - 12), 1)

    parts: list[SafeString] = [format_html('<line class="axis" x1="{}" y1="{}" x2="{}" y2="{}"></line>', left, foot, right, foot)]
    for level, mark in zip(levels, marks, strict=True):
        parts.append(format_html('<text x="{}" y="{}" text-anchor="end">{}</text>', left - 6, at(0, level)[1] + 4, mark))
    for segment in _segments(points):
        coordinates = " ".join(f"{x},{y}" for x, y in (at(i, v) for i, v in segment))
        parts.append(format_html('<polyline class="line" points="{}"></polyline>', coordinates))
        parts += [
            format_html('<circle class="dot" cx="{}" cy="{}" r="3"><title>{} : {} {}</title></circle>', *at(i, v), _named(points[i][0]), number(round(v, 2)).replace("-", "−"), unit)
            for i, v in segment
        ]
    every = max(1, len(points) // 6)
    for index in range(0, len(points), every):
        anchor = "end" if index == len(points) - 1 else "middle"  # the last one stays inside the drawing
        parts.append(format_html('<text x="{}" y="{}" text-anchor="{}">{}</text>', at(index, low)[0], foot + 18, anchor, _named(points[index][0], short=True)))
    if target is not None:
        y = at(0, target)[1]
        parts.append(format_html('<line class="axis" stroke-dasharray="4 3" x1="{}" y1="{}" x2="{}" y2="{}"><title>Cible : {}</title></line>', left, y, right, y, number(target)))
    return _svg(WIDTH, height, title, parts, "essaim-chart")


def _levels(low: float, high: float) -> list[float]:
    """Round values from ``low`` to ``high`` or beyond, four steps at most: 0, 25, 50, 75, 100."""
    least = (high - low) / 4 or 0.25
    power = 10.0 ** math.floor(math.log10(least))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= least * 0.9999)
    first, last = math.floor(low / step), max(math.ceil(round(high / step, 6)), math.floor(low / step) + 1)
    return [round(index * step, 6) for index in range(first, last + 1)]


def _named(period: str, *, short: bool = False) -> str:
    """``2026-09`` → « septembre 2026 », or « sept. 2026 » under an axis; years as they are written."""
    if len(period) != len("2026-09"):
        return period
    name = MONTHS[int(period[5:]) - 1]
    return f"{name if not short or len(name) <= 5 else _SHORT.get(name, f'{name[:4]}.')} {period[:4]}"


def spark(values: Sequence[float | None]) -> SafeString:
    """A curve of the size of a word, for the head of a column whose cells say the values: hidden from readers of screens.
    Zero is its floor; a missing value breaks the line; fewer than two values draw nothing."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return SafeString("")
    top, low = max([*known, 0.0]), min([*known, 0.0])
    across, up = 96.0 / max(1, len(values) - 1), 20.0 / ((top - low) or 1.0)
    points = [("", value) for value in values]
    lines = (
        (" ".join(f"{2 + index * across:.1f},{22 - (value - low) * up:.1f}" for index, value in segment),) for segment in _segments(points)
    )
    inside = format_html_join("", '<polyline class="line" points="{}"></polyline>', lines)
    return format_html('<svg class="essaim-spark" viewBox="0 0 100 24" aria-hidden="true" focusable="false">{}</svg>', inside)


def _segments(points: Sequence[tuple[str, float | None]]) -> list[list[tuple[int, float]]]:
    found: list[list[tuple[int, float]]] = [[]]
    for index, (_, value) in enumerate(points):
        if value is None:
            found.append([])
        else:
            found[-1].append((index, value))
    return [segment for segment in found if segment]


def _svg(width: float, height: float, title: str, parts: Iterable[SafeString], css: str = "essaim-map") -> SafeString:
    inside = format_html_join("", "{}", ((part,) for part in parts))
    return format_html('<svg class="{}" viewBox="0 0 {} {}" role="group" aria-label="{}">{}</svg>', css, width, height, title, inside)


def _linked(shape: Shape, drawn: SafeString) -> SafeString:
    if not shape.url:
        return drawn
    return format_html('<a href="{}" aria-label="{}">{}</a>', shape.url, shape.caption or shape.label, drawn)


def _path(shape: Shape, frame: Frame, *, step: float = 0.0) -> SafeString:
    commands = []
    for ring in _rings(shape.geometry):
        commands.append("M" + "L".join(f"{x:g} {y:g}" for x, y in _thinned([frame.place(*p[:2]) for p in ring], step)) + "Z")
    css = "is-in" if shape.is_in else ""
    return format_html('<path class="{}" d="{}"><title>{}</title></path>', css, "".join(commands), shape.caption or shape.label)


def _thinned(points: list[tuple[float, float]], step: float) -> list[tuple[float, float]]:
    """Without the points closer than ``step`` pixels to the one kept before: no eye tells them apart."""
    kept = points[:1]
    for x, y in points[1:]:
        if abs(x - kept[-1][0]) + abs(y - kept[-1][1]) >= step:
            kept.append((x, y))
    return kept if len(kept) > 2 else points


def _rings(geometry: Any) -> list[list[Any]]:
    if not geometry or isinstance(geometry, tuple):
        return []
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    return [ring for polygon in polygons for ring in polygon]


def _fitted(geometry: Any, size: float, left: float, top: float) -> Frame:
    places = [p for ring in _rings(geometry) for p in ring]
    west, east = min(p[0] for p in places), max(p[0] for p in places)
    south, north = min(p[1] for p in places), max(p[1] for p in places)
    return Frame(west, north, size / max(east - west, north - south), left, top, 1.0)


def _frame(places: Sequence[Any], width: float) -> tuple[Frame, float]:
    west, east = min(p[0] for p in places), max(p[0] for p in places)
    south, north = min(p[1] for p in places), max(p[1] for p in places)
    squeeze = math.cos(math.radians((south + north) / 2))
    scale = (width - 20) / max((east - west) * squeeze, 1e-6)
    height = min((north - south) * scale + 20, width * 1.2)
    scale = min(scale, (height - 20) / max(north - south, 1e-6))
    return Frame(west, north, scale, 10, 10, squeeze), round(height)


def _tiles(shapes: Sequence[Shape], title: str) -> SafeString:
    size = 40
    parts = []
    for shape in shapes:
        column, row = shape.geometry
        tile = format_html(
            '<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect><text x="{}" y="{}" text-anchor="middle" font-size="13"{}>{}</text>',
            "is-in" if shape.is_in else "", column * size, row * size, size - 2, size - 2, shape.caption or shape.label,
            column * size + size / 2 - 1, row * size + size / 2 + 4, SafeString(' fill="#fff"') if shape.is_in else "", shape.code,
        )
        parts.append(_linked(shape, tile))
    width = (max(s.geometry[0] for s in shapes) + 1) * size
    height = (max(s.geometry[1] for s in shapes) + 1) * size
    return _svg(width, height, title, parts)
