"""From a pandas, polars or Arrow frame to coded numpy columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from essaim.engines.impact.panel_checks import PanelRefused

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def _arrow(frame: Any, name: str) -> pa.Array:
    """One column as a contiguous Arrow array, whichever library holds the frame."""
    column = frame[name]
    if isinstance(column, pa.ChunkedArray | pa.Array):
        array: Any = column
    elif hasattr(column, "to_arrow"):
        array = column.to_arrow()
    else:
        array = pa.array(column, from_pandas=True)
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    array = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
    return _dated(array) if pa.types.is_temporal(array.type) else array


def _dated(array: pa.Array) -> pa.Array:
    """Dates as texts that sort like them; a moment at midnight is its day, so that dates and times of two columns meet."""
    if pa.types.is_timestamp(array.type):
        days = pc.cast(array, pa.date32(), safe=False)
        if pc.all(pc.equal(pc.cast(days, array.type), array)).as_py() in (True, None):
            array = days
    return pc.cast(array, pa.string())


def _is_numeric(array: pa.Array) -> bool:
    kind = array.type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind) or pa.types.is_decimal(kind))


def _held(frame: Any, name: str, kinds: str) -> NDArray[Any] | None:
    """The column of a pandas frame that numpy already holds with one of those kinds of type: read without Arrow."""
    if not hasattr(frame, "iloc") or getattr(frame[name].dtype, "kind", "O") not in kinds:
        return None
    values = frame[name].to_numpy()
    return values if values.dtype.kind in kinds else None


def as_floats(frame: Any, name: str) -> Floats:
    """Column as float64, nulls as NaN; refuses text that is not a number."""
    held = _held(frame, name, "fiub")
    if held is not None:
        values = np.array(held, np.float64)
        values[np.isinf(values)] = np.nan
        return values
    array = _arrow(frame, name)
    if not _is_numeric(array) and not pa.types.is_null(array.type):
        try:
            array = pc.cast(array, pa.float64())
        except pa.ArrowInvalid:
            raise PanelRefused("text", f"La colonne « {name} » doit contenir des nombres ; elle contient du texte.")
    values = np.asarray(pc.cast(array, pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    return np.where(np.isinf(values), np.nan, values)


def encode(frame: Any, name: str) -> tuple[Ints, NDArray[Any]]:
    """Codes (n,) into sorted labels; refuses an empty label."""
    held = _held(frame, name, "iu")
    if held is not None and (found := _integers(held)) is not None:
        return found
    array = _arrow(frame, name)
    if pa.types.is_integer(array.type) and not array.null_count and (found := _integers(array.to_numpy())) is not None:
        return found
    if array.null_count or (pa.types.is_floating(array.type) and pc.any(pc.is_nan(array)).as_py()):
        raise PanelRefused("label", f"La colonne « {name} » contient des lignes vides : chaque ligne doit être identifiée.")
    coded = array.dictionary_encode()
    labels = np.asarray(coded.dictionary.to_pylist())
    order = np.argsort(labels, kind="stable")
    rank = np.empty(order.size, np.int64)
    rank[order] = np.arange(order.size)
    return rank[np.asarray(coded.indices.to_numpy(zero_copy_only=False))], labels[order]


def _integers(values: NDArray[Any]) -> tuple[Ints, NDArray[Any]] | None:
    """Codes and sorted labels of integers spread over a range no wider than their number, by counting; None otherwise."""
    if not values.size:
        return None
    low, high = int(values.min()), int(values.max())
    if high - low > 4 * values.size or high > np.iinfo(np.int64).max:
        return None
    kept, codes = compact(values.astype(np.int64, copy=False) - low, high - low + 1)
    return codes, kept + low


def compact(codes: Ints, size: int) -> tuple[Ints, Ints]:
    """Codes still used (sorted), and the codes renumbered without gaps; linear time."""
    present = np.zeros(size, bool)
    present[codes] = True
    if present.all():
        return np.arange(size), codes
    return np.flatnonzero(present), (np.cumsum(present) - 1)[codes]


def period_codes(frame: Any, name: str) -> tuple[Ints, Floats, tuple[str, ...]]:
    """Codes (n,), numeric values (T,) and labels (T,) of the periods; text periods take their rank as value."""
    codes, labels = encode(frame, name)
    if labels.dtype.kind in "iufb":
        values = labels.astype(np.float64)
        return codes, values, tuple(f"{v:g}" for v in values)
    try:
        values = np.array([float(str(label)) for label in labels])
    except ValueError:
        values = np.arange(labels.size, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    return np.argsort(order)[codes], values[order], tuple(str(labels[i]) for i in order)


def _first_name(period_labels: tuple[str, ...]) -> str | None:
    """First period label that is not a number, if any."""
    for label in period_labels:
        try:
            float(label)
        except ValueError:
            return label
    return None


def cohort_values(frame: Any, name: str, period_labels: tuple[str, ...], periods: Floats) -> Floats:
    """First treated period (n,) in the units of ``periods``; 0, null, NaN and inf mean never (0 unless periods start below it, as in R did)."""
    array = _arrow(frame, name)
    if _is_numeric(array) or pa.types.is_null(array.type):
        values = np.asarray(pc.cast(array, pa.float64()).to_numpy(zero_copy_only=False), np.float64)
        if (named := _first_name(period_labels)) is not None and ((values != 0) & np.isfinite(values)).any():
            raise PanelRefused("cohort", f"La cohorte (colonne « {name} ») est un nombre, mais les périodes n'en sont pas (« {named} ») : "
                                         "l'écrire comme les périodes, vide pour jamais.")  # fmt: skip
        never = ~np.isfinite(values) | ((values == 0) & (periods[0] >= 0))
        return np.where(never, np.inf, values)
    known = dict(zip(period_labels, periods, strict=True))
    words = {None: np.inf, "": np.inf, "0": np.inf, "inf": np.inf, "jamais": np.inf, "never": np.inf} | known
    found = []
    for text in (None if v is None else str(v).strip() for v in array.to_pylist()):
        if text not in words:
            raise PanelRefused("cohort", f"La cohorte « {text} » (colonne « {name} ») n'est pas une période du panel.")
        found.append(words[text])
    return np.asarray(found, np.float64)
