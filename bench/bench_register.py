"""The register: loading the published files, loading them again, finding a school as one types.

Real files when ESSAIM_DATA_DIR names them, else as many invented schools. The home is a temporary folder, in a process of its own
(``bench_register.py HOME REPEAT``). The peer of search is what a page would do without an index: ``LIKE`` on every word."""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

QUERIES = 400
COMPARED = 60
KEYSTROKES = (3, 5, 8, 30)


def run(repeat: int = 5) -> list[dict[str, Any]]:
    """Rows (job, ours, peer, limit, ratio, memory in MB)."""
    with tempfile.TemporaryDirectory(prefix="essaim-bench-") as home:
        kept = {name: value for name, value in os.environ.items() if name not in ("ESSAIM_LEDGER_URL", "ESSAIM_DATABASE_URL", "ESSAIM_FILES_URL")}
        env = {**kept, "ESSAIM_HOME": home, "DJANGO_SETTINGS_MODULE": "essaim.config.settings"}
        done = subprocess.run([sys.executable, __file__, str(repeat)], env=env, check=True, capture_output=True, text=True)
    return list(json.loads(done.stdout.splitlines()[-1]))


def timed(act: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    found = act()
    return time.perf_counter() - start, found


def loader() -> tuple[str, Callable[[bool], Any]]:
    """What is loaded, and the act; told to turn the files round the second time."""
    from django.conf import settings

    from essaim.config.demo import REGISTER_FILES
    from essaim.foundation.acts import local_administrator
    from essaim.territories import acts

    admin = local_administrator()
    files = [path for name in REGISTER_FILES if settings.ESSAIM_DATA_DIR and (path := Path(settings.ESSAIM_DATA_DIR) / name).exists()]
    if not files:
        return "60 000 invented schools", lambda _again: acts.load_synthetic_register(by=admin, schools=600)
    return f"{len(files)} published files", lambda again: acts.load_register(files=files[::-1] if again else files, by=admin)


def asked(rng: random.Random) -> list[str]:
    """What people type: the beginning of a name, a name and its commune, an identifier; with or without accents."""
    from essaim.territories.models import Establishment

    schools = list(Establishment.objects.exclude(name="").order_by("uai").values_list("uai", "name", "commune_name"))
    found = []
    for uai, name, commune in rng.sample(schools, QUERIES // 4):
        found += [name[: rng.choice(KEYSTROKES)], f"{name} {commune}", f"{commune} {name.split(' ')[0]}".lower(), uai]
    return found


def by_like(text: str) -> list[Any]:
    """Every word of ``text`` in the name, the commune or the identifier."""
    from essaim.territories.models import Establishment

    found = Establishment.objects.all()
    for word in text.split():
        found = found.filter(name__icontains=word) | found.filter(commune_name__icontains=word) | found.filter(uai__icontains=word)
    return list(found[:20])


def _share(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def main(repeat: int) -> list[dict[str, Any]]:
    import django

    django.setup()
    from django.core.management import call_command

    from essaim.territories.models import Establishment
    from essaim.territories.reads import search

    call_command("migrate", verbosity=0)
    what, load = loader()
    first, outcome = timed(lambda: load(False))
    count = Establishment.objects.count()
    again, repeated = timed(lambda: load(True))
    projected = repeated.projected
    assert not any((item.created, item.changed) != (0, 0) for item in (projected.establishments, projected.organisations, projected.units))
    words = asked(random.Random(7))
    for text in words[:40]:
        search(text)
    ours, peer = [], []
    for turn in range(min(repeat, 3)):
        for number, text in enumerate(words):
            ours.append(timed(lambda text=text: search(text))[0])
            if turn == 0 and number < COMPARED:  # it takes its time
                peer.append(timed(lambda text=text: by_like(text))[0])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    rows = sum(item.rows_read for item in outcome.files)
    base = {"memory": memory}
    return [
        {"job": f"first load, {what}, {rows:,} rows, {count:,} establishments", "ours": first, "peer": f"{rows / first:,.0f} rows/s", **base},
        {"job": "the same files again, the other way round: nothing created", "ours": again, "peer": f"first load {first:.1f} s", "limit": "≤ 1", "ratio": again / first, **base},
        *(
            {
                "job": f"search among {count:,}, {label} of {len(words)} questions", "ours": _share(ours, share), "peer": f"LIKE {_share(peer, share):.4f} s",
                "limit": "≤ 0.05 s", "ratio": _share(ours, share) / _share(peer, share), **base,
            }
            for label, share in (("p50", 0.5), ("p99", 0.99))
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))
