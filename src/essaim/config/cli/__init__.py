"""The command line. Exit codes: 0 clean, 1 warnings or refused rows, 2 file refused, 3 usage error, 4 refusal of an act."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

import click

from essaim import __version__
from essaim.config.cli.helping import FrenchHelp, helped

click.Context.formatter_class = FrenchHelp

OK, REMARKS, REFUSED, USAGE, DENIED = 0, 1, 2, 3, 4

# command → (module, object): loaded only when used, so that `essaim check` starts without the site.
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("essaim.config.cli.serving", "run"),
    "demo": ("essaim.config.cli.serving", "demo"),
    "register": ("essaim.config.cli.register", "register"),
    "contracts": ("essaim.config.cli.contracts", "contracts"),
    "check": ("essaim.config.cli.files", "check"),
    "submit": ("essaim.config.cli.files", "submit"),
    "figures": ("essaim.config.cli.figures", "figures"),
    "trace": ("essaim.config.cli.figures", "trace"),
    "indicators": ("essaim.config.cli.figures", "indicators"),
    "verify": ("essaim.config.cli.upkeep", "verify"),
    "compact": ("essaim.config.cli.upkeep", "compact"),
    "backup": ("essaim.config.cli.upkeep", "backup"),
    "restore": ("essaim.config.cli.upkeep", "restore"),
    "accounts": ("essaim.config.cli.people", "accounts"),
    "privacy": ("essaim.config.cli.privacy", "privacy"),
    "docs": ("essaim.config.cli.documents", "docs"),
    "study": ("essaim.engines.impact.cli", "study"),
}


class Lazy(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, attribute = COMMANDS[name]
        return helped(getattr(import_module(module), attribute), name)


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="Dossier de la base embarquée, du registre et des fichiers reçus (créé au premier usage). Défaut : ESSAIM_HOME ou ./var.",
)
@click.version_option(__version__, prog_name="essaim")
def group(home: Path | None) -> None:
    """Essaim : du fichier reçu au chiffre que chacun peut retrouver.

    Codes de sortie : 0 tout est en ordre ; 1 avertissements ou lignes refusées ; 2 fichier refusé ; 3 commande mal
    formée ; 4 acte refusé (droits, état).
    """
    if home is not None:
        os.environ["ESSAIM_HOME"] = str(home.absolute())


helped(group, "")


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the ``essaim`` command."""
    try:
        code = group.main(arguments, prog_name="essaim", standalone_mode=False)
    except click.UsageError as error:
        from essaim.config.cli.usage import told

        click.echo(told(error), err=True)
        sys.exit(USAGE)
    except click.ClickException as error:
        click.echo(f"Erreur : {error.format_message()}", err=True)
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("Interrompu.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(OK)
    sys.exit(code if isinstance(code, int) else OK)
