"""The registry of data contracts and reference registers: rooms declare theirs, the foundation finds them.

A room lists its contracts as ``CONTRACTS`` in its ``contracts`` module; a room that keeps a register (of schools, communes,
organisations) hands a provider to ``register_reference`` when its application starts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps

from essaim.engines.intake.contract import Contract
from essaim.engines.intake.references import Reference

CONTRACTS: tuple[Contract, ...] = ()
_providers: dict[str, Callable[[], Reference | None]] = {}


class UnknownContract(LookupError):
    """No installed room declares the contract; ``args[0]`` is the French message."""

    def __init__(self, code: str) -> None:
        super().__init__(f"Le contrat de données « {code} » n'existe pas. Contrats connus : {', '.join(_by_code())}.")


@lru_cache(maxsize=1)
def _by_code() -> dict[str, Contract]:
    found: dict[str, Contract] = {}
    for config in apps.get_app_configs():
        name = f"{config.name}.contracts"
        if not config.name.startswith("essaim.") or find_spec(name) is None:
            continue
        for item in getattr(import_module(name), "CONTRACTS", ()):
            if item.code in found:
                raise ValueError(f"contract {item.code} is declared twice")
            found[item.code] = item
    return found


def contracts() -> tuple[Contract, ...]:
    """Every contract of the installed rooms, in the order of the rooms."""
    return tuple(_by_code().values())


def contract(code: str) -> Contract:
    """The contract called ``code``; UnknownContract otherwise."""
    try:
        return _by_code()[code]
    except KeyError:
        raise UnknownContract(code) from None


def register_reference(name: str, provider: Callable[[], Reference | None]) -> None:
    """Make a register available to the checks under ``name`` (``establishment``, ``commune``, ``organisation``).

    ``provider`` is called at each check; it gives None when nothing has been loaded."""
    _providers[name] = provider


def references() -> dict[str, Reference]:
    """The registers that hold something, by name."""
    found = {name: provider() for name, provider in _providers.items()}
    return {name: register for name, register in found.items() if register is not None}
