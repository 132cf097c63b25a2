"""`make bench`: every measure against its named peers in one run; prints the table and writes docs/benchmarks.md.

``python -m bench [name…]`` runs some of them; ``--repeat N`` sets the number of interleaved pairs (5 by default).
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

MODULES = ("check", "reading", "ledger", "measures", "study", "impact", "pages", "register")
COLUMNS = ("job", "ours", "peer", "limit", "ratio", "memory")
TITLES = ("travail", "Essaim", "pair", "limite", "rapport", "mémoire")
NAMED = ("polars", "duckdb", "deltalake", "pyarrow", "numpy", "numba", "django", "ibis-framework", "openpyxl", "python-calamine")
TARGET = Path("docs/benchmarks.md")
KEPT = Path("docs/benchmarks.json")


def main() -> int:
    """Runs what is asked, prints as it goes; the document keeps the last run of each part, with its day and its pairs."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("names", nargs="*", choices=[[], *MODULES], default=[])
    parser.add_argument("--repeat", type=int, default=5)
    asked = parser.parse_args()
    names = asked.names or [name for name in MODULES if Path(f"bench/bench_{name}.py").exists()]
    sections: dict[str, dict[str, Any]] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    for name in names:
        started = time.monotonic()
        module = importlib.import_module(f"bench.bench_{name}")
        rows = module.run(asked.repeat)
        day = datetime.now(UTC).date().isoformat()
        sections[name] = {"day": day, "repeat": asked.repeat, "rows": [{key: _text(row.get(key)) for key in COLUMNS} for row in rows]}
        KEPT.write_text(json.dumps(sections, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        TARGET.write_text(_document(sections), encoding="utf-8")
        print(f"== {name} ({time.monotonic() - started:.0f} s)", flush=True)
        for row in rows:
            print("  " + " · ".join(f"{title} {_text(row.get(column))}" for column, title in zip(COLUMNS, TITLES, strict=True) if row.get(column) not in (None, "")), flush=True)
    print(f"Écrit : {TARGET}")
    return 0


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _document(sections: dict[str, dict[str, Any]]) -> str:
    memory = next((line.split(":")[1].strip() for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal")), "?")
    cores = len([line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("processor")])
    lines = [
        "# Benchmarks", "",
        f"Written by `make bench`: {cores} cores, {memory} of memory, Python {platform.python_version()}, {platform.system()} {platform.machine()}.",
        "Medians of interleaved pairs (their number is said for each part); trust the ratios, not the seconds. « limite » is the bare cost of reading or moving the same bytes.",
        "Versions: " + ", ".join(f"{name} {version(name)}" for name in NAMED) + ".", "",
    ]
    for name, section in sections.items():
        lines += [f"## {name}", "", f"Run on {section['day']}, {section['repeat']} pairs.", "", "| " + " | ".join(TITLES) + " |", "|" + "---|" * len(TITLES)]
        lines += ["| " + " | ".join(_text(row.get(column)) for column in COLUMNS) + " |" for row in section["rows"]]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
