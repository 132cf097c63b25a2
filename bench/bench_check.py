"""Checking a CSV against frictionless on the same checks, and against the bare reading of the same file.

``run(repeat)`` gives one row a job: ``job, ours, peer, limit, ratio, memory`` (seconds, seconds, target in words, times faster or
slower, peak memory against the bare reading). Peers live in their own environment, ``.venv-peers``.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from essaim.engines.intake.contract import Code, Contract, Field, FieldType
from essaim.kernel.uai import key_letter

ROOT = Path(__file__).resolve().parent.parent
PEER = ROOT / ".venv-peers" / "bin" / "python"
LARGE = 1_000_000
T = FieldType
CATEGORIES = ("tablette", "ordinateur_portable", "ordinateur_fixe", "ecran", "visualiseur", "imprimante", "kit_hybride")
CONTRACT = Contract(
    "bench.deliveries", 1, "Livraisons (mesure)", "Douze colonnes, dix-huit vérifications.",
    (
        Field("order_ref", "Commande", T.TEXT, required=True, max_length=20),
        Field("uai", "UAI", T.UAI, required=True),
        Field("commune", "Code commune", T.COMMUNE),
        Field("category", "Catégorie", T.CODE, required=True, codes=tuple(Code(c, c.replace("_", " ")) for c in CATEGORIES)),
        Field("quantity", "Quantité", T.INTEGER, required=True, minimum=0, maximum=1000),
        Field("unit_price", "Prix unitaire", T.DECIMAL, minimum=0, maximum=100_000),
        Field("total", "Montant", T.DECIMAL, minimum=0),
        Field("ordered_on", "Commandé le", T.DATE, required=True, minimum="2000-01-01", maximum="2040-12-31"),
        Field("delivered_on", "Livré le", T.DATE, minimum="2000-01-01"),
        Field("configured", "Configuré", T.BOOLEAN),
        Field("lot", "Lot", T.TEXT, pattern="L[0-9]{3}"),
        Field("comment", "Observations", T.TEXT, max_length=60),
    ),
    key=("order_ref",), place="uai",
)  # fmt: skip
BAD: dict[str, tuple[str, ...]] = {
    "order_ref": ("",), "uai": ("12345", "", "ABCDEFGH"), "commune": ("9999999", "Laon"), "category": ("", "trottinette"),
    "quantity": ("douze", "-5", "5000", ""), "unit_price": ("cher", "-1"), "total": ("beaucoup", "-3"),
    "ordered_on": ("2021-02-31", "demain", "", "1970-01-01"), "delivered_on": ("2021-13-01", "hier"), "configured": ("peut-etre", "presque"),
    "lot": ("X12", "L1"), "comment": ("x" * 80,),
}  # fmt: skip


def write_file(path: Path, rows: int, seed: int = 7, bad: float = 0.02) -> None:
    """A deliveries CSV of ``rows`` lines with a share ``bad`` of faulty cells; same bytes for the same seed."""
    draw = random.Random(seed)
    schools = [f"{n:07d}{key_letter(f'{n:07d}')}" for n in draw.sample(range(20_000, 959_999), min(rows, 60_000)) if 0 < n // 10_000 < 96 and n // 10_000 != 20]
    start = date(2020, 1, 1)
    days = [(start + timedelta(n)).isoformat() for n in range(1500)]
    names = CONTRACT.field_names
    with path.open("w", encoding="utf-8") as out:
        out.write(",".join(names) + "\n")
        for number in range(rows):
            day, quantity, price = draw.randrange(1200), draw.randrange(1, 30), draw.randrange(5_000, 90_000) / 100
            cells = [f"BC-{number}", draw.choice(schools), f"{draw.randrange(1, 96):02d}{draw.randrange(1, 500):03d}", draw.choice(CATEGORIES),
                     str(quantity), str(price), str(round(quantity * price, 2)), days[day], days[day + draw.randrange(300)],
                     "true" if draw.random() < 0.5 else "false", f"L{draw.randrange(1000):03d}", f"remarque {draw.randrange(5000)}"]  # fmt: skip
            if cells[2].startswith("20"):
                cells[2] = "2A" + cells[2][2:]
            for column in range(12):
                if draw.random() < bad:
                    cells[column] = draw.choice(BAD[names[column]])
            out.write(",".join(cells) + "\n")


OURS = """
import json, resource, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from bench_check import CONTRACT
import polars as pl
from essaim.engines.intake import check
mode, path = sys.argv[1], Path(sys.argv[2])
times, cpu, memory, last = [], [], 0, None
for _ in range(int(sys.argv[4])):
    last = None
    begun, spent = time.perf_counter(), time.process_time()
    if mode == "raw":
        last = pl.read_csv(path, infer_schema_length=1000, ignore_errors=True)
    else:
        last = check(path, path.name, CONTRACT)
        if mode == "report":
            last.issues
    times.append(time.perf_counter() - begun)
    cpu.append(time.process_time() - spent)
    memory = memory or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
