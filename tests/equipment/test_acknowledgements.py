"""A school confirms what it received, once, and everyone finds the confirmation in the ledger."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from equipment_site import FAR, SCHOOL, delivery, hand_in
from essaim.equipment import acts
from essaim.equipment.contracts import ACKNOWLEDGEMENTS
from essaim.equipment.reads import receptions
from essaim.foundation import clock
from essaim.foundation.acts import ActForbidden, ActRefused
from essaim.foundation.models import State, Submission
from essaim.foundation.reads.facts import ledger, table_spec


def kept():
    """What the ledger holds of the school's confirmations."""
    rows = ledger().state(table_spec(ACKNOWLEDGEMENTS)).to_pylist() if ledger().last(table_spec(ACKNOWLEDGEMENTS)) else []
    return {(row["category"], row["delivery_ref"]): (row["quantity"], row["working"], row["comment"]) for row in rows}


@pytest.fixture
def parcels(crew):
    """One delivery note with two categories, and one delivery without a note."""
    hand_in("deliveries", delivery(quantity=15), delivery(quantity=2, category="robot"), by=crew.admin)
    hand_in("deliveries", delivery(note=None, quantity=3, category="casque", delivered_on=date(2026, 4, 10)), by=crew.admin)
    return crew


def test_parcels_await_by_delivery_note_newest_first(parcels):
    """One note is one decision, whatever it holds; what has no note is together."""
    found = receptions.awaiting([SCHOOL])
    assert [(item.delivery_ref, item.units, len(item.items)) for item in found] == [("", 3, 1), ("BL1", 17, 2)]


def test_everything_there_is_confirmed_by_one_submission(parcels):
    """The tap becomes a submission in the name of the school, accepted, and leads back to its rows."""
    receipt = acts.confirm_receipt(uai=SCHOOL, delivery_ref="BL1", by=parcels.director)
    assert (receipt.units, receipt.was_known) == (17, False)
    sent = Submission.objects.get(contract="equipment.acknowledgements")
    assert (sent.state, sent.sender, sent.received_by, sent.rows_accepted) == (State.ACCEPTED, SCHOOL, parcels.director, 2)
    assert kept() == {("tablette", "BL1"): (15, True, None), ("robot", "BL1"): (2, True, None)}
    assert [item.delivery_ref for item in receptions.awaiting([SCHOOL])] == [""]


def test_a_double_tap_counts_once(parcels):
    """The second tap is thanked and posts nothing, the same day or another."""
    acts.confirm_receipt(uai=SCHOOL, delivery_ref="BL1", by=parcels.director)
    with clock.travel(clock.now() + timedelta(days=3)):
        again = acts.confirm_receipt(uai=SCHOOL, delivery_ref="BL1", by=parcels.director)
    assert (again.was_known, again.submission, again.units) == (True, None, 17)
    assert Submission.objects.filter(contract="equipment.acknowledgements").count() == 1


def test_two_taps_at_the_same_time_count_once(parcels, monkeypatch):
    """Both taps saw the parcel waiting: the same bytes are the same submission."""
    waiting = receptions.parcel(SCHOOL, "BL1")
    monkeypatch.setattr(acts.receipts, "parcel", lambda *_args: waiting)
    first = acts.confirm_receipt(uai=SCHOOL, delivery_ref="BL1", by=parcels.director)
    second = acts.confirm_receipt(uai=SCHOOL, delivery_ref="BL1", by=parcels.director)
    assert first.submission == second.submission
    assert kept()[("tablette", "BL1")][0] == 15


def test_what_is_missing_or_broken_is_kept_as_said(parcels):
    """Fewer, broken, with a remark, on the day it came."""
    said = {"tablette": acts.Received(14, True, "Un carton ouvert"), "robot": acts.Received(2, False)}
    acts.confirm_receipt(uai=SCHOOL, delivery_ref="BL1", by=parcels.director, received=said, received_on=date(2026, 4, 3))
    assert kept() == {("tablette", "BL1"): (14, True, "Un carton ouvert"), ("robot", "BL1"): (2, False, None)}
    told = receptions.confirmations([SCHOOL])
    assert {(item.category, item.quantity, item.working, item.received_on) for item in told} == {
        ("tablette", 14, True, date(2026, 4, 3)), ("robot", 2, False, date(2026, 4, 3)),
    }  # fmt: skip


def test_a_later_delivery_of_the_same_note_awaits_again(parcels):
    """The rest of an order comes under the same note after the first confirmation."""
    acts.confirm_receipt(uai=SCHOOL, delivery_ref="BL1", by=parcels.director, received_on=date(2026, 4, 3), received=None)
    hand_in("deliveries", delivery(quantity=4, delivered_on=date(2026, 5, 5)), by=parcels.admin)
    again = receptions.parcel(SCHOOL, "BL1")
    assert again is not None and [(item.category, item.quantity) for item in again.items] == [("tablette", 4)]


@pytest.mark.parametrize(
    ("received", "received_on", "told"),
    [
        ({"tablette": acts.Received(-1)}, None, "quantité"),
        ({"tablette": acts.Received(100_001)}, None, "quantité"),
        ({"imprimante_reseau": acts.Received(1)}, None, "n'annonce pas"),
        ({}, None, "Indiquez"),
        ({"tablette": acts.Received(1, True, "x" * 2001)}, None, "2 000"),
        (None, date(2026, 4, 1), "date de réception"),
        (None, date(2039, 1, 1), "date de réception"),
    ],
)
def test_impossible_confirmations_are_refused_whole(parcels, received, received_on, told):
    """Nothing is kept of a confirmation that makes no sense."""
    with pytest.raises(ActRefused, match=told):
        acts.confirm_receipt(uai=SCHOOL, delivery_ref="BL1", by=parcels.director, received=received, received_on=received_on)
    assert not Submission.objects.filter(contract="equipment.acknowledgements").exists()


def test_a_parcel_never_announced_is_refused(parcels):
    """A number invented, or of another school."""
    with pytest.raises(ActRefused, match="Aucune livraison"):
        acts.confirm_receipt(uai=SCHOOL, delivery_ref="BL404", by=parcels.director)


def test_only_its_director_speaks_for_a_school(parcels):
    """Not the authority that delivered, nor the territory, nor the director of another school."""
    for account in (parcels.authority, parcels.lead, parcels.auditor, parcels.nobody, parcels.admin):
        assert receptions.schools_directed(account) == frozenset()
        with pytest.raises(ActForbidden):
            acts.confirm_receipt(uai=SCHOOL, delivery_ref="BL1", by=account)
    with pytest.raises(ActForbidden):
        acts.confirm_receipt(uai=FAR, delivery_ref="BL1", by=parcels.director)
    assert kept() == {}
