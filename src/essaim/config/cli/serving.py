"""`essaim run` and `essaim demo`: the site and its worker, started together."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import click

from essaim.config.cli.home import open_installation
from essaim.config.processes import start, stop

# A worker asked to stop while it starts may miss the signal: its server waits for it this long, within the deadline of ``stop``.
KILL_SECONDS = "8"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Adresse écoutée ; 0.0.0.0 pour toutes.")
@click.option("--port", type=int, default=8000, show_default=True, help="Port écouté.")
@click.option("--workers", type=int, default=2, show_default=True, help="Processus du site.")
@click.option("--demo/--no-demo", default=True, help="Charge la démonstration au premier lancement.")
def run(host: str, port: int, workers: int, demo: bool) -> int:
    """Lance le site et son ouvrier ; au premier lancement, crée la base et la démonstration."""
    os.environ.setdefault("ESSAIM_BASE_URL", f"http://{host}:{port}")
    if demo:
        os.environ.setdefault("ESSAIM_DEMO", "1")
    open_installation()
    _collect_static()
    if demo:
        from essaim.config.demo import build, is_built

        if not is_built():
            build(quick=False)
    return _serve(host, port, workers)


@click.command()
@click.option("--quick", is_flag=True, help="Un seul territoire, pour un essai rapide.")
def demo(quick: bool) -> None:
    """Construit la démonstration : registre, comptes, fichiers d'expéditeurs passés par la vraie porte."""
    open_installation()
    from essaim.config.demo import build, is_built

    if is_built():
        click.echo("La démonstration est déjà là.")
        return
    build(quick=quick)


def _collect_static() -> None:
    """Gathers hashed static files once per version of the code."""
    from essaim.config.static import gather

    gather()


def _serve(host: str, port: int, workers: int) -> int:
    """Runs web server and worker until one ends or a signal comes, then stops both with a deadline. 0 when asked to stop,
    1 when one of them ended by itself."""
    binary = Path(sys.executable).parent
    web = start(
        [binary / "granian", "--interface", "wsgi", "--host", host, "--port", str(port), "--workers", str(workers),
         "--blocking-threads", "1", "--no-ws", "--workers-kill-timeout", KILL_SECONDS, "--log-level", "warning",
         "essaim.config.wsgi:application"]
    )  # fmt: skip
    worker = start([sys.executable, "-m", "essaim.config.worker"])
    children = (web, worker)
    asked: list[int] = []

    def ask(signum: int, frame: object) -> None:
        asked.append(signum)
        for child in children:
            child.terminate()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    click.echo(f"\n  Essaim est prêt : http://{host}:{port}\n")
    from django.conf import settings

    if settings.ESSAIM_DEMO:
        from essaim.config.demo import ACCOUNTS, PASSWORD

        click.echo("  Comptes de démonstration (mot de passe : " + PASSWORD + ")")
        for account in ACCOUNTS:
            click.echo(f"    {account.username:<22} {account.title}")
    click.echo("\n  Ctrl+C pour arrêter.")
    while all(child.poll() is None for child in children):
        time.sleep(0.3)
    stop(children)
    # Stopping when asked is no fault, even by force; ending by oneself is.
    return 0 if asked else 1
