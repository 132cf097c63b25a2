"""A command that is not well formed, told in French: what is wrong, and where the help is."""

from __future__ import annotations

import re

import click

# What click says, and how it is said here; ``\\1`` is what the user wrote.
_SAID = (
    (r"(?:File|Path|Directory) '(.*)' does not exist\.", r"« \1 » n'existe pas : vérifiez le nom et le dossier."),
    (r"File '(.*)' is a directory\.", r"« \1 » est un dossier : indiquez un fichier."),
    (r"Directory '(.*)' is a file\.", r"« \1 » est un fichier : indiquez un dossier."),
    (r"(?:File|Path|Directory) '(.*)' is not (?:readable|writable)\.", r"« \1 » n'est pas accessible : vérifiez ses droits."),
    (r"'(.*)': (.*)", r"« \1 » : \2"),
    (r"'(.*)' is not one of (.*)\.", r"« \1 » n'est pas admis ; choix possibles : \2."),
    (r"'(.*)' is not a valid (?:integer|float)(?: range)?\.", r"« \1 » n'est pas un nombre."),
    (r"'(.*)' does not match the formats? (.*)\.", r"« \1 » n'est pas une date (\2)."),
    (r"Got unexpected extra arguments? \((.*)\)", r"Mot en trop : \1."),
    (r"Option '(.*)' requires an argument\.", r"L'option \1 attend une valeur."),
    (r"Missing command\.", "Il manque la commande."),
)


def told(error: click.UsageError) -> str:
    """The whole message: the mistake, then how to see the help."""
    mistake = _mistake(error)
    path = error.ctx.command_path if error.ctx else "essaim"
    return f"Commande mal employée : {mistake}\nAide : {path} --help"


def _mistake(error: click.UsageError) -> str:
    if isinstance(error, click.MissingParameter):
        return f"il manque {_named(error.param)}."
    if isinstance(error, click.NoSuchOption):
        close = f" Voulez-vous dire {', '.join(error.possibilities)} ?" if error.possibilities else ""
        return f"l'option {error.option_name} n'existe pas.{close}"
    unknown = re.fullmatch(r"No such command '(.*)'\.(?: .*)?", error.message)
    if unknown:
        return f"la commande « {unknown[1]} » n'existe pas."
    text = _in_french(error.message)
    if isinstance(error, click.BadParameter) and error.param is not None:
        return f"{_named(error.param)} : {text}"
    return text


def _in_french(message: str) -> str:
    for pattern, french in _SAID:
        found = re.fullmatch(pattern, message, re.DOTALL)
        if found:
            return found.expand(french)
    return message


def _named(param: click.Parameter | None) -> str:
    if param is None:
        return "un paramètre"
    return f"l'option {param.opts[-1]}" if isinstance(param, click.Option) else f"l'argument {param.human_readable_name.rstrip('…')}"
