"""What all rooms declare, gathered without starting the site."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec

import click

from essaim.engines.intake.contract import Contract

ROOMS = ("territories", "diagnosis", "agreements", "equipment", "training", "resources", "families", "evaluation")


@cache
def all_contracts() -> tuple[Contract, ...]:
    """Every data contract, in the order of the river."""
    found: list[Contract] = []
    for room in ROOMS:
        if find_spec(f"essaim.{room}") and find_spec(f"essaim.{room}.contracts"):
            found.extend(import_module(f"essaim.{room}.contracts").CONTRACTS)
    return tuple(found)


def contract(code: str) -> Contract:
    """The contract called ``code``; a usage error that lists the existing ones otherwise."""
    for item in all_contracts():
        if item.code == code:
            return item
    known = ", ".join(item.code for item in all_contracts())
    raise click.UsageError(f"Contrat inconnu : « {code} ». Contrats connus : {known}.")
