"""A page is not made again while nothing it shows has moved, and never shown stale or to somebody else."""

from __future__ import annotations

from datetime import date

import pytest
from django.contrib import messages
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from essaim.foundation import acts
from essaim.foundation.models import Posting, Role, Submission
from essaim.portal import freshness

pytestmark = pytest.mark.django_db
PAGE = "/indicateurs/"


@pytest.fixture
def admin(own_stores):
    return acts.local_administrator()


def posted(admin, number: int) -> None:
    now = timezone.now()
    found = Submission.objects.create(
        contract="equipment.deliveries", contract_version=1, filename="x", sha256="0" * 64, size=1, sender="s", received_by=admin,
        received_at=now, state_at=now,
    )
    Posting.objects.create(number=number, kind="acceptance", submission=found, status="done", by=admin, begun_at=now, at=now)


def signed_in(admin, name: str, role: str = Role.AUDITOR, scope: str = "national") -> Client:
    account = acts.open_account(username=name, by=admin)
    acts.grant_mandate(account=account, role=role, scope=scope, starts_on=date(2020, 1, 1), by=admin)
    client = Client()
    client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_nothing_moved_nothing_sent(client, admin):
    """The same reader asking again gets an empty 304, which no shared cache may keep; a weakened tag counts."""
    first = client.get(PAGE)
    tag = first.headers["ETag"]
    assert first.status_code == 200 and first.headers["Cache-Control"] == "private, no-cache" and "Cookie" in first.headers["Vary"]
    for given in (tag, f"W/{tag}", f'"autre", {tag}'):
        again = client.get(PAGE, headers={"If-None-Match": given})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert client.get(PAGE, headers={"If-None-Match": '"autre"'}).status_code == 200


def test_whatever_the_page_is_made_of_changes_its_tag(client, admin, settings, monkeypatch):
    """A posting, the register, the theme, the day, the threshold, the address: each makes the page again."""
    def tag(path: str = PAGE) -> str:
        return client.get(path).headers["ETag"]

    seen = [tag()]
    posted(admin, 1)
    seen.append(tag())
    monkeypatch.setattr(freshness, "register_stamp", lambda: "autre-registre")
    seen.append(tag())
    settings.ESSAIM_THEME = "dsfr"
    seen.append(tag())
    settings.ESSAIM_SECRECY_THRESHOLD = 11
    seen.append(tag())
    monkeypatch.setattr(freshness.timezone, "localdate", lambda *_: date(2030, 1, 1))
    seen.append(tag())
    seen.append(tag(PAGE + "?connu=2025-01-01"))
    assert len(set(seen)) == len(seen)


def test_a_tag_is_worth_nothing_to_somebody_else(admin):
    """Another reader, another scope, nobody: each has tags of its own; a mandate that ends changes them."""
    lead = signed_in(admin, "aline", Role.TERRITORY, "administrative/departement/02")
    other = signed_in(admin, "basile", Role.TERRITORY, "administrative/departement/02")
    tags = [who.get(PAGE).headers["ETag"] for who in (lead, other, Client())]
    assert len(set(tags)) == 3
    tags[0] = lead.get(PAGE).headers["ETag"]  # now that the secret of the forms is in the browser
    assert lead.get(PAGE, headers={"If-None-Match": tags[0]}).status_code == 304
    from essaim.foundation.models import Mandate

    acts.end_mandate(mandate=Mandate.objects.get(account__username="aline"), by=admin, on=date(2021, 1, 1))
    assert lead.get(PAGE, headers={"If-None-Match": tags[0]}).status_code == 200
    lead.logout()
    assert lead.get(PAGE, headers={"If-None-Match": tags[0]}).status_code == 200


def test_work_in_progress_changes_the_pages_that_show_it(admin, rf: RequestFactory):
    """An act between two postings makes again the pages that show work, and those alone."""
    request = rf.get("/x")
    request.user = admin
    figures, work = freshness.etag_of(request), freshness.etag_of(request, shows_work=True)
    acts.open_account(username="lea", by=admin)
    assert freshness.etag_of(request) == figures
    assert freshness.etag_of(request, shows_work=True) != work


def test_only_pages_are_tagged_and_messages_are_shown(admin, rf):
    """A refusal carries no tag; a message waiting is shown even if nothing else moved."""
    answer = freshness.fresh()(lambda request: HttpResponse(status=404))
    request = rf.get("/x")
    request.user = admin
    assert "ETag" not in answer(request).headers
    page = freshness.fresh()(lambda request: HttpResponse("page"))
    tag = page(request).headers["ETag"]
    waiting = rf.get("/x", headers={"If-None-Match": tag})
    waiting.user, waiting.session = admin, {"_messages": "[…]"}
    waiting._messages = messages.storage.default_storage(waiting)
    assert page(waiting).content == b"page" and "ETag" not in page(waiting).headers
