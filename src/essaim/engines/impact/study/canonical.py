"""Canonical JSON and fingerprints: the same study gives the same bytes on any machine.

Keys sorted, UTF-8, floats at ten significant digits (what survives a change of thread count or processor), no NaN: a number that
does not exist is null.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

DIGITS = 10
NEGLIGIBLE = 1e-12


def plain(value: Any) -> Any:
    """``value`` as JSON types: dataclasses become objects, arrays lists, NaN and infinities null, floats rounded."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.repr}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return [plain(v) for v in value.tolist()]
    if isinstance(value, (frozenset, set)):
        return sorted(plain(v) for v in value)
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return _rounded(float(value))
    return None if value is None else str(value)


def _rounded(value: float) -> float | None:
    if not math.isfinite(value):
        return None
    short = 0.0 if abs(value) < NEGLIGIBLE else float(f"{value:.{DIGITS}g}")
    return short + 0.0


def canonical_json(value: Any, indent: int | None = None) -> str:
    """Canonical text of ``value`` (one line without ``indent``)."""
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps(plain(value), ensure_ascii=False, sort_keys=True, indent=indent, separators=separators, allow_nan=False)


def fingerprint(value: Any) -> str:
    """SHA-256 of the canonical text."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
