"""Checking a CSV against frictionless on the same checks, and against the bare readings of the same file (polars, DuckDB).

``run(repeat)`` gives one row a job: ``job, ours, peer, limit, ratio, memory`` (seconds, seconds, target in words, times faster or
slower, peak memory against the bare reading). Peers live in their own environment, ``.venv-peers``. Both accuse the same cells,
or the measure fails.
"""

from __future__ import annotations

import json
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
LARGE, MIDDLE, SMALL, BATCH = 1_000_000, 100_000, 3_000, 40
# Longer than this, the peer's million lines is told in proportion of its hundred thousand, and said to be.
PATIENCE_SECONDS = 240
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


# The two bare readings by polars. One faulty cell in the first thousand makes a column of text: what a newcomer's ``read_csv``
# gives here, once told to go past errors, is twelve columns of text, none of them checked nor typed. Told the types of the
# contract, it gives typed columns as ours, the cells that do not fit lost without a word.
READINGS = {"text": "as text", "typed": "into typed columns"}


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
from essaim.engines.intake.cells import dtype_of
mode, path = sys.argv[1], Path(sys.argv[2])
times, cpu, memory, last = [], [], 0, None
for _ in range(int(sys.argv[4])):
    last = None
    begun, spent = time.perf_counter(), time.process_time()
    if mode == "batch":
        from essaim.engines.intake import check_many
        files = sorted(path.glob("small*.csv"))
        found = check_many([(file, file.name) for file in files], CONTRACT)
        assert len(files) > 1 and all(one.issues.height for one in found)
    elif mode == "text":
        last = pl.read_csv(path, infer_schema_length=1000, ignore_errors=True)
        assert set(last.dtypes) == {pl.String}
    elif mode == "typed":
        last = pl.read_csv(path, schema_overrides={field.name: dtype_of(field) for field in CONTRACT.fields}, ignore_errors=True)
    elif mode == "duckdb":
        import duckdb
        last = duckdb.connect()
        last.execute("CREATE TABLE t AS SELECT * FROM read_csv(?, ignore_errors = true)", [str(path)])
    else:
        last = check(path, path.name, CONTRACT)
        if mode in ("report", "rows"):
            last.issues
        if mode == "rows":
            last.rows, last.refused
    times.append(time.perf_counter() - begun)
    cpu.append(time.process_time() - spent)
    memory = memory or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
out = {"times": times, "cpu": cpu, "memory": memory}
if len(sys.argv) > 5:
    cells = last.issues.filter(last.issues["severity"] == "blocking").select("row", "field")
    Path(sys.argv[5]).write_text(json.dumps(sorted({(r, f) for r, f in cells.iter_rows() if f})))
print(json.dumps(out))
"""
THEIRS = """
import json, sys, time
from frictionless import Resource, Schema, system
path, schema, out = sys.argv[1:4]
begun, cpu = time.perf_counter(), time.process_time()
system.trusted = True
report = Resource(path=path, schema=Schema.from_descriptor(json.load(open(schema)))).validate(limit_errors=10**9)
spent, cpu = time.perf_counter() - begun, time.process_time() - cpu
errors = sorted({(r, f) for r, f in report.flatten(["rowNumber", "fieldName"]) if f})
json.dump(errors, open(out, "w"))
print(json.dumps({"times": [spent], "cpu": [cpu]}))
"""


def peer_schema() -> dict[str, Any]:
    """Our Table Schema export, missing values left to the empty cell only."""
    from essaim.engines.intake import table_schema

    schema = table_schema(CONTRACT) | {"missingValues": [""]}
    schema.pop("primaryKey", None)
    return schema


def _spent(python: Path | str, script: str, *args: object) -> dict[str, Any]:
    """What ``script`` says of itself, and ``process``: seconds from its start to its end."""
    begun = time.perf_counter()
    done = subprocess.run([str(python), "-c", script, *map(str, args)], capture_output=True, text=True, check=True, cwd=ROOT)
    return json.loads(done.stdout.strip().splitlines()[-1]) | {"process": time.perf_counter() - begun}


def run(repeat: int = 3) -> list[dict[str, Any]]:
    """Medians of ``repeat`` interleaved runs; frictionless once on a million and on a hundred thousand lines."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        path = home / "large.csv"
        write_file(path, LARGE)
        lines = _against_readings(path, repeat)
        if not PEER.exists():
            return [*lines, _line("check against frictionless", None, None, "no .venv-peers: skipped")]
        (home / "schema.json").write_text(json.dumps(peer_schema()), encoding="utf-8")
        return [*lines, *_large_files(home, path, repeat), *_small_files(home, repeat)]


def _line(job: str, ours: float | None, peer: float | None, limit: str, memory: float | None = None, *, faster: bool = True) -> dict[str, Any]:
    ratio = None if ours is None or peer is None else peer / ours if faster else ours / peer
    return {"job": job, "ours": ours, "peer": peer, "limit": limit, "ratio": ratio, "memory": memory}


