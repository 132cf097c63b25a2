"""The four plots of a study: effects by time since treatment, placebo ranks, sensitivity, balance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from essaim.engines.impact.design.balance import Balance
from essaim.engines.impact.plots.svg import (
    ACCENT,
    ALERT,
    BOTTOM,
    HEIGHT,
    INK,
    LEFT,
    RIGHT,
    SOFT,
    TOP,
    WIDTH,
    Figure,
    Scale,
    axes,
    dot,
    frame,
    line,
    number,
    px,
    span,
    text,
)

Bounds = Sequence[float | None]


def _scales(x: tuple[float, float], y: tuple[float, float]) -> tuple[Scale, Scale]:
    return Scale(*x, LEFT, WIDTH - RIGHT), Scale(*y, HEIGHT - BOTTOM, TOP)


def event_study(at: Sequence[float], value: Sequence[float], low: Bounds, high: Bounds, *, unit: str = "",
                name: str = "anciennete", simultaneous: bool = True) -> Figure:
    """Effects by periods since treatment with their interval, simultaneous or not; before treatment hollow, after full."""
    x, y = _scales((min(at) - 0.5, max(at) + 0.5), span([*value, *low, *high]))
    parts = axes(x, y, "Périodes depuis le traitement", f"Effet ({unit})" if unit else "Effet", x_ticks=[a for a in at if a == int(a)])
    parts += [line(x.start, y(0), x.stop, y(0), INK, 1.2), line(x(-0.5), y.start, x(-0.5), y.stop, SOFT, 1, "4 3")]
    for a, v, lo, hi in zip(at, value, low, high, strict=True):
        if lo is not None and hi is not None:
            parts.append(line(x(a), y(lo), x(a), y(hi), ACCENT, 1.6))
        parts.append(dot(x(a), y(v), ACCENT, hollow=a < 0))
    title = "Effet par ancienneté du traitement"
    said = "Points creux avant le traitement, pleins après ; traits : intervalles de confiance " + ("simultanés." if simultaneous else "à 95 %, un à un.")
    rows = tuple((number(a), number(v), number(lo), number(hi)) for a, v, lo, hi in zip(at, value, low, high, strict=True))
    return Figure(name, title, frame(name, title, said, parts), ("Ancienneté", "Effet", "Borne basse", "Borne haute"), rows)


def placebo_ranks(observed: float, draws: Sequence[float], *, p_value: float | None = None, bins: int = 41,
                  name: str = "placebos") -> Figure:
    """Distribution of the effects of pretended roll-outs, and the real one."""
    values = np.asarray(draws, float)
    reach = max(float(np.abs(values).max()), abs(observed)) * 1.02 or 1.0
    edges = np.linspace(-reach, reach, bins + 1)
    counts = np.histogram(values, edges)[0]
    x, y = _scales((-reach, reach), (0.0, float(counts.max()) * 1.1 + 1))
    parts = axes(x, y, "Effet d'un déploiement fictif", "Nombre d'affectations")
    for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True):
        if n:
            parts.append(f'<rect x="{px(x(a) + 0.5)}" y="{px(y(float(n)))}" width="{px(x(b) - x(a) - 1)}" '
                         f'height="{px(y(0) - y(float(n)))}" fill="#cacafb" stroke="{ACCENT}" stroke-width="0.5"/>')
    aside = ("end", -6.0) if x(observed) > WIDTH / 2 else ("start", 6.0)  # the label stands on the roomier side of the line
    parts += [line(x(observed), y.start, x(observed), y.stop, ALERT, 2.5),
              text(x(observed) + aside[1], TOP + 8, f"déploiement réel : {number(observed)}", aside[0], colour=ALERT)]
    title = "Le déploiement réel parmi les déploiements fictifs"
    said = f"Effet réel {number(observed)} parmi {values.size} affectations fictives." + (
        f" Valeur p {number(p_value)}." if p_value is not None else "")
    rows = tuple((f"{number(a)} à {number(b)}", str(int(n))) for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True) if n)
    return Figure(name, title, frame(name, title, said, parts), ("Effet", "Affectations"), rows)


def sensitivity(rows: Sequence[tuple[str, float, float | None, float | None]], *, unit: str = "", name: str = "robustesse") -> Figure:
    """Intervals of the effect as departures from parallel trends are allowed to grow."""
    labels = {"original": "tendances parallèles", "relative": "M̄ =", "smoothness": "M ="}
    told = [labels[k] if k == "original" else f"{labels[k]} {number(m)}" for k, m, _, _ in rows]
    x, y = _scales((-0.5, len(rows) - 0.5), span([b for r in rows for b in r[2:]]))
    parts = axes(x, y, "Écart permis aux tendances parallèles", f"Effet ({unit})" if unit else "Effet", x_ticks=[])
    parts.append(line(x.start, y(0), x.stop, y(0), INK, 1.2))
    for i, (_, _, lo, hi) in enumerate(rows):
        parts.append(text(x(i), y.start + 18, told[i], size=11))
        if lo is None or hi is None:
            parts.append(text(x(i), y(0) - 6, "sans borne", size=11, colour=ALERT))
            continue
        colour = ACCENT if lo > 0 or hi < 0 else ALERT
        parts += [line(x(i), y(lo), x(i), y(hi), colour, 3), line(x(i) - 6, y(lo), x(i) + 6, y(lo), colour, 2),
                  line(x(i) - 6, y(hi), x(i) + 6, y(hi), colour, 2)]
    title = "Robustesse aux écarts de tendance"
    said = "Intervalle de l'effet selon l'écart permis ; un intervalle qui traverse zéro ne permet pas de conclure."
    table = tuple((told[i], number(r[2]), number(r[3]), "oui" if None not in r[2:] and (r[2] > 0 or r[3] < 0) else "non")  # type: ignore[operator]
                  for i, r in enumerate(rows))
    return Figure(name, title, frame(name, title, said, parts), ("Écart permis", "Borne basse", "Borne haute", "Exclut zéro"), table)


def balance_plot(table: Balance, *, name: str = "equilibre") -> Figure:
    """Standardised differences between treated and comparison, with the alarm at 0.10."""
    reach = max([0.25, *(abs(r.standardised) for r in table.rows)]) * 1.1
    height = TOP + BOTTOM + 26.0 * max(len(table.rows), 2)
    x = Scale(-reach, reach, 200.0, WIDTH - RIGHT)
    bottom = height - BOTTOM
    parts = [line(x(v), TOP, x(v), bottom, colour, 1, dash) for v, colour, dash in
             ((0.0, INK, ""), (-0.1, SOFT, "4 3"), (0.1, SOFT, "4 3"))]
    parts += [text(x(v), bottom + 18, number(v)) for v in (-0.1, 0.0, 0.1)]
    for i, row in enumerate(table.rows):
        at = TOP + 26.0 * i + 13
        parts += [text(192, at + 4, row.name, "end"), line(x(0), at, x(row.standardised), at, SOFT),
                  dot(x(row.standardised), at, ALERT if row.is_unbalanced else ACCENT, hollow=row.is_unbalanced)]
    parts.append(text((x.start + x.stop) / 2, height - 8, "Différence standardisée (creux : au-delà de 0,1)"))
    title = "Équilibre avant traitement"
    said = f"Différences standardisées de {len(table.rows)} caractéristiques ; test d'ensemble {table.test}, p = {number(table.p_value)}."
    rows = tuple((r.name, number(r.treated), number(r.comparison), number(r.standardised), number(r.variance_ratio)) for r in table.rows)
    return Figure(name, title, frame(name, title, said, parts, height),
                  ("Caractéristique", "Traités", "Comparaison", "Différence standardisée", "Rapport des variances"), rows)
