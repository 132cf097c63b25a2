"""The indicator catalogue: what every room lets one measure."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec

import pyarrow as pa
from django.apps import apps

from essaim.engines.measures import Indicator

# Facts that a room computes from ledger tables: name → (ledger tables it reads, function of (known_at, départements)).
Derived = Callable[..., pa.Table]


class IndicatorUnknown(LookupError):
    """No room declares this indicator. ``args[0]`` is the French message, with the closest codes."""


@cache
def indicators() -> tuple[Indicator, ...]:
    """Every declared indicator, in the order of the river."""
    found: list[Indicator] = []
    for module in _modules("indicators"):
        found.extend(module.INDICATORS)
    return tuple(found)


@cache
def derived_facts() -> dict[str, tuple[tuple[str, ...], Derived]]:
    """Fact tables that rooms derive from the ledger's: name → (tables read, function)."""
    found: dict[str, tuple[tuple[str, ...], Derived]] = {}
    for module in _modules("indicators"):
        found.update(getattr(module, "DERIVED_FACTS", {}))
    return found


def indicator(code: str) -> Indicator:
    """The indicator called ``code``. IndicatorUnknown otherwise."""
    for item in indicators():
        if item.code == code:
            return item
    from rapidfuzz import process

    near = [name for name, *_ in process.extract(code, [item.code for item in indicators()], limit=3)]
    raise IndicatorUnknown(f"Indicateur inconnu : « {code} ». Les plus proches : {', '.join(near)}.")


def _modules(name: str) -> list:  # type: ignore[type-arg]
    rooms = [config.name for config in apps.get_app_configs() if config.name.startswith("essaim.")]
    return [import_module(f"{room}.{name}") for room in rooms if find_spec(f"{room}.{name}")]
