"""Why the register cannot be loaded, in words for the person who tried."""

from __future__ import annotations

from essaim.foundation.acts import ActForbidden, ActRefused
from essaim.foundation.models import Account
from essaim.foundation.permissions import mandate_to_send


class RegisterRefused(ActRefused):
    """The register cannot be loaded or fetched; what was loaded before stays. ``args[0]`` is the French message."""


def demand_register(by: Account) -> None:
    """ActForbidden unless ``by`` may hand in the files of the register."""
    if mandate_to_send(by, "territories.establishments", "annuaire") is None:
        raise ActForbidden(f"Le compte « {by.name} » n'a pas de mandat pour charger le registre des établissements.")
