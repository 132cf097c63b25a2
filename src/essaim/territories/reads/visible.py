"""Querysets of the register, starting from what the reader may see. What is public open data stays public: the register
itself is readable by everyone; a scope narrows lists to the reader's own part."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from essaim.foundation.reads import Scope

from ..models import Establishment, Unit
from .declared import TERRITORIES


def establishments(scope: Scope | None = None, *, open_only: bool = True, schools_only: bool = True) -> QuerySet[Establishment]:
    """Establishments of ``scope`` (all when None): by département, owner or identifier. Services and closed ones on request."""
    found = Establishment.objects.all()
    if open_only:
        found = found.filter(closed_on__isnull=True)
    if schools_only:
        found = found.exclude(level=Establishment.Level.OTHER)
    return visible_to(scope, found)


def visible_to(scope: Scope | None, found: QuerySet[Establishment]) -> QuerySet[Establishment]:
    """``found`` narrowed to ``scope``."""
    if scope is None or scope.is_national:
        return found
    return found.filter(
        Q(departement__in=scope.departements) | Q(owner_code__in=scope.organisations) | Q(uai__in=_few(scope.uais))
    )


def _few(uais: frozenset[str]) -> list[str]:
    """Identifiers in a stable order: equal scopes give equal queries."""
    return sorted(uais)


def territories(scope: Scope | None = None) -> QuerySet[Unit]:
    """The territories of the programme (départements), those of ``scope`` only when given."""
    found = Unit.objects.filter(hierarchy="programme", level="territory", code__in=TERRITORIES)
    if scope is None or scope.is_national:
        return found
    return found.filter(code__in=scope.departements)


def units(hierarchy: str, level: str, departement: str | None = None) -> QuerySet[Unit]:
    """Units of one level, of one département when given."""
    found = Unit.objects.filter(hierarchy=hierarchy, level=level)
    return found.filter(departement=departement) if departement else found


def is_place(level: str, code: str, hierarchy: str = "") -> bool:
    """Whether the register knows a unit of this code at this level, with schools or without; in any hierarchy by default."""
    found = Unit.objects.filter(level=level, code=code)
    return (found.filter(hierarchy=hierarchy) if hierarchy else found).exists()
