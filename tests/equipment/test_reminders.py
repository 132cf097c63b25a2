"""One message a day at most, that says what is late and nothing else."""

from __future__ import annotations

from datetime import date
from smtplib import SMTPException

import pytest
from django.core import mail

from equipment_site import FAR, SCHOOL, delivery, hand_in, orders
from essaim.equipment import acts, tasks
from essaim.equipment.models import Digest
from essaim.equipment.reads.reminders import reminder
from essaim.foundation.models import Act

DAY = date(2026, 4, 20)


def sent(day=DAY):
    """How many were written to, and the messages by address."""
    mail.outbox.clear()
    count = tasks.send_digests.func(day.isoformat())
    return count, {message.to[0]: message.body for message in mail.outbox}


@pytest.fixture
def late(crew):
    """A line due in March of which 5 of 12 came, and one more that is not late."""
    hand_in("orders", orders(), orders(ref="BC2", category="robot", planned_on=date(2026, 6, 1)), by=crew.admin)
    hand_in("deliveries", delivery(quantity=5), by=crew.admin)
    return crew


def test_each_late_sender_is_told_what_is_late(late):
    """The authority and its territory are told of 7 units missing; the school, of what it has to confirm."""
    count, texts = sent()
    assert count == 3
    for address in ("lucie@example.org", "colette@example.org"):
        assert "1 ligne de commande a dépassé sa date" in texts[address]
        assert "7 appareils attendus, depuis le 01/03/2026" in texts[address]
        assert "/equipement/suivi/?retard=revise" in texts[address]
    assert "1 livraison annoncée à votre établissement attend" in texts["denis@example.org"]
    assert "LIVRAISONS EN RETARD" not in texts["denis@example.org"]
    assert "sam@example.org" not in texts


def test_nobody_is_written_to_twice_a_day(late):
    """The task run again the same day sends nothing; the next day it does. Each message is in the journal."""
    assert sent()[0] == 3
    assert sent()[0] == 0
    assert sent(date(2026, 4, 21))[0] == 3
    assert Act.objects.filter(name="send_digest").count() == 6
    assert Digest.objects.filter(day=DAY, sent_at__isnull=False).count() == 3


def test_a_message_that_failed_is_tried_again(late, monkeypatch):
    """A mail server that refuses one address stops neither the others nor the next try."""
    real = tasks.send_mail

    def failing(subject, text, sender, to):
        if "colette@example.org" in to:
            raise SMTPException("boîte pleine")
        return real(subject, text, sender, to)

    monkeypatch.setattr(tasks, "send_mail", failing)
    assert sent()[0] == 2
    monkeypatch.undo()
    count, texts = sent()
    assert (count, list(texts)) == (1, ["colette@example.org"])


def test_another_worker_sending_is_left_alone(late):
    """A digest claimed by another process is not sent a second time; a claim too old is taken over."""
    tasks._claim(late.lead, DAY)
    assert sent()[0] == 2
    Digest.objects.filter(account=late.lead).update(claimed_at=tasks.clock.now() - 2 * tasks.LAPSE)
    assert sent()[0] == 1


def test_nothing_late_nothing_sent(crew):
    """An empty message is not a message, and no account is bothered."""
    hand_in("orders", orders(planned_on=date(2026, 6, 1)), by=crew.admin)
    assert sent() == (0, {})
    assert not Act.objects.filter(name="send_digest").exists()


def test_a_revised_date_gives_time(crew):
    """A line is not late before its revised date."""
    hand_in("orders", orders(revised_on=date(2026, 5, 15)), by=crew.admin)
    assert reminder(crew.authority, on=DAY).late_lines == 0
    assert reminder(crew.authority, on=date(2026, 5, 16)).late_lines == 1


def test_contradictions_and_refused_rows_are_told(late):
    """What waits in the queue, what one follows oneself, and rows that could not be kept."""
    hand_in("deliveries", delivery(note="BL2", quantity=20), by=late.admin)
    acts.refresh_contradictions(departements=["02"], by=None, on=DAY)
    from essaim.equipment.models import Contradiction
    from essaim.foundation import acts as foundation

    item = Contradiction.objects.get()
    acts.assign(contradiction=item, owner=late.authority, version=1, by=late.authority)
    bad = '{"uai": "0020011A", "category": "tablette", "quantity": "3", "delivered_on": "2026-04-01"}\n'
    good = f'{{"uai": "{SCHOOL}", "category": "robot", "quantity": "3", "delivered_on": "2026-04-01", "delivery_ref": "BL7"}}\n'
    found = foundation.receive(
        content=(bad + good).encode(), filename="l.jsonl", contract="equipment.deliveries", sender="217500016", by=late.authority
    )
    foundation.check(submission=found, by=late.authority, contain=False)
    told = reminder(late.authority, on=DAY)
    assert (told.contradictions, told.mine, told.refused_rows, told.refused_files) == (1, 1, 1, 1)
    text = sent()[1]["colette@example.org"]
    assert "1 écart entre sources reste à traiter, dont 1 que vous suivez" in text
    assert "1 ligne de 1 fichier n'a pas pu être retenue." in text


def test_a_territory_hears_of_its_own_only(crew):
    """Lateness of another département is not told."""
    hand_in("orders", orders(uai=FAR), by=crew.admin, sender="219500014")
    count, texts = sent()
    assert (count, list(texts)) == (1, ["sam@example.org"])
