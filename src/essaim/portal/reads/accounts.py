"""Accounts shown on the sign-in page of a demonstration, never elsewhere."""

from __future__ import annotations

from typing import Any

from essaim.foundation.reads import titled_accounts

PASSWORD = "douze-ruches-au-soleil"


def demonstration_accounts() -> dict[str, Any]:
    """Identifiers and titles of the demonstration accounts, with their common password."""
    return {"password": PASSWORD, "accounts": [{"username": name, "title": title} for name, title in titled_accounts()]}
