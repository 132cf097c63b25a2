"""Structured logs: one line an event, JSON when asked, a request identifier on each, no personal data.

A request is told by the name of its route, never by its address: no query, no name, no IP address, no account.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse

_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_IP = re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b|(?<![\w:])(?:[0-9a-fA-F]{0,4}:){3,7}[0-9a-fA-F]{0,4}|::[0-9a-fA-F]+")
_QUERY = re.compile(r"(?<=\S)\?\S+=\S*")
_IDENTIFIER = re.compile(r"[A-Za-z0-9-]{8,64}")
_PERSONAL = {
    "request", "user", "username", "account", "email", "ip", "ip_address", "password", "token", "authorization", "cookie",
    "given_name", "family_name", "remote_addr", "sub",
}  # fmt: skip

Event = MutableMapping[str, Any]


def without_personal_data(_logger: Any, _method: str, event: Event) -> Event:
    """Drops the keys that name a person, and masks addresses and queries wherever they are written."""
    return {key: masked(value) if isinstance(value, str) else value for key, value in event.items() if key.lower() not in _PERSONAL}


def masked(text: str) -> str:
    """``text`` without mail addresses, IP addresses or query strings."""
    return _IP.sub("‹ip›", _ADDRESS.sub("‹adresse›", _QUERY.sub("", text)))


def _shared() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        without_personal_data,
    ]


def logging_settings(*, as_json: bool) -> dict[str, Any]:
    """Django's LOGGING; also points structlog to it. In JSON every request is an event, otherwise only those that fail."""
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    last = structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else _console()
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        "foreign_pre_chain": _shared(),
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structured": formatter},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": {
            "essaim": {"level": "INFO" if as_json else "WARNING"},
            # Each request is told once, by RequestLog; Django would say it again with its address.
            "django.request": {"level": "ERROR"},
            "django.server": {"level": "ERROR"},
            "axes": {"level": "ERROR"},
        },
    }


def _console() -> Any:
    return structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)


def request_identifier(given: str) -> str:
    """The identifier given by the proxy when it looks like one, otherwise a new one."""
    return given if _IDENTIFIER.fullmatch(given) else uuid.uuid4().hex


class RequestLog:
    """Middleware: gives each request an identifier, on every event and in ``X-Request-ID``, and tells it once."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.log = structlog.get_logger("essaim.requests")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        identifier = request_identifier(request.headers.get("X-Request-ID", ""))
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=identifier)
        started = time.perf_counter()
        response = self.get_response(request)
        response.headers["X-Request-ID"] = identifier
        tell = self.log.warning if response.status_code >= 500 else self.log.info
        took = round((time.perf_counter() - started) * 1000, 1)
        tell("request", method=request.method, route=route_of(request), status=response.status_code, ms=took)
        structlog.contextvars.clear_contextvars()
        return response


def route_of(request: HttpRequest) -> str:
    """The pattern of the address (``territoires/<str:code>/``), never the address; ``unknown`` when nothing matched."""
    match = request.resolver_match
    return (match.route or "/") if match is not None else "unknown"
