"""The API against its own description: requests invented from the OpenAPI schema never make the server fail."""

from __future__ import annotations

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as bounded
from schemathesis import GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)

from essaim.config.wsgi import application
from essaim.foundation import acts
from essaim.foundation.models import Role
from portal_world import built, world  # noqa: F401

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]
FEW = bounded(
    max_examples=4, deadline=None, phases=[Phase.generate], derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture
def schema(world, settings):  # noqa: F811
    """The schema as the site gives it; requests go through WSGI in this process."""
    settings.ALLOWED_HOSTS = ["*"]
    settings.ESSAIM_API_PER_MINUTE = settings.ESSAIM_API_PUBLIC_PER_MINUTE = 1_000_000
    # As Django's own test client does: a request must not close the connection that holds the test's transaction.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize(
    ("role", "mode"),
    [
        pytest.param(Role.NATIONAL, GenerationMode.POSITIVE, id="national-sound"),
        pytest.param(Role.NATIONAL, GenerationMode.NEGATIVE, id="national-wrong", marks=pytest.mark.slow),
        pytest.param(None, GenerationMode.POSITIVE, id="nobody-sound", marks=pytest.mark.slow),
        pytest.param(None, GenerationMode.NEGATIVE, id="nobody-wrong"),
    ],
)
def test_no_request_makes_the_server_fail(schema, world, role, mode, monkeypatch):  # noqa: F811
    """Every operation, a few invented requests each, sound then wrong, without a token then with the widest one: no 5xx, and
    answers of the kind, status and shape described."""
    monkeypatch.setattr(acts, "check", lambda *, submission, **_: submission)  # a process each time: tested elsewhere
    headers = {"Authorization": world.bearer(role)["authorization"]} if role else {}
    probed = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if mode is GenerationMode.NEGATIVE and not (list(operation.iter_parameters()) or operation.body):
            continue

        @FEW
        @given(case=operation.as_strategy(generation_mode=mode))
        def probe(case):
            case.call_and_validate(headers=headers, checks=CHECKS)

        probe()
        probed += 1
    assert probed >= 15
