"""A small installation: two contracts, accounts of several roles, a reader of plain CSV in place of the intake engine."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest

from essaim.foundation import acts, contracts
from essaim.foundation.acts import checking
from essaim.foundation.models import Account, Role
from plain_intake import COUNTS, PLANS, plain_check


@pytest.fixture(autouse=True)
def stores(own_stores):
    """Every test here has its own ledger and files."""
    return own_stores


@pytest.fixture(autouse=True)
def declared(monkeypatch):
    """The two contracts of these tests, in place of those of the rooms."""
    known = {item.code: item for item in (COUNTS, PLANS)}
    monkeypatch.setattr(contracts, "_by_code", lambda: known)


@pytest.fixture(autouse=True)
def plain_reader(monkeypatch):
    """The engine has tests of its own: here files are read without judgement."""
    monkeypatch.setattr(checking.intake, "check", plain_check, raising=False)


@pytest.fixture
def admin(db) -> Account:
    return acts.local_administrator()


@pytest.fixture
def person(admin):
    """Opens accounts: ``person("lea", Role.TERRITORY, "administrative/departement/02")``."""

    def make(name: str, role: str | None = None, scope: str = "national", organisation: str = "", **dates) -> Account:
        account = acts.open_account(username=name, given_name=name.capitalize(), by=admin)
        if role:
            terms = {"starts_on": date(2020, 9, 1), **dates}
            acts.grant_mandate(account=account, role=role, scope=scope, organisation=organisation, by=admin, **terms)
        return account

    return make


@pytest.fixture
def contributor(person) -> Account:
    """Sends for the municipality 217500016."""
    return person("colette", Role.AUTHORITY, "owner/organisation/217500016")


@pytest.fixture
def handed_in(admin):
    """Hands in lines of ``uai;category;quantity`` and checks them."""

    def send(*lines: str, by=None, sender="217500016", contract=COUNTS, checked=True, **more):
        content = ("uai;category;quantity\n" + "\n".join(lines) + "\n").encode()
        submission = acts.receive(
            content=content, filename="livraisons.csv", contract=contract, sender=sender, by=by or admin, **more
        )
        if checked and submission.state == "received":
            acts.check(submission=submission, by=by or admin)
        return submission

    return send


@pytest.fixture
def digest():
    return lambda data: hashlib.sha256(data).hexdigest()
