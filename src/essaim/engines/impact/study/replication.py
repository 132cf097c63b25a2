"""Replication pack: data (or a synthetic twin), plan, lock, results and the one command that redoes them, in one zip.

The zip is itself reproducible: fixed dates, sorted names, no machine path.
"""

from __future__ import annotations

import io
import json
import zipfile
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import polars as pl

from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.study.canonical import canonical_json, fingerprint
from essaim.engines.impact.study.plan import Plan, read_plan
from essaim.engines.impact.study.results import Study
from essaim.engines.impact.study.run import run, source_columns

DATE = (1980, 1, 1, 0, 0, 0)
PACKAGES = ("essaim", "numpy", "scipy", "numba", "polars")
READ_ME = """Dossier de réplication
======================
Refaire l'étude, en une commande :

    essaim study replicate {name}

Le programme relit plan.yaml et data.parquet, refait tous les calculs et compare results.json octet par octet.
{twin}
"""
TWIN = ("ATTENTION : data.parquet est un jumeau synthétique (mêmes colonnes, mêmes grappes, données tirées au hasard). Il permet de "
        "vérifier le programme, pas le résultat publié, dont l'empreinte figure dans published.json.")


def lock_of(plan: Plan) -> dict[str, Any]:
    """What freezes a plan: its fingerprint, its canonical text, the versions of the programs."""
    return {"essaim_lock": 1, "plan_sha256": plan.sha256, "plan": plan.as_dict(), "versions": _versions()}


def _versions() -> dict[str, str]:
    out = {}
    for name in PACKAGES:
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            continue
    return out


def check_lock(plan: Plan, lock: dict[str, Any]) -> None:
    """Refuse a plan that changed since it was frozen, naming the fields that differ."""
    if lock.get("plan_sha256") == plan.sha256:
        return
    frozen, now = _flat(lock.get("plan", {})), _flat(json.loads(plan.canonical))
    changed = sorted(k for k in frozen.keys() | now.keys() if frozen.get(k) != now.get(k))
    raise Refusal("frozen", f"Le plan a changé depuis qu'il a été figé : {', '.join(changed) or 'empreinte différente'}. "
                            "Rétablir le plan figé ; ou publier le changement, supprimer le fichier .lock.json et figer de nouveau.")


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(value, dict) and value:
        return {k: v for name, part in value.items() for k, v in _flat(part, f"{prefix}.{name}" if prefix else name).items()}
    return {prefix: value}


def synthetic_twin(frame: pl.DataFrame, plan: Plan, *, seed: int = 0) -> pl.DataFrame:
    """A table of the same columns and shape whose persons and schools do not exist.

    Units are renamed; identifiers of clusters, periods, cohorts, arms, strata and sub-groups are kept; every other numeric column is
    redrawn as its cluster's share of variance plus its within-cluster noise (Gaussian, moments only)."""
    d = plan.data
    keep = {c for c in (d.cluster, d.period, d.cohort, d.exposure, d.subgroup, plan.design.strata) if c}
    rng = np.random.default_rng(seed)
    out = {}
    for name in source_columns(plan, frame):
        column = frame[name]
        if name in keep:
            out[name] = column
        elif name == d.unit:
            ranks = column.rank("dense").to_numpy().astype(np.int64)
            shuffled = rng.permutation(int(ranks.max()) + 1)
            out[name] = pl.Series(name, [f"U{shuffled[r]:07d}" for r in ranks])
        elif column.dtype.is_numeric():
            out[name] = _redrawn(frame, name, d.cluster, rng)
        else:
            out[name] = column.sample(fraction=1.0, with_replacement=True, seed=int(rng.integers(2**31)))
    return pl.DataFrame(out)


def _redrawn(frame: pl.DataFrame, name: str, cluster: str | None, rng: np.random.Generator) -> pl.Series:
    y = frame[name].cast(pl.Float64).to_numpy().astype(float)
    seen = np.isfinite(y)
    code = frame[cluster].rank("dense").to_numpy().astype(np.int64) if cluster and cluster != name else np.zeros(y.size, np.int64)
    count = np.maximum(np.bincount(code[seen], minlength=int(code.max()) + 1), 1)
    mean = np.bincount(code[seen], y[seen], count.size) / count
    within = float((y[seen] - mean[code[seen]]).std()) if seen.any() else 0.0
    between = float(mean[np.unique(code)].std())
    fresh = float(np.mean(y[seen])) if seen.any() else 0.0
    drawn = fresh + rng.normal(0, 1, count.size)[code] * between + rng.normal(0, 1, y.size) * within
    if frame[name].dtype.is_integer():
        drawn = np.round(drawn)
    if seen.any() and y[seen].min() >= 0:
        drawn = np.abs(drawn)
    return pl.Series(name, np.where(seen, drawn, np.nan)).fill_nan(None)


def _entry(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, DATE)
    info.external_attr = 0o644 << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, content)


def replication_pack(plan_text: str, frame: pl.DataFrame, study: Study, *, twin: bool = False, name: str = "replication.zip",
                     seed: int = 0) -> bytes:
    """Bytes of the zip. ``twin``: put a synthetic twin instead of the data, with the results of the twin to compare."""
    plan = read_plan(plan_text)
    data = synthetic_twin(frame, plan, seed=seed) if twin else frame.select(source_columns(plan, frame))
    told = run(plan, data) if twin else study
    buffer = io.BytesIO()
    data.write_parquet(buffer, compression="zstd", statistics=False)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        _entry(archive, "LISEZMOI.txt", READ_ME.format(name=name, twin=TWIN if twin else "").encode())
        _entry(archive, "data.parquet", buffer.getvalue())
        _entry(archive, "lock.json", (canonical_json(lock_of(plan), indent=1) + "\n").encode())
        _entry(archive, "plan.yaml", plan_text.encode())
        _entry(archive, "published.json", (canonical_json({"results_sha256": study.sha256, "data_sha256": study.data_sha256},
                                                          indent=1) + "\n").encode())
        _entry(archive, "results.json", told.to_json().encode())
    return content.getvalue()


def replicate(pack: bytes) -> tuple[bool, Study, str]:
    """Redo a pack: (identical, study redone, sentence in French)."""
    try:
        with zipfile.ZipFile(io.BytesIO(pack)) as archive:
            plan = read_plan(archive.read("plan.yaml").decode())
            check_lock(plan, json.loads(archive.read("lock.json")))
            frame = pl.read_parquet(io.BytesIO(archive.read("data.parquet")))
            expected = archive.read("results.json").decode()
            versions = json.loads(archive.read("lock.json"))["versions"]
    except (zipfile.BadZipFile, KeyError):
        raise Refusal("pack", "Ce fichier n'est pas un dossier de réplication complet.") from None
    study = run(plan, frame)
    if study.to_json() == expected:
        return True, study, f"Résultats identiques octet par octet (empreinte {study.sha256})."
    moved = sorted(f"{k} {v} → {_versions().get(k, 'absent')}" for k, v in versions.items() if _versions().get(k) != v)
    why = f" Versions différentes : {', '.join(moved)}." if moved else ""
    return False, study, f"Résultats différents : attendu {fingerprint(json.loads(expected)['study'])}, obtenu {study.sha256}.{why}"
