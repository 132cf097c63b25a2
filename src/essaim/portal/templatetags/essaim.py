"""French numbers, look-ups and cells in templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

from django import template

from essaim.engines.intake.contract import NUMERIC, FieldType
from essaim.foundation.contracts import contracts
from essaim.kernel.french import format_number
from essaim.kernel.periods import parse_period

register = template.Library()


@register.filter
def french(value: Any, decimals: int = 1) -> str:
    """``1234.5`` → ``1 234,5``; nothing for None."""
    if value is None or value == "":
        return ""
    return _shown(value, decimals)


@register.filter
def figure(value: Any) -> str:
    """A figure: as many decimals as it deserves; a dash when it is missing, never zero."""
    return "—" if value is None or value == "" else _shown(value, decimals_of(value))


def figures_of_column(values: Sequence[float | None]) -> list[str]:
    """The figures of one column, all with the decimals of the one that has most: their commas are one under another."""
    decimals = max((decimals_of(value) for value in values if value is not None), default=0)
    return ["—" if value is None else _shown(value, decimals) for value in values]


def decimals_of(value: Any) -> int:
    """How many decimals a figure deserves."""
    magnitude = abs(value)
    return 0 if float(value).is_integer() or magnitude >= 1000 else 1 if magnitude >= 1 else 2


def _shown(value: Any, decimals: int) -> str:
    """With the sign of typography: a hyphen is no minus, and breaks from its number."""
    return format_number(value, decimals).replace("-", "−")


@register.filter
def agreeing(unit: str, value: float | None) -> str:
    """A unit that agrees with its value: ``1 ligne``, ``1,9 heure pour 100 élèves``, ``2 lignes``."""
    if value is None or abs(value) >= 2:
        return unit
    counted, mark, rest = unit.partition("pour ")
    return " ".join(word.removesuffix("s") for word in counted.split(" ")) + mark + rest


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
    """The key columns of a changed row, joined; who sent it is said beside."""
    return " · ".join(spoken(name, value) for name, value in row.items() if name not in {"sender", "column", "old", "new"} and value is not None)


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


_UNSAID = {
    "part", "measure", "table", "contribution", "uai", "departement", "sender", "line_id", "school_name", "commune_name", "source_sheet",
}  # fmt: skip


@cache
def _labels() -> dict[str, dict[str, str]]:
    """Contract → field name → French label; under no contract, those of all: a column of a derived table."""
    own = {item.code: {field.name: field.label for field in item.fields} for item in contracts()}
    return {**own, "": {name: label for labels in own.values() for name, label in labels.items()}}


@cache
def _codes() -> dict[tuple[str, str], str]:
    """(field, code) → French label, over every code list."""
    return {(field.name, code.value): code.label for item in contracts() for field in item.fields for code in field.codes}


@cache
def _years() -> frozenset[str]:
    """The fields that hold a year: whole numbers of which none is outside 1000–2999."""
    whole = [field for item in contracts() for field in item.fields if field.type is FieldType.INTEGER]
    return frozenset(field.name for field in whole if (field.minimum or 0) >= 1000 and (field.maximum or 9999) < 3000)


def spoken(name: str, value: Any) -> str:
    """A value as a person says it: dates, yes and no, labels of codes, French numbers; a year is no quantity."""
    if name in _years():
        return str(value)
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, (int, float)):
        return figure(value)
    return _codes().get((name, str(value)), str(value))


@cache
def _types() -> dict[str, FieldType]:
    """Field name → type, over every contract."""
    return {field.name: field.type for item in contracts() for field in item.fields}


@register.filter
def changed(text: str | None, name: str) -> str:
    """A cell of the column ``name`` kept as text, as a person says it; a dash when it is empty."""
    if text is None:
        return "—"
    kind = _types().get(name)
    if kind in NUMERIC and name not in _years():  # every decimal it has: two amounts that differ are not shown alike
        return _shown(float(text), len(text.partition(".")[2].rstrip("0")))
    if kind is FieldType.DATE:
        return spoken(name, date.fromisoformat(text))
    return spoken(name, text == "true" if kind is FieldType.BOOLEAN else text)


@register.filter
def said(values: Mapping[str, Any]) -> str:
    """What an entry says, in one line: its own columns under their labels, without those shown beside."""
    labels = _labels().get(values.get("table", ""), _labels()[""])
    shown = ((labels[name], spoken(name, value)) for name, value in values.items() if name in labels and name not in _UNSAID and value not in (None, ""))
    return " · ".join(f"{label} : {text}" for label, text in shown)


@register.filter
def code_label(value: str, name: str = "category") -> str:
    """The label of a code of the field ``name``."""
    return _codes().get((name, value), value)


@register.filter
def month(code: str) -> str:
    """``2026-03`` → « mars 2026 », ``2026`` → « année 2026 », ``2025-2026`` → « année scolaire 2025-2026 »; else as it is."""
    try:
        return parse_period(code).label
    except ValueError:
        return code


