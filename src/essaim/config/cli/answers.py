"""Answers given on the command line: to the questions of a check, and what only the sender knows of a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from essaim.kernel.french import folded

if TYPE_CHECKING:
    from essaim.engines.intake.contract import Contract
    from essaim.engines.intake.report import Check, Question

IGNORED = ("", "-")
_FREE = {"date": "JJ/MM/AAAA"}


def answering(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which a command takes answers."""
    options = (
        click.option("--answers", type=click.File("r", encoding="utf-8"), help="Réponses aux questions, en JSON {identifiant: choix}."),
        click.option("--answer", "said", multiple=True, metavar="QUESTION=CHOIX", help="Réponse à une question (répétable) ; choix vide : aucun."),
        click.option("--map", "columns", multiple=True, metavar="COLONNE=CHAMP", help="Ce que contient une colonne, dite par son en-tête ou sa lettre (répétable) ; champ vide : ne pas la reprendre."),
        click.option("--set", "values", multiple=True, metavar="CHAMP=VALEUR", help="Valeur d'un champ pour tout le fichier, quand aucune colonne ne la donne (répétable)."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def gathered(contract: Contract, stream: Any, said: Sequence[str], columns: Sequence[str], values: Sequence[str]) -> dict[str, str] | None:
    """Every answer, as the intake takes them; None when there is none. A usage error that says how to write them otherwise."""
    found = _from_json(stream)
    for text in said:
        key, _, choice = text.rpartition("=")
        if not key:
            raise click.UsageError(f"--answer : « {text} » ne s'écrit pas QUESTION=CHOIX.")
        found[key] = choice
    for text in columns:
        column, _, field = text.rpartition("=")
        if not column.strip():
            raise click.UsageError(f"--map : « {text} » ne s'écrit pas COLONNE=CHAMP.")
        found[f"column:{column.strip()}"] = "" if field.strip() in IGNORED else _field(contract, field, "--map")
    for text in values:
        field, mark, value = text.partition("=")
        if not mark or not value.strip():
            raise click.UsageError(f"--set : « {text} » ne s'écrit pas CHAMP=VALEUR.")
        found[f"once:{_field(contract, field, '--set')}"] = value.strip()
    return found or None


def _from_json(stream: Any) -> dict[str, str]:
    if stream is None:
        return {}
    try:
        found = json.load(stream)
    except ValueError as error:
        raise click.UsageError(f"--answers : ce fichier n'est pas du JSON ({error}).") from error
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise click.UsageError('--answers : écrivez {"identifiant de la question": "choix"}, tels que « questions » les donne.')
    return found


def _field(contract: Contract, text: str, option: str) -> str:
    key = folded(text)
    for item in contract.fields:
        if text.strip() == item.name or key == folded(item.label):
            return item.name
    names = ", ".join(f"{item.name} ({item.label})" for item in contract.fields)
    raise click.UsageError(f"{option} : « {text.strip()} » n'est pas un champ de {contract.code}. Champs : {names}.")


def refuse_unused(found: Sequence[Check], answers: dict[str, str] | None) -> None:
    """A column named by --map that no table has, or a field given by --set that a column gives already, is a mistake to be told."""
    tables = [table for check in found for table in check.tables]
    if not tables:
        return
    known = {folded(text) for table in tables for text in (*table.letters, *(m.column for m in table.mapping), *(m.header for m in table.mapping), *table.unmapped)}
    for key in answers or {}:
        column = key.removeprefix("column:")
        if column != key and folded(column) not in known:
            raise click.UsageError(f"--map : aucune colonne « {column} » dans ce fichier.")
        field = key.removeprefix("once:")
        if field != key and ":" not in field and all(any(m.field == field for m in table.mapping) for table in tables):
            raise click.UsageError(f"--set : une colonne donne déjà « {field} » ; corrigez-la, ou laissez-la de côté par --map.")


def hints(questions: Sequence[Question]) -> list[str]:
    """How to answer each question on the command line, by its kind; choices apart by ``|``."""
    lines = []
    for question in questions:
        kind = question.id.partition(":")[0]
        choice = " | ".join([*(value for value, _, _ in question.choices if value), *([_FREE[question.free]] if question.free else [])])
        field = question.id.rpartition(":")[2]
        written = {"mapping": f"map {question.about}={choice}", "wanted": f"map {choice}={field}", "once": f"set {field}={choice}"}
        option, text = written.get(kind, f"answer {question.id}={choice}").split(" ", 1)
        lines.append(f'--{option} "{text}"')
    return lines
