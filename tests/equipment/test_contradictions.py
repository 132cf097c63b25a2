"""The queue of contradictions follows the facts, and never loses what people said."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from equipment_site import OTHER, SCHOOL, delivery, hand_in, orders
from essaim.equipment import acts
from essaim.equipment.models import TRANSITIONS, Comparison, Contradiction, Note, NoteIsAppendOnly, Status
from essaim.equipment.reads import contradictions as reads
from essaim.equipment.reads.reconciliation import CONTRADICTIONS
from essaim.foundation.acts import ActForbidden, ActRefused, withdraw
from essaim.foundation.models import Act
from essaim.foundation.reads import cell

TODAY = date(2026, 4, 20)


def compared(on=TODAY):
    (done,) = acts.refresh_contradictions(departements=["02"], by=None, on=on)
    return (done.opened, done.reopened, done.settled, done.changed)


@pytest.fixture
def too_many(crew):
    """Fifteen delivered for twelve ordered."""
    hand_in("orders", orders(), by=crew.admin)
    crew.delivered = hand_in("deliveries", delivery(quantity=15), by=crew.admin)
    assert compared() == (1, 0, 0, 0)
    crew.item = Contradiction.objects.get()
    return crew


def test_words_exist_for_every_kind():
    """Every contradiction that can be computed has a title, a way out and two named numbers."""
    for kind in CONTRADICTIONS:
        told = reads.words(Contradiction(kind=kind, category="tablette"))
        assert told["title"] != kind and told["settles"].endswith(".") and told["observed"] != "constaté"


def test_comparing_twice_changes_nothing(too_many):
    """The task may run again at any time."""
    before = (Contradiction.objects.values().get(), Note.objects.count(), Act.objects.count())
    assert compared() == (0, 0, 0, 0)
    assert (Contradiction.objects.values().get(), Note.objects.count(), Act.objects.count()) == before


def test_a_contradiction_says_what_facts_say_and_who_speaks(too_many):
    """Numbers, date and senders come from the ledger."""
    item = too_many.item
    assert (item.uai, item.category, item.kind) == (SCHOOL, "tablette", "livre_plus_que_commande")
    assert (item.declared, item.observed, item.status) == (15, 12, Status.OPEN)
    assert set(item.sides.values_list("sender", flat=True)) == {"217500016"}


def test_facts_that_agree_settle_it_and_facts_that_disagree_again_open_it(too_many):
    """A new order settles the excess; withdrawing it brings the same contradiction back, with its history."""
    more = hand_in("orders", orders(ref="BC2", quantity=3), by=too_many.admin)
    assert compared() == (0, 0, 1, 0)
    item = Contradiction.objects.get()
    assert (item.status, item.settled_by_facts, item.stands) == (Status.SETTLED, True, False)
    withdraw(submission=more, reason="erreur", by=too_many.admin)
    assert compared() == (0, 1, 0, 0)
    again = Contradiction.objects.get()
    assert (again.pk, again.status, again.times_reopened, again.settles) == (item.pk, Status.OPEN, 1, "")
    assert [note.kind for note in again.notes.all()] == ["opened", "settled", "reopened"]


def test_what_is_explained_stays_until_figures_move(too_many):
    """An explanation of 15 against 12 does not explain 20 against 12."""
    acts.explain(contradiction=too_many.item, reason="Trois tablettes données par une association.", version=1, by=too_many.lead)
    assert compared() == (0, 0, 0, 0)
    assert Contradiction.objects.get().status == Status.EXPLAINED
    hand_in("deliveries", delivery(note="BL2", ref="BC9", quantity=5), by=too_many.admin)
    assert compared() == (0, 1, 0, 0)
    item = Contradiction.objects.get()
    assert (item.status, item.declared) == (Status.OPEN, 20)
    assert "15 contre 12 avant, 20 contre 12" in item.notes.last().text


def test_a_promise_not_kept_opens_it_again(too_many):
    """Settled by hand, still contradicted a month later: somebody looks again."""
    acts.settle(contradiction=too_many.item, settles="La commande rectificative part demain.", version=1, by=too_many.lead)
    settled_on = Contradiction.objects.get().status_at.date()
    assert compared(on=settled_on + timedelta(days=30))[1] == 0
    assert compared(on=settled_on + timedelta(days=31))[1] == 1
    assert "Trente jours" in too_many.item.notes.last().text


def test_figures_that_move_under_a_form_refuse_the_form(too_many):
    """Explaining 15 against 12 while the facts became 20 against 12 is told, not saved."""
    hand_in("deliveries", delivery(note="BL2", ref="BC9", quantity=5), by=too_many.admin)
    assert compared() == (0, 0, 0, 1)
    with pytest.raises(acts.StaleVersion):
        acts.explain(contradiction=too_many.item, reason="Dons.", version=1, by=too_many.lead)
    assert Contradiction.objects.get().status == Status.OPEN


def test_an_older_comparison_does_not_undo_a_newer_one(too_many):
    """A slow worker that read the ledger before is too late."""
    before = Comparison.objects.get().number
    hand_in("orders", orders(ref="BC2", quantity=3), by=too_many.admin)
    assert compared() == (0, 0, 1, 0)
    (late,) = acts.refresh_contradictions(departements=["02"], by=None, number=before, on=TODAY)
    assert late.is_unchanged and Contradiction.objects.get().status == Status.SETTLED


def test_only_departements_with_news_are_compared(too_many):
    """What was compared today at this number is not asked for again."""
    assert reads.outdated(on=TODAY) == {}
    assert reads.outdated(on=TODAY + timedelta(days=1)) == {"02": too_many.delivered.number}
    new = hand_in("orders", orders(uai=OTHER, ref="BC5"), by=too_many.admin)
    assert reads.outdated({"02", "95"}, on=TODAY) == {"02": new.number}


def test_the_second_of_two_people_is_told_and_nothing_is_overwritten(too_many):
    """Both opened the page at version 1; the first one's act stands, the second is told by whom."""
    acts.assign(contradiction=too_many.item, owner=too_many.lead, version=1, by=too_many.lead)
    with pytest.raises(acts.StaleVersion, match="Lucie"):
        acts.settle(contradiction=too_many.item, settles="Réglé.", version=1, by=too_many.second)
    item = Contradiction.objects.get()
    assert (item.status, item.owner, item.version) == (Status.IN_PROGRESS, too_many.lead, 2)


