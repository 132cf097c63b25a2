"""The equipment indicators computed by hand from the clean rows of the demonstration, one plain function each.

Nothing here uses the engine of figures: rows are dictionaries, sums are loops, and what was known at a date is the rows of
the files sent by then.
"""

from __future__ import annotations

import calendar
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from essaim.equipment.categories import CATEGORIES
from essaim.territories.acts.synthetic import YEARS, InventedSchool

Row = dict[str, Any]
Answer = tuple[float | None, float | None]  # value, low
TERMINALS = {item.code for item in CATEGORIES if item.terminal}


@dataclass(frozen=True)
class Known:
    """What was known: rows by kind, and the schools of the unit asked. ``quartiles``: of each school at the month asked."""

    rows: dict[str, list[Row]]
    schools: Sequence[InventedSchool]
    quartiles: dict[str, str]

    def of(self, kind: str) -> list[Row]:
        here = {item.uai for item in self.schools}
        return [row for row in self.rows[kind] if row["uai"] in here]

    def only(self, schools: Sequence[InventedSchool]) -> Known:
        return Known(self.rows, schools, self.quartiles)


def ends(month: str) -> tuple[date, date]:
    """First and last day of a month."""
    year, number = int(month[:4]), int(month[5:])
    return date(year, number, 1), date(year, number, calendar.monthrange(year, number)[1])


def pupils(school: InventedSchool, end: date) -> int | None:
    held = [count for year, count in zip(YEARS, school.pupils, strict=True) if date(int(year[:4]), 9, 1) <= end]
    return held[-1] if held else None


def classes(school: InventedSchool, end: date) -> int | None:
    count = pupils(school, end)
    return max(1, round(count / 24)) if count is not None and school.level == "ecole" else None


def total(rows: Sequence[Row], name: str = "quantity") -> float | None:
    """Σ, None without a row."""
    held = [row[name] for row in rows if row.get(name) is not None]
    return sum(held) if held else None


def ratio(top: float | None, bottom: float | None, scale: float = 100) -> float | None:
    return None if top is None or not bottom else top * scale / bottom


def low(proved: float | None, value: float | None) -> float | None:
    """What was declared and not confirmed is proved for nothing; what nobody declared may still be proved."""
    return proved if value is None else min(proved or 0.0, value)


def among(rows: Sequence[Row], is_met: Callable[[Row], bool]) -> float | None:
    """Σ of the quantities that meet a condition: zero, not missing, when there are only others."""
    return sum(row["quantity"] for row in rows if is_met(row)) if rows else None


def until(rows: Sequence[Row], name: str, end: date) -> list[Row]:
    return [row for row in rows if row.get(name) is not None and row[name] <= end]


def lines(known: Known) -> list[Row]:
    """Order lines with what filled them: a delivery names the order, the school and the category."""
    found = []
    for order in known.of("orders"):
        parts = [
            row for row in known.of("deliveries")
            if (row["order_ref"], row["uai"], row["category"]) == (order["order_ref"], order["uai"], order["category"])
        ]
        came = sum(row["quantity"] for row in parts)
        completed = max(row["delivered_on"] for row in parts) if parts and came >= order["quantity"] else None
        found.append({**order, "delivered": came, "completed_on": completed, "due_on": order["revised_on"] or order["planned_on"]})
    return found


def devices_per_100(known: Known, month: str) -> Answer:
    _, end = ends(month)
    installed = among(until(known.of("deliveries"), "installed_on", end), lambda row: row["category"] in TERMINALS)
    received = until(known.of("acknowledgements"), "received_on", end)
    confirmed = among(received, lambda row: row["category"] in TERMINALS and row["working"])
    counts = [pupils(item, end) for item in known.schools]
    enrolled = sum(item for item in counts if item is not None)
    value = ratio(installed, enrolled)
    return value, low(ratio(confirmed, enrolled), value)


def schools_equipped(known: Known, month: str) -> Answer:
    _, end = ends(month)
    plan: dict[str, list[float]] = {}
    for line in until(lines(known), "planned_on", end):
        held = plan.setdefault(line["uai"], [0, 0])
        held[0] += line["quantity"]
        held[1] += line["quantity"] if line["completed_on"] is not None and line["completed_on"] <= end else 0
    return ratio(sum(1 for wanted, came in plan.values() if came >= wanted), len(plan)), None


def delivered_over_ordered(known: Known, month: str) -> Answer:
    _, end = ends(month)
    ordered = total(until(known.of("orders"), "ordered_on", end))
    value = ratio(total(until(known.of("deliveries"), "delivered_on", end)), ordered)
    return value, low(ratio(total(until(known.of("acknowledgements"), "received_on", end)), ordered), value)


def devices_delivered(known: Known, month: str) -> Answer:
    start, end = ends(month)
    return total([row for row in known.of("deliveries") if start <= row["delivered_on"] <= end]), None


