"""Who comes back from the provider: mozilla-django-oidc, and what it does not check (issuer, audience, lifetime, subject)."""

from __future__ import annotations

import time
from typing import Any

import jwt
import requests
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from essaim.foundation.acts.arrivals import Claims, account_arriving
from essaim.foundation.models import Account
from essaim.foundation.reads import open_account
from essaim.portal.sign_in.provider import is_offered, provider

_LEEWAY_SECONDS = 30
_OLDEST_SECONDS = 600


class SignInRefused(SuspiciousOperation):
    """What came back from the provider cannot be trusted."""


def discovered(name: str, *default: Any) -> Any:
    """A setting of mozilla-django-oidc: the addresses come from the provider's description, the rest from the settings."""
    addresses = {
        "OIDC_OP_TOKEN_ENDPOINT": "token",
        "OIDC_OP_USER_ENDPOINT": "userinfo",
        "OIDC_OP_JWKS_ENDPOINT": "keys",
        "OIDC_OP_AUTHORIZATION_ENDPOINT": "authorization",
    }
    if name in addresses:
        return getattr(provider(), addresses[name]) if is_offered() else ""
    return getattr(settings, name, *default)


class ProviderBackend(OIDCAuthenticationBackend):
    """Accounts are found by issuer and subject, never by address."""

    def __init__(self) -> None:
        """Reads no setting yet: Django builds every backend at each request, and the provider may be away."""
        self.UserModel = Account

    @staticmethod
    def get_settings(attr: str, *args: Any) -> Any:
        return discovered(attr, *args)

    def authenticate(self, request: Any, **kwargs: Any) -> Account | None:
        """The account of who came back with a code; None for any other way of signing in. SignInRefused otherwise."""
        if not is_offered() or "nonce" not in kwargs or not kwargs["nonce"]:
            return None
        super().__init__()
        try:
            return super().authenticate(request, **kwargs)
        except (jwt.PyJWTError, requests.RequestException, KeyError, ValueError, TypeError) as error:
            raise SignInRefused(f"sign-in refused: {type(error).__name__}") from error

    def get_payload_data(self, token: str, key: Any) -> dict[str, Any]:
        """The claims of a token signed by the provider, for us, and alive. An unsigned token is never read."""
        return jwt.decode(
            token, key, algorithms=[self.OIDC_RP_SIGN_ALGO], audience=settings.OIDC_RP_CLIENT_ID,
            issuer=provider().issuer, leeway=_LEEWAY_SECONDS, options={"require": ["iss", "aud", "sub"]},
        )  # fmt: skip

    def verify_token(self, token: str, **kwargs: Any) -> dict[str, Any]:
        """The claims of the identity token: signature, issuer, audience, authorised party, lifetime, nonce."""
        nonce = kwargs.get("nonce")
        if not nonce:
            raise SignInRefused("a nonce is required")
        claims = super().verify_token(token, nonce=nonce)
        missing = {"exp", "iat"} - claims.keys()
        party = claims.get("azp", settings.OIDC_RP_CLIENT_ID)
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if missing or party != settings.OIDC_RP_CLIENT_ID or (several and "azp" not in claims):
            raise SignInRefused("the identity token is not for us")
        if time.time() - claims["iat"] > _OLDEST_SECONDS:
            raise SignInRefused("the identity token is not recent")
        return claims

    def get_userinfo(self, access_token: str, id_token: str, payload: dict[str, Any]) -> dict[str, Any]:
        """What the provider says of the person, in JSON or as a signed token; it must be the same person."""
        answer = requests.get(
            self.OIDC_OP_USER_ENDPOINT, headers={"Authorization": f"Bearer {access_token}"}, timeout=settings.OIDC_TIMEOUT
        )
        answer.raise_for_status()
        if answer.headers.get("content-type", "").lower().startswith("application/jwt"):
            key = self.retrieve_matching_jwk(answer.text)
            told = self.get_payload_data(answer.text, key)
        else:
            told = answer.json()
        if not isinstance(told, dict) or told.get("sub") != payload["sub"]:
            raise SignInRefused("the provider speaks of somebody else")
        return told

    def get_or_create_user(self, access_token: str, id_token: str, payload: dict[str, Any]) -> Account | None:
        """The account of this issuer and subject, opened without any mandate the first time."""
        told = self.get_userinfo(access_token, id_token, payload)
        return account_arriving(issuer=payload["iss"], subject=payload["sub"], claims=claims_of(told))

    def get_user(self, user_id: Any) -> Account | None:
        """The account of a session; None once it is closed."""
        return open_account(user_id)


def claims_of(told: dict[str, Any]) -> Claims:
    """What ProConnect (``usual_name``, ``siret``) or any provider (``family_name``) says of a person."""

    def text(*names: str) -> str:
        return next((str(told[name]).strip() for name in names if told.get(name)), "")

    return Claims(
        given_name=text("given_name"), family_name=text("usual_name", "family_name"), email=text("email"), siret=text("siret")
    )
