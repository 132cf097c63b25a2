"""What a fact table holds, as far as figures care: types of columns and how their values add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class IndicatorRefused(ValueError):
    """A declaration that would give a wrong figure. ``code`` is stable, ``args[0]`` the French reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Role(StrEnum):
    """How the values of a column add up.

    FLOW adds over time and places; STOCK is a level observed at a date (adds over places, not over time); COUNTER is a
    cumulated total since the beginning; RATE is a percentage, an index or an average (never adds; weight it); PRICE is
    a value per item (adds once multiplied by a quantity); DISTINCT counts different persons or objects (adds only over
    groups that do not overlap); DIMENSION describes.
    """

    FLOW = "flow"
    STOCK = "stock"
    COUNTER = "counter"
    RATE = "rate"
    PRICE = "price"
    DISTINCT = "distinct"
    DIMENSION = "dimension"


NUMERIC = frozenset({"integer", "decimal"})


@dataclass(frozen=True, slots=True)
class FactColumn:
    """One column. ``type``: integer, decimal, text, date, boolean, school_year. ``disjoint_over``: for DISTINCT, the
    columns of the key whose values never share a counted person (a pupil attends one school)."""

    name: str
    type: str
    role: Role = Role.DIMENSION
    unit: str | None = None
    disjoint_over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FactTable:
    """A ledger table seen by figures. ``name`` is the contract's code; ``place`` the column holding the UAI; ``key`` the
    natural key; ``grain`` what ``place`` identifies; ``aggregated`` says that a row is already a total or an average
    over several events, so that no quantile can be read from it."""

    name: str
    columns: tuple[FactColumn, ...]
    place: str = "uai"
    key: tuple[str, ...] = ()
    grain: str = "establishment"
    aggregated: bool = False

    def __hash__(self) -> int:
        """Equal tables share their name."""
        return hash(self.name)

    def column(self, name: str) -> FactColumn:
        """The column called ``name``; IndicatorRefused when the table has none."""
        for item in self.columns:
            if item.name == name:
                return item
        known = ", ".join(item.name for item in self.columns)
        raise IndicatorRefused(
            "colonne-inconnue",
            f"La colonne « {name} » n'existe pas dans la table « {self.name} ». Colonnes connues : {known}.",
        )

    def has(self, name: str) -> bool:
        return any(item.name == name for item in self.columns)


class FieldLike(Protocol):
    """What is read of a contract's field."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def unit(self) -> str | None: ...


class ContractLike(Protocol):
    """What is read of a data contract."""

    @property
    def code(self) -> str: ...
    @property
    def fields(self) -> Sequence[FieldLike]: ...
    @property
    def key(self) -> tuple[str, ...]: ...
    @property
    def place(self) -> str | None: ...


_TYPES: Mapping[str, tuple[str, Role]] = {
    "integer": ("integer", Role.FLOW),
    "decimal": ("decimal", Role.FLOW),
    "money": ("decimal", Role.FLOW),
    "percent": ("decimal", Role.RATE),
    "date": ("date", Role.DIMENSION),
    "month": ("date", Role.DIMENSION),
    "school_year": ("school_year", Role.DIMENSION),
    "boolean": ("boolean", Role.DIMENSION),
}


def fact_table(
    contract: ContractLike,
    *,
    roles: Mapping[str, Role] | None = None,
    disjoint: Mapping[str, tuple[str, ...]] | None = None,
    grain: str = "establishment",
    aggregated: bool = False,
) -> FactTable:
    """The fact table of a data contract. Numbers are flows and percentages rates unless ``roles`` says otherwise.

    Refuses a role given to a column the contract does not have.
    """
    roles, disjoint = roles or {}, disjoint or {}
    names = [item.name for item in contract.fields]
    for name in (*roles, *disjoint):
        if name not in names:
            raise IndicatorRefused(
                "colonne-inconnue", f"Le contrat « {contract.code} » n'a pas de colonne « {name} »."
            )
    columns = []
    for item in contract.fields:
        kind, role = _TYPES.get(str(item.type), ("text", Role.DIMENSION))
        columns.append(
            FactColumn(item.name, kind, roles.get(item.name, role), item.unit, disjoint.get(item.name, ()))
        )
    if "sender" not in names:
        columns.append(FactColumn("sender", "text"))
    if "departement" not in names:
        columns.append(FactColumn("departement", "text"))
    place = contract.place or "uai"
    return FactTable(contract.code, tuple(columns), place, contract.key, grain, aggregated)
