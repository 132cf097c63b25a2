"""Rights come from mandates in force; the journal cannot be changed; what killed workers drop is taken up."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from essaim.foundation import acts, reads, tasks
from essaim.foundation.models import Account, Act, JournalIsAppendOnly, Mandate, Role, State, Submission
from plain_intake import COUNTS

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("national", reads.Scope(is_national=True)),
        ("administrative/departement/2A", reads.Scope(departements=frozenset({"2A"}))),
        ("programme/territory/02", reads.Scope(departements=frozenset({"02"}))),
        ("academic/academie/20", reads.Scope(departements=frozenset({"02", "60", "80"}))),
        ("administrative/region/94", reads.Scope(departements=frozenset({"2A", "2B"}))),
        ("owner/organisation/217500016", reads.Scope(organisations=frozenset({"217500016"}))),
        ("establishment/0020011B", reads.Scope(uais=frozenset({"0020011B"}))),
    ],
)
def test_scopes_are_sets(text, expected):
    """Each hierarchy's unit becomes the départements, organisations or schools behind it."""
    assert reads.parse_scope(text) == expected


@pytest.mark.parametrize("text", ["", "tout", "administrative/departement/99", "a/b", "administrative//02", "establishment/"])
def test_a_scope_that_names_nothing_is_refused(text, admin):
    """An unknown unit never widens to the country."""
    with pytest.raises(reads.ScopeRefused):
        reads.parse_scope(text)
    with pytest.raises(acts.ActRefused):
        acts.grant_mandate(account=admin, role=Role.AUDITOR, scope=text, by=admin)


def test_a_scope_lasts_as_long_as_its_mandates(person, admin):
    """Before the first day and after the last day there is nothing; the key of caches follows."""
    lead = person("aline", Role.TERRITORY, "administrative/departement/02", starts_on=date(2021, 9, 1), ends_on=date(2022, 8, 31))
    assert [reads.scope_of(lead, day).is_empty for day in (date(2021, 8, 31), date(2021, 9, 1), date(2022, 8, 31), date(2022, 9, 1))] == [True, False, False, True]
    keys = {reads.scope_of(lead, date(2022, 1, 1)).cache_key, reads.scope_of(lead).cache_key, reads.scope_of(admin).cache_key}
    assert len(keys) == 3
    lead.is_active = False
    assert reads.scope_of(lead, date(2022, 1, 1)).is_empty and reads.scope_of(AnonymousUser()).is_empty


def test_each_sees_the_submissions_of_its_scope(handed_in, person, contributor, admin):
    """A territory sees files about it alone; an authority its own; an auditor everything; a stranger nothing."""
    mine = handed_in("0020011B;tablette;1", by=contributor)
    other = handed_in("0950012E;tablette;1", sender="130015506")
    mixed = handed_in("0020011B;tablette;1", "0950012E;tablette;1", sender="999")
    seen = {
        contributor: {mine}, person("aline", Role.TERRITORY, "administrative/departement/02"): {mine},
        person("audrey", Role.AUDITOR): {mine, other, mixed}, person("sans"): set(),
        person("basile", Role.EVALUATOR, "academic/academie/25"): {other}, AnonymousUser(): set(),
    }  # fmt: skip
    for account, expected in seen.items():
        assert set(reads.visible_to(account)) == expected, account
    assert reads.visible_acts(contributor).filter(object_id=str(other.pk), object_type="submission").count() == 0
    assert reads.visible_acts(contributor).filter(object_id=str(mine.pk)).exists()


def test_an_account_signs_in_by_name_or_address(admin):
    """Letter case does not matter; two accounts never share a login."""
    secret = "une phrase assez longue 42"
    account = acts.open_account(username="lea.martin", email="Lea@Aisne.fr", password=secret, by=admin)
    for login in ("lea.martin", "LEA.Martin", "lea@aisne.FR"):
        assert Account.objects.get_by_natural_key(login) == account
    for terms in ({"username": "LEA.martin"}, {"username": "autre", "email": "lea@aisne.fr"}, {"username": ""}):
        with pytest.raises(acts.ActRefused):
            acts.open_account(by=admin, **terms)
    with pytest.raises(acts.ActRefused):
        acts.open_account(username="faible", password="motdepasse", by=admin)