out = {"times": times, "cpu": cpu, "memory": memory}
if mode != "raw" and len(sys.argv) > 5:
    cells = last.issues.filter(last.issues["severity"] == "blocking").select("row", "field")
    Path(sys.argv[5]).write_text(json.dumps(sorted({(r, f) for r, f in cells.iter_rows() if f})))
print(json.dumps(out))
"""
THEIRS = """
import json, sys, time
from frictionless import Resource, Schema, system
path, schema, out = sys.argv[1:4]
begun = time.perf_counter()
system.trusted = True
report = Resource(path=path, schema=Schema.from_descriptor(json.load(open(schema)))).validate(limit_errors=10**9)
spent = time.perf_counter() - begun
errors = sorted({(r, f) for r, f in report.flatten(["rowNumber", "fieldName"]) if f})
json.dump(errors, open(out, "w"))
print(json.dumps({"times": [spent]}))
"""


def peer_schema() -> dict[str, Any]:
    """Our Table Schema export, missing values left to the empty cell only."""
    from essaim.engines.intake import table_schema

    schema = table_schema(CONTRACT) | {"missingValues": [""]}
    schema.pop("primaryKey", None)
    return schema


def _spent(python: Path | str, script: str, *args: object) -> dict[str, Any]:
    done = subprocess.run([str(python), "-c", script, *map(str, args)], capture_output=True, text=True, check=True, cwd=ROOT)
    return json.loads(done.stdout.strip().splitlines()[-1])


def run(repeat: int = 3, peer_rows: int = 100_000, small_rows: int = 3_000) -> list[dict[str, Any]]:
    """Medians of ``repeat`` interleaved runs. The bare reading is compared on a million lines; frictionless, once, on ``peer_rows``
    and ``small_rows`` (on a million too with ``ESSAIM_BENCH_FULL=1``, else its time there is extrapolated and said so)."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        path = home / "large.csv"
        write_file(path, LARGE)
        reading, mine = _against_reading(path, repeat)
        return [*reading, *_against_frictionless(home, path, mine, peer_rows, small_rows, repeat)]


def _against_reading(path: Path, repeat: int) -> tuple[list[dict[str, Any]], float]:
    """Wall and processor time against the bare reading; the report written out is a line of its own. And our median seconds."""
    modes = ("raw", "check", "report")
    runs: dict[str, list[dict[str, Any]]] = {mode: [] for mode in modes}
    for _ in range(repeat):
        for mode in modes:
            runs[mode].append(_spent(sys.executable, OURS, mode, path, ROOT / "bench", 2))
    wall = {mode: statistics.median(item["times"][-1] for item in runs[mode]) for mode in modes}
    cpu = {mode: statistics.median(item["cpu"][-1] for item in runs[mode]) for mode in modes}
    peak = {mode: statistics.median(item["memory"] for item in runs[mode]) for mode in modes}
    limit = "≤ 2× the reading; memory ≤ 1.6×"
    names = {"check": "check", "report": "check, every issue written out"}
    lines = [
        {"job": f"{names[mode]}, {LARGE:_} × 12, against polars reading it ({what})", "ours": spent[mode], "peer": spent["raw"], "limit": limit,
         "ratio": spent[mode] / spent["raw"], "memory": peak[mode] / peak["raw"]}
        for mode in ("check", "report") for what, spent in (("elapsed", wall), ("processor", cpu))
    ]  # fmt: skip
    return lines, wall["report"]


