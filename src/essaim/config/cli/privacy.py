"""`essaim privacy`: retention, and a person's data handed over or erased."""

from __future__ import annotations

import json
from pathlib import Path

import click

from essaim.config.cli.home import Denied, account, open_installation


@click.group()
def privacy() -> None:
    """Durées de conservation, données d'une personne."""


@privacy.command("purge")
def purge() -> None:
    """Applique les durées de conservation des réglages ; à lancer chaque nuit."""
    open_installation()
    from essaim.foundation import acts

    done = acts.purge(by=account(None))
    click.echo(
        f"Fichiers refusés oubliés : {done.files} ; sans suite : {done.given_up} ; comptes effacés : {done.accounts} ; "
        f"jetons : {done.tokens} ; sessions : {done.sessions} ; tentatives de connexion : {done.attempts}."
    )


@privacy.command("export")
@click.argument("username", metavar="COMPTE")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Fichier JSON ; par défaut la sortie standard.")
def export(username: str, out: Path | None) -> None:
    """Remet à COMPTE tout ce que la plateforme garde à son sujet."""
    open_installation()
    from essaim.foundation import acts

    text = json.dumps(acts.export_person(account=account(username), by=account(None)), ensure_ascii=False, indent=2, default=str)
    if out is None:
        click.echo(text)
    else:
        out.write_text(text + "\n", encoding="utf-8")


@privacy.command("erase")
@click.argument("username", metavar="COMPTE")
@click.confirmation_option(prompt="Effacer définitivement l'identité de cette personne ?")
def erase(username: str) -> None:
    """Efface l'identité de COMPTE ; ses actes restent au journal, sans son nom, et aucun chiffre ne change."""
    open_installation()
    from essaim.foundation import acts

    try:
        acts.erase_person(account=account(username), by=account(None))
    except acts.ActRefused as refusal:
        raise Denied(str(refusal)) from refusal
    click.echo(f"L'identité de « {username} » est effacée.")
