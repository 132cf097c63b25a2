"""Further analysis: which cells of a table to hide. Thresholds and dominance from the rows themselves, hierarchies and linked tables, or
cells declared sensitive; cheapest secondary suppression, audited. Keyword arguments are the plan's parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from essaim.engines.impact.disclosure.primary import Rules, Sensitive, primary_cells
from essaim.engines.impact.disclosure.secondary import suppress
from essaim.engines.impact.disclosure.tables import TOTAL, Cells, Dimension, key_of, tabulate
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.study.analyses_rows import Values, column_of
from essaim.engines.impact.study.frames import columns_used, texts
from essaim.engines.impact.study.plan import Plan

RULES = ("min_persons", "min_units", "dominance", "p_percent", "margin")


def secrecy(frame: pl.DataFrame, plan: Plan, *, dimensions: Sequence[str], value: str | None = None,
            sensitive: Sequence[Mapping[str, Any]] = (), protection: float | None = None, contributor: str | None = None,
            persons: str | None = None, rules: Mapping[str, Any] | None = None, hierarchies: Mapping[str, Sequence[str]] | None = None,
            tables: Sequence[Sequence[str]] = (), cost: str = "value") -> Values:  # fmt: skip
    """Secret statistique de tableaux croisés, liés ou emboîtés : cellules sensibles (seuils, dominance, p %), suppression secondaire la moins chère et intervalles de l'attaquant."""
    above = dict(hierarchies or {})
    columns_used(frame, [*dimensions, value, contributor, persons, *(c for levels in above.values() for c in levels)])
    axes = {d: _dimension(frame, d, above.get(d, ())) for d in dimensions}
    unknown = [d for table in tables for d in table if d not in axes]
    if unknown:
        raise Refusal("tables", f"« {unknown[0]} » n'est pas une des dimensions déclarées.")
    linked = [[axes[d] for d in table] for table in tables] or [list(axes.values())]
    cells = _cells(frame, list(dimensions), linked, value, contributor, persons)
    primary = _declared(sensitive, protection)
    known = {s.key for s in primary}
    if rules is not None:
        primary += [s for s in primary_cells(cells, _rules(rules, contributor, persons)) if s.key not in known]
    absent = [s.key for s in primary if s.key not in set(cells.keys)]
    if absent:
        raise Refusal("cell", f"Cellule sensible absente du tableau : {_named(absent[0])}.")
    found = suppress(cells, primary, cost=cost)
    return {"cost": found.cost, "hidden": sorted(_named(k) for k in (*found.primary, *found.secondary)), "is_optimal": found.is_optimal,
            "primary": {_named(s.key): s.reason for s in primary}, "exposed": [_named(k) for k in found.exposed], "cells": len(cells.keys),
            "attacker": {_named(i.key): [i.low, i.high] for i in found.intervals}}  # fmt: skip


def _dimension(frame: pl.DataFrame, name: str, levels: Sequence[str]) -> Dimension:
    """A flat dimension, or one whose sub-totals are the columns ``levels``, from the widest to the narrowest."""
    columns = [*levels, name]
    table = pl.DataFrame([texts(frame, c) for c in columns]).unique().sort(columns)
    if any(table[c].null_count() for c in columns):
        raise Refusal("missing", f"La dimension « {name} » a des lignes vides : les classer ou les écarter.")
    children: dict[str, dict[str, None]] = {}
    parent: dict[str, str] = {}
    for row in table.iter_rows():
        codes = [TOTAL, *(f"{c}={v}" for c, v in zip(levels, row, strict=False)), row[-1]]
        for up, down in pairwise(codes):
            if parent.setdefault(down, up) != up:
                raise Refusal("hierarchy", f"« {down} » est dans deux groupes à la fois : {parent[down]} et {up}.")
            children.setdefault(up, {})[down] = None
    return Dimension(name, {k: tuple(v) for k, v in children.items()})


def _cells(frame: pl.DataFrame, names: list[str], linked: list[list[Dimension]], value: str | None, contributor: str | None,
           persons: str | None) -> Cells:  # fmt: skip
    records = pl.DataFrame([texts(frame, d) for d in names]).to_dicts()
    amount = np.ones(frame.height) if value is None else column_of(frame, value)
    if not np.isfinite(amount).all():
        raise Refusal("missing", f"La colonne « {value} » a des lignes vides ou qui ne sont pas des nombres.")
    who = [str(i) for i in range(frame.height)] if contributor is None else frame[contributor].cast(pl.String).fill_null("?").to_list()
    return tabulate(records, amount, who, linked, persons=amount if persons is None and value is None else
                    np.ones(frame.height) if persons is None else column_of(frame, persons))  # fmt: skip


def _declared(sensitive: Sequence[Mapping[str, Any]], protection: float | None) -> list[Sensitive]:
    if sensitive and (protection is None or not protection > 0):
        raise Refusal("protection", "Une cellule déclarée sensible demande une protection (« protection », positive).")
    return [Sensitive(key_of(**{k: str(v) for k, v in s.items()}), "déclarée", float(protection or 0)) for s in sensitive]


def _rules(given: Mapping[str, Any], contributor: str | None, persons: str | None) -> Rules:
    unknown = [k for k in given if k not in RULES]
    if unknown:
        raise Refusal("rules", f"Règle inconnue : « {unknown[0]} ». Attendu : {', '.join(RULES)}.")
    needs = [r for r in ("min_units", "dominance", "p_percent") if given.get(r) is not None]
    if needs and contributor is None:
        raise Refusal("rules", f"La règle {needs[0]} demande de nommer la colonne des contributeurs (« contributor »).")
    dominance = given.get("dominance")
    return Rules(
        min_persons=given.get("min_persons"), min_units=given.get("min_units"), p_percent=given.get("p_percent"),
        dominance=None if dominance is None else (int(dominance[0]), float(dominance[1])), margin=float(given.get("margin", 0.2)),
    )  # fmt: skip


def _named(key: Any) -> str:
    return " × ".join(f"{k}={v}" for k, v in key) or "total"
