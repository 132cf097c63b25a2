"""Amounts with taxes brought back to amounts without, by what a column of the table says of the tax of each line: its rate or its amount.

Rates are not the same everywhere (8,5 % in Guadeloupe): the standard one is only taken where the table says nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingOf

import polars as pl

from essaim.kernel.french import folded
from essaim.kernel.money import STANDARD_VAT

from .cells import read_column
from .cells_readers import ColumnSense
from .check_batch import Part
from .contract import Contract, Field, FieldType
from .issues_messages import TAXED
from .listing_columns import Column, with_columns

_TAX = re.compile(r"\b(?:tva|vat|taxes?)\b")
_MARKED = r"(?i)\b(?:h\.?t|t\.?t\.?c)\b"
# In points: mainland, Corsica and overseas, present and former.
_RATES = (0.0, 0.9, 1.05, 1.75, 2.1, 5.5, 7.0, 8.5, 10.0, 13.0, 19.6, 20.0)
_ROUNDING = 0.002
_AMOUNT, _RATE = Field("amount", "", FieldType.MONEY), Field("rate", "", FieldType.PERCENT)


def without_taxes(part: Part, contract: Contract) -> Part:
    """The table whose amounts « TTC » are those without the tax that another of its columns gives for each line."""
    taxed = {
        name: place for name, place in part.mapping.fields.items()
        if contract.field(name).type is FieldType.MONEY and "HT" in (contract.field(name).unit or "") and part.mapping.headers[place].tax_included
    }  # fmt: skip
    used = set(part.mapping.fields.values())
    said = [place for place, column in enumerate(part.table.columns) if taxed and place not in used and _TAX.search(folded(column.header))]
    if not said or any(part.table.frame[f"c{place}"].str.contains(_MARKED).any() for place in taxed.values()):
        return part
    amounts = {name: read_column(part.table.frame[f"c{place}"], _AMOUNT, ColumnSense(part.mapping.headers[place].factor)).values for name, place in taxed.items()}
    for place in said:
        rates = _rates(part.table.frame[f"c{place}"], part.mapping.headers[place].factor, amounts)
        if rates is not None:
            return _brought_back(part, contract, amounts, rates.fill_null(float(STANDARD_VAT)), " ".join(part.table.columns[place].header.split()))
    return part


def _rates(cells: pl.Series, factor: int, amounts: MappingOf[str, pl.Series]) -> pl.Series | None:
    """The rate of each line, as a share; None when the column is neither of rates nor of the taxes of one of ``amounts``."""
    points = read_column(cells, _RATE).values
    if (known := _known(points)) is None:
        known = _known(100 * points)
    if known is not None:
        return known
    taxes = read_column(cells, _AMOUNT, ColumnSense(factor)).values
    shares = [taxes / (amount - taxes) for amount in amounts.values()]
    return next((share for share in shares if _known(100 * share, 100 * _ROUNDING) is not None), None)


def _known(points: pl.Series, slack: float = 1e-6) -> pl.Series | None:
    """Rates in points as shares, when each is one that exists; an amount of tax may be rounded."""
    given = points.drop_nulls()
    near = [any(abs(value - rate) <= slack for rate in _RATES) for value in given.unique().to_list()]
    return points / 100 if near and all(near) else None


def _brought_back(part: Part, contract: Contract, amounts: MappingOf[str, pl.Series], rates: pl.Series, header: str) -> Part:
    told = {item.field: item for item in part.mapping.mapping}
    columns = []
    for name, amount in amounts.items():
        written = part.table.frame[f"c{part.mapping.fields[name]}"]
        columns.append(Column(name, (amount / (1 + rates)).round(2).cast(pl.String).fill_null(written), told.get(name)))
    return with_columns(part, columns).remarked([("amount_taxed", name, TAXED.format(label=contract.field(name).label, header=header)) for name in amounts])
