"""Passwords changed, accounts closed and opened again: who may, what ends at once, what is never written down."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from essaim.foundation import acts
from essaim.foundation.models import Act, Role

OLD, NEW = "ruche-au-soleil-de-mai", "trois-essaims-sous-le-tilleul"
pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(own_stores):
    return acts.local_administrator()


@pytest.fixture
def lea(admin):
    account = acts.open_account(username="lea", password=OLD, by=admin)
    acts.grant_mandate(account=account, role=Role.AUDITOR, scope="national", by=admin)
    return account


def signed_in(account) -> Client:
    browser = Client()
    browser.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def test_one_changes_ones_own_password_by_saying_the_present_one(lea):
    """The new one opens, the old one no more, every session ends, and neither is in the journal."""
    signed_in(lea)
    acts.change_password(account=lea, password=NEW, current=OLD, by=lea)
    lea.refresh_from_db()
    assert lea.check_password(NEW) and not lea.check_password(OLD)
    assert not Session.objects.exists()
    act = Act.objects.get(name="change_password")
    assert act.account_id == lea.pk and OLD not in str(act.details) and NEW not in str(act.details)


@pytest.mark.parametrize(
    ("current", "password", "says"),
    [
        ("autre-chose-tout-a-fait", NEW, "inexact"), (None, NEW, "inexact"), (OLD, OLD, "déjà le mot de passe"), (OLD, "court", "court"),
        (OLD, "lea", "court"), (OLD, "qwerty123456", "courant"),
    ],
)  # fmt: skip
def test_a_password_that_must_not_be_is_refused(lea, current, password, says):
    """Wrong present one, the same again, too weak: nothing changes."""
    with pytest.raises(acts.ActRefused, match=says):
        acts.change_password(account=lea, password=password, current=current, by=lea)
    lea.refresh_from_db()
    assert lea.check_password(OLD) and not Act.objects.filter(name="change_password").exists()


def test_an_administrator_gives_a_provisional_password_and_unlocks(lea, admin, settings):
    """Locked out after too many failures, the person comes in with the password given."""
    for _ in range(settings.AXES_FAILURE_LIMIT):
        Client().post("/connexion/", {"username": "lea", "password": "faux"})
    assert Client().post("/connexion/", {"username": "lea", "password": OLD}).status_code == 429
    acts.change_password(account=lea, password=NEW, by=admin)
    assert Client().post("/connexion/", {"username": "lea", "password": NEW}).status_code == 302


def test_nobody_else_touches_the_door_of_somebody(lea, admin):
    """Colleagues may not; the local administrator has no door; one who comes by the provider changes it there."""
    other = acts.open_account(username="marc", password=OLD, by=admin)
    for act, more in ((acts.change_password, {"password": NEW}), (acts.close_account, {}), (acts.reopen_account, {})):
        with pytest.raises(acts.ActForbidden):
            act(account=lea, by=other, **more)
        with pytest.raises(acts.ActRefused, match="administrateur local"):
            act(account=admin, by=boss(admin), **more)
    outside = acts.open_account(username="odile", by=admin)
    with pytest.raises(acts.ActRefused, match="fournisseur"):
        acts.change_password(account=outside, password=NEW, current="", by=outside)


def boss(admin):
    account = acts.open_account(username=f"chef-{Act.objects.count()}", by=admin)
    acts.grant_mandate(account=account, role=Role.ADMINISTRATOR, scope="national", by=admin)
    return account


def test_a_closed_account_opens_nothing_and_can_be_opened_again(lea, admin):
    """Session, password and token stop at once; mandates stay, and work again once reopened. Twice is once."""
    browser = signed_in(lea)
    issued = acts.create_token(account=lea, mandate=lea.mandates.get(), label="essai", expires_on=timezone.localdate(), by=lea)
    header = {"authorization": f"Bearer {issued.secret}"}
    assert browser.get("/depots/").status_code == 200 and Client().get("/api/v1/submissions", headers=header).status_code == 200
    for _ in range(2):
        acts.close_account(account=lea, by=admin)
    assert Act.objects.filter(name="close_account").count() == 1
    assert browser.get("/depots/").status_code == 302 and Client().get("/api/v1/submissions", headers=header).status_code == 401
    assert Client().post("/connexion/", {"username": "lea", "password": OLD}).status_code == 200
    with pytest.raises(acts.ActRefused, match="fermé"):
        acts.change_password(account=lea, password=NEW, by=admin)
    for _ in range(2):
        acts.reopen_account(account=lea, by=admin)
    assert Act.objects.filter(name="reopen_account").count() == 1
    assert Client().post("/connexion/", {"username": "lea", "password": OLD}).status_code == 302
    assert lea.mandates.get().ends_on is None


def test_who_may_not_be_closed_or_reopened(lea, admin):
    """Oneself, the last administrator, somebody erased."""
    only = boss(admin)
    with pytest.raises(acts.ActRefused, match="propre compte"):
        acts.close_account(account=only, by=only)
    with pytest.raises(acts.ActRefused, match="dernier administrateur"):
        acts.close_account(account=only, by=admin)
    acts.erase_person(account=lea, by=lea)
    with pytest.raises(acts.ActRefused, match="effacée"):
        acts.reopen_account(account=lea, by=admin)
