"""The OpenID Connect provider, as it describes itself (Discovery 1.0)."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

import requests
from django.conf import settings
from django.urls import reverse

_KEPT_SECONDS = 3600
_lock = threading.Lock()
_known: dict[str, tuple[float, Provider]] = {}


class ProviderRefused(Exception):
    """The provider cannot be used; ``args[0]`` is the French message."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Addresses of a provider. ``end_session`` is empty when it does not offer to end its own session."""

    issuer: str
    authorization: str
    token: str
    userinfo: str
    keys: str
    end_session: str


def is_offered() -> bool:
    """Whether an OpenID Connect provider is configured."""
    return bool(settings.ESSAIM_OIDC_ISSUER and settings.OIDC_RP_CLIENT_ID)


def sign_in_address() -> str:
    """Where the sign-in button leads; empty without a provider."""
    return reverse("oidc-connexion") if is_offered() else ""


def provider() -> Provider:
    """The configured provider; its description is read once an hour. ProviderRefused when it cannot be."""
    issuer = settings.ESSAIM_OIDC_ISSUER
    with _lock:
        read_at, found = _known.get(issuer, (0.0, None))
        if found is None or time.monotonic() - read_at > _KEPT_SECONDS:
            found = _described(issuer)
            _known[issuer] = (time.monotonic(), found)
    return found


def forget() -> None:
    """Read the description again next time."""
    _known.clear()


def _described(issuer: str) -> Provider:
    try:
        answer = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=settings.OIDC_TIMEOUT)
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        found = Provider(
            issuer=told["issuer"],
            authorization=told["authorization_endpoint"],
            token=told["token_endpoint"],
            userinfo=told["userinfo_endpoint"],
            keys=told["jwks_uri"],
            end_session=told.get("end_session_endpoint", ""),
        )
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        raise ProviderRefused(f"{settings.ESSAIM_OIDC_NAME} ne répond pas. Réessayez dans quelques minutes.") from error
    if found.issuer.rstrip("/") != issuer:
        raise ProviderRefused(f"{settings.ESSAIM_OIDC_NAME} se présente sous un autre nom que celui attendu : connexion refusée.")
    return found
