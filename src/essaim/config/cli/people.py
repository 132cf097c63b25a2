"""`essaim accounts`: people of an installation, from the command line."""

from __future__ import annotations

import click

from essaim.config.cli.home import Denied, account, open_installation


@click.group()
def accounts() -> None:
    """Les comptes et leurs mandats."""


@accounts.command("list")
def list_accounts() -> None:
    """Liste les comptes et leurs mandats en cours."""
    open_installation()
    from essaim.foundation.models import Account
    from essaim.foundation.scopes import active_mandates

    for item in Account.objects.filter(erased_at__isnull=True):
        click.echo(f"{item.username:<28} {'actif' if item.is_active else 'fermé'}")
        for mandate in active_mandates(item):
            click.echo(f"    {mandate.get_role_display()} — {mandate.scope} depuis le {mandate.starts_on:%d/%m/%Y}")


@accounts.command("open")
@click.argument("username", metavar="COMPTE")
@click.option("--email", default="", help="Adresse électronique, qui sert aussi à se connecter.")
@click.option("--organisation", default="", help="Organisme de la personne, en toutes lettres.")
@click.password_option(prompt="Mot de passe", confirmation_prompt="Encore une fois", help="Mot de passe ; demandé sans être affiché quand il n'est pas donné.")
def open_one(username: str, email: str, organisation: str, password: str) -> None:
    """Ouvre un compte local, dont COMPTE est l'identifiant."""
    open_installation()
    from essaim.foundation import acts

    try:
        acts.open_account(username=username, email=email, organisation=organisation, password=password, by=account(None))
    except acts.ActRefused as refusal:
        raise Denied(str(refusal)) from refusal
    click.echo(f"Compte « {username} » ouvert. Donnez-lui un mandat : essaim accounts grant {username} --role … --scope …")


@accounts.command("password")
@click.argument("username", metavar="COMPTE")
@click.password_option(prompt="Nouveau mot de passe", confirmation_prompt="Encore une fois", help="Mot de passe ; demandé sans être affiché quand il n'est pas donné.")
def password_one(username: str, password: str) -> None:
    """Donne un mot de passe provisoire à COMPTE, et le débloque s'il l'était."""
    _acted("change_password", username, f"Mot de passe de « {username} » changé ; ses sessions sont fermées.", password=password)


@accounts.command("close")
@click.argument("username", metavar="COMPTE")
def close_one(username: str) -> None:
    """Ferme COMPTE : sessions et jetons n'ouvrent plus rien ; ses mandats et ses actes restent."""
    _acted("close_account", username, f"Compte « {username} » fermé.")


@accounts.command("reopen")
@click.argument("username", metavar="COMPTE")
def reopen_one(username: str) -> None:
    """Rouvre COMPTE."""
    _acted("reopen_account", username, f"Compte « {username} » rouvert.")


def _acted(act: str, username: str, success: str, **given: str) -> None:
    open_installation()
    from essaim.foundation import acts

    try:
        getattr(acts, act)(account=account(username), by=account(None), **given)
    except acts.ActRefused as refusal:
        raise Denied(str(refusal)) from refusal
    click.echo(success)


@accounts.command("grant")
@click.argument("username", metavar="COMPTE")
@click.option("--role", required=True, help="national_steering, territory_lead, authority_contributor, school_director, evaluator, auditor, administrator…")
@click.option("--scope", required=True, help="national, administrative/departement/02, owner/organisation/SIREN, establishment/UAI…")
@click.option("--organisation", default="", help="SIREN ou code de l'organisme dont il envoie les données.")
def grant(username: str, role: str, scope: str, organisation: str) -> None:
    """Donne un mandat à COMPTE, à partir d'aujourd'hui."""
    open_installation()
    from essaim.foundation import acts

    try:
        acts.grant_mandate(account=account(username), role=role, scope=scope, organisation=organisation, by=account(None))
    except acts.ActRefused as refusal:
        raise Denied(str(refusal)) from refusal
    click.echo("Mandat donné.")
