"""`essaim register`: the national register of establishments, from files or from its public addresses."""

from __future__ import annotations

from pathlib import Path

import click

from essaim.config.cli import OK, REMARKS
from essaim.config.cli.home import Denied, account, open_installation, progress


@click.group()
def register() -> None:
    """Le registre des lieux et des établissements."""


@register.command()
@click.argument("files", nargs=-1, required=True, metavar="FICHIER…", type=click.Path(exists=True, path_type=Path))
@click.option("--as", "name", default=None, help="Compte qui charge ; par défaut l'administrateur local.")
def load(files: tuple[Path, ...], name: str | None) -> int:
    """Charge chaque FICHIER tel que publié : annuaire, établissements fermés, IPS, effectifs, fragilité numérique,
    code géographique, contours."""
    open_installation()
    from essaim.territories import acts

    with progress("Registre") as bar:
        task = bar.add_task("", total=len(files))
        try:
            outcome = acts.load_register(
                files=_expanded(files), by=account(name),
                progress=lambda done, total, step: bar.update(task, completed=done, total=total, description=step),
            )
        except acts.RegisterRefused as refusal:
            raise Denied(str(refusal)) from refusal
    for line in outcome.lines():
        click.echo(line)
    return OK if outcome.is_clean else REMARKS


def _expanded(files: tuple[Path, ...]) -> list[Path]:
    """Folders replaced by the files they hold."""
    return [path for item in files for path in (sorted(p for p in item.rglob("*") if p.is_file()) if item.is_dir() else [item])]


@register.command()
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), default=None, help="Dossier de téléchargement. Défaut : ESSAIM_HOME/register.")
@click.option("--load/--no-load", "then_load", default=True, help="Charge aussitôt ce qui a été téléchargé.")
@click.option("--base-url", default=None, help="Adresse du portail, pour un miroir.")
def fetch(into: Path | None, then_load: bool, base_url: str | None) -> int:
    """Télécharge les mêmes jeux de données à leurs adresses publiques ; reprend ce qui a été interrompu."""
    open_installation()
    from essaim.territories import acts

    with progress("Téléchargement") as bar:
        task = bar.add_task("", total=None)
        try:
            outcome = acts.fetch_register(
                into=into, base_url=base_url, then_load=then_load, by=account(None),
                progress=lambda done, total, step: bar.update(task, completed=done, total=total, description=step),
            )
        except acts.RegisterRefused as refusal:
            raise Denied(str(refusal)) from refusal
    for line in outcome.lines():
        click.echo(line)
    return OK if outcome.is_clean else REMARKS
