"""The help of every command: whole, in French, with examples that can be copied."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from essaim.config.cli import COMMANDS, group
from essaim.config.cli.helping import EXAMPLES, SUMMARIES

ENGLISH = re.compile(r"\b(?:Usage|Commands|Show|exit|default|required|without|TEXT|INTEGER|DIRECTORY|FILENAME|the|and|FILE|FILES|FOLDER|USERNAME|PATH|RESULTS_JSON)\b(?!…)")


def _all(command: click.Command = group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from _all(found, (*path, name))


EVERY = [pytest.param(path, command, id=" ".join(("essaim", *path))) for path, command in _all()]


@pytest.mark.parametrize(("path", "command"), EVERY)
def test_each_help_is_whole_and_french(path, command, essaim, monkeypatch):
    """Every option says what it does; nothing is left in English or cut short; at least one example."""
    monkeypatch.setenv("COLUMNS", "80")
    done = essaim(*path, "--help")
    assert done.code == 0 and done.out.startswith("Utilisation : essaim ")
    assert not ENGLISH.search(done.out), ENGLISH.search(done.out)
    assert "..." not in done.out and "Exemple" in done.out and "Affiche cette aide." in done.out
    for param in command.params:
        assert isinstance(param, click.Argument) or param.help, param.name


def test_every_example_is_a_command_that_exists():
    """Command, options and arguments of each example are those of the program; no example or summary is of a command gone."""
    known = {" ".join(path): command for path, command in _all()}
    assert set(EXAMPLES) == set(known) and set(SUMMARIES) <= set(known)
    for lines in EXAMPLES.values():
        for line in lines:
            words = shlex.split(line.split(" > ")[0])
            assert words.pop(0) == "essaim"
            if words[0] == "--home":
                del words[:2]
            name = words.pop(0)
            assert name in COMMANDS, line
            command = known[name]
            while isinstance(command, click.Group):
                command = command.commands[words.pop(0)]
            given, left, _order = command.make_parser(click.Context(command)).parse_args(list(words))
            assert not left, line
            missing = [param.name for param in command.params if param.required and given.get(param.name) in (None, ())]
            assert not [name for name in missing if name != "password"], (line, missing)


@pytest.mark.parametrize("command", ["check", "submit"])
def test_the_help_shows_how_to_answer_questions(command):
    """Each way of answering has its example: a column, a value for the whole file, a question."""
    lines = " ".join(EXAMPLES[command])
    assert all(option in lines for option in ("--map", "--set", "--answer"))


def test_python_runs_the_package_as_the_command():
    """``python -m essaim`` is the same program, exit codes included."""
    run = [sys.executable, "-m", "essaim"]
    told = subprocess.run([*run, "--version"], capture_output=True, text=True, check=True)
    assert told.stdout.startswith("essaim")
    assert subprocess.run([*run, "nothing"], capture_output=True, text=True, check=False).returncode == 3
