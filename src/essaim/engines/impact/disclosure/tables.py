"""Linked and hierarchical tables as one linear system.

A cell is a set of (dimension, code) pairs; a dimension left out stands at its total. Two tables that share a margin share the
very same cells, so linking is automatic; a dimension with sub-totals (région, département) adds one equation a level. The system
says ``equations @ values = 0``: every parent equals the sum of its children.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from essaim.engines.impact.refusal import Refusal

Floats = npt.NDArray[np.float64]
Key = tuple[tuple[str, str], ...]
TOTAL = ""


@dataclass(frozen=True, slots=True)
class Dimension:
    """A classification. ``children[code]`` lists the parts of ``code``; ``children[""]`` those of the grand total."""

    name: str
    children: Mapping[str, tuple[str, ...]]

    @classmethod
    def flat(cls, name: str, codes: Sequence[str]) -> Dimension:
        """A dimension without sub-totals."""
        return cls(name, {TOTAL: tuple(codes)})

    def codes(self) -> tuple[str, ...]:
        """Every code, the total first."""
        out, queue = [TOTAL], [TOTAL]
        while queue:
            below = self.children.get(queue.pop(0), ())
            out.extend(below)
            queue.extend(below)
        if len(set(out)) != len(out):
            raise Refusal("hierarchy", f"La dimension « {self.name} » donne deux fois le même code.")
        return tuple(out)

    def ancestors(self, code: str) -> tuple[str, ...]:
        """The code and everything above it, up to the total."""
        parent = {c: p for p, below in self.children.items() for c in below}
        out = [code]
        while out[-1] != TOTAL:
            if out[-1] not in parent:
                raise Refusal("unknown-code", f"Code « {code} » absent de la dimension « {self.name} ».")
            out.append(parent[out[-1]])
        return tuple(out)


@dataclass(frozen=True, slots=True)
class Cells:
    """One or several linked tables. ``values`` (cells,), ``equations`` (relations × cells), what is needed for primary rules:
    ``persons``, ``units`` (contributors), ``largest`` (cells × 3: the three largest contributions)."""

    keys: tuple[Key, ...]
    values: Floats
    equations: csr_array = field(compare=False)
    persons: Floats | None = None
    units: Floats | None = None
    largest: Floats | None = None

    def index(self) -> dict[Key, int]:
        """Position of each key."""
        return {key: i for i, key in enumerate(self.keys)}


def key_of(**codes: str) -> Key:
    """Key of a cell: ``key_of(departement="02", niveau="école")``; totals are left out."""
    return tuple(sorted((name, code) for name, code in codes.items() if code != TOTAL))


def _table_relations(table: Sequence[Dimension]) -> list[tuple[Key, tuple[Key, ...]]]:
    """Parent and children keys of every relation of one table."""
    out = []
    for position, dimension in enumerate(table):
        others = [d for i, d in enumerate(table) if i != position]
        for around in product(*(d.codes() for d in others)):
            fixed = {d.name: c for d, c in zip(others, around, strict=True)}
            for parent, below in dimension.children.items():
                keys = tuple(key_of(**fixed, **{dimension.name: c}) for c in below)
                out.append((key_of(**fixed, **{dimension.name: parent}), keys))
    return out


def _equations(tables: Sequence[Sequence[Dimension]], index: Mapping[Key, int]) -> csr_array:
    rows: dict[tuple[int, ...], None] = {}
    for table in tables:
        for parent, below in _table_relations(table):
            if parent in index and all(k in index for k in below):
                rows[(index[parent], *sorted(index[k] for k in below))] = None
    data, column, line = [], [], []
    for i, row in enumerate(rows):
        data += [1.0] + [-1.0] * (len(row) - 1)
        column += list(row)
        line += [i] * len(row)
    return csr_array((data, (line, column)), shape=(len(rows), len(index)))


def linked_cells(tables: Sequence[Sequence[Dimension]], values: Mapping[Key, float], *,
                 persons: Mapping[Key, float] | None = None, units: Mapping[Key, float] | None = None,
                 tolerance: float = 1e-6) -> Cells:
    """Cells of linked tables from published values. Refuses missing cells and totals that do not add up."""
    keys = sorted({key for table in tables for key in
                   (key_of(**{d.name: c for d, c in zip(table, codes, strict=True)})
                    for codes in product(*(d.codes() for d in table)))})
    absent = [k for k in keys if k not in values]
    if absent:
        raise Refusal("missing-cells", f"{len(absent)} cellules attendues sont absentes, par exemple {dict(absent[0])}.")
    index = {key: i for i, key in enumerate(keys)}
    vector = np.array([float(values[k]) for k in keys])
    equations = _equations(tables, index)
    gap = np.abs(equations @ vector)
    if gap.size and gap.max() > tolerance * max(1.0, np.abs(vector).max()):
        raise Refusal("totals", "Les totaux ne sont pas la somme de leurs parties : corriger avant de publier.")
    return Cells(tuple(keys), vector, equations,
                 None if persons is None else np.array([float(persons.get(k, 0)) for k in keys]),
                 None if units is None else np.array([float(units.get(k, 0)) for k in keys]))


def cells_of_array(table: npt.ArrayLike, names: Sequence[str] | None = None) -> Cells:
    """Cells of an array of any dimension whose last position on every axis is the total."""
    array = np.asarray(table, float)
    axes = list(names) if names else [f"axe{i}" for i in range(array.ndim)]
    dimensions = [Dimension.flat(axes[i], [str(c) for c in range(array.shape[i] - 1)]) for i in range(array.ndim)]
    values = {}
    for position in np.ndindex(*array.shape):
        codes = {axes[i]: TOTAL if p == array.shape[i] - 1 else str(p) for i, p in enumerate(position)}
        values[key_of(**codes)] = float(array[position])
    return linked_cells([dimensions], values)


def tabulate(records: Sequence[Mapping[str, str]], amounts: npt.ArrayLike, contributors: Sequence[str],
             tables: Sequence[Sequence[Dimension]], *, persons: npt.ArrayLike | None = None) -> Cells:
    """Linked tables of individual ``records`` (code of each dimension). ``amounts``: what is summed; ``contributors``: who gave
    it (UAI, SIREN), ``persons``: persons behind each record (default one)."""
    amount = np.asarray(amounts, float)
    people = np.ones(amount.size) if persons is None else np.asarray(persons, float)
    total: dict[Key, float] = {}
    count: dict[Key, float] = {}
    by: dict[Key, dict[str, float]] = {}
    memo: dict[tuple[str, str], tuple[str, ...]] = {}
    for row, who, value, heads in zip(records, contributors, amount, people, strict=True):
        touched: set[Key] = set()
        for table in tables:
            above = []
            for d in table:
                above.append(memo.setdefault((d.name, row[d.name]), d.ancestors(row[d.name])))
            touched.update(key_of(**{d.name: c for d, c in zip(table, codes, strict=True)}) for codes in product(*above))
        for key in touched:
            total[key] = total.get(key, 0.0) + float(value)
            count[key] = count.get(key, 0.0) + float(heads)
            share = by.setdefault(key, {})
            share[who] = share.get(who, 0.0) + float(value)
    empty = dict.fromkeys(_all_keys(tables), 0.0)
    cells = linked_cells(tables, {**empty, **total}, persons=count, units={k: float(len(v)) for k, v in by.items()})
    largest = np.zeros((len(cells.keys), 3))
    for i, key in enumerate(cells.keys):
        top = sorted(by.get(key, {}).values(), reverse=True)[:3]
        largest[i, :len(top)] = top
    return Cells(cells.keys, cells.values, cells.equations, cells.persons, cells.units, largest)


def _all_keys(tables: Sequence[Sequence[Dimension]]) -> set[Key]:
    return {key_of(**{d.name: c for d, c in zip(table, codes, strict=True)})
            for table in tables for codes in product(*(d.codes() for d in table))}
