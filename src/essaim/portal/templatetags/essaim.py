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
