"""What really happened in the demonstration: orders, deliveries, acknowledgements and inventories of two school years.

Deterministic for a seed and a register. Every figure of the demonstration can be recomputed from these clean rows; the
messy files of ``layouts`` say the same thing in the way authorities write.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from essaim.territories.reads.declared import SIRENS, college_owner, diocese

START = date(2024, 9, 2)
END = date(2026, 10, 31)
INVENTORY_DATES = (date(2025, 6, 30), date(2026, 6, 30))

# category, share of schools that order it, quantity for a school of p pupils and c classes, unit price HT
NEEDS: tuple[tuple[str, float, str, float], ...] = (
    ("ecran_interactif", 0.75, "classes", 2150.0),
    ("ordinateur_portable", 0.85, "classes", 640.0),
    ("tablette", 0.55, "pupils", 365.0),
    ("enceintes", 0.5, "classes", 89.0),
    ("micro", 0.4, "classes", 75.0),
    ("capture_image", 0.45, "classes", 110.0),
    ("visualiseur", 0.3, "classes", 240.0),
    ("acces_internet", 0.5, "classes", 310.0),
    ("imprimante_reseau", 0.3, "one", 780.0),
    ("ordinateur_direction", 0.35, "one", 720.0),
    ("kit_hybridation", 0.35, "classes", 298.0),
    ("robot", 0.15, "six", 165.0),
)
MODELS = {
    "ecran_interactif": ("Promethean 75", "SpeechiTouch 86", "Clevertouch 65"),
    "ordinateur_portable": ("HP ProBook 440", "Lenovo L14", "Asus Expertbook"),
    "tablette": ("iPad 9", "Samsung Tab A8", "Lenovo M10"),
    "robot": ("Thymio II", "Blue-Bot"),
}


@dataclass(frozen=True, slots=True)
class School:
    """A school of the register, as the generator needs it. ``level``: ``ecole``, ``college`` or ``lycee``."""

    uai: str
    name: str
    commune_name: str
    departement: str
    level: str
    is_private: bool
    pupils: int

    @property
    def classes(self) -> int:
        return max(1, round(self.pupils / 24))


@dataclass(frozen=True, slots=True)
class Sender:
    """An authority that sends files: a commune, a département, a diocesan body. ``code`` is its SIREN."""

    code: str
    name: str
    departement: str
    schools: tuple[School, ...]
    style: int


@dataclass(frozen=True, slots=True)
class SenderTruth:
    """Clean rows of one sender, one dict a row with the contract's field names, in the order things happened."""

    sender: Sender
    orders: tuple[dict[str, Any], ...] = field(default=())
    deliveries: tuple[dict[str, Any], ...] = field(default=())
    acknowledgements: tuple[dict[str, Any], ...] = field(default=())
    inventory: tuple[dict[str, Any], ...] = field(default=())


def siren_of(text: str) -> str:
    """A valid nine-digit SIREN made from ``text``, for senders whose own is not in the register."""
    body = f"2{zlib.crc32(text.encode()) % 10_000_000:07d}"
    doubled = (int(d) * 2 if i % 2 == 1 else int(d) for i, d in enumerate(body))
    total = sum(d - 9 if d > 9 else d for d in doubled)
    return body + str(-total % 10)


def senders(schools: Iterable[School], *, communes: int = 4, sirens: dict[str, str] | None = None) -> list[Sender]:
    """The authorities of each département: its ``communes`` largest communes, the département for public collèges, and the
    diocesan body for private schools. ``sirens`` gives the real SIREN of ``(département, commune name)`` keys."""
    by_departement: dict[str, list[School]] = {}
    for school in sorted(schools, key=lambda s: s.uai):
        by_departement.setdefault(school.departement, []).append(school)
    found: list[Sender] = []
    for departement, members in sorted(by_departement.items()):
        found += _senders_of(departement, members, communes, sirens or {}, len(found))
    return found


def _senders_of(departement: str, members: list[School], communes: int, sirens: dict[str, str], start: int) -> list[Sender]:
    groups: dict[str, list[School]] = {}
    for school in members:
        if not school.is_private and school.level == "ecole" and school.commune_name:
            groups.setdefault(school.commune_name, []).append(school)
    largest = sorted(groups, key=lambda name: (-len(groups[name]), name))[:communes]
    plan: list[tuple[str, str, list[School]]] = [
        (sirens.get(f"{departement} {name}") or siren_of(f"commune {departement} {name}"), f"Commune de {name}", groups[name])
        for name in largest
    ]
    colleges = [s for s in members if s.level == "college" and not s.is_private]
    private = [s for s in members if s.is_private and s.level == "ecole"]
    if colleges:
        code, name = college_owner(departement)
        plan.append((SIRENS.get(code) or siren_of(f"departement {departement}"), name, colleges))
    if private:
        plan.append((siren_of(f"diocese {departement}"), diocese(departement)[1], private))
    return [
        Sender(code, name, departement, tuple(schools[:60]), start + index)
        for index, (code, name, schools) in enumerate(plan)
    ]


def truth_of(sender: Sender, *, seed: int = 2020) -> SenderTruth:
    """The two years of ``sender``: what it ordered, what came and when, what schools confirmed, what is there."""
    rng = random.Random(f"{seed}/{sender.code}")
    orders = [row for number, school in enumerate(sender.schools) for row in _orders(sender, school, number, rng)]
    deliveries = [row for order in orders for row in _deliveries(order, rng)]
    acknowledgements = [row for row in (_acknowledgement(d, rng) for d in deliveries) if row]
    inventory = _inventory(deliveries, rng)
    return SenderTruth(sender, tuple(orders), tuple(deliveries), tuple(acknowledgements), tuple(inventory))


