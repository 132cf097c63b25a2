"""People, as lists name them."""

from __future__ import annotations

from ..models import Account


def titled_accounts(limit: int = 12) -> list[tuple[str, str]]:
    """(identifier, title) of the open local accounts that carry a title and no address: those of a demonstration, made with it."""
    found = Account.objects.filter(is_active=True, email="", organisation__gt="").exclude(username="admin").order_by("pk")
    return list(found.values_list("username", "organisation")[:limit])
