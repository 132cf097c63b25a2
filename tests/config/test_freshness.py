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
from essaim.portal import freshness, kept

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


def test_a_visitor_gets_the_page_kept_and_the_same_one(client, admin, monkeypatch):
    """The page given again is the page made, byte for byte and with its headers; what moves makes it again."""
    made = client.get(PAGE)
    monkeypatch.setattr("essaim.portal.views.figures.render", lambda *_, **__: HttpResponse("faite de nouveau"))
    again = client.get(PAGE)
    assert again.content == made.content and b"\xe2\x80\xaf" in made.content
    assert {**again.headers, "X-Request-ID": ""} == {**made.headers, "X-Request-ID": ""}
    posted(admin, 1)
    assert client.get(PAGE).content == b"faite de nouveau"


def test_only_what_is_the_same_for_all_is_kept(admin, rf):
    """A known reader, a cookie, a form, a header or a cookie of the page: made each time; another host is another page."""
    from django.contrib.auth.models import AnonymousUser
    from django.middleware.csrf import get_token

    def times_made(view=lambda request: HttpResponse("page"), user=None, cookie="", host="testserver") -> int:
        calls = []

        def counted(request):
            calls.append(request)
            return view(request)

        for _ in range(2):
            request = rf.get("/x", headers={"cookie": cookie} if cookie else {}, SERVER_NAME=host)
            request.user = user or AnonymousUser()
            assert freshness.fresh()(counted)(request).status_code == 200
        return len(calls)

    def with_a_form(request):
        return HttpResponse(get_token(request))

    def with_a_cookie(request):
        response = HttpResponse("page")
        response.set_cookie("vu", "1")
        return response

    def with_a_header(request):
        return HttpResponse("page", headers={"X-Autre": "1"})

    def in_json(request):
        return HttpResponse("{}", content_type="application/json")

    def too_large(request):
        return HttpResponse("x" * kept.ROOM)

    assert times_made(user=admin) == times_made(cookie="csrftoken=x") == 2
    assert {times_made(view) for view in (with_a_form, with_a_cookie, with_a_header, in_json, too_large)} == {2}
    assert (times_made(), times_made(), times_made(host="localhost")) == (1, 0, 1)


def test_pages_asked_long_ago_make_room(rf, monkeypatch):
    """What is kept never weighs more than its room; the page looked at last stays."""
    from django.contrib.auth.models import AnonymousUser

    monkeypatch.setattr(kept, "ROOM", 1_000)
    request = rf.get("/x")
    request.user = AnonymousUser()
    for number in range(30):
        kept.keep(request, str(number), HttpResponse("x" * 100))
        assert kept.found(request, "0") is not None
    kept_now = [number for number in range(30) if kept.found(request, str(number)) is not None]
    assert kept_now == [0, *range(21, 30)]
