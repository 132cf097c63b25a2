"""Retention, a person's data handed over or erased: nothing counted changes, the journal stays whole."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from essaim.foundation import acts, reads, storage
from essaim.foundation.models import Account, Act, ApiToken, Role, State, Submission
from essaim.foundation.reads.journal_search import found_acts
from essaim.foundation.reads.privacy import personal_data
from plain_intake import COUNTS

OLD = timedelta(days=400)


def _aged(item, days: int = 400) -> None:
    Submission.objects.filter(pk=item.pk).update(state_at=timezone.now() - timedelta(days=days))


@pytest.fixture
def lea(person, handed_in):
    """Somebody who handed in a file that was accepted, holds a token, is signed in and mistyped a password."""
    from axes.models import AccessAttempt

    account = person("lea.martin", Role.AUTHORITY, "owner/organisation/217500016")
    Account.objects.filter(pk=account.pk).update(email="lea.martin@exemple.fr", family_name="Martin", oidc_issuer="https://i", oidc_subject="s")
    account.refresh_from_db()
    acts.accept(submission=handed_in("0020011B;tablette;4", by=account), by=account)
    terms = {"mandate": account.mandates.get(), "label": "envoi", "expires_on": timezone.localdate()}
    acts.create_token(account=account, by=account, **terms)
    Client().force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    AccessAttempt.objects.create(username="lea.martin", ip_address="10.0.0.1", failures_since_start=1)
    return account


def test_a_person_gets_everything_that_is_kept_about_them(lea, person, admin):
    """Account, mandates, files, acts, tokens without their secrets; for the person or an administrator only; journalled."""
    told = acts.export_person(account=lea, by=lea)
    text = json.dumps(told, default=str)
    assert told["compte"]["email"] == "lea.martin@exemple.fr" and len(told["mandats"]) == len(told["depots"]) == len(told["jetons"]) == 1
    assert {"receive", "check", "accept", "accepted"} <= {item["name"] for item in told["actes"]}
    assert ApiToken.objects.get().digest not in text and "password" not in text
    assert Act.objects.filter(name="export_person", object_id=str(lea.pk)).count() == 1
    acts.export_person(account=lea, by=admin)
    with pytest.raises(acts.ActForbidden):
        acts.export_person(account=lea, by=person("paul"))


def test_erasing_a_person_changes_no_count_and_breaks_no_chain(lea, admin):
    """Before and after: same ledger, same submissions, journal whole; nothing left says who it was."""
    from axes.models import AccessAttempt

    spec = reads.table_spec(COUNTS)
    before = reads.ledger().state(spec).to_pylist()
    count = Act.objects.count()
    acts.erase_person(account=lea, by=admin)
    lea.refresh_from_db()
    assert reads.ledger().state(spec).to_pylist() == before and reads.ledger().verify(spec, journal=reads.posted_numbers(COUNTS)).ok
    assert Submission.objects.get().received_by == lea and Act.objects.count() == count + 1 and reads.chain_breaks() == []
    kept = json.dumps(personal_data(lea), default=str) + json.dumps(list(Act.objects.values("details")), default=str)
    for word in ("martin", "Martin", "lea.", "Lea.", "exemple.fr", "https://i"):
        assert word not in kept, kept[max(0, kept.find(word) - 60) :][:120]
    assert not lea.is_active and not lea.has_usable_password() and lea.erased_at
    assert not ApiToken.objects.exists() and not reads.active_mandates(lea) and not AccessAttempt.objects.exists()
    assert not any(item.get_decoded().get("_auth_user_id") == str(lea.pk) for item in Session.objects.all())
    again = lea.username
    assert acts.erase_person(account=lea, by=admin).username == again


def test_who_may_not_be_erased(lea, person, admin):
    """By a stranger; the local administrator; the last administrator who is a person."""
    with pytest.raises(acts.ActForbidden):
        acts.erase_person(account=lea, by=person("paul"))
    with pytest.raises(acts.ActRefused, match="administrateur local"):
        acts.erase_person(account=admin, by=admin)
    first = person("ada", Role.ADMINISTRATOR)
    with pytest.raises(acts.ActRefused, match="dernier administrateur"):
        acts.erase_person(account=first, by=first)
    person("alan", Role.ADMINISTRATOR)
    assert acts.erase_person(account=first, by=first).erased_at


def test_purge_forgets_refused_files_and_keeps_evidence(handed_in, admin):
    """Refused long ago: gone with its bytes. Refused lately, accepted, withdrawn: kept. Never accepted: refused first."""
    gone, recent, accepted, waiting = (handed_in(f"00200{n}0B;tablette;{n}") for n in range(1, 5))
    withdrawn = handed_in("0020090B;tablette;9")
    for item in (gone, recent):
        acts.refuse(submission=item, reason="doublon", by=admin)
    for item in (accepted, withdrawn):
        acts.accept(submission=item, by=admin)
    acts.withdraw(submission=withdrawn, reason="erreur", by=admin)
    for item in (gone, accepted, withdrawn, waiting):
        _aged(item)
    done = acts.purge(by=admin)
    assert (done.files, done.given_up) == (1, 1)
    assert not Submission.objects.filter(pk=gone.pk).exists() and not storage.bytes_path(gone.sha256).exists()
    assert not storage.check_folder(gone.checked_key).exists()
    for item in (recent, accepted, withdrawn, waiting):
        assert storage.bytes_path(item.sha256).exists()
    waiting.refresh_from_db()
    assert waiting.state == State.REFUSED and "Sans suite" in waiting.reason
    assert acts.purge(by=admin).files == 0
    assert Act.objects.filter(name="purge", object_id=str(gone.pk)).exists() and reads.chain_breaks() == []


def test_purge_keeps_bytes_that_another_file_still_holds(handed_in, admin):
    """The same content handed in again after a refusal: forgetting the first does not lose the second."""
    first = handed_in("0020011B;tablette;4")
    acts.refuse(submission=first, reason="doublon", by=admin)
    second = handed_in("0020011B;tablette;4")
    assert second.pk != first.pk
    _aged(first)
    acts.purge(by=admin)
    assert storage.bytes_path(second.sha256).exists() and reads.content(second)


def test_purge_erases_accounts_unused_for_long(person, admin, settings):
    """Never seen or seen long ago: erased. Seen lately, or used by a program lately: kept."""
    settings.ESSAIM_RETENTION_ACCOUNT_DAYS = 100
    unused, seen, program = person("unused"), person("seen"), person("program", Role.TRAINER)
    token = acts.create_token(
        account=program, mandate=program.mandates.get(), label="x", expires_on=timezone.localdate(), by=program
    ).token
    Account.objects.update(opened_at=timezone.now() - OLD)
    Account.objects.filter(pk=seen.pk).update(last_login=timezone.now())
    ApiToken.objects.filter(pk=token.pk).update(used_at=timezone.now())
    assert acts.purge(by=admin).accounts == 1
    unused.refresh_from_db()
    assert unused.erased_at and unused.username.startswith("efface-")
    assert Account.objects.filter(erased_at__isnull=True).count() == 3
    with pytest.raises(acts.ActForbidden):
        acts.purge(by=seen)


def test_a_token_lends_only_what_is_held(person, admin):
    """Somebody else's mandate, an ended one, a day past or too far, no purpose, too many tokens: refused."""
    holder, other = person("lea", Role.TRAINER), person("paul", Role.TRAINER)
    today = timezone.localdate()
    mine = {"account": holder, "mandate": holder.mandates.get(), "label": "envoi", "expires_on": today, "by": holder}
    for change in (
        {"mandate": other.mandates.get()}, {"label": " "}, {"expires_on": today - timedelta(days=1)},
        {"expires_on": today + timedelta(days=400)},
    ):  # fmt: skip
        with pytest.raises(acts.ActRefused):
            acts.create_token(**{**mine, **change})
    with pytest.raises(acts.ActForbidden):
        acts.create_token(**{**mine, "by": other})
    issued = acts.create_token(**mine)
    assert issued.secret not in json.dumps(list(ApiToken.objects.values()), default=str)
    with pytest.raises(acts.ActForbidden):
        acts.revoke_token(token=issued.token, by=other)
    assert acts.revoke_token(token=issued.token, by=admin).revoked_by == admin
    for _ in range(20):
        acts.create_token(**mine)
    with pytest.raises(acts.ActRefused, match="20 jetons"):
        acts.create_token(**mine)


def test_the_journal_is_searched_within_what_one_may_read(lea, person, admin):
    """By words (accents too), act, person and days; a stranger finds nothing."""
    acts.refuse(submission=Submission.objects.create(**_copied(Submission.objects.get())), reason="périmètre erroné", by=admin)
    assert {item.name for item in found_acts(admin, text="périmètre erroné")} == {"refuse"}
    assert {item.account for item in found_acts(admin, person="martin", name="receive")} == {lea}
    today = timezone.localdate()
    assert found_acts(admin, since=today + timedelta(days=1)).count() == 0
    assert found_acts(admin, until=today).count() == found_acts(admin).count() == Act.objects.count()
    assert found_acts(admin, text="Dépôt accepté").filter(name="accepted").exists()
    assert found_acts(person("paul")).count() == 0


def _copied(item: Submission) -> dict:
    names = ("contract", "contract_version", "sha256", "size", "sender", "received_at", "state_at", "received_by")
    return {name: getattr(item, name) for name in names} | {"filename": "autre.csv"}
