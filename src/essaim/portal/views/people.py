"""One's own account: mandates, data to take away, erasure."""

from __future__ import annotations

import json

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from essaim.foundation import acts
from essaim.foundation.reads import mandates_of
from essaim.portal.reads.wording import mandate_words

WORD = "effacer"


@login_required
@require_GET
def account(request: HttpRequest) -> HttpResponse:
    """Who the platform thinks the reader is, and under which mandates it lets them act."""
    held = mandates_of(request.user)
    words = mandate_words(held)
    context = {"mandates": [(item, words[item.pk]) for item in held], "today": timezone.localdate(), "word": WORD}
    return render(request, "portal/accounts/account.html", context)


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
