"""Pages under use: the site served by granian on a small home, asked by wrk on loopback, every run bounded in time.

Compared with a page of the same table whose numbers are formatted by the template (``floatformat``), served by the same server
on the same machine. Then ten importers and fifty readers on one SQLite home.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
HOME_PROGRAM = ROOT / "tests/config/small_home.py"
PEER = "bench.peer_floatformat:application"
SECONDS = int(os.environ.get("ESSAIM_BENCH_SECONDS", "3"))
CONNECTIONS = 16
# A reader who brings a cookie has the page made for him; a visitor without any gets the one kept.
HEADERS = {"search": ("HX-Request: true",), "page": ("Cookie: known=1",), "table": ("Cookie: known=1",)}


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(application: str, environment: dict[str, str], ready: str) -> Iterator[tuple[str, int]]:
    """The application behind granian, two workers of one request at a time each; address and process number."""
    port = _port()
    command = [
        str(Path(sys.executable).with_name("granian")), "--interface", "rsgi", "--host", "127.0.0.1", "--port", str(port),
        "--workers", "2", "--no-ws", "--log-level", "error", application,
    ]  # fmt: skip
    child = subprocess.Popen(command, env=environment, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(address + ready, child)
        yield address, child.pid
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _wait(url: str, child: subprocess.Popen[bytes], seconds: float = 60.0) -> None:
    deadline, answered = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        try:
            # Each worker has its own queue of connections: both must answer, again and again.
            with urllib.request.urlopen(url, timeout=2):
                answered += 1
            if answered >= 30:
                return
        except OSError:
            answered = 0
            if child.poll() is not None:
                raise RuntimeError(f"the server ended with {child.returncode}") from None
            time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer")


def _warm(url: str, times: int = 24) -> None:
    """Both workers make their caches, one request after the other."""
    for _ in range(times):
        with urllib.request.urlopen(url, timeout=60) as answer:
            answer.read()


def wrk(url: str, *headers: str, seconds: int = SECONDS, connections: int = CONNECTIONS) -> dict[str, float]:
    """Requests a second, p99 in ms and answers other than 2xx/3xx, of one bounded run."""
    command = ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s"]
    for header in headers:
        command += ["-H", header]
    told = subprocess.run([*command, url], capture_output=True, text=True, timeout=seconds + 30, check=True).stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", told)[1])  # type: ignore[index]
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s|m)", told).groups()  # type: ignore[union-attr]
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
    errors = re.search(r"Socket errors: .*timeout (\d+)", told)
    scale = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60000.0}[unit]
    return {"rate": rate, "p99": float(value) * scale, "bad": float(bad[1]) if bad else 0.0, "late": float(errors[1]) if errors else 0.0}


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    found, waiting = [], [pid]
    while waiting:
        current = waiting.pop()
        try:
            waiting += [int(child) for task in Path(f"/proc/{current}/task").iterdir() for child in (task / "children").read_text().split()]
        except OSError:
            continue
        found.append(current)
    return found


def memory_mb(pid: int, kind: str = "Pss") -> int:
    """Memory of a process and its descendants. ``Pss``: what they share (libraries) counted once, which is what the machine
    gives; ``Rss``: shared pages counted in each."""
    total = 0
    for one in family(pid):
        try:
            told = Path(f"/proc/{one}/smaps_rollup").read_text()
        except OSError:
            continue
        total += int(re.search(rf"^{kind}:\s+(\d+)", told, re.MULTILINE)[1])  # type: ignore[index]
    return total // 1024


def environment_of(home: Path) -> dict[str, str]:
    """What the processes of a bench home see: this home, nothing of the caller's."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ESSAIM_", "PROMETHEUS_"))}
    return {**kept, "ESSAIM_HOME": str(home), "DJANGO_SETTINGS_MODULE": "essaim.config.settings", "ESSAIM_BENCH_CONNECTIONS": str(CONNECTIONS)}


def build(home: Path) -> dict[str, str]:
    """A small home: invented register of two départements, senders' files through the real door."""
    environment = environment_of(home)
    subprocess.run([sys.executable, str(HOME_PROGRAM), "build"], env=environment, check=True, stdout=subprocess.DEVNULL, timeout=300)
    subprocess.run([sys.executable, "-m", "essaim.config.static"], env=environment, check=True, timeout=300)
    return environment