def test_a_double_click_is_one_act(too_many):
    """The same form sent twice is done once, without an alarm."""
    for _ in range(2):
        acts.explain(contradiction=too_many.item, reason="Dons.", version=1, by=too_many.lead)
        acts.comment(contradiction=too_many.item, text="Vu au téléphone.", by=too_many.lead)
    kinds = list(Note.objects.values_list("kind", flat=True))
    assert kinds.count("explained") == 1
    assert kinds.count("comment") == 1


def test_people_may_do_only_what_their_mandate_says(too_many):
    """Territory, authority and school act; an auditor reads; others see nothing."""
    for account in (too_many.auditor, too_many.stranger, too_many.nobody):
        with pytest.raises(ActForbidden):
            acts.comment(contradiction=too_many.item, text="Bonjour", by=account)
    for account in (too_many.lead, too_many.authority, too_many.director, too_many.admin):
        assert acts.comment(contradiction=too_many.item, text=f"De {account.username}", by=account).pk
        assert reads.visible_contradictions(account).count() == 1
    assert reads.visible_contradictions(too_many.auditor).count() == 1
    assert reads.visible_contradictions(too_many.stranger).count() == 0
    assert reads.visible_contradictions(too_many.nobody).count() == 0


def test_it_is_given_only_to_someone_entitled(too_many):
    """A stranger is neither proposed nor accepted as owner."""
    proposed = set(reads.candidates(too_many.item))
    assert {too_many.lead, too_many.second, too_many.authority, too_many.director} <= proposed
    assert not proposed & {too_many.stranger, too_many.auditor, too_many.nobody}
    with pytest.raises(ActRefused, match="Sam"):
        acts.assign(contradiction=too_many.item, owner=too_many.stranger, version=1, by=too_many.lead)
    given = acts.assign(contradiction=too_many.item, owner=too_many.director, version=1, by=too_many.lead)
    assert given.owner == too_many.director
    back = acts.release(contradiction=given, version=2, by=too_many.director)
    assert (back.owner, back.status) == (None, Status.OPEN)