def _quantity(rule: str, school: School, rng: random.Random) -> int:
    if rule == "one":
        return 1
    if rule == "six":
        return 6
    if rule == "pupils":
        return max(6, round(school.pupils * rng.choice((0.1, 0.2, 0.3, 0.5))))
    return max(1, round(school.classes * rng.choice((0.5, 0.75, 1.0, 1.0))))


def _orders(sender: Sender, school: School, number: int, rng: random.Random) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    ordered_on = START + timedelta(days=rng.randrange(20, 420))
    for category, share, rule, price in NEEDS:
        if rng.random() > share:
            continue
        planned = ordered_on + timedelta(days=rng.choice((60, 75, 90, 120)))
        revised = planned + timedelta(days=rng.choice((30, 45, 90))) if rng.random() < 0.25 else None
        quantity = _quantity(rule, school, rng)
        reconditioned = category in {"ordinateur_portable", "tablette"} and rng.random() < 0.22
        unit = round(price * (0.6 if reconditioned else 1.0) * rng.uniform(0.95, 1.05), 2)
        rows.append(
            {
                "order_ref": f"BC-{ordered_on:%Y}-{sender.style:03d}{number:03d}",
                "line": str(len(rows) + 1),
                "uai": school.uai,
                "school_name": school.name,
                "commune_name": school.commune_name,
                "category": category,
                "model": rng.choice(MODELS.get(category, ("Standard",))),
                "quantity": quantity,
                "unit_price_eur": unit,
                "total_eur": round(unit * quantity, 2),
                "buyer_siren": sender.code,
                "funding": rng.choice(("tne", "tne", "tne", "plan_relance", "collectivite")),
                "condition": "reconditionne" if reconditioned else "neuf",
                "ordered_on": ordered_on,
                "planned_on": planned,
                "revised_on": revised,
            }
        )
    return rows


def _deliveries(order: dict[str, Any], rng: random.Random) -> list[dict[str, Any]]:
    """None (never came), one, or two partial deliveries; dates late by a few weeks in the middle, months in the tail."""
    if rng.random() < 0.08:
        return []
    due = order["revised_on"] or order["planned_on"]
    first = due + timedelta(days=round(rng.lognormvariate(2.9, 0.8)) - 15)
    quantity = order["quantity"]
    split = quantity > 4 and rng.random() < 0.2
    parts = (quantity // 2, quantity - quantity // 2) if split else (quantity,)
    rows = []
    for index, part in enumerate(parts):
        delivered = first + timedelta(days=45 * index)
        if delivered > END:
            continue
        installed = delivered + timedelta(days=rng.randrange(0, 40)) if rng.random() < 0.8 else None
        rows.append(
            {
                "delivery_ref": f"BL{zlib.crc32((order['order_ref'] + order['line'] + str(index)).encode()) % 10**7:07d}",
                "order_ref": order["order_ref"],
                "uai": order["uai"],
                "school_name": order["school_name"],
                "commune_name": order["commune_name"],
                "category": order["category"],
                "model": order["model"],
                "quantity": part,
                "delivered_on": delivered,
                "configured": rng.random() < 0.72,
                "installed_on": installed if installed and installed <= END else None,
                "condition": order["condition"],
                "buyer_siren": order["buyer_siren"],
            }
        )
    return rows


def _acknowledgement(delivery: dict[str, Any], rng: random.Random) -> dict[str, Any] | None:
    """Most schools confirm within a month; one in fifteen counts fewer than what was declared."""
    received = delivery["delivered_on"] + timedelta(days=rng.randrange(0, 30))
    if rng.random() > 0.7 or received > END:
        return None
    missing = rng.random() < 0.07 and delivery["quantity"] > 1
    return {
        "uai": delivery["uai"],
        "school_name": delivery["school_name"],
        "commune_name": delivery["commune_name"],
        "category": delivery["category"],
        "delivery_ref": delivery["delivery_ref"],
        "quantity": delivery["quantity"] - (1 if missing else 0),
        "received_on": received,
        "working": rng.random() < 0.93,
        "configured": delivery["configured"],
    }


def _inventory(deliveries: Sequence[dict[str, Any]], rng: random.Random) -> list[dict[str, Any]]:
    rows = []
    for counted_on in INVENTORY_DATES:
        present: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for delivery in deliveries:
            if delivery["delivered_on"] <= counted_on:
                present.setdefault((delivery["uai"], delivery["category"]), []).append(delivery)
        for (uai, category), found in sorted(present.items()):
            if rng.random() > 0.6:
                continue
            quantity = sum(d["quantity"] for d in found)
            quantity -= 1 if quantity > 3 and rng.random() < 0.1 else 0
            in_use = round(quantity * rng.choice((0.4, 0.6, 0.8, 0.9, 1.0)))
            rows.append(
                {
                    "uai": uai,
                    "school_name": found[0]["school_name"],
                    "commune_name": found[0]["commune_name"],
                    "category": category,
                    "counted_on": counted_on,
                    "quantity": quantity,
                    "in_use": in_use,
                    "loaned": min(quantity - in_use, rng.randrange(0, 5)) if category == "tablette" else None,
                }
            )
    return rows
