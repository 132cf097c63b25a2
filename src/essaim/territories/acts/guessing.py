"""What a file of the register is: its contract, and the source it comes from."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from essaim.engines.intake.contract import Contract
from essaim.engines.intake.mapping import map_table
from essaim.engines.intake.mapping_names import vocabulary
from essaim.engines.intake.reading import read_file
from essaim.engines.intake.tables import FileRefused, RawTable
from essaim.kernel.french import folded

from ..contracts import ALONGSIDE
from ..sources import EXTRACT, Source, source_of

_HEAD_BYTES = 262_144
_HEAD_ROWS = 400
_SURE = 90.0
ROOMS = ("territories.", "evaluation.")
GEOGRAPHIES = ("territories.places", "territories.former_communes", "territories.dated_communes")
_ALONGSIDE = frozenset(item.name for item in ALONGSIDE)


@dataclass(frozen=True, slots=True)
class Guess:
    """What a file is. ``sender``: the source in whose name it is handed in. ``score``: fields understood for certain."""

    contract: Contract
    source: Source
    sender: str
    score: int


def guess(path: Path, contracts: tuple[Contract, ...]) -> Guess | None:
    """The contract and the source of a file, from its first rows; None when no contract is satisfied.

    FileRefused when the file cannot be read at all."""
    best: tuple[int, Contract, frozenset[str], RawTable] | None = None
    for table in _first_tables(path, contracts):
        for contract in contracts:
            fields = understood(table, contract)
            if fields is None or not _tells_enough(contract.code, fields):
                continue
            score = len(fields - _ALONGSIDE) + 2 * len(fields & {"school_year", "ips", "closed_on"})
            if best is None or score > best[0]:
                best = (score, contract, fields, table)
    if best is None:
        return None
    score, contract, fields, table = best
    source = source_of(contract.code, fields, (*(folded(column.header) for column in table.columns), folded(path.name)))
    if contract.code in GEOGRAPHIES:
        year = vintage_of(path.name)
    else:
        year = year_of(path.name) if _needs_year(contract, fields) else None
    sender = source.code if source.whole <= fields else source.code + EXTRACT
    return Guess(contract, source, f"{sender}@{year}" if year else sender, score)


def likeness(path: Path, contracts: tuple[Contract, ...]) -> str:
    """Why no contract fits a file, in French: the nearest one, what it lacks, and the columns read."""
    best: tuple[int, Contract, frozenset[str], RawTable] | None = None
    for table in _first_tables(path, contracts):
        for contract in contracts:
            fields = frozenset(item.field for item in map_table(table, contract, {}, {}).mapping if item.score >= _SURE)
            if best is None or len(fields) > best[0]:
                best = (len(fields), contract, fields, table)
    if best is None or best[0] < 2:
        return "ce n'est pas un fichier du registre (aucun contrat de données ne convient)"
    _, contract, fields, table = best
    if not contract.code.startswith(ROOMS) and all(item.name in fields for item in contract.fields if item.required):
        return f"c'est un fichier « {contract.title} », qui n'est pas du registre : déposez-le avec « essaim submit FICHIER --contract {contract.code} »."
    missing = [f"« {item.label} »" for item in contract.fields if item.required and item.name not in fields]
    lacks = f"il y manque {', '.join(missing)}" if missing else "ses colonnes ne disent rien d'un établissement ou d'un lieu"
    read = [column.header or column.letter for column in table.columns]
    told = ", ".join(read[:12]) + (f"… ({len(read)} colonnes)" if len(read) > 12 else "")
    return f"ce n'est pas un fichier du registre. Le plus proche est « {contract.title} » ({contract.code}) : {lacks}. Colonnes lues : {told}."


def _needs_year(contract: Contract, fields: frozenset[str]) -> bool:
    """Whether the file counts pupils or gives positions without saying when."""
    if contract.code == "territories.establishments":
        return "pupils" in fields and "updated_on" not in fields
    return "school_year" in contract.field_names and "school_year" not in fields


def _tells_enough(code: str, fields: frozenset[str]) -> bool:
    """Whether the file says something of schools or places, beyond naming them."""
    if code == "territories.establishments":
        return "name" in fields and bool({"commune_name", "commune_code", "latitude", "state", "sector"} & fields)
    if code == "territories.social_position":
        return bool({"ips", "ips_gt", "ips_pro"} & fields)
    if code == "evaluation.school_results":
        return bool({"success_general_pct", "written_mark_general"} & fields)
    if code == "territories.dated_communes":
        return {"name", "valid_from", "valid_to"} <= fields
    if code == "territories.places":
        known = {"departement", "region", "epci_code", "kind", "parent_code", "postal_codes", "population", "former_codes"}
        return bool(known & fields) and bool({"name", "epci_name"} & fields)
    return True


def understood(table: RawTable, contract: Contract) -> frozenset[str] | None:
    """Fields of ``contract`` whose column is certain; None when a required one is missing or nothing but names is found."""
    mapping = map_table(table, contract, {}, {})
    fields = frozenset(item.field for item in mapping.mapping if item.score >= _SURE)
    if len(fields) < 2 or any(item.required and item.name not in fields for item in contract.fields):
        return None
    return fields


def _first_tables(path: Path, contracts: tuple[Contract, ...]) -> Iterator[RawTable]:
    words = frozenset().union(*(vocabulary(item) for item in contracts))
    try:
        yield from read_file(_head(path), path.name, vocabulary=words).tables
    except FileRefused:
        yield from read_file(path, path.name, vocabulary=words).tables


def _head(path: Path) -> bytes | Path:
    """The first rows of a long text or Parquet file, as a file of its own; the path itself for anything else."""
    with path.open("rb") as opened:
        start = opened.read(_HEAD_BYTES)
    if start[:4] == b"PAR1":
        buffer = io.BytesIO()
        pl.scan_parquet(path).head(_HEAD_ROWS).collect().write_parquet(buffer)
        return buffer.getvalue()
    if start[:2] == b"\x1f\x8b":
        start = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(start, _HEAD_BYTES)
        return gzip.compress(_whole_lines(start, _HEAD_BYTES)) if start.strip()[:1] not in b"[{PK" else path
    if start[:2] == b"PK" or start[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" or start.lstrip()[:1] in (b"[", b"{"):
        return path
    return _whole_lines(start, _HEAD_BYTES)


def _whole_lines(content: bytes, limit: int) -> bytes:
    if len(content) < limit or b"\n" not in content:
        return content
    return content[: content.rfind(b"\n") + 1]


_DATASET = re.compile(r"[-_]ap20\d\d")
_SPAN = re.compile(r"(20\d\d)[-_/](?:20)?(\d\d)(?!\d)")
_START = re.compile(r"(?:rentree|rentrée|rs)[-_ ]?(20\d\d)", re.IGNORECASE)
_YEAR = re.compile(r"(?<!\d)(20\d\d)(?!\d)")


_VINTAGE = re.compile(r"(?:(?<!\d)0101|(?<!\d))(20\d\d)(?!\d)")


def vintage_of(filename: str) -> str | None:
    """The 1 January that a geography describes: ``v_commune_2023``, ``communes-01012019``, ``epci_au_01-01-2024``; the last year
    named where there are several (``table_passage_geo2015_geo2024``)."""
    return max(_VINTAGE.findall(filename), default=None)


def year_of(filename: str) -> str | None:
    """School year told by a file name: ``rentree2024`` → 2024-2025, ``2022-2023`` → itself, ``2026`` alone → 2025-2026 (a
    file dated 2026 describes the year under way when it was published)."""
    name = _DATASET.sub("", filename)
    if match := _START.search(name):
        return f"{match[1]}-{int(match[1]) + 1}"
    for match in _SPAN.finditer(name):
        if int(match[2]) == (int(match[1]) + 1) % 100:
            return f"{match[1]}-{int(match[1]) + 1}"
    if match := _YEAR.search(name):
        return f"{int(match[1]) - 1}-{match[1]}"
    return None
