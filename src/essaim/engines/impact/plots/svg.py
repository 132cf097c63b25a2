"""A small SVG vocabulary: scales, ticks in French notation, marks; no dependency, identical bytes for identical numbers.

Every figure carries ``role="img"``, a title and a description, and never says anything by colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from essaim.kernel.french import format_number

WIDTH, HEIGHT = 640.0, 360.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 16.0, 16.0, 48.0
BREAKABLE = ' class="empreinte"'  # a fingerprint may be broken anywhere
INK, SOFT, ACCENT, ALERT = "#161616", "#929292", "#000091", "#b34000"


@dataclass(frozen=True, slots=True)
class Figure:
    """An SVG drawing and the table beside it. ``header`` and ``rows`` are text, already in French notation."""

    name: str
    title: str
    svg: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def to_html(self) -> str:
        """Drawing, then the table in a foldable part."""
        return (f'<figure><div class="defile" tabindex="0" role="region" aria-label="{escape(self.title, quote=True)}">{self.svg}</div>'
                f"<figcaption>{escape(self.title)}</figcaption></figure>"
                f"<details><summary>Données du graphique</summary>{table_html(self.title, self.header, self.rows)}</details>")


def table_html(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table that scrolls sideways on a narrow screen, with the keyboard too."""
    head = "".join(f'<th scope="col">{escape(h)}</th>' for h in header)
    body = "".join("<tr>" + "".join(f"<td{BREAKABLE if len(c) > 48 and ' ' not in c else ''}>{escape(c)}</td>" for c in row) + "</tr>" for row in rows)
    return (f'<div class="defile" tabindex="0" role="region" aria-label="{escape(caption, quote=True)}"><table><caption>{escape(caption)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>")


@dataclass(frozen=True, slots=True)
class Scale:
    """Linear map from ``low``–``high`` to ``start``–``stop`` (pixels)."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        """Pixel of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.stop - self.start)


def number(value: float | None, digits: int = 4) -> str:
    """A number at ``digits`` significant digits in French notation; an en dash when absent."""
    if value is None or not math.isfinite(value):
        return "–"
    return format_number(float(f"{value:.{digits}g}")).replace("-", "−")


def ticks(low: float, high: float, count: int = 6) -> list[float]:
    """Round values covering the interval."""
    rough = (high - low) / max(count, 1)
    power = 10 ** math.floor(math.log10(rough))
    step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power >= rough - 1e-12)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]


def span(values: Sequence[float | None], with_zero: bool = True) -> tuple[float, float]:
    """Interval of the finite values with a margin; never empty."""
    seen = [v for v in values if v is not None and math.isfinite(v)] or [0.0]
    low, high = min(seen), max(seen)
    if with_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    margin = (high - low) * 0.06 or 1.0
    return low - margin, high + margin


def px(value: float) -> str:
    """Pixels with one decimal."""
    return f"{value:.1f}".replace("-0.0", "0.0")


def line(x1: float, y1: float, x2: float, y2: float, colour: str = INK, width: float = 1.0, dash: str = "") -> str:
    """A straight line."""
    extra = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<line x1="{px(x1)}" y1="{px(y1)}" x2="{px(x2)}" y2="{px(y2)}" stroke="{colour}" stroke-width="{width:g}"{extra}/>'


def dot(x: float, y: float, colour: str = ACCENT, hollow: bool = False, size: float = 4.0) -> str:
    """A round mark, hollow or full."""
    return f'<circle cx="{px(x)}" cy="{px(y)}" r="{size:g}" fill="{"#fff" if hollow else colour}" stroke="{colour}" stroke-width="1.5"/>'


def text(x: float, y: float, content: str, anchor: str = "middle", size: int = 12, colour: str = INK) -> str:
    """A label."""
    return f'<text x="{px(x)}" y="{px(y)}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">{escape(content)}</text>'


def axes(x: Scale, y: Scale, x_label: str, y_label: str, *, x_ticks: Sequence[float] | None = None, y_ticks: bool = True) -> list[str]:
    """Axes, grid and labels."""
    parts = []
    for v in ticks(y.low, y.high) if y_ticks else []:
        parts += [line(x.start, y(v), x.stop, y(v), "#e5e5e5"), text(x.start - 6, y(v) + 4, number(v), "end")]
    for v in ticks(x.low, x.high) if x_ticks is None else x_ticks:
        parts += [line(x(v), y.start, x(v), y.start + 4), text(x(v), y.start + 18, number(v))]
    parts += [line(x.start, y.start, x.stop, y.start), text((x.start + x.stop) / 2, HEIGHT - 8, x_label)]
    middle = (y.start + y.stop) / 2
    parts.append(f'<text x="14" y="{px(middle)}" transform="rotate(-90 14 {px(middle)})" text-anchor="middle" font-size="12" '
                 f'fill="{INK}">{escape(y_label)}</text>')
    return parts


def frame(name: str, title: str, description: str, parts: Sequence[str], height: float = HEIGHT) -> str:
    """The SVG element around the marks."""
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" role="img" '
            f'aria-labelledby="{name}-titre {name}-description" font-family="Marianne, Arial, sans-serif">'
            f'<title id="{name}-titre">{escape(title)}</title><desc id="{name}-description">{escape(description)}</desc>'
            + "".join(parts) + "</svg>")
