"""The home page by role: what awaits, what one may do, one's places; never what one may only read."""

from __future__ import annotations

import re

import pytest

from essaim.foundation import acts
from essaim.foundation.models import Role
from essaim.portal.reads.home import desk
from portal_world import (  # noqa: F401
    AISNE_SCHOOLS,
    AISNE_SENDER,
    PARIS_SENDER,
    built,
    deliveries,
    hand_in,
    world,
)


def _half_broken(mark: str) -> bytes:
    return deliveries(AISNE_SCHOOLS, mark) + deliveries(AISNE_SCHOOLS[:1], f"{mark}-2", quantity="beaucoup").split(b"\n", 1)[1]


@pytest.mark.parametrize(
    ("role", "jobs", "place"),
    [
        (Role.TERRITORY, ["Déposer un fichier", "Voir mes établissements", "Suivre l'équipement"], "Aisne"),
        (Role.AUTHORITY, ["Déposer un fichier", "Suivre l'équipement"], ""),
        (Role.DIRECTOR, ["Confirmer une réception", "Déposer un fichier", "Suivre l'équipement"], "Laon"),
        (Role.TEACHER, ["Suivre l'équipement"], "Laon"),
        (Role.AUDITOR, ["Voir mes établissements", "Suivre l'équipement"], ""),
        ("nobody", [], ""),
    ],
)
def test_each_role_finds_its_jobs_and_places(world, role, jobs, place):  # noqa: F811
    """A director confirms first; who may not send is not invited to; without a mandate, the page says what to ask for."""
    found = desk(world.accounts[role])
    assert [item.label for item in found.jobs] == jobs
    assert place in " ".join(item.label for item in found.places)
    page = world.client(role).get("/").content.decode()
    assert ("Ce qui vous attend" in page) == bool(jobs) and ("n'a pas de mandat" in page) == (not jobs)


@pytest.mark.parametrize("role", [Role.EVALUATOR, Role.AUDITOR, Role.TEACHER])
def test_what_one_only_reads_awaits_nobody(world, role):  # noqa: F811
    """Evaluator, auditor and teacher see deposits of equipment and contradictions; none is theirs to settle."""
    hand_in(_half_broken("lecture"), "lecture.csv", AISNE_SENDER, world.accounts[Role.AUTHORITY], accepted=False)
    assert desk(world.accounts[role]).tasks == ()


def test_each_task_leads_to_as_many_things_as_it_says(world):  # noqa: F811
    """One deposit to accept, then one with a row to correct: the count, the wording and the list behind the link agree."""
    sender = world.accounts[Role.AUTHORITY]
    browser = world.client(Role.AUTHORITY)
    item = hand_in(_half_broken("a"), "à corriger.csv", AISNE_SENDER, sender, accepted=False)
    page = browser.get("/").content.decode()
    assert "1 dépôt vérifié qui attend votre accord" in page
    acts.accept(submission=item, by=sender)
    page = browser.get("/").content.decode()
    (address,) = re.findall(r'href="(/depots/\?etat=a-corriger)">1 dépôt avec des lignes à corriger', page)
    listed = browser.get(address).content.decode()
    assert "1 dépôt<" in listed and "corriger.csv" in listed


def test_a_row_that_came_back_corrected_awaits_no_more(world):  # noqa: F811
    """Once every refused row was repaired and accepted, the deposit leaves the desk."""
    sender = world.accounts[Role.AUTHORITY]
    item = hand_in(_half_broken("b"), "b.csv", AISNE_SENDER, sender)
    assert any("corriger" in task.label for task in desk(sender).tasks)
    from essaim.foundation.reads import refused_rows

    (row,) = refused_rows(item).items
    fixed = {key: value for key, value in row.items() if key in {"source_sheet", "source_row", *_fields()}} | {"quantity": "3"}
    correction = acts.correct_rows(submission=item, rows=[fixed], by=sender)
    acts.accept(submission=acts.check(submission=correction, by=sender), by=sender)
    assert not any("corriger" in task.label for task in desk(sender).tasks)


def _fields() -> tuple[str, ...]:
    from essaim.foundation.contracts import contract

    return contract("equipment.deliveries").field_names


def test_deposits_of_others_await_them(world):  # noqa: F811
    """The deposit that waits in Paris is on the desk of Paris alone."""
    assert world.waiting.sender == PARIS_SENDER
    assert [task.count for task in desk(world.accounts["paris"]).tasks if "accord" in task.label] in ([1], [])
    assert not any("accord" in task.label for task in desk(world.accounts[Role.AUTHORITY]).tasks)
