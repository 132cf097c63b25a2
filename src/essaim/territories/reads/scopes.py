"""What a unit of a hierarchy covers, for the rights of mandates."""

from __future__ import annotations

import polars as pl
from django.db import DatabaseError

from essaim.foundation.reads import Scope

from ..models import Establishment, Organisation
from .frames import frame
from .naming import aliases

_BY_DEPARTEMENT = frozenset(
    (("administrative", "departement"), ("administrative", "region"), ("academic", "dsden"), ("academic", "academie"),
     ("academic", "region_academique"), ("programme", "territory"), ("programme", "wave"))
)  # fmt: skip


class RegisterScopes:
    """Resolves scopes with the register: units of départements, schools of a commune or circonscription, an owner's schools."""

    def scope(self, hierarchy: str, level: str, code: str) -> Scope | None:
        """The sets behind a unit; None when the register does not know it."""
        if (hierarchy, level) in _BY_DEPARTEMENT:
            return self._departements(hierarchy, level, code)
        if (hierarchy, level) == ("owner", "organisation"):
            own = aliases(code)
            uais = frozenset().union(*(self._members(hierarchy, level, item) for item in own))
            return Scope(organisations=own, uais=uais) if uais else None
        uais = self._members(hierarchy, level, code)
        return Scope(uais=uais) if uais else None

    def departements_of(self, organisation: str) -> frozenset[str]:
        """Where an organisation acts: its own département, and those of the schools it owns; a school, its own."""
        own = sorted(aliases(organisation))
        homes = set(Organisation.objects.filter(code__in=own).values_list("departement", flat=True))
        homes |= set(Establishment.objects.filter(owner_code__in=own).values_list("departement", flat=True).distinct())
        if len(organisation) == 8:
            homes |= set(Establishment.objects.filter(uai=organisation).values_list("departement", flat=True))
        return frozenset(homes - {""})

    def _departements(self, hierarchy: str, level: str, code: str) -> Scope | None:
        from .affiliations import links

        rows = links().filter((pl.col("hierarchy") == hierarchy) & (pl.col("level") == level) & (pl.col("unit") == code))
        return Scope(departements=frozenset(rows["departement"].to_list())) if rows.height else None

    def _members(self, hierarchy: str, level: str, code: str) -> frozenset[str]:
        try:
            found = frame("affiliations")
        except DatabaseError:
            return frozenset()
        if found is None:
            return frozenset()
        rows = found.filter((pl.col("hierarchy") == hierarchy) & (pl.col("level") == level) & (pl.col("unit") == code))
        return frozenset(rows["uai"].to_list())
