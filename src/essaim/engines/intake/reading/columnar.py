"""Files whose columns are named by construction: parquet, JSON lines, JSON arrays and nested JSON (DECP)."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from typing import Any

import polars as pl

from ..grid import Grid, grid_from_columns
from ..tables import FileRefused, Limits
from .delimited import cell_too_long, too_many_columns, too_many_rows
from .json_keys import check_keys
from .sniff import truncated
from .values import blank_to_null, cell_text, float_column

_DEPTH = 6
_ENVELOPES = ("fields", "record", "properties")
_AROUND = frozenset((*_ENVELOPES, "datasetid", "recordid", "record_timestamp", "geometry", "links", "id", "timestamp", "size", "type", "bbox"))


def read_parquet(content: bytes, sheet: str, limits: Limits) -> Grid:
    """The grid of a parquet file, header on row 1, nested columns flattened with dotted names."""
    try:
        schema = pl.read_parquet_schema(io.BytesIO(content))
        if len(schema) > limits.columns:
            raise too_many_columns(len(schema), limits)
        frame = pl.read_parquet(io.BytesIO(content), n_rows=limits.rows + 1)
    except pl.exceptions.PolarsError:
        raise truncated() from None
    except OSError:
        raise truncated() from None
    if frame.height > limits.rows:
        raise too_many_rows(limits)
    return _keyed(sheet, _flat(frame), limits)


def _flat(frame: pl.DataFrame) -> list[tuple[str, pl.Series]]:
    columns: list[tuple[str, pl.Series]] = []
    for series in frame.get_columns():
        if isinstance(series.dtype, pl.Struct):
            inner = series.struct.unnest()
            columns.extend((f"{series.name}.{name}", text) for name, text in _flat(inner))
        else:
            columns.append((series.name, _as_text(series)))
    return columns


def _as_text(series: pl.Series) -> pl.Series:
    kind = series.dtype
    if kind == pl.String:
        return blank_to_null(series)
    if kind.is_float():
        wide = series.cast(pl.Float64) if kind == pl.Float64 else series.cast(pl.String).cast(pl.Float64)
        return float_column(wide)
    if kind == pl.Date or kind.is_integer() or kind == pl.Categorical or isinstance(kind, pl.Enum):
        return series.cast(pl.String)
    if kind == pl.Boolean:
        return series.cast(pl.Int8).cast(pl.String).replace({"1": "true", "0": "false"})
    if kind == pl.Binary:
        return series.cast(pl.String, strict=False)
    return pl.Series([_joined(value) for value in series.to_list()], dtype=pl.String)


def _joined(value: Any) -> str | None:
    if isinstance(value, list):
        return ", ".join(text for text in map(_joined, value) if text) or None
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return cell_text(value)


def _keyed(sheet: str, columns: list[tuple[str, pl.Series]], limits: Limits) -> Grid:
    if len(columns) > limits.columns:
        raise too_many_columns(len(columns), limits)
    for _, series in columns:
        longest = series.str.len_bytes().max()
        if isinstance(longest, int) and longest > limits.cell_characters * 32:
            raise cell_too_long(limits)
    headed = [pl.concat([pl.Series([name], dtype=pl.String), text.alias("")]) for name, text in columns]
    grid = grid_from_columns(sheet, headed)
    return Grid(sheet, grid.frame, grid.rows, grid.columns, keyed=True)


# -- JSON --------------------------------------------------------------------------------------------------------


def read_json(content: bytes, sheet: str, limits: Limits) -> tuple[Grid, str]:
    """The grid of UTF-8 JSON (array, object holding one array of objects, or one object a line) and its format name.

    Nested objects become dotted columns; lists of objects give one column per key with joined values; envelopes of portals
    (``fields`` of Opendatasoft, ``properties`` of GeoJSON) are opened."""
    document, records, kind = _records(content)
    check_keys(content, document)
    records = [_opened(record) for record in records]
    if len(records) > limits.rows:
        raise too_many_rows(limits)
    flat: list[dict[str, str]] = []
    names: dict[str, int] = {}
    for record in records:
        row: dict[str, str] = {}
        _flatten(record, "", row, 0)
        for name in row:
            names.setdefault(name, len(names))
        if len(names) > limits.columns:
            raise too_many_columns(len(names), limits)
        flat.append(row)
    if not names:
        raise FileRefused("empty_file", "Le fichier JSON ne contient aucun enregistrement.")
    columns = [(name, pl.Series([row.get(name) for row in flat], dtype=pl.String)) for name in names]
    return _keyed(sheet, columns, limits), kind


def _records(content: bytes) -> tuple[Any, list[Any], str]:
    """What the text holds, its records and the name of its format."""
    try:
        document = json.loads(content)
    except RecursionError:
        raise FileRefused("too_deep", "Le fichier JSON est imbriqué trop profondément pour être un tableau.") from None
    except ValueError:
        lines = _lines(content)
        return lines, lines, "jsonl"
    if isinstance(document, dict) and content.strip().count(b"\n") == 0 and not _largest_list(document):
        return document, [document], "jsonl"
    return document, _rows_of(document), "json"


def _lines(content: bytes) -> list[Any]:
    records = []
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            records.append(json.loads(line))
        except (ValueError, RecursionError):
            raise FileRefused("invalid_json", f"La ligne {number} n'est pas du JSON valide : le fichier est peut-être tronqué.") from None
    return records


def _rows_of(document: Any) -> list[Any]:
    if isinstance(document, list):
        return [item if isinstance(item, dict) else {"valeur": item} for item in document]
    if isinstance(document, dict):
        return _largest_list(document) or [document]
    raise FileRefused("invalid_json", "Le fichier JSON ne contient pas de liste d'enregistrements.")


def _opened(record: Any) -> Any:
    """What a portal wraps: the columns, without the identifiers and links that it adds around them."""
    while isinstance(record, dict):
        inside = next((record[name] for name in _ENVELOPES if isinstance(record.get(name), dict)), None)
        if inside is None or not set(record) <= _AROUND:
            break
        record = inside
    return record


def _largest_list(document: dict[str, Any], depth: int = 0) -> list[Any]:
    found: list[Any] = []
    for value in document.values():
        inner: list[Any] = []
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            inner = value
        elif isinstance(value, dict) and depth < 3:
            inner = _largest_list(value, depth + 1)
        if len(inner) > len(found):
            found = inner
    return found


def _flatten(value: Any, name: str, row: dict[str, str], depth: int) -> None:
    if isinstance(value, dict) and depth < _DEPTH:
        for key, inner in value.items():
            _flatten(inner, f"{name}.{key}" if name else str(key), row, depth + 1)
    elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value) and depth < _DEPTH:
        _flatten_list(value, name, row, depth)
    else:
        text = _joined(value)
        if text is not None or not isinstance(value, list | dict):
            row[name] = text  # type: ignore[assignment]


def _flatten_list(items: Iterable[Any], name: str, row: dict[str, str], depth: int) -> None:
    merged: dict[str, list[str]] = {}
    for item in items:
        inner: dict[str, str] = {}
        _flatten(item, name, inner, depth + 1)
        for key, text in inner.items():
            if text is not None:
                merged.setdefault(key, []).append(text)
    row.update({key: ", ".join(texts) for key, texts in merged.items()})