def _tag(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return str(answer.headers["ETag"])


def row(job: str, ours: str, peer: str, limit: str, ratio: float, memory: int) -> dict[str, Any]:
    """One line of the table."""
    return {"job": job, "ours": ours, "peer": peer, "limit": limit, "ratio": round(ratio, 2), "memory": memory}


def at_rest(environment: dict[str, str], starts: int = 3, settled: float = 45.0) -> list[dict[str, Any]]:
    """``essaim run`` (web server of two processes, worker) on a home that is ready: seconds to the first answer, then what it
    weighs once its worker has done its first round."""
    took, memory = [], {}
    for turn in range(starts):
        port, began = _port(), time.perf_counter()
        command = [str(Path(sys.executable).with_name("essaim")), "run", "--no-demo", "--port", str(port)]
        child = subprocess.Popen(command, env=environment, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _first_answer(f"http://127.0.0.1:{port}/", child)
            took.append(time.perf_counter() - began)
            if turn == starts - 1:
                time.sleep(settled)
                memory = {kind: memory_mb(child.pid, kind) for kind in ("Pss", "Rss")}
        finally:
            child.terminate()
            child.wait(20)
    seconds = statistics.median(took)
    return [
        row("warm start, to the first page", f"{seconds:.1f} s", "", "< 5 s", 5.0 / seconds, memory["Pss"]),
        row("web (2 processes) + worker, idle", f"{memory['Pss']} Mo PSS ({memory['Rss']} Mo RSS)", "", "< 700 Mo", 700 / memory["Pss"], memory["Pss"]),
    ]


def _first_answer(url: str, child: subprocess.Popen[bytes], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and child.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{url} does not answer")


def run(repeat: int = 5) -> list[dict[str, Any]]:
    """Medians of ``repeat`` interleaved runs of a few seconds each; ratios, not absolute times, are to be trusted."""
    seen: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="essaim-bench-") as folder:
        environment = build(Path(folder) / "home")
        with served("essaim.config.wsgi:application", environment, "/healthz") as (site, pid), served(PEER, environment, "/ping") as (peer, _):
            page, table = f"{site}/territoires/02/", f"{site}/territoires/02/tableau/"
            urls = {"ping": f"{site}/healthz", "page": page, "peer": f"{peer}/table", "search": f"{site}/recherche/?q=saint", "table": table}
            for url in urls.values():
                _warm(url)
            for _ in range(repeat):
                for name, url in urls.items():
                    time.sleep(1)  # what the run before left in the queues
                    seen.setdefault(name, []).append(wrk(url, *HEADERS.get(name, ())))
                for name in ("page", "table"):
                    seen.setdefault(f"{name} kept", []).append(wrk(urls[name]))
                for name, url in (("unchanged", page), ("table unchanged", table)):
                    seen.setdefault(name, []).append(wrk(url, f"If-None-Match: {_tag(url)}"))
            memory = memory_mb(pid)
        rows = _lines({name: {key: statistics.median(item[key] for item in found) for key in found[0]} for name, found in seen.items()}, memory)
        return [*rows, *at_rest(environment), crowd(environment)]


def _lines(took: dict[str, dict[str, float]], memory: int) -> list[dict[str, Any]]:
    def said(name: str) -> str:
        found = took[name]
        return f"{found['rate']:.0f} req/s, p99 {found['p99']:.0f} ms" + (f", {found['bad']:.0f} refusées" if found["bad"] else "")

    ping, peer = took["ping"], took["peer"]
    return [
        row("ping /healthz", said("ping"), "", "", 1.0, memory),
        row("territory page, 304", said("unchanged"), said("ping"), "≥ 0.60 of ping", took["unchanged"]["rate"] / ping["rate"], memory),
        row("territory page, made", said("page"), said("peer"), "", took["page"]["rate"] / peer["rate"], memory),
        row("territory page, kept for visitors", said("page kept"), said("ping"), "", took["page kept"]["rate"] / ping["rate"], memory),
        row("full table, 36 months × equipment, made", said("table"), said("peer") + " (floatformat, 36 × 12)", "≥ 4×", took["table"]["rate"] / peer["rate"], memory),
        row("full table, kept for visitors", said("table kept"), said("peer"), "≥ 4×", took["table kept"]["rate"] / peer["rate"], memory),
        row("full table, 304", said("table unchanged"), said("ping"), "≥ 0.60 of ping", took["table unchanged"]["rate"] / ping["rate"], memory),
        row("fragment (search)", said("search"), "", "p99 ≤ 50 ms", 50.0 / took["search"]["p99"], memory),
    ]


def crowd(environment: dict[str, str], importers: int = 10, readers: int = 50, seconds: int = 20) -> dict[str, Any]:
    """Ten importers, each writing files' rows in chunks, and fifty readers on one SQLite file with the site's own settings."""
    command = [sys.executable, "-m", "bench.crowd", str(importers), str(readers), str(seconds)]
    told = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=seconds + 120, check=True)
    found = json.loads(told.stdout.splitlines()[-1])
    ours = f"{found['locked']} verrous, p99 lecture {found['p99_ms']:.1f} ms, {found['rows']} lignes"
    return row(f"SQLite, {importers} importers + {readers} readers", ours, "", "0 locked, p99 ≤ 10 ms", 10.0 / found["p99_ms"], found["memory"])


if __name__ == "__main__":
    for line in run(int(os.environ.get("ESSAIM_BENCH_REPEAT", "2"))):
        print(line)
