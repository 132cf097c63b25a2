"""Cross-field rules of contracts, and values far from the others."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import polars as pl

from essaim.kernel.french import format_number

from .check_batch import Batch
from .check_cells import Typed
from .contract import AnyOf, FieldType, InOrder, Plausible, ProductEquals, RequiredWhen, Rule
from .issues import Finding, finding
from .masks import true_rows

_FAR = 100.0
_ENOUGH = 30
# Sizes of communes or amounts of contracts have a long tail, without a hole: a wrong unit leaves one.
_APART = 3.0
_NORMAL = 1.4826  # from the median of absolute deviations to a standard deviation
PER_WORDS = {"pupils": "le nombre d'élèves", "classes": "le nombre de classes"}


def check_rules(batch: Batch, typed: Typed, *, of_size: bool | None = None) -> list[Finding]:
    """Every rule of the contract; a rule never fires where a value it needs is missing (AnyOf and RequiredWhen aside).

    ``of_size``: only the rules that compare with the size of a place (true), only the others (false)."""
    found: list[Finding] = []
    for rule in batch.contract.rules:
        if of_size is not None and isinstance(rule, Plausible) is not of_size:
            continue
        item = _apply(rule, batch, typed)
        if item is not None:
            found.append(item)
    return found


def _apply(rule: Rule, batch: Batch, typed: Typed) -> Finding | None:
    columns = typed.columns
    match rule:
        case InOrder():
            rows = true_rows(columns[rule.earlier] > columns[rule.later])
            bound = "pas avant" if batch.contract.field(rule.later).type in (FieldType.DATE, FieldType.MONTH) else "au moins"
            return _said(rule, rule.later, rows, batch, f"{bound} « {batch.contract.field(rule.earlier).label} »")
        case AnyOf():
            empty = [columns[name].is_null() & ~_is_wrong(typed, name, batch.size) for name in rule.fields]
            rows = true_rows(pl.DataFrame({str(i): mask for i, mask in enumerate(empty)}).select(pl.all_horizontal(pl.all()))[:, 0])
            labels = ", ".join(f"« {batch.contract.field(name).label} »" for name in rule.fields)
            return _said(rule, rule.fields[0], rows, batch, f"au moins un de : {labels}")
        case RequiredWhen():
            return _required_when(rule, batch, typed)
        case ProductEquals():
            return _product(rule, batch, columns)
        case Plausible():
            return _plausible(rule, batch, typed)
    raise TypeError(f"règle inconnue : {type(rule).__name__}")


def _said(rule: Rule, field: str, rows: pl.Series, batch: Batch, expected: str | None, suggestion: pl.Series | None = None) -> Finding | None:
    if not len(rows):
        return None
    value = batch.text[field][rows]
    return finding(rule.code, field, rows, value=value, suggestion=suggestion, severity=rule.severity, expected=expected, message=rule.message)


def _is_wrong(typed: Typed, name: str, size: int) -> pl.Series:
    mask = pl.repeat(False, size, dtype=pl.Boolean, eager=True)
    wrong = typed.wrong[name]
    return mask.scatter(wrong, True) if len(wrong) else mask


def _required_when(rule: RequiredWhen, batch: Batch, typed: Typed) -> Finding | None:
    when = typed.columns[rule.when]
    if rule.values:
        written = when.cast(pl.String) if when.dtype != pl.Boolean else when.replace_strict({True: "oui", False: "non"}, return_dtype=pl.String)
        concerned = written.is_in(list(rule.values)).fill_null(False)
    else:
        concerned = when.is_not_null()
    empty = typed.columns[rule.field_name].is_null() & ~_is_wrong(typed, rule.field_name, batch.size)
    return _said(rule, rule.field_name, true_rows(concerned & empty), batch, f"renseigné avec « {batch.contract.field(rule.when).label} »")


def _product(rule: ProductEquals, batch: Batch, columns: dict[str, pl.Series]) -> Finding | None:
    product = columns[rule.quantity] * columns[rule.price]
    total = columns[rule.total]
    rows = true_rows((product - total).abs() > rule.tolerance + 0.005 * total.abs())
    suggestion = product[rows].map_elements(lambda value: format_number(round(value, 2)), return_dtype=pl.String) if len(rows) else None
    return _said(rule, rule.total, rows, batch, "quantité × prix unitaire", suggestion)


def _plausible(rule: Plausible, batch: Batch, typed: Typed) -> Finding | None:
    attributes = typed.attributes.get(rule.reference_field)
    if attributes is None or rule.per not in attributes.columns:
        return None
    size = pl.DataFrame({"value": typed.columns[rule.reference_field]}).join(
        attributes.select("value", pl.col(rule.per).cast(pl.Float64, strict=False).alias("size")), on="value", how="left", maintain_order="left"
    )["size"]
    rows = true_rows((size > 0) & (typed.columns[rule.field_name] > size * rule.at_most))
    of_what = PER_WORDS.get(rule.per, f"« {rule.per} »")
    return _said(rule, rule.field_name, rows, batch, f"au plus {format_number(rule.at_most)} fois {of_what} du registre")


def check_outliers(batch: Batch, typed: Typed) -> list[Finding]:
    """Numbers a hundred times the usual one of their file, more than six robust deviations (of logarithms) from it and three times
    the largest of the others: a warning."""
    numbers = [field.name for field in batch.contract.fields if field.type in (FieldType.INTEGER, FieldType.MONEY, FieldType.DECIMAL)]
    files = list(batch.extents().values())
    return [item for name in numbers if (item := _far_from_others(name, batch.text[name], typed.columns[name], files)) is not None]


def _far_from_others(name: str, text: pl.Series, values: pl.Series, files: Sequence[tuple[int, int]]) -> Finding | None:
    rows, usual = [], []
    numbers = values.cast(pl.Float64).fill_null(math.nan).to_numpy()  # what is missing is not a number
    for start, size in files:
        of_file = numbers[start : start + size]
        bounds = _ordinary(of_file)
        if bounds is not None:
            far = np.flatnonzero(of_file > bounds[1])
            rows.append(far + start)
            usual += [format_number(bounds[0])] * len(far)
    if not usual:
        return None
    where = pl.Series(np.concatenate(rows), dtype=pl.UInt32)
    return finding("outlier", name, where, value=text[where], detail=pl.Series(usual, dtype=pl.String))


def _ordinary(values: np.ndarray) -> tuple[float, float] | None:
    """The usual value and the greatest that is not far from the others; None when none can be."""
    above = values > 0
    count, most = np.count_nonzero(above), float(np.fmax.reduce(values, initial=0.0))
    if not count or np.count_nonzero(values == values) < _ENOUGH:
        return None
    if 2 * np.count_nonzero(values * _FAR >= most) > count:  # more than half are near the greatest: so is the median
        return None
    positive = values[above]
    usual = float(np.median(positive))
    if most <= _FAR * usual:
        return None
    limit = 10 ** (math.log10(usual) + max(2.0, 6 * _spread(positive, usual)))
    ordinary = float(np.fmax.reduce(values, initial=0.0, where=values <= limit))
    return usual, max(limit, _APART * ordinary)


def _spread(positive: np.ndarray, usual: float) -> float:
    """Robust deviation of logarithms from the usual value; any that is under a third counts for nothing and is said to be none."""
    near = 10 ** (1 / 3 / _NORMAL)
    if 2 * np.count_nonzero((positive >= usual / near) & (positive <= usual * near)) > len(positive):
        return 0.0
    return float(np.median(np.abs(np.log10(positive) - math.log10(usual)))) * _NORMAL
