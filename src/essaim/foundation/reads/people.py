"""People, as lists name them."""

from __future__ import annotations

from ..models import Account, Mandate


def titled_accounts(limit: int = 12) -> list[tuple[str, str]]:
    """(identifier, title) of the open local accounts that carry a title and no address: those of a demonstration, made with it."""
    found = Account.objects.filter(is_active=True, email="", organisation__gt="").exclude(username="admin").order_by("pk")
    return list(found.values_list("username", "organisation")[:limit])


def mandates_of(account: Account) -> list[Mandate]:
    """Every mandate that ``account`` has or had, those in force first."""
    return sorted(account.mandates.all(), key=lambda item: (item.ends_on is not None, item.starts_on, item.pk))
