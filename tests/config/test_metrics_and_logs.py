"""What operators read: numbers without people, lines that can be followed, to those who may."""

from __future__ import annotations

import io
import json
import logging
import logging.config

import pytest
import structlog
from django.test import Client

from essaim.config.logs import logging_settings, masked, request_identifier

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines(settings):
    """Events written so far, each as read by a collector of logs."""
    logging.config.dictConfig(logging_settings(as_json=True))
    written = io.StringIO()
    handler = next(item for item in logging.getLogger().handlers if isinstance(item.formatter, structlog.stdlib.ProcessorFormatter))
    handler.setStream(written)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    logging.config.dictConfig(settings.LOGGING)


def test_metrics_answer_this_machine_and_the_token_only(client, settings):
    """Without a token from afar, through a proxy, or with a wrong token: no such page."""
    settings.ESSAIM_METRICS_TOKEN = "un-jeton-de-mesure"
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="::1").status_code == 200
    for refused in (
        {"REMOTE_ADDR": "10.0.0.7"}, {"REMOTE_ADDR": ""}, {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, {"HTTP_FORWARDED": "for=::1"},
        {"HTTP_X_REAL_IP": "127.0.0.1"}, {"REMOTE_ADDR": "10.0.0.7", "HTTP_AUTHORIZATION": "Bearer faux"},
        {"REMOTE_ADDR": "10.0.0.7", "HTTP_AUTHORIZATION": "Bearer "},
    ):  # fmt: skip
        assert client.get("/metrics", **refused).status_code == 404, refused
    assert client.get("/metrics", REMOTE_ADDR="10.0.0.7", HTTP_AUTHORIZATION="Bearer un-jeton-de-mesure").status_code == 200
    settings.ESSAIM_METRICS_TOKEN = ""
    assert client.get("/metrics", REMOTE_ADDR="10.0.0.7", HTTP_AUTHORIZATION="Bearer ").status_code == 404


def test_requests_are_counted_by_route_and_work_by_state(client):
    """A route is counted under its pattern, never its address; the queue and the submissions come from the database."""
    from essaim.foundation import acts, tasks
    from essaim.foundation.models import Account, Submission

    by = acts.local_administrator()
    Submission.objects.create(
        contract="equipment.deliveries", contract_version=1, filename="secret.csv", sha256="0" * 64, size=1, sender="s",
        received_by=by, received_at="2025-01-01T00:00Z", state_at="2025-01-01T00:00Z",
    )
    tasks.check_submission.enqueue(submission_id=1, account_id=by.pk)
    before = _value(client, 'essaim_requests_total{method="GET",route="healthz",status="200"}')
    client.get("/healthz")
    client.get("/nulle-part/jean.dupont@exemple.fr")
    text = client.get("/metrics").content.decode()
    assert _value(client, 'essaim_requests_total{method="GET",route="healthz",status="200"}') == before + 1
    assert 'route="unknown",status="404"' in text, text and "dupont" not in text and "secret.csv" not in text
    assert 'essaim_request_seconds_count{route="healthz"}' in text
    assert 'essaim_submissions{state="received"} 1.0' in text
    assert 'essaim_tasks{status="READY"} 1.0' in text
    assert float(_line(text, "essaim_oldest_waiting_task_seconds")) >= 0
    assert Account.objects.count() >= 1


def _value(client: Client, name: str) -> float:
    return float(_line(client.get("/metrics").content.decode(), name) or 0)


def _line(text: str, name: str) -> str:
    return next((line.rpartition(" ")[2] for line in text.splitlines() if line.startswith(name + " ")), "")


def test_a_request_is_one_line_with_its_identifier_and_nobody_in_it(client, lines):
    """Route, status, duration, the identifier given by the proxy; neither address, query, nor client."""
    response = client.get(
        "/healthz?nom=jean.dupont@exemple.fr", HTTP_X_REQUEST_ID="abcd-1234-efgh", REMOTE_ADDR="10.9.8.7", HTTP_USER_AGENT="Navigateur de Jean",
    )  # fmt: skip
    (event,) = [item for item in lines() if item["event"] == "request"]
    assert response.headers["X-Request-ID"] == event["request_id"] == "abcd-1234-efgh"
    assert (event["method"], event["route"], event["status"], event["level"]) == ("GET", "healthz", 200, "info")
    assert event["ms"] >= 0 and event["timestamp"]
    assert not any(word in json.dumps(event) for word in ("dupont", "10.9.8.7", "Navigateur", "?"))


def test_a_forged_identifier_is_replaced():
    """What could break a line of log or a header is not taken over."""
    for forged in ("", "court", "a" * 65, 'abc"}\n{"event":"x', "é" * 10):
        assert request_identifier(forged) != forged and len(request_identifier(forged)) == 32
    assert request_identifier("0123456789abcdef") == "0123456789abcdef"


def test_an_error_is_told_whole_without_the_person(lines):
    """Any library's message passes the same filter; the trace is kept, on the same line."""
    try:
        raise ValueError("compte jean.dupont+x@exemple.fr refusé depuis 192.168.1.20")
    except ValueError:
        logging.getLogger("une.bibliotheque").exception("échec pour %s", "jean.dupont@exemple.fr")
    (event,) = lines()
    assert event["level"] == "error" and event["event"] == "échec pour ‹adresse›"
    assert "ValueError: compte ‹adresse› refusé depuis ‹ip›" in event["exception"] and "Traceback" in event["exception"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Not Found: /x?code=1&state=2", "Not Found: /x"),
        ("fe80:0:0:1::1 parti", "‹ip› parti"),
        ("dépôt n° 12 à 10:20:30, 3 lignes", "dépôt n° 12 à 10:20:30, 3 lignes"),
    ],
)
def test_masks(text, expected):
    """Addresses and queries go, dates and numbers stay."""
    assert masked(text) == expected


def test_keys_that_name_a_person_are_dropped(lines):
    """Whoever logs an account by mistake logs nothing of it."""
    structlog.get_logger("essaim.essai").info("essai", username="jean", email="j@x.fr", ip_address="10.0.0.1", rows=3)
    (event,) = lines()
    assert event["rows"] == 3 and not {"username", "email", "ip_address"} & set(event)
