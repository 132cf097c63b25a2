"""`essaim docs`: the generated part of the documentation, and the check that it is not stale."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from essaim.config.cli import DENIED, OK
from essaim.config.cli.home import open_installation

HEADING = "<!-- Written by `make docs`; do not edit. -->\n\n"


@click.command()
@click.option("--check", "only_check", is_flag=True, help="N'écrit rien ; échoue si un document n'est plus à jour.")
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), default=Path("docs/reference"), show_default=True, help="Dossier où écrire.")
def docs(only_check: bool, into: Path) -> int:
    """Écrit docs/reference : contrats, indicateurs, réglages, états, commandes."""
    open_installation(migrate=False)
    stale = []
    for name, make in DOCUMENTS.items():
        text, path = HEADING + make().rstrip() + "\n", into / name
        if only_check:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(str(path))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            click.echo(str(path))
    if stale:
        click.echo(f"Documents à refaire (make docs) : {', '.join(stale)}", err=True)
        return DENIED
    return OK


def contracts_reference() -> str:
    """Every data contract, as its authors declared it."""
    from essaim.config.rooms import all_contracts
    from essaim.engines.intake import contract_markdown

    return "# Contrats de données\n\n" + "\n\n".join(contract_markdown(item) for item in all_contracts())


def indicators_reference() -> str:
    """The indicator catalogue."""
    from essaim.engines.measures import catalogue_markdown
    from essaim.evaluation.reads import indicators

    return catalogue_markdown(indicators())


def settings_reference() -> str:
    """Every setting, its default, what it does."""
    from essaim.config.environment import Environment

    lines = ["# Réglages", "", "| variable | défaut | rôle |", "|---|---|---|"]
    for name, item in Environment.model_fields.items():
        default = "" if item.default in ("", None) else f"`{item.default}`"
        lines.append(f"| `ESSAIM_{name.upper()}` | {default} | {item.description} |")
    return "\n".join(lines)


def states_reference() -> str:
    """State diagrams, from the transition tables that the code obeys."""
    from essaim.equipment import models as equipment
    from essaim.foundation import models as foundation

    return "\n\n".join([
        "# États",
        "## Un dépôt",
        _life(foundation.TRANSITIONS),
        "## Une contradiction entre sources",
        "Les faits la règlent d'eux-mêmes quand les sources concordent ; ils la rouvrent quand elles se contredisent de nouveau, quand ses chiffres "
        "changent après qu'elle a été expliquée ou réglée, ou quand, trente jours après qu'une personne l'a réglée, les fichiers n'ont pas suivi.",
        _life(equipment.TRANSITIONS),
    ])


def _life(transitions: Mapping[Any, Sequence[Any]]) -> str:
    """The diagram of a table of transitions, whose first state is the birth, then the words of its states."""
    lines = ["```mermaid", "stateDiagram-v2", f"  [*] --> {next(iter(transitions))}"]
    for state, following in transitions.items():
        lines += [f"  {state} --> {after}" for after in following] or [f"  {state} --> [*]"]
    return "\n".join([*lines, "```", "", *(f"- `{state}` : {state.label}" for state in transitions)])


def commands_reference() -> str:
    """Help of every command."""
    from essaim.config.cli import COMMANDS, group

    parts = ["# Ligne de commande"]
    context = click.Context(group, info_name="essaim", terminal_width=100)
    parts.append(_help(group, context))
    for name in COMMANDS:
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context, terminal_width=100)
        parts.append(_help(command, inner))
        if isinstance(command, click.Group):
            for sub in command.list_commands(inner):
                found = command.get_command(inner, sub)
                assert found is not None
                parts.append(_help(found, click.Context(found, info_name=sub, parent=inner, terminal_width=100)))
    return "\n\n".join(parts)


def _help(command: click.Command, context: click.Context) -> str:
    return f"## `{context.command_path}`\n\n```text\n{command.get_help(context)}\n```"


DOCUMENTS: dict[str, Callable[[], str]] = {
    "contracts.md": contracts_reference,
    "indicators.md": indicators_reference,
    "settings.md": settings_reference,
    "states.md": states_reference,
    "commands.md": commands_reference,
}
