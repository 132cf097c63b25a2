"""Published cases: the files and the numbers to reproduce."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def cases(data_dir: Path) -> Path:
    """The folder of published cases."""
    return data_dir / "evaluation"


@pytest.fixture(scope="session")
def expected(cases: Path) -> dict[str, Any]:
    """Expected numbers by case."""
    return json.loads((cases / "expected.json").read_text())