def _against_frictionless(home: Path, large: Path, mine_large: float, peer_rows: int, small_rows: int, repeat: int) -> list[dict[str, Any]]:
    if not PEER.exists():
        return [{"job": "check against frictionless", "ours": None, "peer": None, "limit": "no .venv-peers: skipped", "ratio": None, "memory": None}]
    schema = home / "schema.json"
    schema.write_text(json.dumps(peer_schema()), encoding="utf-8")
    found = []
    for rows, limit in ((peer_rows, "≥ 80× in process"), (small_rows, "≥ 10× a file")):
        path = home / f"peer{rows}.csv"
        write_file(path, rows, seed=11)
        ours = _spent(sys.executable, OURS, "report", path, ROOT / "bench", repeat + 2, home / "ours.json")
        theirs = _spent(PEER, THEIRS, path, schema, home / "theirs.json")
        same_errors(json.loads((home / "ours.json").read_text()), json.loads((home / "theirs.json").read_text()))
        mine, peer = statistics.median(ours["times"]), theirs["times"][0]
        found.append({"job": f"check {rows:_} × 12, against frictionless", "ours": mine, "peer": peer, "limit": limit, "ratio": peer / mine, "memory": None})
    return [_large(found[0]["peer"], peer_rows, large, schema, mine_large, home), *found, _as_process(large, found[0]["peer"] * LARGE / peer_rows), _batched(home, small_rows, found[-1]["peer"])]


def _large(peer: float, peer_rows: int, path: Path, schema: Path, mine: float, home: Path) -> dict[str, Any]:
    """A million lines: measured when asked (minutes), else in proportion of what ``peer_rows`` took."""
    full = os.environ.get("ESSAIM_BENCH_FULL") == "1"
    spent = _spent(PEER, THEIRS, path, schema, home / "large.json")["times"][0] if full else peer * LARGE / peer_rows
    how = "measured once" if full else f"EXTRAPOLATED from {peer_rows:_}"
    return {"job": f"check {LARGE:_} × 12, against frictionless ({how})", "ours": mine, "peer": spent, "limit": "≥ 80× in process", "ratio": spent / mine, "memory": None}


def _as_process(path: Path, peer: float) -> dict[str, Any]:
    """A whole process of ours, start and issues included, against frictionless in process (extrapolated)."""
    begun = time.perf_counter()
    _spent(sys.executable, OURS, "report", path, ROOT / "bench", 1)
    mine = time.perf_counter() - begun
    return {"job": f"check {LARGE:_} × 12, as a process, against frictionless (EXTRAPOLATED)", "ours": mine, "peer": peer, "limit": "≥ 40× as a process", "ratio": peer / mine, "memory": None}


def _batched(home: Path, rows: int, peer: float) -> dict[str, Any]:
    from essaim.engines.intake import check_many

    files = []
    for number in range(40):
        path = home / f"small{number}.csv"
        write_file(path, rows, seed=100 + number)
        files.append((path, path.name))
    begun = time.perf_counter()
    check_many(files, CONTRACT)
    mine = (time.perf_counter() - begun) / len(files)
    return {"job": f"check {rows:_} × 12, forty files batched, a file", "ours": mine, "peer": peer, "limit": "≥ 80× batched", "ratio": peer / mine, "memory": None}


def same_errors(ours: list[list[Any]], theirs: list[list[Any]]) -> None:
    """Both must accuse the same cells (row and field); AssertionError shows the first differences."""
    mine, peer = {tuple(cell) for cell in ours}, {tuple(cell) for cell in theirs}
    assert mine == peer, f"only ours: {sorted(mine - peer)[:5]}; only theirs: {sorted(peer - mine)[:5]}"


if __name__ == "__main__":
    for line in run(int(sys.argv[1]) if len(sys.argv) > 1 else 3):
        print(line)
