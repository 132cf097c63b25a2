"""Order lines are filled by deliveries without ever losing or inventing a unit."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from tables import opened

from essaim.equipment.reads.tracking import track_orders

DAY = dt.date(2025, 1, 1)


def order(quantity, ref="BC1", *, line="1", planned=60, uai="0020011D", category="tablette", sender="S", **more):
    return {
        "sender": sender, "order_ref": ref, "line": line, "uai": uai, "category": category, "quantity": quantity,
        "ordered_on": DAY, "planned_on": DAY + dt.timedelta(days=planned), **more,
    }


def delivery(quantity, day, ref="BC1", *, uai="0020011D", category="tablette", sender="S", **more):
    return {
        "sender": sender, "order_ref": ref, "uai": uai, "category": category, "quantity": quantity,
        "delivered_on": DAY + dt.timedelta(days=day), **more,
    }


def lines(**rows):
    return track_orders(opened(**rows)).lines.to_pylist()


def test_two_partial_deliveries_complete_a_line_on_the_day_of_the_last():
    """A line is complete when nothing is missing any more, not at its first delivery."""
    (line,) = lines(orders=[order(10)], deliveries=[delivery(4, 30), delivery(6, 90)])
    assert line["delivered"] == 10
    assert line["first_delivered_on"] == DAY + dt.timedelta(days=30)
    assert line["completed_on"] == DAY + dt.timedelta(days=90)


def test_a_line_half_delivered_is_not_complete():
    """What is missing keeps the line open, so that it can be late."""
    (line,) = lines(orders=[order(10)], deliveries=[delivery(9, 30)])
    assert line["delivered"] == 9
    assert line["completed_on"] is None
    assert line["late_from"] == DAY + dt.timedelta(days=61)


def test_the_model_decides_between_two_lines_of_the_same_category():
    """A delivery that names its model fills the line of that model first."""
    found = lines(
        orders=[order(5, line="1", model="A", planned=10), order(5, line="2", model="B", planned=90)],
        deliveries=[delivery(5, 20, model="B")],
    )
    assert {item["model"]: item["delivered"] for item in found} == {"A": 0, "B": 5}


def test_a_delivery_without_order_number_fills_the_oldest_open_line_of_the_school():
    """Authorities often omit the order number: same sender, school and category is enough."""
    found = lines(orders=[order(5, "BC1", planned=10), order(5, "BC2", planned=90)], deliveries=[delivery(5, 20, None)])
    assert {item["order_ref"]: item["delivered"] for item in found} == {"BC1": 5, "BC2": 0}


def test_a_delivery_of_another_sender_fills_nothing():
    """Two authorities may use the same order number: their lines are never mixed."""
    tracking = track_orders(opened(orders=[order(5)], deliveries=[delivery(5, 20, sender="T")]))
    assert tracking.lines.to_pylist()[0]["delivered"] == 0
    assert tracking.excess.to_pylist()[0]["units"] == 5


def test_an_actual_date_written_on_the_order_completes_it_when_no_delivery_speaks():
    """Some authorities only keep one table: the order with its real date."""
    (line,) = lines(orders=[order(3, actual_on=DAY + dt.timedelta(days=70))])
    assert (line["delivered"], line["completed_on"]) == (3, DAY + dt.timedelta(days=70))


amounts = st.integers(1, 12)
refs = st.sampled_from(["BC1", "BC2", None])
models = st.sampled_from(["A", "B", None])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(amounts, refs, models, st.integers(0, 60)), max_size=6),
    st.lists(st.tuples(amounts, refs, models, st.integers(0, 90)), max_size=6),
)
def test_ordered_delivered_and_excess_always_balance(ordered, delivered):
    """Every delivered unit is in exactly one place: on a line, or in excess; no line gets more than it ordered."""
    orders = [order(q, r, line=str(i), model=m, planned=p) for i, (q, r, m, p) in enumerate(ordered)]
    deliveries = [delivery(q, d, r, model=m, delivery_ref=str(i)) for i, (q, r, m, d) in enumerate(delivered)]
    tracking = track_orders(opened(orders=orders, deliveries=deliveries))
    found = tracking.lines.to_pylist()
    on_lines = sum(line["delivered"] for line in found)
    excess = sum(item["units"] for item in tracking.excess.to_pylist())
    assert on_lines + excess == sum(q for q, *_ in delivered)
    assert all(line["delivered"] <= line["quantity"] for line in found)
    assert all((line["completed_on"] is not None) == (line["delivered"] == line["quantity"]) for line in found)
    open_units = sum(line["quantity"] - line["delivered"] for line in found)
    assert excess == 0 or open_units == 0 or any(r is not None for _, r, *_ in ordered)
