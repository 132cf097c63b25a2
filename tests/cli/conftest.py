"""The command line as a shell sees it: output, errors, exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from essaim.config.cli import main
from portal_world import built, world

__all__ = ["built", "world"]

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"


@dataclass(frozen=True, slots=True)
class Done:
    """What a command wrote and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def essaim(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Runs one command in this process, through the door that the shell uses."""
    monkeypatch.setenv("COLUMNS", "120")

    def run(*words: object) -> Done:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        written = capsys.readouterr()
        return Done(int(ended.value.code or 0), written.out, written.err)

    return run


@pytest.fixture
def at(essaim: Callable[..., Done], world: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Runs one command on the small country of the portal's tests."""
    monkeypatch.setenv("ESSAIM_HOME", str(world.home))
    return essaim


@pytest.fixture(scope="session")
def obeys() -> Callable[[str, Any], None]:
    """Checks a document against its published JSON Schema."""
    jsonschema = pytest.importorskip("jsonschema")

    def check(name: str, document: Any) -> None:
        schema = json.loads((REFERENCE / f"{name}.schema.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.Draft202012Validator(schema).validate(document)

    return check