def base_classrooms(known: Known, month: str) -> Answer:
    _, end = ends(month)
    needs: dict[str, set[str]] = {}
    for item in CATEGORIES:
        if item.base_of == "classroom" and item.alternative:
            needs.setdefault(item.alternative, set()).add(item.code)
    met, rooms = None, 0.0
    for school in known.schools:
        enrolled = pupils(school, end)
        if enrolled is None:
            continue
        own = classes(school, end) or enrolled / 24
        rooms += one_decimal(own)
        came = [row for row in until(known.of("deliveries"), "delivered_on", end) if row["uai"] == school.uai]
        if came:
            scarcest = min(sum(row["quantity"] for row in came if row["category"] in codes) for codes in needs.values())
            met = (met or 0.0) + one_decimal(min(own, scarcest))
    return ratio(met, rooms), None


def one_decimal(value: float) -> float:
    return math.floor(value * 10 + 0.5) / 10


def delay(share: float, against: str) -> Callable[[Known, str], Answer]:
    def found(known: Known, month: str) -> Answer:
        days = sorted((line["completed_on"] - line[against]).days for line in until(lines(known), "completed_on", ends(month)[1]))
        if not days:
            return None, None
        place = (len(days) - 1) * share
        below = math.floor(place)
        return days[below] + (days[min(below + 1, len(days) - 1)] - days[below]) * (place - below), None

    return found


def late_orders(known: Known, month: str) -> Answer:
    """Missing when no line was ever late; zero when all that were late came since."""
    _, end = ends(month)
    ever = [
        line for line in lines(known)
        if line["planned_on"] + timedelta(days=1) <= end and (line["completed_on"] is None or line["completed_on"] > line["planned_on"])
    ]
    concerned = [line for line in lines(known) if line["planned_on"] + timedelta(days=1) <= end]
    count = sum(1 for line in ever if line["completed_on"] is None or line["completed_on"] > end)
    return (float(count) if concerned else None), None


def configured(known: Known, month: str) -> Answer:
    came = [row for row in until(known.of("deliveries"), "delivered_on", ends(month)[1]) if row["configured"] is not None]
    return ratio(sum(row["quantity"] for row in came if row["configured"]) if came else None, total(came)), None


def last_counts(known: Known, month: str) -> list[Row]:
    """The last inventory of each school and category, if less than eighteen months old."""
    _, end = ends(month)
    latest: dict[tuple[str, str], Row] = {}
    for row in until(known.of("inventory"), "counted_on", end):
        key = (row["uai"], row["category"])
        if key not in latest or latest[key]["counted_on"] < row["counted_on"]:
            latest[key] = row
    age = {id(row): (end.year - row["counted_on"].year) * 12 + end.month - row["counted_on"].month for row in latest.values()}
    return [row for row in latest.values() if age[id(row)] <= 18]


def used(known: Known, month: str) -> Answer:
    counts = last_counts(known, month)
    return ratio(total(counts, "in_use"), total(counts)), None


def loaned(known: Known, month: str) -> Answer:
    found = total(last_counts(known, month), "loaned")
    return (None if found is None else float(found)), None


def reconditioned(known: Known, month: str) -> Answer:
    start, end = ends(month)
    bought = [row for row in known.of("orders") if start <= row["ordered_on"] <= end]
    second_hand = sum(row["total_eur"] for row in bought if row["condition"] == "reconditionne")
    return ratio(second_hand if bought else None, total(bought, "total_eur")), None


def reuse(known: Known, month: str) -> Answer:
    """The demonstration retires nothing."""
    return None, None


def social_gap(known: Known, month: str) -> Answer:
    first, last = (
        devices_per_100(known.only([item for item in known.schools if known.quartiles.get(item.uai) == quartile]), month)[0]
        for quartile in ("1", "4")
    )
    return (None if first is None or last is None else first - last), None


NAIVE: dict[str, Callable[[Known, str], Answer]] = {
    "equipment.devices_per_100_pupils": devices_per_100,
    "equipment.schools_equipped": schools_equipped,
    "equipment.delivered_over_ordered": delivered_over_ordered,
    "equipment.devices_delivered": devices_delivered,
    "equipment.base_classrooms": base_classrooms,
    "equipment.delay_median": delay(0.5, "planned_on"),
    "equipment.delay_p90": delay(0.9, "planned_on"),
    "equipment.delay_revised_median": delay(0.5, "due_on"),
    "equipment.delay_revised_p90": delay(0.9, "due_on"),
    "equipment.late_orders": late_orders,
    "equipment.configured_on_delivery": configured,
    "equipment.used_over_present": used,
    "equipment.loaned_devices": loaned,
    "equipment.reconditioned_share": reconditioned,
    "equipment.reuse_share": reuse,
    "equipment.social_gap": social_gap,
}
