"""Why an act was refused, in words for the person who tried."""

from __future__ import annotations


class ActRefused(Exception):
    """The act cannot be done; nothing changed. ``args[0]`` is the French message: what, why, what to do."""


class ActForbidden(ActRefused):
    """The account has no mandate for it."""
