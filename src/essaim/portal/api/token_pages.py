"""The page where people create and revoke the tokens of their programs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from dsfr.forms import DsfrBaseForm

from essaim.foundation.acts import ActRefused
from essaim.foundation.acts.tokens import LONGEST_DAYS, create_token, revoke_token
from essaim.foundation.reads import active_mandates
from essaim.foundation.reads.tokens import tokens_of


class TokenForm(DsfrBaseForm):
    """What the token is for, the mandate it lends, until when, and whether it may write."""

    label = forms.CharField(label="À quoi servira ce jeton ?", max_length=120, help_text="Par exemple : envoi nocturne des livraisons.")
    mandate = forms.ChoiceField(label="Mandat prêté au programme")
    expires_on = forms.DateField(label="Valable jusqu'au", widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
    may_write = forms.BooleanField(label="Autoriser à déposer, accepter et corriger (sinon, lecture seule)", required=False)

    def __init__(self, *args: Any, account: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        today = timezone.localdate()
        self.mandates = {str(item.pk): item for item in active_mandates(account)}
        self.fields["mandate"].choices = [(key, str(item)) for key, item in self.mandates.items()]  # type: ignore[attr-defined]
        self.fields["expires_on"].initial = today + timedelta(days=90)
        limits = {"min": today.isoformat(), "max": (today + timedelta(days=LONGEST_DAYS)).isoformat()}
        self.fields["expires_on"].widget.attrs.update(limits)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def token_list(request: HttpRequest) -> HttpResponse:
    """The tokens of the reader; a new one is shown once, on the answer to its creation."""
    form = TokenForm(request.POST or None, account=request.user)
    context: dict[str, Any] = {"form": form}
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            given = form.cleaned_data
            try:
                issued = create_token(
                    account=request.user, mandate=form.mandates[given["mandate"]], label=given["label"], by=request.user,
                    expires_on=given["expires_on"], is_read_only=not given["may_write"],
                )  # fmt: skip
            except ActRefused as refusal:
                form.add_error(None, str(refusal))
            else:
                context, status = {"form": TokenForm(account=request.user), "issued": issued}, 201
    context |= {"tokens": tokens_of(request.user), "now": timezone.now()}
    return render(request, "portal/api/tokens.html", context, status=status)


@login_required
@require_POST
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Makes one token of the reader useless; 404 for anybody else's."""
    token = get_object_or_404(tokens_of(request.user), pk=pk)
    revoke_token(token=token, by=request.user)
    messages.success(request, f"Le jeton « {token.label} » est révoqué : il ne donne plus accès à rien.")
    return redirect("jetons")
