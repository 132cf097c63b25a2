"""However long the lists, a page asks the database the same few questions."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from essaim.equipment.models import Contradiction, SavedView, Side
from essaim.foundation import acts
from essaim.foundation.acts.journal import record
from essaim.foundation.models import Place, Role, Submission
from essaim.territories.models import Establishment
from portal_world import (  # noqa: F401
    AISNE_SCHOOLS,
    AISNE_SENDER,
    built,
    world,
)

MANY = 60
# Sign-in, session, mandates and scope take six; a page rarely needs as many again.
BUDGET = 24


def _pages(world: Any) -> dict[str, str]:  # noqa: F811
    figure = ("departement", "02", "equipment.late_orders")
    deposit = (world.aisne.pk,)
    named: dict[str, tuple[Any, ...]] = {
        "accueil": (), "recherche": (), "indicateurs": (), "contrats": (), "aide": (), "donnees-ouvertes": (), "depots": (), "depot-nouveau": (),
        "jetons": (), "journal": (), "equipement-suivi": (), "etablissements-suivis": (), "contradictions": (), "reception": (), "api-reference": (),
        "contrat": ("equipment.deliveries",), "territoire": ("02",), "territoire-etablissements": ("02",), "territoire-tableau": ("02",),
        "etablissement": (AISNE_SCHOOLS[0],), "chiffre": figure, "chiffre-etablissements": figure, "chiffre-trace": figure,
        "depot": deposit, "depot-anomalies": deposit, "depot-corrections": deposit, "depot-ecritures": deposit,
        "contradiction": (Contradiction.objects.order_by("pk").first().pk,),
    }  # fmt: skip
    return {name: reverse(name, args=args) for name, args in named.items()}


def _contradictions(first: int, count: int, owner: Any) -> None:
    now = timezone.now()
    made = Contradiction.objects.bulk_create(
        Contradiction(
            uai=AISNE_SCHOOLS[n % 3], departement="02", category=f"categorie-{n}", kind="received_less", status="in_progress", owner=owner,
            declared=12, observed=9, since=date(2026, 3, 1), opened_at=now, status_at=now,
        )
        for n in range(first, first + count)
    )  # fmt: skip
    Side.objects.bulk_create(Side(contradiction=item, sender=AISNE_SENDER) for item in made)


def _schools() -> None:
    pattern = Establishment.objects.get(uai=AISNE_SCHOOLS[0])
    many = []
    for n in range(MANY):
        other = copy.copy(pattern)
        other.pk, other.uai = None, f"002{n + 5000:04d}Z"
        other._state = copy.copy(pattern._state)
        other.name = f"École n° {n}"
        many.append(other)
    Establishment.objects.bulk_create(many)


def _fill(world: Any) -> None:  # noqa: F811
    """Everything that lists show, many times over."""
    lead, now = world.accounts[Role.TERRITORY], timezone.now()
    deposits = Submission.objects.bulk_create(
        Submission(
            contract="equipment.deliveries", contract_version=1, filename=f"f{n}.csv", sha256=f"{n:064d}", size=1, sender=AISNE_SENDER,
            received_by=world.accounts[Role.AUTHORITY], received_at=now, state_at=now, state="checked",
        )
        for n in range(MANY)
    )  # fmt: skip
    Place.objects.bulk_create(Place(submission=item, departement="02") for item in deposits)
    for item in deposits:
        record("receive", item, by=world.accounts[Role.AUTHORITY], filename=item.filename)
    _contradictions(1, MANY, lead)
    _schools()
    SavedView.objects.bulk_create(SavedView(account=lead, name=f"vue {n}", query=f"etat={n}", saved_at=now) for n in range(MANY // 4))
    mandate = lead.mandates.get()
    for n in range(MANY // 4):
        acts.create_token(account=lead, mandate=mandate, label=f"jeton {n}", expires_on=timezone.localdate(), by=lead)
        acts.begin_upload(filename=f"{n}.csv", size=10, contract="equipment.deliveries", sender=AISNE_SENDER, by=lead)


def _asked(browser: Client, address: str) -> int:
    browser.get(address)  # what a process remembers is not asked again
    with CaptureQueriesContext(connection) as made:
        answer = browser.get(address)
    assert answer.status_code == 200, address
    return len(made)


@pytest.mark.parametrize("role", [Role.TERRITORY, Role.AUDITOR])
def test_pages_ask_the_same_few_questions_of_long_lists(world, role):  # noqa: F811
    """Each page is asked with a handful of things in its lists, then with sixty of each: not one query more for each thing
    listed, and never more than the budget."""
    _contradictions(0, 1, world.accounts[Role.TERRITORY])
    browser = world.client(role)
    pages = _pages(world)
    before = {name: _asked(browser, address) for name, address in pages.items()}
    _fill(world)
    after = {name: _asked(browser, address) for name, address in pages.items()}
    # A second page to show takes a count, a list that is no longer empty takes what it lists.
    assert {name: (before[name], count) for name, count in after.items() if count > before[name] + 4} == {}
    assert {name: count for name, count in after.items() if count > BUDGET} == {}
