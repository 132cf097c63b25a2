"""Public data sets: figures under statistical secrecy, and the ledger's rows of contracts that are open data themselves."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from django.conf import settings
from django.utils import timezone

from essaim.engines.intake import table_schema
from essaim.engines.intake.annotate.neutralise import neutralise
from essaim.engines.intake.contract import Contract
from essaim.engines.measures import Indicator, LevelUnknown
from essaim.evaluation.reads import figures, indicators
from essaim.foundation.contracts import contracts
from essaim.foundation.reads.facts import ledger, number_known_at, table_spec
from essaim.portal.reads.places import unit_label
from essaim.territories.reads import register_stamp

LICENCE = "Licence Ouverte 2.0"
LICENCE_ADDRESS = "https://www.etalab.gouv.fr/licence-ouverte-open-licence/"
LEVELS = ("national", "departement")
MONTHS = 24
TYPES = {
    "csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet", "schema.json": "application/json",
}  # fmt: skip
_making = threading.Lock()
_FIELDS: tuple[tuple[str, str, str, str], ...] = (
    ("indicator", "string", "Indicateur", "Code de l'indicateur"),
    ("version", "integer", "Version", "Version de la définition"),
    ("level", "string", "Niveau", "national ou departement"),
    ("unit", "string", "Lieu", "Code du lieu dans ce niveau"),
    ("unit_label", "string", "Nom du lieu", "Nom du lieu"),
    ("period", "yearmonth", "Mois", "Situation à la fin de ce mois"),
    ("numerator", "number", "Numérateur", "Absent quand il manque ou qu'il est masqué"),
    ("denominator", "number", "Dénominateur", "Absent quand il manque ou qu'il est masqué"),
    ("value", "number", "Valeur", "Dans l'unité de l'indicateur ; absente n'est jamais zéro"),
    ("low", "number", "Borne prouvée", "Quand les sources divergent"),
    ("high", "number", "Borne déclarée", "Quand les sources divergent"),
    ("coverage", "number", "Couverture", "Part (0 à 1) des établissements concernés dont on a les données"),
    ("suppressed", "boolean", "Masqué", "Vrai quand le secret statistique masque le chiffre"),
    ("fingerprint", "string", "Empreinte", "Change dès que le chiffre ou ce dont il dépend change"),
)


@dataclass(frozen=True, slots=True)
class Dataset:
    """One public data set. ``kind``: ``indicateurs`` or ``contrats``; ``code``: of the indicator or the contract."""

    kind: str
    code: str
    title: str
    description: str
    source: str


def datasets() -> tuple[Dataset, ...]:
    """Every public data set: all indicators; the contracts whose rows are published under an open licence."""
    counted = [Dataset("indicateurs", item.code, item.label, item.definition, "Essaim") for item in indicators()]
    open_rows = [Dataset("contrats", item.code, item.title, item.description, item.source) for item in contracts() if item.licence]
    return (*counted, *open_rows)


def dataset(kind: str, code: str) -> Dataset | None:
    """The public data set of this kind and code; None when there is none."""
    return next((item for item in datasets() if (item.kind, item.code) == (kind, code)), None)


def stamp() -> str:
    """Changes with the ledger, the register, the month and the threshold of secrecy: the name of the set of files to give."""
    told = [number_known_at(timezone.now()), register_stamp(), months()[-1], settings.ESSAIM_SECRECY_THRESHOLD]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:20]


def months() -> list[str]:
    """The last MONTHS months ended or begun, oldest first."""
    today = timezone.localdate()
    last = today.year * 12 + today.month
    return [f"{n // 12}-{n % 12 + 1:02d}" for n in range(last - MONTHS, last)]


def file_of(item: Dataset, form: str) -> Path:
    """The file of a data set in ``form`` (a key of TYPES), made once for the present state of the ledger."""
    folder = Path(settings.ESSAIM_CACHE_DIR) / "opendata" / stamp()
    path = folder / f"{item.kind}-{item.code}.{form}"
    if not path.exists():
        with _making:
            if not path.exists():
                _forget_others(folder)
                _made(path, item, form)
    return path


def _forget_others(folder: Path) -> None:
    """Files of earlier states of the ledger; those being sent stay readable until the end."""
    for other in folder.parent.glob("*") if folder.parent.exists() else ():
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)


def _made(path: Path, item: Dataset, form: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        if form == "schema.json":
            temporary.write_text(json.dumps(schema_of(item), ensure_ascii=False, indent=2), encoding="utf-8")
        elif form == "csv":
            _neutral(frame_of(item)).write_csv(temporary)
        else:
            frame_of(item).write_parquet(temporary, compression="zstd")
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _neutral(frame: pl.DataFrame) -> pl.DataFrame:
    """The same, with texts that a spreadsheet would run made harmless."""
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    return frame.with_columns(
        pl.when(pl.col(name).str.contains(r"^[\s\u00a0]*[=+\-@\t\r|%]")).then(pl.col(name).map_elements(neutralise, pl.String))
        .otherwise(pl.col(name)).alias(name)
        for name in texts
    )  # fmt: skip


def frame_of(item: Dataset) -> pl.DataFrame:
    """The rows of a data set."""
    if item.kind == "contrats":
        return _rows(next(found for found in contracts() if found.code == item.code))
    return _figures(next(found for found in indicators() if found.code == item.code))


def _rows(contract: Contract) -> pl.DataFrame:
    """The state of the ledger, the contract's columns only: neither who sent them nor from which file."""
    if contract.code not in set(ledger().tables()):
        return pl.DataFrame(schema=dict.fromkeys(contract.field_names, pl.String))
    found = pl.from_arrow(ledger().state(table_spec(contract)))
    assert isinstance(found, pl.DataFrame)
    keys = [name for name in contract.key if name in contract.field_names]
    return found.select(contract.field_names).sort(keys, nulls_last=True)


def _figures(item: Indicator) -> pl.DataFrame:
    """Figures under secrecy, at levels of one hierarchy, whose secrets are protected together."""
    parts = []
    for level in LEVELS:
        try:
            table = figures([item.code], level=level, period=months(), public=True).table
        except LevelUnknown:
            continue
        found = pl.from_arrow(table)
        assert isinstance(found, pl.DataFrame)
        labels = {unit: unit_label(level, unit) for unit in found["unit"].unique().to_list()}
        parts.append(
            found.with_columns(
                pl.lit(level).alias("level"),
                pl.lit(item.version).alias("version"),
                pl.col("unit").replace_strict(labels, default=None, return_dtype=pl.String).alias("unit_label"),
            )
        )
    names = [name for name, *_ in _FIELDS]
    return pl.concat(parts, how="vertical_relaxed").select(names) if parts else pl.DataFrame(schema=names)


def schema_of(item: Dataset) -> dict[str, Any]:
    """The Table Schema of a data set, with its licence."""
    if item.kind == "contrats":
        described = table_schema(next(found for found in contracts() if found.code == item.code))
    else:
        described = {
            "$schema": "https://frictionlessdata.io/schemas/table-schema.json",
            "name": f"chiffres-{item.code}".replace(".", "-").replace("_", "-"),
            "title": item.title,
            "description": item.description,
            "countryCode": "FR",
            "fields": [
                {"name": name, "type": kind, "title": title, "description": text, "constraints": {"required": name in ("unit", "period")}}
                for name, kind, title, text in _FIELDS
            ],
            "missingValues": [""],
            "primaryKey": ["indicator", "level", "unit", "period"],
        }
    return described | {"licenses": [{"name": "etalab-2.0", "title": LICENCE, "path": LICENCE_ADDRESS}]}
