"""What senders are called, for those who may say it. Nobody else learns that the page exists."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from essaim.equipment.reads.naming import known_names, nameless
from essaim.foundation.acts import ActRefused
from essaim.portal.forms import OrganisationNameForm
from essaim.territories import acts
from essaim.territories.reads.naming import given_names

SHOWN = 100


@require_http_methods(["GET", "POST"])
def organisation_names(request: HttpRequest) -> HttpResponse:
    """The SIREN that nobody can name, a form that names one, and the names already given."""
    if not request.user.is_authenticated or not acts.may_name(request.user):
        raise Http404
    wanted = request.GET.get("siren", "").replace("\x00", "").strip()[:20]
    form = OrganisationNameForm(request.POST or None, initial={"siren": wanted, "name": known_names([wanted]).get(wanted, "")})
    if request.method == "POST" and form.is_valid():
        try:
            acts.name_organisation(**form.cleaned_data, by=request.user)
        except ActRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"« {form.cleaned_data['name']} » : c'est sous ce nom que l'organisme apparaît désormais partout.")
            return redirect("organismes")
    unknown, given = nameless(request.user), sorted(given_names().items(), key=lambda item: item[1])
    context = {"form": form, "wanted": wanted, "unknown": unknown[:SHOWN], "count": len(unknown), "given": given[:SHOWN], "given_count": len(given)}
    return render(request, "portal/accounts/organisations.html", context, status=400 if form.errors else 200)
