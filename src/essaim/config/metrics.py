"""Prometheus metrics: requests counted by every process of the site together, the rest read from the database when asked.

``/metrics`` answers a bearer of ESSAIM_METRICS_TOKEN, or a program of the same machine that came through no proxy; anybody
else gets a 404. Labels are names of routes and states: nothing about anybody.
"""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Callable, Iterator
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse

from essaim.config.logs import route_of

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO", "HTTP_VIA")
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def counts_folder(home: Path) -> Path:
    """Where the processes of one installation count together."""
    return home / "metrics"


def _start_counting(home: Path) -> None:
    """Chooses the shared folder, before the library looks at it, and forgets what dead processes left."""
    folder = counts_folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(folder))
    for path in Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).glob("*.db"):
        number = path.stem.rpartition("_")[2]
        if number.isdecimal() and not Path(f"/proc/{number}").exists():
            path.unlink(missing_ok=True)


@cache
def _counters() -> tuple[Any, Any]:
    _start_counting(Path(settings.HOME))
    from prometheus_client import Counter, Histogram

    return (
        Counter("essaim_requests", "Requests answered", ["method", "route", "status"], registry=None),
        Histogram("essaim_request_seconds", "Seconds to answer", ["route"], buckets=_BUCKETS, registry=None),
    )


class Measured:
    """Middleware: counts and times each request by route."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.get_response(request)
        requests, seconds = _counters()
        route = route_of(request)
        method = request.method if request.method in _METHODS else "OTHER"
        requests.labels(method, route, str(response.status_code)).inc()
        seconds.labels(route).observe(time.perf_counter() - started)
        return response


def may_read(request: HttpRequest) -> bool:
    """Whether the request bears the token, or comes from this machine without any proxy in between."""
    token = settings.ESSAIM_METRICS_TOKEN
    given = request.headers.get("Authorization", "")
    if token and hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return True
    if any(name in request.META for name in _FORWARDED):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def metrics(request: HttpRequest) -> HttpResponse:
    """Everything measured, in the text format of Prometheus."""
    if not may_read(request):
        raise Http404
    _counters()  # before the library is imported: it looks once at the folder where processes count together
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    registry.register(Installation())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class Installation:
    """What the database says of the work: submissions by state, queue, last number, age of the last acceptance."""

    def collect(self) -> Iterator[Any]:
        """One family of metrics after the other."""
        from prometheus_client.core import GaugeMetricFamily

        yield from self._submissions()
        yield from self._queue()
        workers = GaugeMetricFamily("essaim_workers", "Workers of this home that are alive")
        workers.add_metric([], _workers(Path(settings.HOME)))
        yield workers
        memory = GaugeMetricFamily("essaim_process_resident_bytes", "Resident memory of the process that answers")
        memory.add_metric([], int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
        yield memory

    def _submissions(self) -> Iterator[Any]:
        from django.db.models import Count, Max
        from prometheus_client.core import GaugeMetricFamily

        from essaim.foundation.models import Posting, Submission

        states = GaugeMetricFamily("essaim_submissions", "Submissions by state", labels=["state"])
        for state, count in Submission.objects.order_by().values_list("state").annotate(Count("pk")):
            states.add_metric([state], count)
        yield states
        done = Posting.objects.filter(status=Posting.Status.DONE).aggregate(number=Max("number"), at=Max("at"))
        number = GaugeMetricFamily("essaim_last_number", "Last number posted to the ledger")
        number.add_metric([], done["number"] or 0)
        yield number
        begun = GaugeMetricFamily("essaim_postings_begun", "Postings begun and not finished")
        begun.add_metric([], Posting.objects.filter(status=Posting.Status.BEGUN).count())
        yield begun
        if done["at"]:
            last = GaugeMetricFamily("essaim_last_acceptance_timestamp_seconds", "When the last number was posted")
            last.add_metric([], done["at"].timestamp())
            yield last

    def _queue(self) -> Iterator[Any]:
        from django.db.models import Count, Min
        from django.utils import timezone
        from django_tasks_db.models import DBTaskResult
        from prometheus_client.core import GaugeMetricFamily

        tasks = GaugeMetricFamily("essaim_tasks", "Tasks by status", labels=["status"])
        for status, count in DBTaskResult.objects.order_by().values_list("status").annotate(Count("pk")):
            tasks.add_metric([status], count)
        yield tasks
        oldest = DBTaskResult.objects.filter(status="READY").aggregate(at=Min("enqueued_at"))["at"]
        waiting = GaugeMetricFamily("essaim_oldest_waiting_task_seconds", "Age of the oldest task that no worker has taken")
        waiting.add_metric([], (timezone.now() - oldest).total_seconds() if oldest else 0)
        yield waiting


def _workers(home: Path) -> int:
    from essaim.config.presence import is_dead

    return sum(not is_dead(home, path.name) for path in (home / "workers").glob("*"))
