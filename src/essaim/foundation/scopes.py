"""Scopes: what part of the country a mandate covers, as sets that queries and caches can use."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from essaim.kernel.places import DEPARTEMENTS

from .models import Account, Mandate

NATIONAL = "national"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a reader may see: everything, or the union of départements, organisations (SIREN or sender code) and schools."""

    is_national: bool = False
    departements: frozenset[str] = frozenset()
    organisations: frozenset[str] = frozenset()
    uais: frozenset[str] = frozenset()

    def __or__(self, other: Scope) -> Scope:
        return Scope(
            self.is_national or other.is_national,
            self.departements | other.departements,
            self.organisations | other.organisations,
            self.uais | other.uais,
        )

    @property
    def is_empty(self) -> bool:
        return not (self.is_national or self.departements or self.organisations or self.uais)

    @property
    def cache_key(self) -> str:
        """Equal for equal scopes only: a part of the key of everything cached for a reader."""
        if self.is_national:
            return NATIONAL
        parts = (sorted(self.departements), sorted(self.organisations), sorted(self.uais))
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]

    def covers(
        self, *, departement: str | None = None, organisation: str | None = None, uai: str | None = None
    ) -> bool:
        """Whether any of what is given lies in the scope."""
        return self.is_national or (
            departement in self.departements or organisation in self.organisations or uai in self.uais
        )

    def covers_departements(self, codes: Iterable[str]) -> bool:
        """Whether all of ``codes`` (at least one) lie in the scope."""
        wanted = set(codes)
        return self.is_national or (bool(wanted) and wanted <= self.departements)


class ScopeRefused(ValueError):
    """A scope that names nothing; ``args[0]`` is the French message."""


class ScopeResolver(Protocol):
    """What the room of places knows and the foundation does not.

    ``scope(hierarchy, level, code)``: the sets behind a unit, None when unknown. ``departements_of(organisation)``: where
    an organisation acts, empty when unknown."""

    def scope(self, hierarchy: str, level: str, code: str) -> Scope | None: ...

    def departements_of(self, organisation: str) -> frozenset[str]: ...


_resolvers: list[ScopeResolver] = []


def register_scope_resolver(resolver: ScopeResolver) -> None:
    """Called by the room of places when its application starts."""
    _resolvers.append(resolver)


def parse_scope(text: str) -> Scope:
    """The scope behind the text of a mandate. ScopeRefused when it is malformed or names nothing known."""
    parts = text.split("/")
    if parts == [NATIONAL]:
        return Scope(is_national=True)
    if len(parts) == 2 and parts[0] == "establishment" and parts[1]:
        return Scope(uais=frozenset({parts[1]}))
    if len(parts) != 3 or not all(parts):
        raise ScopeRefused(
            f"Périmètre « {text} » illisible : écrivez « national », « administrative/departement/02 », "
            "« owner/organisation/SIREN » ou « establishment/UAI »."
        )
    return _unit(*parts)


def _unit(hierarchy: str, level: str, code: str) -> Scope:
    for resolver in _resolvers:
        found = resolver.scope(hierarchy, level, code)
        if found is not None:
            return found
    if (hierarchy, level) == ("owner", "organisation"):
        return Scope(organisations=frozenset({code}))
    codes = _departements(hierarchy, level, code)
    if not codes:
        raise ScopeRefused(f"Périmètre « {hierarchy}/{level}/{code} » inconnu.")
    return Scope(departements=codes)


def _departements(hierarchy: str, level: str, code: str) -> frozenset[str]:
    tests = {
        ("administrative", "departement"): lambda item: item.code == code,
        ("academic", "dsden"): lambda item: item.code == code,
        ("programme", "territory"): lambda item: item.code == code,
        ("administrative", "region"): lambda item: item.region == code,
        ("academic", "academie"): lambda item: item.academie == code.removeprefix("A"),
    }
    test = tests.get((hierarchy, level), lambda item: False)
    return frozenset(item.code for item in DEPARTEMENTS if test(item))


def departements_of(organisation: str) -> frozenset[str]:
    """Where an organisation acts, as far as the register knows; empty otherwise."""
    return frozenset().union(*(resolver.departements_of(organisation) for resolver in _resolvers))


def active_mandates(account: Account | AnonymousUser, at: date | None = None) -> list[Mandate]:
    """Mandates of ``account`` in force on ``at`` (today when None), the one lent to a token when a program acts; none for an
    inactive or anonymous account."""
    if not account.is_authenticated or not account.is_active:
        return []
    day = at or timezone.localdate()
    found = Mandate.objects.filter(account_id=account.pk, starts_on__lte=day)
    if account.acting_under is not None:
        found = found.filter(pk=account.acting_under)
    return [item for item in found if item.ends_on is None or item.ends_on >= day]


def scope_of(account: Account | AnonymousUser, at: date | None = None) -> Scope:
    """What ``account`` may see on ``at``: the union of its mandates in force. A scope that has come to name nothing is
    left out rather than widened."""
    total = Scope()
    for mandate in active_mandates(account, at):
        total |= scope_of_mandate(mandate)
    return total


def scope_of_mandate(mandate: Mandate) -> Scope:
    """The scope of one mandate, with the organisation it represents; empty if its unit no longer exists."""
    own = frozenset({mandate.organisation} - {""})
    try:
        return parse_scope(mandate.scope) | Scope(organisations=own)
    except ScopeRefused:
        return Scope(organisations=own)
