"""Natural keys: rows given twice in a file, and rows the ledger already knows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from essaim.kernel.french import format_number

from .check_batch import Batch
from .check_cells import Typed
from .contract import FieldType
from .issues import Finding, finding
from .masks import true_rows

Existing = Callable[[pl.DataFrame], pl.DataFrame]
_FAR = 5.0
_NOTICEABLE = 50


def check_duplicates(batch: Batch, typed: Typed, out: pl.Series | None = None) -> tuple[list[Finding], pl.Series]:
    """Same natural key within one file: identical rows are merged (their later positions are given back), others conflict.

    ``out``: rows that another already counts."""
    none = pl.Series([], dtype=pl.UInt32)
    keys = [name for name in batch.contract.key if name in typed.columns]
    if not keys:
        return [], none
    files = batch.files().alias("_file")
    hashes, given = _keys(batch, typed, keys, files)
    if out is not None:
        given = ~out if given is None else given & ~out
    if not _repeat(hashes, given):
        return [], none
    mask = hashes.is_duplicated() if given is None else hashes.is_duplicated() & given
    for name in keys:
        if len(typed.wrong[name]):
            mask = mask.scatter(typed.wrong[name], False)
    rows = true_rows(mask)
    return _told(batch, typed, rows, keys, files) if len(rows) else ([], none)


def repeats_a_key(batch: Batch, typed: Typed) -> bool:
    """Whether two rows of one file have the same key."""
    keys = [name for name in batch.contract.key if name in typed.columns]
    return bool(keys) and _repeat(*_keys(batch, typed, keys, batch.files().alias("_file")))


def _keys(batch: Batch, typed: Typed, keys: list[str], files: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    """One number a row for its key in its file, and the rows whose key says something (None: all)."""
    frame = pl.DataFrame([typed.columns[name] for name in keys])
    hashes = _hashes([*frame.get_columns(), *([files] if len(set(batch.file_of_part)) > 1 else [])])
    return hashes, _told_apart(frame, [name for name in keys if batch.contract.field(name).required])


def _repeat(hashes: pl.Series, given: pl.Series | None) -> bool:
    """Whether any is equal to another. Sorting numbers is several times cheaper than finding which: most files repeat nothing."""
    told = np.sort((hashes if given is None else hashes.filter(given)).to_numpy())
    return bool((told[1:] == told[:-1]).any())


def _told_apart(frame: pl.DataFrame, required: list[str]) -> pl.Series | None:
    """Rows whose key says something: a row without its required fields is refused for that, not for looking like another. None: all."""
    empty = [pl.col(name).is_null() for name in required if frame[name].null_count()]
    if frame[:, 0].null_count():
        empty.append(pl.all_horizontal(pl.all().is_null()))
    return ~frame.select(pl.any_horizontal(empty))[:, 0] if empty else None


def _hashes(columns: list[pl.Series]) -> pl.Series:
    """One number a row; equal rows have equal numbers (unequal ones may too: the caller looks again)."""
    total = columns[0].hash()
    for column in columns[1:]:
        total = total * 1_000_003 + column.hash()
    return total


def _told(batch: Batch, typed: Typed, rows: pl.Series, keys: list[str], files: pl.Series) -> tuple[list[Finding], pl.Series]:
    columns = pl.DataFrame([series[rows] for series in typed.columns.values()])
    wrong = _any_wrong(typed, batch.size)[rows]
    contents = [name for name in columns.columns if name not in keys and name not in batch.contract.incidental]
    near = columns.with_columns(
        rows.cast(pl.UInt32).alias("_index"),
        batch.places.row[rows].alias("_row"),
        files[rows].alias("_file"),
        pl.when(wrong).then(rows).otherwise(None).alias("_wrong"),
    )
    same = near.group_by(["_file", *keys, *contents, "_wrong"], maintain_order=True).agg("_index", "_row")
    merged = same.select(pl.col("_index").list.first().alias("first"), pl.col("_row").list.first().alias("row"), pl.col("_index").list.slice(1).alias("again"))
    again = merged.filter(pl.col("again").list.len() > 0).explode("again").drop_nulls("again")
    groups = same.group_by(["_file", *keys], maintain_order=True).agg(pl.col("_index").explode(), pl.col("_row").explode(), pl.len().alias("n"))
    conflicts = groups.filter(pl.col("n") > 1)
    # A line that repeats one in conflict is in conflict too.
    again = again.filter(~pl.col("again").is_in(conflicts["_index"].explode().drop_nulls().implode()))
    found = []
    if again.height:
        found.append(finding("duplicate_identical", None, again["again"], detail=again.select(pl.format("la ligne {}", "row"))[:, 0]))
    if conflicts.height:
        found.append(_conflict(conflicts.select("_index", "_row"), keys, batch))
    return found, again["again"].cast(pl.UInt32)


def _conflict(conflicts: pl.DataFrame, keys: list[str], batch: Batch) -> Finding:
    indexes, details = [], []
    for positions, numbers in conflicts.iter_rows():
        for position, number in zip(positions, numbers, strict=True):
            others = [str(other) for other in numbers if other != number] or [str(number)]
            listed = ", ".join(others[:5]) + ("…" if len(others) > 5 else "")
            indexes.append(position)
            details.append(f"la ligne {listed}" if len(others) == 1 else f"les lignes {listed}")
    labels = ", ".join(batch.contract.field(name).label for name in keys)
    return finding(
        "duplicate_conflict", None, pl.Series(indexes, dtype=pl.UInt32), detail=pl.Series(details, dtype=pl.String), expected=f"{labels} uniques"
    )


def _any_wrong(typed: Typed, size: int) -> pl.Series:
    mask = pl.repeat(False, size, dtype=pl.Boolean, eager=True)
    for rows in typed.wrong.values():
        if len(rows):
            mask = mask.scatter(rows, True)
    return mask


def check_history(
    batch: Batch, typed: Typed, existing: Existing | None, sender: str | None, out: pl.Series | None = None
) -> tuple[list[Finding], dict[str, int]]:
    """Rows the ledger already holds under the same key: how many are unchanged or changed, and numbers that jump. ``out``: see above."""
    keys = [name for name in batch.contract.key if name in typed.columns]
    if existing is None or not keys:
        return [], {}
    frame = typed.frame().with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("_index"))
    frame = frame if out is None else frame.filter(~out)
    asked = frame.select(keys).unique()
    if "sender" in batch.contract.key:
        asked = asked.with_columns(pl.lit(sender, dtype=pl.String).alias("sender"))
    known = existing(asked)
    if not known.height:
        return [], {"known": 0, "changed": 0}
    values = [name for name in typed.columns if name not in keys and name in known.columns]
    known = known.select(*keys, *(pl.col(name).alias(f"_{name}") for name in values)).unique(subset=keys, keep="last")
    both = frame.join(known, on=keys, how="inner", nulls_equal=True, maintain_order="left")
    differs = pl.any_horizontal([pl.col(name).ne_missing(pl.col(f"_{name}").cast(typed.columns[name].dtype, strict=False)) for name in values] or [pl.lit(False)])
    counts = {"known": both.height, "changed": both.filter(differs).height}
    return [item for name in values if (item := _jump(name, both, batch)) is not None], counts


def _jump(name: str, both: pl.DataFrame, batch: Batch) -> Finding | None:
    if batch.contract.field(name).type not in (FieldType.INTEGER, FieldType.MONEY, FieldType.DECIMAL):
        return None
    new, old = pl.col(name).cast(pl.Float64), pl.col(f"_{name}").cast(pl.Float64, strict=False)
    far = (new > old * _FAR) | (old > new * _FAR)
    rows = both.filter(((new - old).abs() >= _NOTICEABLE) & far)
    if not rows.height:
        return None
    before = pl.Series([format_number(value) for value in rows[f"_{name}"].to_list()], dtype=pl.String)
    return finding("history_gap", name, rows["_index"], value=batch.text[name][rows["_index"]], detail=before)
