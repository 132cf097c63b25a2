"""Signing in through the provider, and out of both."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.decorators import login_required
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from essaim.foundation.acts import ActRefused
from essaim.foundation.reads import active_mandates
from essaim.portal.sign_in.backend import discovered
from essaim.portal.sign_in.provider import ProviderRefused, is_offered, provider

LOG = logging.getLogger("essaim.sign_in")
_FAREWELL = "oidc_farewell"


def _refused(request: HttpRequest, reason: str, status: int) -> HttpResponse:
    context = {"reason": reason, "provider": settings.ESSAIM_OIDC_NAME}
    return render(request, "portal/sign_in/refused.html", context, status=status)


class Start(OIDCAuthenticationRequestView):
    """Sends to the provider, with a state, a nonce and a PKCE challenge of its own."""

    def __init__(self, **kwargs: Any) -> None:
        """The addresses are asked when a request comes, not before."""

    @staticmethod
    def get_settings(attr: str, *args: Any) -> Any:
        return discovered(attr, *args)

    def get(self, request: HttpRequest) -> HttpResponse:
        if not is_offered():
            raise Http404
        try:
            super().__init__()
            return super().get(request)
        except ProviderRefused as refusal:
            return _refused(request, str(refusal), 503)


class Return(OIDCAuthenticationCallbackView):
    """Takes back who signed in; whatever cannot be proved is refused with a page that says what to do."""

    @staticmethod
    def get_settings(attr: str, *args: Any) -> Any:
        return discovered(attr, *args)

    def get(self, request: HttpRequest) -> HttpResponse:
        if not is_offered():
            raise Http404
        try:
            if request.GET.get("state", "") not in request.session.get("oidc_states", {}):
                raise SuspiciousOperation("the state is not one of ours")
            return super().get(request)
        except SuspiciousOperation as error:
            LOG.warning("sign-in refused: %s", error)
            again = f"La réponse de {settings.ESSAIM_OIDC_NAME} n'a pas pu être vérifiée, ou elle a déjà servi. Recommencez la connexion."
            return _refused(request, again, 400)
        except (ProviderRefused, ActRefused) as refusal:
            return _refused(request, str(refusal), 503 if isinstance(refusal, ProviderRefused) else 400)

    def login_failure(self) -> HttpResponse:
        reason = "La connexion a été abandonnée, ou ce compte est fermé. Recommencez, ou écrivez à l'administration de la plateforme."
        return _refused(self.request, reason, 403)

    @property
    def success_url(self) -> str:
        if not active_mandates(self.user):
            return reverse("sans-mandat")
        return super().success_url


@login_required
@require_GET
def without_mandate(request: HttpRequest) -> HttpResponse:
    """What to do while nobody has granted a mandate yet."""
    if active_mandates(request.user):
        return redirect(settings.LOGIN_REDIRECT_URL)
    return render(request, "portal/sign_in/without_mandate.html", {"provider": settings.ESSAIM_OIDC_NAME})


@never_cache
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Ends the session here, then at the provider when the person came from it."""
    address = _end_session_address(request)
    auth.logout(request)
    if not address:
        return redirect(settings.LOGOUT_REDIRECT_URL)
    request.session[_FAREWELL] = address
    return redirect("deconnexion-fournisseur")


def _end_session_address(request: HttpRequest) -> str:
    """Where the provider ends its own session (RP-Initiated Logout 1.0); empty when there is nothing to end."""
    hint = request.session.get("oidc_id_token")
    if not hint or not is_offered():
        return ""
    try:
        end = provider().end_session
    except ProviderRefused:
        return ""
    if not end:
        return ""
    back = settings.ESSAIM_BASE_URL + resolve_url(settings.LOGOUT_REDIRECT_URL)
    asked = {"id_token_hint": hint, "state": get_random_string(32), "post_logout_redirect_uri": back, "client_id": settings.OIDC_RP_CLIENT_ID}
    return f"{end}?{urlencode(asked)}"


@never_cache
@require_GET
def farewell(request: HttpRequest) -> HttpResponse:
    """Leads to the provider to end its session too. A page, because a form may only lead to this site (form-action)."""
    address = request.session.pop(_FAREWELL, "")
    if not address:
        return redirect(settings.LOGOUT_REDIRECT_URL)
    response = render(request, "portal/sign_in/farewell.html", {"address": address, "provider": settings.ESSAIM_OIDC_NAME})
    response.headers["Refresh"] = f"1; url={address}"
    return response
