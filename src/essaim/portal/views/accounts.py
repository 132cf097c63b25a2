"""Signing in and out with a local account."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import views as auth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from essaim.foundation.reads.people import locked_until
from essaim.portal.forms import SignInForm
from essaim.portal.limits import client_address
from essaim.portal.refusals import why_sign_in
from essaim.portal.sign_in.provider import sign_in_address


class SignIn(auth.LoginView):
    """Local sign-in; the address to come back to is checked to be ours."""

    template_name = "portal/accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs) | {"why": why_sign_in(self.request)}
        if address := sign_in_address():
            context |= {"oidc": f"{address}?{urlencode({'next': context['next']})}", "oidc_name": settings.ESSAIM_OIDC_NAME}
        if settings.ESSAIM_DEMO:
            from essaim.portal.reads.accounts import demonstration_accounts

            context["demonstration"] = demonstration_accounts()
        return context


def locked_out(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """Shown after too many failures: says until when, and what to do."""
    until = locked_until(request.POST.get("username", ""), client_address(request))
    context = {"until": until, "oidc": sign_in_address(), "oidc_name": settings.ESSAIM_OIDC_NAME, "next": request.GET.get("next", "")}
    response = render(request, "portal/accounts/locked.html", context, status=429)
    if until is not None:
        response.headers["Retry-After"] = str(max(1, int((until - timezone.now()).total_seconds())))
    return response
