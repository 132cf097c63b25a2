"""Accounts and mandates, for those who manage them. Nobody else learns that these pages exist."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from essaim.foundation import acts
from essaim.foundation.permissions import mandate_to_manage
from essaim.foundation.reads import managed_accounts, mandates_of
from essaim.portal.forms import AccountForm, MandateForm
from essaim.portal.reads.wording import mandate_words


def _managing(request: HttpRequest) -> None:
    if not request.user.is_authenticated or mandate_to_manage(request.user) is None:
        raise Http404


def _account(request: HttpRequest, pk: int) -> Any:
    found = managed_accounts(request.user).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@require_http_methods(["GET", "POST"])
def member_list(request: HttpRequest) -> HttpResponse:
    """Every account with its mandates in force; a form that opens another."""
    _managing(request)
    form = AccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            opened = acts.open_account(**given | {"password": given["password"] or None}, by=request.user)
        except acts.ActRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"Compte « {opened.username} » ouvert. Il ne peut rien tant qu'il n'a pas de mandat : donnez-lui le premier.")
            return redirect("comptes-un", opened.pk)
    text = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    page = Paginator(managed_accounts(request.user, text).prefetch_related("mandates"), 50).get_page(request.GET.get("page"))
    today = timezone.localdate()
    held = {item.pk: [m for m in item.mandates.all() if m.starts_on <= today and (m.ends_on is None or m.ends_on >= today)] for item in page}
    words = mandate_words(mandate for found in held.values() for mandate in found)
    rows = [(item, [words[mandate.pk] for mandate in held[item.pk]]) for item in page]
    return render(request, "portal/accounts/members.html", {"page": page, "rows": rows, "form": form, "text": text})


@require_GET
def member_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One account: its mandates, past and present, and a form that gives another."""
    _managing(request)
    return _detail(request, _account(request, pk), MandateForm())


def _detail(request: HttpRequest, member: Any, form: MandateForm) -> HttpResponse:
    held = mandates_of(member)
    words = mandate_words(held)
    context = {"member": member, "mandates": [(item, words[item.pk]) for item in held], "form": form, "today": timezone.localdate()}
    return render(request, "portal/accounts/member.html", context)


def _told(request: HttpRequest, pk: int, act: Any, success: str) -> HttpResponse:
    """Does the act, says so or why not, and comes back to the account."""
    try:
        act()
    except acts.ActRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, success)
    return redirect("comptes-un", pk)


@require_POST
def password_give(request: HttpRequest, pk: int) -> HttpResponse:
    """A provisional password for somebody who lost theirs or is locked out."""
    _managing(request)
    member, password = _account(request, pk), request.POST.get("password", "")
    success = "Mot de passe provisoire enregistré : donnez-le à la personne, qui le changera dans « Mon compte »."
    return _told(request, pk, lambda: acts.change_password(account=member, password=password, by=request.user), success)


@require_POST
def access_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Closes an account, or opens it again."""
    _managing(request)
    member = _account(request, pk)
    if request.POST.get("acte") == "rouvrir":
        return _told(request, pk, lambda: acts.reopen_account(account=member, by=request.user), "Compte rouvert.")
    return _told(request, pk, lambda: acts.close_account(account=member, by=request.user), "Compte fermé : il n'ouvre plus rien.")


@require_POST
def mandate_grant(request: HttpRequest, pk: int) -> HttpResponse:
    """Gives a mandate; what cannot be given is told beside the form."""
    _managing(request)
    member, form = _account(request, pk), MandateForm(request.POST)
    if form.is_valid():
        given = {name: form.cleaned_data[name] for name in ("role", "scope", "organisation", "starts_on", "ends_on")}
        try:
            acts.grant_mandate(account=member, by=request.user, **given)
        except acts.ActRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Mandat donné.")
            return redirect("comptes-un", pk)
    return _detail(request, member, form)


@require_POST
def mandate_end(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Ends a mandate at once. Somebody else who ended it meanwhile is not overwritten: the reader is told."""
    _managing(request)
    mandate = _account(request, pk).mandates.filter(pk=number).first()
    if mandate is None:
        raise Http404
    shown = request.POST.get("shown", "")
    if shown != (mandate.ends_on.isoformat() if mandate.ends_on else ""):
        messages.error(request, "Ce mandat a changé depuis que vous l'avez affiché : voici ce qu'il est devenu.")
        return redirect("comptes-un", pk)
    # Both days of a mandate count: one begun today cannot end before tonight.
    success = "Mandat terminé : commencé aujourd'hui, il s'arrête ce soir." if mandate.starts_on >= timezone.localdate() else "Mandat terminé : il n'ouvre plus rien."
    return _told(request, pk, lambda: acts.end_mandate(mandate=mandate, by=request.user), success)
