"""Opening an installation from the command line: database created and migrated on first use, local administrator."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from essaim.foundation.models import Account


class Denied(click.ClickException):
    """An act refused by the rules of the installation, told in plain words."""

    exit_code = 4


def open_installation(*, migrate: bool = True) -> None:
    """Sets Django up on ESSAIM_HOME; creates or upgrades the database when needed (nothing is printed)."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "essaim.config.settings")
    import django

    django.setup()
    from django.conf import settings

    Path(settings.HOME).mkdir(parents=True, exist_ok=True)
    if migrate and _pending():
        from django.core.management import call_command

        call_command("migrate", verbosity=0, interactive=False)


def _pending() -> bool:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def account(name: str | None) -> Account:
    """The account called ``name`` (identifier or address), or the local administrator of the command line."""
    from essaim.foundation.acts import local_administrator
    from essaim.foundation.models import Account as Model

    if name in (None, "admin"):
        return local_administrator()
    found = Model.objects.filter(username=name).first() or Model.objects.filter(email__iexact=name or "").first()
    if found is None:
        raise Denied(f"Aucun compte « {name} ». La liste : essaim accounts list")
    return found


def need_register() -> None:
    """Refuses where no place is known yet: nothing can be asked of an installation without a register."""
    from essaim.territories.reads import register_stamp

    if not register_stamp():
        raise Denied("Cette installation ne connaît encore aucun établissement. Chargez le registre : essaim register load FICHIER… (ou la démonstration : essaim demo).")


def progress(label: str) -> Any:
    """A progress bar on standard error, silent when it is not a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    return Progress(
        TextColumn(label), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn(),
        console=console, transient=True, disable=not console.is_terminal,
    )
