"""French numbers, look-ups and cells in templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import template

from essaim.kernel.french import format_number

register = template.Library()


@register.filter
def french(value: Any, decimals: int = 1) -> str:
    """``1234.5`` → ``1 234,5``; nothing for None."""
    if value is None or value == "":
        return ""
    return format_number(value, decimals)


@register.filter
def figure(value: Any) -> str:
    """A figure: as many decimals as it deserves; a dash when it is missing, never zero."""
    if value is None:
        return "—"
    magnitude = abs(value)
    decimals = 0 if float(value).is_integer() or magnitude >= 1000 else 1 if magnitude >= 1 else 2
    return format_number(value, decimals)


@register.filter
def get(mapping: Mapping[Any, Any], key: Any) -> Any:
    """``mapping[key]``, or None."""
    return mapping.get(key) if mapping else None


@register.filter
def at(items: Sequence[Any], position: int) -> Any:
    """The item at a position counted from 1."""
    return items[position - 1]


@register.filter
def keyof(row: Mapping[str, Any]) -> str:
    """The key columns of a changed row, joined."""
    return " · ".join(str(value) for name, value in row.items() if name not in {"column", "old", "new"} and value is not None)


@register.filter
def percent(share: float | None) -> str:
    """A share of 0–1 as ``37 %``."""
    return "—" if share is None else f"{format_number(100 * share, 0)}\u00a0%"


@register.filter
def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


ROOMS = {
    "territories": "Territoires et établissements", "equipment": "Équipement", "training": "Formation",
    "resources": "Ressources", "families": "Familles", "evaluation": "Résultats",
}


@register.filter
def room_label(code: str) -> str:
    """The French name of a room."""
    return ROOMS.get(code, code)


_UNSAID = {"part", "measure", "table", "contribution", "uai", "departement", "sender", "line_id", "school_name", "commune_name"}


@register.filter
def said(values: Mapping[str, Any]) -> str:
    """What an entry says, in one line: its own columns, without those shown beside."""
    shown = ((name, value) for name, value in values.items() if name not in _UNSAID and value not in (None, ""))
    return " · ".join(f"{name} {value:%d/%m/%Y}" if hasattr(value, "strftime") else f"{name} {value}" for name, value in shown)
