"""A school director confirms what arrived, from a phone."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from essaim.equipment import acts
from essaim.equipment.reads import receptions
from essaim.equipment.reads.naming import sender_names
from essaim.foundation.acts import ActRefused


@login_required
@require_GET
def reception(request: HttpRequest) -> HttpResponse:
    """Deliveries that the reader's schools have still to confirm, newest first, and what they confirmed."""
    uais = receptions.schools_directed(request.user)
    parcels = receptions.awaiting(uais)
    context = {
        "parcels": parcels, "uais": uais, "schools": receptions.school_titles(uais), "several": len(uais) > 1,
        "senders": sender_names({sender for item in parcels for sender in item.senders}),
        "confirmed": receptions.confirmations(uais), "today": timezone.localdate(),
    }  # fmt: skip
    return render(request, "portal/equipment/reception.html", context)


def _school(request: HttpRequest, uai: str) -> str:
    if uai not in receptions.schools_directed(request.user):
        raise Http404
    return uai


@login_required
@require_POST
def reception_whole(request: HttpRequest, uai: str) -> HttpResponse:
    """Everything is there and works."""
    reference = request.POST.get("bon", "")
    try:
        receipt = acts.confirm_receipt(uai=_school(request, uai), delivery_ref=reference, by=request.user)
    except ActRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _thanks(receipt))
    return redirect("reception")


def _thanks(receipt: acts.Receipt) -> str:
    if receipt.was_known:
        return "Cette livraison était déjà confirmée : rien n'a été compté deux fois."
    many = "s" if receipt.units > 1 else ""
    return f"Merci ! Réception de {receipt.units} appareil{many} enregistrée."


@login_required
@require_http_methods(["GET", "POST"])
def reception_detail(request: HttpRequest, uai: str) -> HttpResponse:
    """Something is missing or does not work: how many of each, in what state."""
    reference = (request.POST if request.method == "POST" else request.GET).get("bon", "")
    waiting = receptions.parcel(_school(request, uai), reference)
    if waiting is None:
        messages.info(request, "Cette livraison n'attend plus de confirmation.")
        return redirect("reception")
    typed: dict[str, dict[str, Any]] = {item.category: {"quantity": item.quantity, "works": True, "comment": ""} for item in waiting.items}
    error = ""
    if request.method == "POST":
        typed = {item.category: _typed(request, item.category) for item in waiting.items}
        try:
            receipt = acts.confirm_receipt(
                uai=uai, delivery_ref=reference, by=request.user, received=_received(typed), received_on=_day(request)
            )
        except ActRefused as refusal:
            error = str(refusal)
        else:
            messages.success(request, _thanks(receipt))
            return redirect("reception")
    context = {
        "parcel": waiting, "lines": [(item, typed[item.category]) for item in waiting.items], "error": error,
        "school": receptions.school_titles({uai})[uai], "senders": sender_names(set(waiting.senders)),
        "today": timezone.localdate(), "day": request.POST.get("recu_le") or timezone.localdate().isoformat(),
    }  # fmt: skip
    return render(request, "portal/equipment/reception_detail.html", context, status=400 if error else 200)


def _typed(request: HttpRequest, category: str) -> dict[str, Any]:
    return {
        "quantity": request.POST.get(f"quantite-{category}", "").strip()[:12],
        "works": request.POST.get(f"marche-{category}", "oui") == "oui",
        "comment": request.POST.get(f"remarque-{category}", "").replace("\x00", "").strip()[:3000],
    }


def _received(typed: dict[str, dict[str, Any]]) -> dict[str, acts.Received]:
    found = {}
    for category, said in typed.items():
        if not said["quantity"].isdecimal():
            raise ActRefused("Écrivez chaque quantité en chiffres ; 0 si rien n'est arrivé.")
        found[category] = acts.Received(int(said["quantity"]), said["works"], said["comment"])
    return found


def _day(request: HttpRequest) -> date:
    try:
        return date.fromisoformat(request.POST.get("recu_le", ""))
    except ValueError as error:
        raise ActRefused("Écrivez la date de réception sous la forme 31/08/2026.") from error
