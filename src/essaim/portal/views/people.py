"""One's own account: mandates, data to take away, erasure."""

from __future__ import annotations

import json

from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from essaim.foundation import acts
from essaim.foundation.reads import mandates_of
from essaim.portal.forms import PasswordForm
from essaim.portal.limits import within_rate
from essaim.portal.reads.wording import mandate_words

WORD = "effacer"
# Times a minute that the current password may be tried from an open session.
_TRIES = 5


@login_required
@require_GET
def account(request: HttpRequest) -> HttpResponse:
    """Who the platform thinks the reader is, and under which mandates it lets them act."""
    return _shown(request, PasswordForm(), 200)


def _shown(request: HttpRequest, form: PasswordForm, status: int) -> HttpResponse:
    held = mandates_of(request.user)
    words = mandate_words(held)
    context = {"mandates": [(item, words[item.pk]) for item in held], "today": timezone.localdate(), "word": WORD, "form": form}
    return render(request, "portal/accounts/account.html", context, status=status)


@login_required
@require_POST
def account_password(request: HttpRequest) -> HttpResponse:
    """A new password for the reader, who says the present one; their other sessions end, this one stays."""
    form = PasswordForm(request.POST)
    if not within_rate(f"password:{request.user.pk}", _TRIES):
        form.add_error(None, "Trop d'essais : attendez une minute, puis recommencez.")
    if form.is_valid():
        given = form.cleaned_data
        try:
            acts.change_password(account=request.user, password=given["password"], current=given["current"], by=request.user)
        except acts.ActRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            update_session_auth_hash(request, request.user)
            messages.success(request, "Mot de passe changé. Vos autres sessions sont fermées.")
            return redirect("compte")
    return _shown(request, form, 400)


@login_required
@require_POST
def account_data(request: HttpRequest) -> HttpResponse:
    """Everything kept about the reader, as a file."""
    told = acts.export_person(account=request.user, by=request.user)
    content = json.dumps(told, ensure_ascii=False, indent=2, default=str)
    return HttpResponse(content, content_type="application/json", headers={"Content-Disposition": 'attachment; filename="mes-donnees-essaim.json"'})


@login_required
@require_POST
def account_erase(request: HttpRequest) -> HttpResponse:
    """The reader's identity forgotten, once they wrote the word that confirms it; the session ends."""
    if request.POST.get("confirmation", "").strip().lower() != WORD:
        messages.error(request, f"Rien n'a été effacé : écrivez « {WORD} » pour confirmer.")
        return redirect("compte")
    try:
        acts.erase_person(account=request.user, by=request.user)
    except acts.ActRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("compte")
    logout(request)
    messages.success(request, "Votre identité est effacée. Vos actes restent au journal, sans votre nom.")
    return redirect("accueil")
