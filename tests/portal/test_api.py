"""The REST API: contracts, submissions, register, figures, trace, through HTTP with real tokens."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from essaim.foundation.models import Role, Submission
from portal_world import (  # noqa: F401
    AISNE_MARK,
    AISNE_SCHOOLS,
    AISNE_SENDER,
    PARIS_MARK,
    PARIS_SCHOOLS,
    built,
    deliveries,
    upload,
    world,
)

API = "/api/v1"


@pytest.fixture
def client(world) -> Client:  # noqa: F811
    return Client()


def _checked(client, header, pk):
    """Runs the check that a worker would run."""
    from essaim.foundation import acts

    item = Submission.objects.get(pk=pk)
    acts.check(submission=item, by=item.received_by)
    return client.get(f"{API}/submissions/{pk}", headers=header).json()


def test_a_program_hands_in_a_file_follows_it_and_accepts_it(world, client):  # noqa: F811
    """Deposit, same content again, check, issues, report, annotated workbook, acceptance, figures: the whole way by HTTP."""
    header = world.bearer(Role.AUTHORITY)
    content = deliveries(AISNE_SCHOOLS, "avril", quantity="7") + b"BL-x;0020011B;ordinateur portable;beaucoup;2026-03-12;avril\n"
    sent = client.post(f"{API}/submissions", {"contract": "equipment.deliveries", "file": upload(content, "avril.csv")}, headers=header)
    assert sent.status_code == 202, sent.content
    told = sent.json()
    assert (told["state"], told["sender"], told["is_known"]) == ("received", AISNE_SENDER, False)
    assert sent.headers["Location"] == f"{API}/submissions/{told['id']}"
    again = client.post(f"{API}/submissions", {"contract": "equipment.deliveries", "file": upload(content, "bis.csv")}, headers=header)
    assert (again.json()["id"], again.json()["is_known"]) == (told["id"], True)
    checked = _checked(client, header, told["id"])
    assert (checked["state"], checked["rows_accepted"], checked["rows_refused"]) == ("checked", 3, 1)
    assert checked["preview"] == {"new": 3, "changed": 0, "unchanged": 0, "withdrawn": 0}
    issues = client.get(f"{API}/submissions/{told['id']}/issues?severity=blocking&size=1", headers=header).json()
    assert (issues["total"], issues["items"][0]["value"]) == (1, "beaucoup")
    report = client.get(f"{API}/submissions/{told['id']}/report", headers=header).json()
    assert list(report)[:3] == ["contract", "file", "status"] and report["issues_total"] == len(report["issues"])
    book = client.get(f"{API}/submissions/{told['id']}/annotated", headers=header)
    assert book.content[:2] == b"PK" and "avril%20-%20annot" in book.headers["Content-Disposition"]
    accepted = client.post(f"{API}/submissions/{told['id']}/accept", headers=header)
    assert accepted.status_code == 200 and accepted.json()["state"] == "accepted" and accepted.json()["number"]


def test_refused_rows_are_corrected_by_program(world, client):  # noqa: F811
    """A refused row comes back as text, is repaired, and becomes a small submission that refers to the first."""
    header = world.bearer("paris")
    pk = world.waiting.pk
    rows = client.get(f"{API}/submissions/{pk}/refused-rows", headers=header).json()["items"]
    fixed = rows[0] | {"quantity": "9"}
    kept = {name: value for name, value in fixed.items() if name in ("source_sheet", "source_row") or value not in (None, "")}
    from essaim.equipment.contracts import CONTRACTS

    names = next(c for c in CONTRACTS if c.code == "equipment.deliveries").field_names
    kept = {name: value for name, value in kept.items() if name in names or name.startswith("source_")}
    sent = client.post(f"{API}/submissions/{pk}/corrections", {"rows": [kept]}, content_type="application/json", headers=header)
    assert sent.status_code == 202 and sent.json()["corrects"] == pk
    wrong = client.post(f"{API}/submissions/{pk}/corrections", {"rows": [kept | {"source_row": 9999}]}, content_type="application/json", headers=header)
    assert wrong.status_code == 409 and "9999" in wrong.json()["detail"]


def test_refusal_and_withdrawal_ask_for_a_reason(world, client):  # noqa: F811
    """An act without its reason is refused in French; with it, it is done and told."""
    header = world.bearer("paris")
    empty = client.post(f"{API}/submissions/{world.waiting.pk}/refuse", {"reason": "  "}, content_type="application/json", headers=header)
    assert empty.status_code == 409 and "pourquoi" in empty.json()["detail"]
    done = client.post(f"{API}/submissions/{world.waiting.pk}/refuse", {"reason": "doublon"}, content_type="application/json", headers=header)
    assert (done.json()["state"], done.json()["reason"]) == ("refused", "doublon")
    back = client.post(f"{API}/submissions/{world.paris.pk}/withdraw", {"reason": "erreur"}, content_type="application/json", headers=header)
    assert back.json()["state"] == "withdrawn"


def test_figures_have_the_shape_of_the_command_line_and_hide_small_counts(world, client):  # noqa: F811
    """Keys and order as ``essaim figures --format json``; a reader of the place sees what the public does not."""
    ask = f"{API}/figures?indicator=equipment.delivered_on_ordered&level=departement&unit=02&period=2026-06"
    codes = [item["code"] for item in client.get(f"{API}/indicators").json()]
    ask = ask.replace("equipment.delivered_on_ordered", codes[0])
    public = client.get(ask)
    assert public.status_code == 200, public.content
    assert list(public.json()) == ["indicator", "version", "unit", "level", "period", "known_at", "by", "rows"]
    row = public.json()["rows"][0]
    assert list(row) == ["unit", "period", "breakdown", "numerator", "denominator", "value", "low", "high", "coverage", "suppressed", "fingerprint"]
    several = client.get(f"{ask}&indicator={codes[1]}").json()
    assert [item["indicator"] for item in several] == codes[:2]


def _counting(client, header):
    """An indicator whose figure for the Aisne exists, as a reader of the place sees it."""
    for item in client.get(f"{API}/indicators").json():
        ask = f"{API}/figures?indicator={item['code']}&level=establishment&unit={AISNE_SCHOOLS[0]}&period=2026-06"
        found = client.get(ask, headers=header).json()["rows"]
        if found and found[0]["numerator"]:
            return item["code"], found[0]
    raise AssertionError("no indicator counts the deliveries")


def test_trace_goes_from_a_figure_to_the_line_of_the_file(world, client):  # noqa: F811
    """The entries behind a figure name the file and the row; outside the scope there is nothing to see."""
    header = world.bearer(Role.TERRITORY)
    code, _ = _counting(client, header)
    ask = f"{API}/trace?indicator={code}&level=establishment&unit={AISNE_SCHOOLS[0]}&period=2026-06"
    told = client.get(ask, headers=header).json()
    assert told["total"] >= 1
    entry = next(item for item in told["entries"] if item["file"] == f"{AISNE_MARK}.csv")
    assert (entry["row"], entry["sign"], entry["submission"]) == (2, 1, world.aisne.number)
    assert client.get(ask.replace(AISNE_SCHOOLS[0], PARIS_SCHOOLS[0]), headers=header).status_code == 404
    mine = client.get(f"{API}/trace/submissions/{world.aisne.number}", headers=header).json()
    assert mine["total"] == len(AISNE_SCHOOLS)
    assert client.get(f"{API}/trace/submissions/{world.paris.number}", headers=header).status_code == 404


def test_register_is_searched_with_a_token(world, client):  # noqa: F811
    """Schools by name, place and identifier; places by level."""
    header = world.bearer(Role.TEACHER, is_read_only=True)
    assert client.get(f"{API}/register/establishments").status_code == 401
    found = client.get(f"{API}/register/establishments?departement=02&size=2", headers=header).json()
    assert (found["total"], len(found["items"])) == (len(AISNE_SCHOOLS), 2)
    assert client.get(f"{API}/register/establishments?q=laon", headers=header).json()["total"] == len(AISNE_SCHOOLS)
    one = client.get(f"{API}/register/establishments/{AISNE_SCHOOLS[1].lower()}", headers=header).json()
    assert one["commune_name"] == "Laon"
    assert client.get(f"{API}/register/establishments/9999999Z", headers=header).status_code == 404
    places = client.get(f"{API}/register/places?hierarchy=programme&level=territory", headers=header).json()
    assert {"02"} <= {item["code"] for item in places["items"]}


def test_contracts_and_reference_are_open_to_all(world, client):  # noqa: F811
    """Contracts, Table Schema, OpenAPI 3.1 and the plain page that is made from it, without a token."""
    codes = {item["code"] for item in client.get(f"{API}/contracts").json()}
    assert "equipment.deliveries" in codes
    detail = client.get(f"{API}/contracts/equipment.deliveries").json()
    assert "livré le" in next(f for f in detail["fields"] if f["name"] == "delivered_on")["synonyms"]
    assert client.get(f"{API}/contracts/equipment.deliveries/table-schema").json()["fields"]
    schema = client.get(f"{API}/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    page = client.get(f"{API}/docs")
    text = page.content.decode()
    assert all(path in text for path in schema["paths"])
    assert "'unsafe" not in page.headers["Content-Security-Policy"] and "cdn" not in text
    assert client.get(f"{API}/").headers["Location"] == f"{API}/docs"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/figures", 422), ("get", "/figures?indicator=inconnu&level=national", 404), ("get", "/submissions", 401),
        ("get", "/rien", 404), ("delete", "/contracts", 405), ("get", "/contracts/inconnu", 404), ("get", "/submissions/1", 401),
        ("get", "/figures?indicator=equipment.late_orders&level=galaxie", 422),
        ("get", "/figures?indicator=equipment.late_orders&level=national&period=jamais", 422),
        ("get", "/figures?indicator=equipment.late_orders&level=national&known_at=hier", 422),
        ("get", "/figures?indicator=equipment.late_orders&level=nat%00ional", 422),
    ],
)  # fmt: skip
def test_errors_are_problems_in_french(world, client, method, path, status):  # noqa: F811
    """Every refusal is problem JSON with its status, a French title and a detail."""
    answer = getattr(client, method)(API + path)
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    told = json.loads(answer.content)
    assert told["status"] == status and told["detail"].endswith(".") and told["title"][0].isupper()


def test_a_token_is_refused_once_revoked_expired_or_its_mandate_ended(world, client, monkeypatch):  # noqa: F811
    """Four ways to lose access, each told by 401; a read-only token does not write."""
    from datetime import timedelta

    from django.utils import timezone

    from essaim.foundation import acts
    from essaim.foundation.models import ApiToken

    ask = f"{API}/submissions"
    reading = world.bearer(Role.TERRITORY, is_read_only=True)
    assert client.get(ask, headers=reading).status_code == 200
    refused = client.post(f"{ask}/{world.aisne.pk}/accept", headers=reading)
    assert refused.status_code == 403 and "lecture" in refused.json()["detail"]
    token = ApiToken.objects.get()
    assert token.used_at is not None and reading["authorization"].split()[1] not in (token.digest, token.prefix)
    acts.revoke_token(token=token, by=token.account)
    assert client.get(ask, headers=reading).status_code == 401
    expired = world.bearer(Role.TERRITORY)
    ApiToken.objects.filter(revoked_at__isnull=True).update(
        created_at=timezone.now() - timedelta(days=2), expires_at=timezone.now() - timedelta(seconds=1)
    )
    assert client.get(ask, headers=expired).status_code == 401
    ended = world.bearer(Role.TERRITORY)
    acts.end_mandate(mandate=world.accounts[Role.TERRITORY].mandates.get(), by=world.admin)
    assert client.get(ask, headers=ended).status_code == 401
    closed = world.bearer(Role.TRAINER)
    type(world.admin).objects.filter(pk=world.accounts[Role.TRAINER].pk).update(is_active=False)
    assert client.get(ask, headers=closed).status_code == 401
    assert client.get(ask, headers={"authorization": "Basic YTpi"}).status_code == 401


def test_a_token_lends_one_mandate_and_not_the_others(world, client):  # noqa: F811
    """Somebody with two mandates lends one: the program sees nothing of the other, not even what the person handed in."""
    from datetime import date

    from essaim.foundation import acts

    person = world.accounts[Role.AUTHORITY]
    acts.grant_mandate(account=person, role=Role.TERRITORY, scope="administrative/departement/75", starts_on=date(2020, 1, 1), by=world.admin)
    lent = person.mandates.get(role=Role.TERRITORY)
    from django.utils import timezone

    issued = acts.create_token(account=person, mandate=lent, label="Paris", expires_on=timezone.localdate(), by=person)
    found = client.get(f"{API}/submissions", headers={"authorization": f"Bearer {issued.secret}"}).json()
    names = {item["filename"] for item in found["items"]}
    assert names and all(name.startswith(PARIS_MARK) for name in names)


def test_requests_are_counted_by_token_and_by_address(world, client, settings, same_minute):  # noqa: F811
    """Past the limit: 429, with the delay to wait; others are not affected. What a client says of its address is ignored."""
    settings.ESSAIM_API_PUBLIC_PER_MINUTE, settings.ESSAIM_API_PER_MINUTE = 2, 3
    answers = [client.get(f"{API}/contracts", headers={"x-forwarded-for": f"10.0.0.{n}"}) for n in range(3)]
    assert [item.status_code for item in answers] == [200, 200, 429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    header = world.bearer(Role.TERRITORY)
    assert [client.get(f"{API}/submissions", headers=header).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert client.get(f"{API}/submissions", headers=world.bearer(Role.TERRITORY)).status_code == 200


def test_guessing_tokens_is_slowed_down(world, client, same_minute):  # noqa: F811
    """After twenty wrong tokens in a minute from one address, further ones are turned away."""
    codes = [client.get(f"{API}/submissions", headers={"authorization": f"Bearer faux-{n}"}).status_code for n in range(22)]
    assert codes[:20] == [401] * 20 and codes[-1] == 429


def test_a_session_gives_nothing_to_the_api(world):  # noqa: F811
    """The cookie of a signed-in browser opens nothing, so no other site can use it (no CSRF)."""
    browser = world.client(Role.ADMINISTRATOR)
    assert browser.get(f"{API}/submissions").status_code == 401
    assert browser.post(f"{API}/submissions/{world.waiting.pk}/accept").status_code == 401


def test_tokens_are_created_shown_once_and_revoked_on_the_page(world):  # noqa: F811
    """The secret is on the answer to its creation and nowhere else; somebody else's token cannot be revoked."""
    from datetime import timedelta

    from django.utils import timezone

    from essaim.foundation.models import ApiToken

    browser = world.client(Role.TERRITORY)
    mandate = world.accounts[Role.TERRITORY].mandates.get()
    given = {"label": "<b>envoi</b>", "mandate": mandate.pk, "expires_on": (timezone.localdate() + timedelta(days=3)).isoformat()}
    page = browser.post("/mon-compte/jetons/", given)
    assert page.status_code == 201
    secret = page.context["issued"].secret
    assert secret in page.content.decode() and "<b>envoi" not in page.content.decode()
    assert Client().get(f"{API}/submissions", headers={"authorization": f"Bearer {secret}"}).status_code == 200
    assert secret not in browser.get("/mon-compte/jetons/").content.decode()
    token = ApiToken.objects.get()
    assert world.client("paris").post(f"/mon-compte/jetons/{token.pk}/revoquer/").status_code == 404
    assert browser.post(f"/mon-compte/jetons/{token.pk}/revoquer/").status_code == 302
    assert Client().get(f"{API}/submissions", headers={"authorization": f"Bearer {secret}"}).status_code == 401
    late = browser.post("/mon-compte/jetons/", given | {"expires_on": "2099-01-01"})
    assert late.status_code == 400 and "366 jours" in late.content.decode()
    other = browser.post("/mon-compte/jetons/", given | {"mandate": world.accounts["paris"].mandates.get().pk})
    assert other.status_code == 400 and ApiToken.objects.count() == 1
