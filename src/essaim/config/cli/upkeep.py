"""`essaim verify`, `compact`, `backup`, `restore`: looking after an installation."""

from __future__ import annotations

from pathlib import Path

import click

from essaim.config.cli import DENIED, OK
from essaim.config.cli.home import Denied, open_installation, progress
from essaim.kernel.french import format_number


@click.command()
def verify() -> int:
    """Vérifie que le registre et le journal disent la même chose, ligne à ligne."""
    open_installation()
    from essaim.foundation.contracts import contracts
    from essaim.foundation.reads.facts import ledger, posted_numbers, table_spec
    from essaim.foundation.reads.journal import chain_breaks

    problems = [f"journal : l'acte n° {number} a été modifié, ou celui qui le précédait a disparu" for number in chain_breaks()]
    held = set(ledger().tables())
    with progress("Vérification") as bar:
        task = bar.add_task("", total=len(held))
        for contract in contracts():
            if contract.code not in held:
                continue
            bar.update(task, advance=1, description=contract.title)
            found = ledger().verify(table_spec(contract), journal=posted_numbers(contract))
            problems += [f"{contract.code} : {problem}" for problem in found.problems]
    for problem in problems:
        click.echo(f"✗ {problem}")
    if problems:
        return DENIED
    click.echo(f"Registre et journal concordent ({len(held)} tables).")
    return OK


@click.command()
def compact() -> None:
    """Regroupe les petits fichiers du registre, sans rien changer à ce qu'il dit."""
    open_installation()
    from essaim.foundation.contracts import contracts
    from essaim.foundation.reads.facts import ledger, table_spec

    held = set(ledger().tables())
    for contract in contracts():
        if contract.code in held:
            ledger().compact(table_spec(contract))
            click.echo(f"{contract.title} : fait")


@click.command()
@click.argument("folder", metavar="DOSSIER", type=click.Path(file_okay=False, path_type=Path))
def backup(folder: Path) -> None:
    """Copie base, registre et fichiers reçus dans DOSSIER, même pendant que l'on travaille."""
    open_installation()
    from essaim.config.backups import BackupRefused, make_backup

    try:
        made = make_backup(folder)
    except BackupRefused as error:
        raise Denied(str(error)) from error
    click.echo(f"Sauvegarde écrite dans {folder} : {made.files} fichiers, {format_number(made.bytes / 10**6, 1)} Mo, dépôt n° {made.number}.")


@click.command()
@click.argument("folder", metavar="DOSSIER", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Remplace une installation qui contient déjà des données (elle est mise de côté).")
def restore(folder: Path, replace: bool) -> None:
    """Rétablit une installation depuis la sauvegarde DOSSIER."""
    open_installation(migrate=False)
    from essaim.config.backups import BackupRefused, restore_backup

    try:
        found = restore_backup(folder, replace=replace)
    except BackupRefused as error:
        raise Denied(str(error)) from error
    click.echo(f"Installation rétablie : {found.files} fichiers, jusqu'au dépôt n° {found.number}.")
