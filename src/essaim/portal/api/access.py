"""Who is asking, what they may see, how often: the same rights as the pages, held by a token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from ninja.errors import AuthenticationError, HttpError
from ninja.security import HttpBearer
from ninja.throttling import BaseThrottle

from essaim.foundation.models import Account
from essaim.foundation.reads import scope_of
from essaim.foundation.reads.tokens import bearer_of
from essaim.kernel.departements import BY_CODE
from essaim.portal.limits import client_address, seconds_left, within_rate
from essaim.portal.reads.places import school_names

OPEN_TO_ALL = {"security": [{}, {"Token": []}]}
_WRONG_TOKENS = 20


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: an account acting through a token, or nobody in particular. ``name`` counts its requests."""

    account: Account | AnonymousUser
    name: str
    is_read_only: bool

    @property
    def is_known(self) -> bool:
        return self.account.is_authenticated


class Token(HttpBearer):
    """Reads the token. ``is_open``: without one, the public answers are given. ``writes``: read-only tokens are refused."""

    def __init__(self, *, is_open: bool = False, writes: bool = False) -> None:
        super().__init__()
        self.is_open, self.writes = is_open, writes

    def __call__(self, request: HttpRequest) -> Visitor | None:
        if not request.headers.get("Authorization"):
            address = client_address(request)
            return Visitor(AnonymousUser(), f"address:{address}", True) if self.is_open else None
        return super().__call__(request)

    def authenticate(self, request: HttpRequest, token: str) -> Visitor:
        bearer = bearer_of(token.strip())
        if bearer is None:
            if not within_rate(f"wrong-token:{client_address(request)}", _WRONG_TOKENS):
                raise HttpError(429, "Trop de jetons refusés depuis votre adresse : attendez une minute.")
            raise AuthenticationError
        if self.writes and bearer.token.is_read_only:
            raise HttpError(403, "Ce jeton ne permet que la lecture : créez-en un qui permette d'écrire.")
        return Visitor(bearer.account, f"token:{bearer.token.pk}", bearer.token.is_read_only)


PUBLIC, READING, WRITING = Token(is_open=True), Token(), Token(writes=True)


class PerMinute(BaseThrottle):
    """So many requests a minute by token, fewer by address without one."""

    def allow_request(self, request: HttpRequest) -> bool:
        visitor: Visitor = request.auth  # type: ignore[attr-defined]
        most = settings.ESSAIM_API_PER_MINUTE if visitor.is_known else settings.ESSAIM_API_PUBLIC_PER_MINUTE
        return within_rate(visitor.name, most)

    def wait(self) -> float:
        return float(seconds_left())


def account_of(request: HttpRequest) -> Account | AnonymousUser:
    """The account behind the request."""
    return request.auth.account  # type: ignore[attr-defined]


def departements_of_units(level: str, units: Sequence[str]) -> list[str | None]:
    """The département of each unit of ``level``, None when it has none of its own."""
    if level in {"departement", "territory", "dsden"}:
        return [unit if unit in BY_CODE else None for unit in units]
    if level == "commune":
        return [unit[:3] if unit.startswith("97") else unit[:2] for unit in units]
    if level == "establishment":
        names = school_names(list(units))
        return [names[unit].departement if unit in names else None for unit in units]
    return [None for _ in units]


def sees_in_full(account: Account | AnonymousUser, level: str, units: Sequence[str]) -> bool:
    """Whether the figures of all ``units`` (all of the level when empty) lie in what ``account`` may see; otherwise they
    are given as to the public, small ones hidden."""
    scope = scope_of(account)
    if scope.is_national:
        return True
    if not units or scope.is_empty:
        return False
    places = departements_of_units(level, units)
    own = scope.uais if level == "establishment" else frozenset()
    return all(unit in own or (place is not None and place in scope.departements) for unit, place in zip(units, places, strict=True))
