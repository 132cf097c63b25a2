"""Keeping ways of looking at the tracking page."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from essaim.equipment.models import SavedView
from essaim.foundation import clock
from essaim.foundation.acts import ActForbidden, ActRefused
from essaim.foundation.acts.journal import record
from essaim.foundation.models import Account

MOST = 50


def save_view(*, name: str, query: str, by: Account) -> SavedView:
    """Keep ``query`` under ``name``; the same name again replaces what it held. Refuses an empty or long name, a query too
    long, and more than MOST views."""
    title = _title(name)
    if len(query) > 1000:
        raise ActRefused("Ces filtres sont trop longs pour être enregistrés : simplifiez-les.")
    mine = SavedView.objects.filter(account=by)
    if mine.exclude(name=title).count() >= MOST:
        raise ActRefused(f"Vous avez déjà {MOST} vues : supprimez-en une d'abord.")
    with transaction.atomic():
        view, _ = SavedView.objects.update_or_create(account=by, name=title, defaults={"query": query, "saved_at": clock.now()})
        record("save_view", view, by=by, title=title)
    return view


def rename_view(*, view: SavedView, name: str, by: Account) -> SavedView:
    """Give another name. Refuses a name already used, and a view of somebody else."""
    _own(view, by)
    title = _title(name)
    try:
        with transaction.atomic():
            SavedView.objects.filter(pk=view.pk).update(name=title)
            record("rename_view", view, by=by, title=title)
    except IntegrityError as error:
        raise ActRefused(f"Vous avez déjà une vue « {title} » : choisissez un autre nom.") from error
    view.name = title
    return view


def delete_view(*, view: SavedView, by: Account) -> None:
    """Forget a view. Refuses a view of somebody else."""
    _own(view, by)
    with transaction.atomic():
        record("delete_view", view, by=by, title=view.name)
        view.delete()


def _own(view: SavedView, by: Account) -> None:
    if view.account_id != by.pk:
        raise ActForbidden("Cette vue est celle de quelqu'un d'autre.")


def _title(name: str) -> str:
    title = " ".join(name.replace("\x00", "").split())
    if not title:
        raise ActRefused("Donnez un nom à cette vue.")
    if len(title) > 80:
        raise ActRefused("Ce nom dépasse 80 caractères : raccourcissez-le.")
    return title