def test_the_local_administrator_cannot_sign_in(admin, rf):
    """It exists once, for the command line only."""
    assert acts.local_administrator() == admin and not admin.has_usable_password()
    assert authenticate(rf.post("/"), username="admin", password="") is None


def test_only_administrators_manage(person, contributor, admin):
    """Nobody else opens accounts, grants or ends mandates; the last administrator stays."""
    mandate = contributor.mandates.get()
    for attempt in (
        lambda: acts.open_account(username="x", by=contributor),
        lambda: acts.grant_mandate(account=contributor, role=Role.ADMINISTRATOR, scope="national", by=contributor),
        lambda: acts.end_mandate(mandate=mandate, by=contributor),
    ):
        with pytest.raises(acts.ActForbidden):
            attempt()
    acts.end_mandate(mandate=mandate, by=admin)
    assert reads.scope_of(contributor).is_empty
    with pytest.raises(acts.ActRefused, match="dernier"):
        acts.end_mandate(mandate=admin.mandates.get(), by=admin)
    with pytest.raises(acts.ActRefused, match="avant"):
        acts.end_mandate(mandate=mandate, by=admin, on=date(2019, 1, 1))


def test_the_same_mandate_twice_is_one(contributor, admin):
    """Granting again does not add a mandate."""
    acts.grant_mandate(account=contributor, role=Role.AUTHORITY, scope="owner/organisation/217500016", by=admin)
    assert Mandate.objects.filter(account=contributor).count() == 1


def test_the_journal_refuses_change(handed_in):
    """Neither the code nor the database changes or deletes an act."""
    handed_in("0020011B;tablette;1")
    act = Act.objects.first()
    for attempt in (act.save, act.delete, Act.objects.all().delete, lambda: Act.objects.update(name="x")):
        with pytest.raises(JournalIsAppendOnly):
            attempt()
    for statement in ("UPDATE foundation_act SET name = 'x'", "DELETE FROM foundation_act"):
        with pytest.raises(DatabaseError, match="journal"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert reads.chain_breaks() == []


def test_a_changed_act_breaks_the_chain(handed_in):
    """Were the triggers removed, the chain would still tell."""
    from essaim.foundation.guard import protect_journal, release_journal

    handed_in("0020011B;tablette;1")
    victim = Act.objects.order_by("pk")[1].pk
    release_journal(connection)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE foundation_act SET name = 'x' WHERE id = %s", [victim])
    assert reads.chain_breaks() == [victim]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM foundation_act WHERE id = %s", [victim])
    assert len(reads.chain_breaks()) == 1
    protect_journal(connection)


def test_tasks_may_run_twice(handed_in, admin):
    """A task repeated after its work is done does nothing more."""
    submission = handed_in("0020011B;tablette;1", checked=False)
    for expected, work in ((State.CHECKED, tasks.check_submission), (State.ACCEPTED, tasks.accept_submission)):
        assert [work.call(submission.pk, admin.pk) for _ in range(2)] == [expected] * 2
    assert reads.posted_numbers(COUNTS) == (1,)


def test_the_sweeper_takes_up_what_a_dead_worker_held(handed_in, admin):
    """A silent check goes back to received and its task to ready; one that still speaks is left alone."""
    from django_tasks_db.models import DBTaskResult

    dead, alive = handed_in("0020011B;tablette;1", checked=False), handed_in("0020011B;tablette;2", checked=False)
    task = tasks.enqueue_check(dead, admin)
    long_ago, now = timezone.now() - timedelta(hours=2), timezone.now()
    Submission.objects.filter(pk=dead.pk).update(state=State.CHECKING, state_at=long_ago, progress_at=long_ago)
    Submission.objects.filter(pk=alive.pk).update(state=State.CHECKING, state_at=long_ago, progress_at=now)
    DBTaskResult.objects.filter(pk=task).update(status="RUNNING", started_at=long_ago)
    assert tasks.sweep() == 2
    dead.refresh_from_db()
    alive.refresh_from_db()
    assert (dead.state, alive.state) == (State.RECEIVED, State.CHECKING)
    assert DBTaskResult.objects.get(pk=task).status == "READY"
    assert tasks.sweep() == 0
