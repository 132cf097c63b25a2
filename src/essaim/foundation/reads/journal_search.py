"""Searching the journal: by words, act, person, object and days."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.contrib.auth.models import AnonymousUser
from django.db.models import CharField, Q, QuerySet
from django.db.models.functions import Cast
from django.utils import timezone

from ..models import Account, Act
from .journal import visible_acts

ACT_LABELS = {
    "accept": "Acceptation demandée", "accepted": "Dépôt accepté", "answer": "Réponse aux questions", "arrive": "Première connexion",
    "check": "Vérification", "change_password": "Mot de passe changé", "close_account": "Compte fermé", "reopen_account": "Compte rouvert", "create_token": "Jeton créé", "end_mandate": "Mandat terminé", "erase_person": "Personne effacée",
    "export_person": "Données personnelles remises", "grant_mandate": "Mandat donné", "link_identity": "Identité rattachée",
    "local_administrator": "Administrateur local créé", "not_posted": "Inscription abandonnée", "open_account": "Compte ouvert",
    "purge": "Fichier purgé", "receive": "Dépôt reçu", "receive_again": "Dépôt déjà connu", "refuse": "Dépôt refusé",
    "revoke_token": "Jeton révoqué", "withdraw": "Retrait demandé", "withdrawn": "Dépôt retiré",
}  # fmt: skip


def found_acts(
    account: Account | AnonymousUser,
    *,
    text: str = "",
    name: str = "",
    person: str = "",
    object_type: str = "",
    object_id: str = "",
    since: date | None = None,
    until: date | None = None,
) -> QuerySet[Act]:
    """Acts that ``account`` may read, newest first, narrowed. ``text`` is looked for in the details and the label of the act,
    ``person`` in the name and login of who did it; days are both included, in Paris."""
    found = visible_acts(account).select_related("account", "mandate")
    exact = {"name": name, "object_type": object_type, "object_id": object_id}
    found = found.filter(**{key: wish for key, wish in exact.items() if wish})
    if text.strip():
        labelled = [code for code, label in ACT_LABELS.items() if text.strip().lower() in label.lower()]
        found = found.alias(said=Cast("details", CharField())).filter(
            Q(said__icontains=text.strip()) | Q(said__icontains=_escaped(text.strip())) | Q(name__in=labelled)
        )
    for word in person.split():
        named = Q(account__given_name__icontains=word) | Q(account__family_name__icontains=word) | Q(account__username__icontains=word)
        found = found.filter(named)
    if since:
        found = found.filter(at__gte=timezone.make_aware(datetime.combine(since, time.min)))
    if until:
        found = found.filter(at__lt=timezone.make_aware(datetime.combine(until + timedelta(days=1), time.min)))
    return found


def _escaped(text: str) -> str:
    """``text`` as JSON escapes it: databases may keep « é » as ``\\u00e9``."""
    import json

    return json.dumps(text)[1:-1]
