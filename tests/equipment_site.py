"""A site whose pages can be asked for, with a few equipment files accepted."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

from equipment_files import SENDER, hand_in, person
from essaim.foundation import acts
from essaim.foundation.models import Role

SCHOOL, OTHER = "0020011B", "0020036D"
FAR = "0950650R"


def orders(*, uai: str = SCHOOL, ref: str = "BC1", quantity: int = 12, category: str = "tablette", **more) -> dict:
    return {
        "uai": uai, "category": category, "order_ref": ref, "line": "1", "quantity": str(quantity), "ordered_on": date(2026, 1, 5),
        "planned_on": date(2026, 3, 1), **more,
    }  # fmt: skip


def delivery(*, uai: str = SCHOOL, ref: str = "BC1", note: str | None = "BL1", quantity: int = 12, category: str = "tablette", **more) -> dict:
    row = {"uai": uai, "category": category, "order_ref": ref, "delivery_ref": note, "quantity": str(quantity), "delivered_on": date(2026, 4, 2)}
    return {**row, **more}


def people() -> SimpleNamespace:
    """One account of each role that matters here; the administrator hands files in."""
    return SimpleNamespace(
        admin=acts.local_administrator(),
        lead=person("lucie", Role.TERRITORY, "administrative/departement/02", email="lucie@example.org"),
        second=person("marc", Role.TERRITORY, "administrative/departement/02"),
        authority=person("colette", Role.AUTHORITY, f"owner/organisation/{SENDER}", organisation=SENDER, email="colette@example.org"),
        director=person("denis", Role.DIRECTOR, f"establishment/{SCHOOL}", email="denis@example.org"),
        stranger=person("sam", Role.TERRITORY, "administrative/departement/95", email="sam@example.org"),
        auditor=person("aude", Role.AUDITOR, "national"),
        nobody=acts.open_account(username="nadia", by=acts.local_administrator()),
    )


__all__ = ["FAR", "OTHER", "SCHOOL", "SENDER", "delivery", "hand_in", "orders", "people", "person"]
