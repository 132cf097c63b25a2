"""Accounts shown on the sign-in page of a demonstration, never elsewhere."""

from __future__ import annotations

from typing import Any

from essaim.foundation.models import Account

PASSWORD = "douze-ruches-au-soleil"


def demonstration_accounts() -> dict[str, Any]:
    """Identifiers and titles of the demonstration accounts, with their common password."""
    found = Account.objects.filter(is_active=True, email="", organisation__gt="").exclude(username="admin").order_by("pk")
    return {"password": PASSWORD, "accounts": [{"username": a.username, "title": a.organisation} for a in found[:12]]}