def _against_readings(path: Path, repeat: int) -> list[dict[str, Any]]:
    """Wall and processor time and peak memory against the bare readings; what is only made when asked has a line of its own."""
    jobs = {"check": "check", "report": "check, every issue written out", "rows": "check, issues and typed rows written out"}
    runs: dict[str, list[dict[str, Any]]] = {mode: [] for mode in ("text", "typed", "duckdb", *jobs)}
    for _ in range(repeat):
        for mode, found in runs.items():
            found.append(_spent(sys.executable, OURS, mode, path, ROOT / "bench", 2))

    def of(mode: str, what: str) -> float:
        return statistics.median(item[what][-1] if what != "memory" else item[what] for item in runs[mode])

    lines = []
    for mode, name in jobs.items():
        for peer, reading in READINGS.items():
            for what, said in (("times", "elapsed"), ("cpu", "processor")):
                memory = of(mode, "memory") / of(peer, "memory")
                job = f"{name}, {LARGE:_} × 12, against polars reading it {reading} ({said})"
                lines.append(_line(job, of(mode, what), of(peer, what), "≤ 2× the reading; memory ≤ 1.6×", memory, faster=False))
    job = f"check, {LARGE:_} × 12, against DuckDB reading it (elapsed)"
    return [*lines, _line(job, of("check", "times"), of("duckdb", "times"), "", of("check", "memory") / of("duckdb", "memory"), faster=False)]


def _pair(home: Path, path: Path, repeat: int, *, peer: bool = True) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """One file checked by both, each in a process of its own, and the same cells accused."""
    ours = _spent(sys.executable, OURS, "report", path, ROOT / "bench", repeat, home / "ours.json")
    if not peer:
        return ours, None
    theirs = _spent(PEER, THEIRS, path, home / "schema.json", home / "theirs.json")
    same_errors(json.loads((home / "ours.json").read_text()), json.loads((home / "theirs.json").read_text()))
    return ours, theirs


def _large_files(home: Path, path: Path, repeat: int) -> list[dict[str, Any]]:
    middle = home / "middle.csv"
    write_file(middle, MIDDLE, seed=11)
    ours, theirs = _pair(home, middle, repeat + 2)
    assert theirs is not None
    mine, peer = statistics.median(ours["times"]), theirs["times"][0]
    estimate = {"times": [peer * LARGE / MIDDLE], "cpu": [theirs["cpu"][0] * LARGE / MIDDLE], "process": peer * LARGE / MIDDLE}
    ours, theirs = _pair(home, path, repeat + 2, peer=estimate["process"] <= PATIENCE_SECONDS)
    how = "measured once" if theirs else f"EXTRAPOLATED from {MIDDLE:_}"
    theirs = theirs or estimate
    alone = _spent(sys.executable, OURS, "report", path, ROOT / "bench", 1)["process"]
    return [
        _line(f"check {LARGE:_} × 12, against frictionless (elapsed, {how})", statistics.median(ours["times"]), theirs["times"][0], "≥ 80× in process"),
        _line(f"check {LARGE:_} × 12, against frictionless (processor, {how})", statistics.median(ours["cpu"]), theirs["cpu"][0], ""),
        _line(f"check {LARGE:_} × 12, as a process, against frictionless as a process ({how})", alone, theirs["process"], "≥ 40× as a process"),
        _line(f"check {MIDDLE:_} × 12, against frictionless", mine, peer, "≥ 80× in process"),
    ]


def _small_files(home: Path, repeat: int) -> list[dict[str, Any]]:
    """Files alone and together, each kind in a process that has already checked some, as a worker has."""
    folder = home / "batch"
    folder.mkdir()
    files = [folder / f"small{number}.csv" for number in range(BATCH)]
    for number, path in enumerate(files):
        write_file(path, SMALL, seed=100 + number)
    alone, peers, processes, peer_processes, batches = [], [], [], [], []
    for number in range(repeat):
        ours, theirs = _pair(home, files[number], 7)
        assert theirs is not None
        alone.append(statistics.median(ours["times"]))
        peers.append(theirs["times"][0])
        peer_processes.append(theirs["process"])
        processes.append(_spent(sys.executable, OURS, "report", files[number], ROOT / "bench", 1)["process"])
        batches.append(statistics.median(_spent(sys.executable, OURS, "batch", folder, ROOT / "bench", 7)["times"]) / BATCH)
    peer = statistics.median(peers)
    return [
        _line(f"check {SMALL:_} × 12, against frictionless", statistics.median(alone), peer, "≥ 10× a file"),
        _line(f"check {SMALL:_} × 12, as a process, against frictionless as a process", statistics.median(processes), statistics.median(peer_processes), ""),
        _line(f"check {SMALL:_} × 12, {BATCH} files batched, a file", statistics.median(batches), peer, "≥ 80× batched"),
    ]


def same_errors(ours: list[list[Any]], theirs: list[list[Any]]) -> None:
    """Both must accuse the same cells (row and field); AssertionError shows the first differences."""
    mine, peer = {tuple(cell) for cell in ours}, {tuple(cell) for cell in theirs}
    assert mine == peer, f"only ours: {sorted(mine - peer)[:5]}; only theirs: {sorted(peer - mine)[:5]}"


if __name__ == "__main__":
    for line in run(int(sys.argv[1]) if len(sys.argv) > 1 else 3):
        print(line)
