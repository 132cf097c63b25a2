"""Four sources speak of the same equipment: the interval they prove, and where they contradict one another."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from tables import opened

from essaim.equipment.reads.reconciliation import CONTRADICTIONS, reconcile

AT = {"uai": "0020011D", "category": "tablette", "departement": "02"}
ON = "2025-12-31"


def day(month, number=1):
    return dt.date(2025, month, number)


def ordered(quantity):
    return [{**AT, "sender": "S", "quantity": quantity, "ordered_on": day(1)}]


def delivered(quantity, when=None, ref="BL1"):
    return [{**AT, "sender": "S", "delivery_ref": ref, "quantity": quantity, "delivered_on": when or day(3)}]


def acknowledged(quantity, ref="BL1", *, working=True):
    return [{**AT, "delivery_ref": ref, "quantity": quantity, "received_on": day(3, 5), "working": working}]


def counted(quantity, when=None):
    return [{**AT, "quantity": quantity, "counted_on": when or day(6)}]


def kinds(**rows):
    found = reconcile(opened(**rows), on=ON)
    return {item["kind"] for item in found.contradictions.to_pylist()}


def situation(**rows):
    (found,) = reconcile(opened(**rows), on=ON).situations.to_pylist()
    return found


def test_a_delivery_confirmed_by_the_school_is_proved():
    """Declared and confirmed alike: the interval is a point and nothing contradicts."""
    rows = {"orders": ordered(10), "deliveries": delivered(10), "acknowledgements": acknowledged(10)}
    assert (situation(**rows)["proved"], situation(**rows)["declared"]) == (10, 10)
    assert kinds(**rows) == set()


def test_a_delivery_nobody_confirmed_is_declared_only():
    """Installed is not proved by saying so: the lower bound is zero."""
    found = situation(orders=ordered(10), deliveries=delivered(10))
    assert (found["proved"], found["declared"]) == (0, 10)


def test_an_inventory_proves_what_it_counts_up_to_what_was_declared():
    """Older equipment counted by the inventory does not prove more than was delivered."""
    assert situation(orders=ordered(10), deliveries=delivered(10), inventory=counted(25))["proved"] == 10


def test_what_does_not_work_is_not_proved():
    """A delivery received broken is not equipment."""
    rows = {"orders": ordered(4), "deliveries": delivered(4), "acknowledgements": acknowledged(4, working=False)}
    assert situation(**rows)["proved"] == 0
    assert kinds(**rows) == {"ne_fonctionne_pas"}


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("livre_sans_commande", {"deliveries": delivered(3), "acknowledgements": acknowledged(3)}),
        ("livre_plus_que_commande", {"orders": ordered(2), "deliveries": delivered(3), "acknowledgements": acknowledged(3)}),
        ("recu_moins_que_livre", {"orders": ordered(3), "deliveries": delivered(3), "acknowledgements": acknowledged(2)}),
        ("recu_sans_livraison", {"orders": ordered(3), "acknowledgements": acknowledged(3)}),
        ("inventaire_inferieur", {"orders": ordered(3), "deliveries": delivered(3), "acknowledgements": acknowledged(3), "inventory": counted(1)}),
        ("livre_sans_reception", {"orders": ordered(3), "deliveries": delivered(3)}),
    ],
)
def test_each_kind_of_contradiction_is_found_and_named(kind, rows):
    """Two sources that cannot both be right are put before someone, in words."""
    assert kinds(**rows) == {kind}
    assert CONTRADICTIONS[kind].endswith(".")


def test_equipment_retired_since_explains_a_smaller_inventory():
    """What left by a declared disposal is not missing."""
    rows = {
        "orders": ordered(3), "deliveries": delivered(3), "acknowledgements": acknowledged(3), "inventory": counted(1),
        "disposals": [{**AT, "sender": "S", "quantity": 2, "retired_on": day(5)}],
    }
    assert kinds(**rows) == set()


def test_a_recent_delivery_is_given_time_to_be_confirmed():
    """Sixty days are left to the school before anyone is asked."""
    assert kinds(orders=ordered(3), deliveries=delivered(3, dt.date(2025, 12, 1))) == set()


def test_nothing_after_the_day_asked_is_counted():
    """A situation on a date ignores what happened later."""
    found = reconcile(opened(orders=ordered(3), deliveries=delivered(3, dt.date(2026, 2, 1))), on=ON)
    assert found.situations.to_pylist()[0]["delivered"] is None
