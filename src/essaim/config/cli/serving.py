"""`essaim run` and `essaim demo`: the site and its worker, started together."""

from __future__ import annotations

import errno
import os
import socket
import sys
from typing import NoReturn

import click

from essaim.config.cli.home import Denied, open_installation


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Adresse écoutée ; 0.0.0.0 pour toutes.")
@click.option("--port", type=int, default=8000, show_default=True, help="Port écouté.")
@click.option("--workers", type=int, default=2, show_default=True, help="Processus du site.")
@click.option("--demo/--no-demo", default=True, help="Charge la démonstration au premier lancement.")
def run(host: str, port: int, workers: int, demo: bool) -> None:
    """Lance le site et son ouvrier ; au premier lancement, crée la base et la démonstration."""
    _refuse_taken(host, port)
    os.environ.setdefault("ESSAIM_BASE_URL", f"http://{host}:{port}")
    if demo:
        os.environ.setdefault("ESSAIM_DEMO", "1")
    open_installation()
    _collect_static()
    if demo:
        from essaim.config.demo import build, is_built

        if not is_built():
            build(quick=False)
    _serve(host, port, workers)


@click.command()
@click.option("--quick", is_flag=True, help="Un seul territoire, pour un essai rapide.")
def demo(quick: bool) -> None:
    """Construit la démonstration : registre, comptes, fichiers d'expéditeurs passés par la vraie porte."""
    open_installation()
    from essaim.config.demo import build, is_built

    if is_built():
        click.echo("La démonstration est déjà là. La voir : essaim run")
        return
    build(quick=quick)
    click.echo("La démonstration est prête. La voir : essaim run")
    _tell_accounts()


def _refuse_taken(host: str, port: int) -> None:
    """The server shares its port with whoever already listens: two sites at one address would answer in turn."""
    if not 0 < port < 2**16:
        raise click.UsageError(f"Un port est un nombre de 1 à 65535, pas {port} (--port).")
    try:
        places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise Denied(f"L'adresse « {host} » est inconnue : choisissez 127.0.0.1, ou 0.0.0.0 pour toutes (--host).") from error
    for family, kind, protocol, _, address in places:
        try:
            with socket.socket(family, kind, protocol) as tried:
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                tried.bind(address)
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                raise Denied(
                    f"Impossible d'écouter à l'adresse {host}:{port} ({error.strerror}). Si un autre site y répond déjà, arrêtez-le ; "
                    f"sinon choisissez un autre port : essaim run --port {port + 1}"
                ) from error


def _tell_accounts() -> None:
    from essaim.config.demo import ACCOUNTS, PASSWORD

    click.echo("  Comptes de démonstration (mot de passe : " + PASSWORD + ")")
    for account in ACCOUNTS:
        click.echo(f"    {account.username:<22} {account.title}")


def _collect_static() -> None:
    """Gathers hashed static files once per version of the code."""
    from essaim.config.static import gather

    gather()


def _serve(host: str, port: int, workers: int) -> NoReturn:
    """This process becomes the supervisor of web server and worker, with nothing of what preparing them loaded."""
    from django.conf import settings

    if settings.ESSAIM_DEMO:
        _tell_accounts()
    click.echo("  Le site démarre…")
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "essaim.config.processes", host, str(port), str(workers)])