@pytest.mark.parametrize("text", ["", "   ", "\x00", "x" * 4001])
def test_words_are_asked_for(too_many, text):
    """Nothing is explained, settled or said without words, nor with a novel."""
    item, by = too_many.item, too_many.lead
    for act in (
        lambda: acts.explain(contradiction=item, reason=text, version=1, by=by),
        lambda: acts.settle(contradiction=item, settles=text, version=1, by=by),
        lambda: acts.comment(contradiction=item, text=text, by=by),
    ):
        with pytest.raises(ActRefused):
            act()
    assert Contradiction.objects.get().version == 1


def test_the_table_of_transitions_is_kept(too_many):
    """What is settled is not explained; what the facts settled is not opened by hand."""
    settled = acts.settle(contradiction=too_many.item, settles="Commande envoyée.", version=1, by=too_many.lead)
    with pytest.raises(ActRefused, match="réglée"):
        acts.explain(contradiction=settled, reason="Autre chose.", version=2, by=too_many.lead)
    again = acts.reopen(contradiction=settled, reason="Rien reçu.", version=2, by=too_many.lead)
    assert again.status == Status.OPEN and again.times_reopened == 1
    hand_in("orders", orders(ref="BC2", quantity=3), by=too_many.admin)
    compared()
    with pytest.raises(ActRefused, match="concordent"):
        acts.reopen(contradiction=Contradiction.objects.get(), reason="Je doute.", version=4, by=too_many.lead)
    assert set(TRANSITIONS) == set(Status)


def test_what_was_said_cannot_be_changed(too_many):
    """Notes are added, never edited nor removed."""
    note = too_many.item.notes.get()
    note.text = "autre"
    for attempt in (note.save, note.delete, Note.objects.all().delete, lambda: Note.objects.update(text="")):
        with pytest.raises(NoteIsAppendOnly):
            attempt()


@pytest.mark.parametrize("change", [{"status": "perdue"}, {"status": "settled", "settles": ""}, {"status": "in_progress", "owner": None}])
def test_the_database_refuses_what_makes_no_sense(too_many, change):
    """Unknown status, an end without words, work without a worker."""
    with pytest.raises(IntegrityError), transaction.atomic():
        Contradiction.objects.filter(pk=too_many.item.pk).update(**change)


def test_every_act_is_in_the_journal(too_many):
    """Who did what, under which mandate; comparisons too, when they change something."""
    acts.assign(contradiction=too_many.item, owner=too_many.lead, version=1, by=too_many.lead)
    names = set(Act.objects.values_list("name", flat=True))
    assert {"refresh_contradictions", "assigned_contradiction"} <= names
    assert Act.objects.get(name="assigned_contradiction").mandate.account == too_many.lead


def test_each_source_is_told_with_its_cell(too_many):
    """The page shows what each file says and the row it says it in."""
    found = {source.name: source for source in reads.sources(too_many.item)}
    assert (found["orders"].total, found["deliveries"].total, found["inventory"].total) == (12, 15, None)
    row = found["deliveries"].rows[0]
    assert row["submission"] == too_many.delivered.number
    assert cell(row["submission"], row["source_sheet"], row["source_row"], "quantity").written == "15"
