"""Deliveries that a school has still to confirm, and those it confirmed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from essaim.equipment.categories import CATEGORIES
from essaim.equipment.reads.derived import states
from essaim.foundation import clock
from essaim.foundation.models import Account, Role
from essaim.foundation.reads import active_mandates
from essaim.foundation.scopes import scope_of_mandate
from essaim.kernel.departements import from_uai_prefix
from essaim.territories.reads.frames import frame

LABELS = {item.code: item.label for item in CATEGORIES}


@dataclass(frozen=True, slots=True)
class Item:
    """One category of a parcel, in units."""

    category: str
    label: str
    models: tuple[str, ...]
    quantity: int


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a school must confirm at once: the deliveries of one delivery note (or all those without a note)."""

    uai: str
    delivery_ref: str
    senders: tuple[str, ...]
    first_on: date
    last_on: date
    items: tuple[Item, ...]

    @property
    def units(self) -> int:
        return sum(item.quantity for item in self.items)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a school said of one category of a delivery."""

    uai: str
    delivery_ref: str
    category: str
    label: str
    quantity: int
    working: bool | None
    received_on: date
    comment: str


def schools_directed(account: Account) -> frozenset[str]:
    """Schools in whose name ``account`` confirms receipts: those of its mandates of direction, no other; an authority does not
    confirm what it delivered."""
    found: frozenset[str] = frozenset()
    for mandate in active_mandates(account):
        if mandate.role == Role.DIRECTOR:
            found |= scope_of_mandate(mandate).uais
    return found


def awaiting(uais: Collection[str]) -> list[Parcel]:
    """Parcels of these schools delivered until today with a category that nothing confirmed since, newest first."""
    if not uais:
        return []
    parcels: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in _rows(_AWAITING, uais):
        parcels.setdefault((row["uai"], row["delivery_ref"]), []).append(row)
    found = [_parcel(uai, ref, rows) for (uai, ref), rows in parcels.items()]
    return sorted(found, key=lambda item: (item.last_on, item.uai, item.delivery_ref), reverse=True)


def parcel(uai: str, delivery_ref: str) -> Parcel | None:
    """The parcel awaiting under this delivery note (empty: those without a note); None when nothing awaits."""
    return next((item for item in awaiting([uai]) if item.delivery_ref == delivery_ref), None)


def confirmations(uais: Collection[str], *, limit: int = 20) -> list[Confirmation]:
    """What these schools confirmed, latest first."""
    if not uais:
        return []
    found = [Confirmation(**row, label=LABELS.get(row["category"], row["category"])) for row in _rows(_CONFIRMED, uais)]
    return found[:limit]


def school_titles(uais: Collection[str]) -> dict[str, str]:
    """« Name, commune » of schools; the UAI of those the register does not know."""
    schools = frame("establishments")
    told: dict[str, str] = {}
    if schools is not None:
        rows = schools.filter(schools["uai"].is_in(list(uais))).select("uai", "name", "kind", "commune_name").rows()
        told = {uai: ", ".join(part for part in (name or kind, commune) if part) for uai, name, kind, commune in rows}
    return {uai: told.get(uai) or uai for uai in uais}


def _rows(query: str, uais: Collection[str]) -> list[dict[str, Any]]:
    places = sorted({from_uai_prefix(uai[:3]) or "" for uai in uais})
    with states("deliveries", "acknowledgements", departements=places) as connection:
        return connection.sql(query, params={"uais": sorted(uais), "today": clock.today()}).to_arrow_table().to_pylist()


def _parcel(uai: str, ref: str, rows: list[dict[str, Any]]) -> Parcel:
    items = tuple(
        Item(row["category"], LABELS.get(row["category"], row["category"]), tuple(sorted(row["models"])), row["quantity"]) for row in rows
    )
    senders = sorted({sender for row in rows for sender in row["senders"]})
    return Parcel(uai, ref, tuple(senders), min(row["first_on"] for row in rows), max(row["last_on"] for row in rows), items)


_AWAITING = """
SELECT d.uai, coalesce(d.delivery_ref, '') AS delivery_ref, d.category, sum(d.quantity)::BIGINT AS quantity,
       list(DISTINCT d.sender) AS senders, coalesce(list(DISTINCT d.model) FILTER (d.model IS NOT NULL), []) AS models,
       min(d.delivered_on) AS first_on, max(d.delivered_on) AS last_on
FROM deliveries d
WHERE d.uai IN (SELECT unnest($uais)) AND d.delivered_on <= $today AND d.quantity > 0 AND NOT EXISTS (
  SELECT 1 FROM acknowledgements a
  WHERE a.uai = d.uai AND a.category = d.category AND a.delivery_ref IS NOT DISTINCT FROM d.delivery_ref AND a.received_on >= d.delivered_on
)
GROUP BY ALL ORDER BY d.uai, 2, d.category
"""
_CONFIRMED = """
SELECT uai, coalesce(delivery_ref, '') AS delivery_ref, category, quantity, working, received_on, coalesce(comment, '') AS comment
FROM acknowledgements WHERE uai IN (SELECT unnest($uais)) AND $today IS NOT NULL
ORDER BY received_on DESC, submission DESC, uai, category
"""
