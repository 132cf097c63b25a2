"""Where the public reference files are; tests that need them are skipped, visibly, without ESSAIM_DATA_DIR."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def reference_dir() -> Path:
    """Folder of the published evaluation data."""
    root = os.environ.get("ESSAIM_DATA_DIR")
    if not root or not (Path(root) / "evaluation").is_dir():
        pytest.skip("ESSAIM_DATA_DIR ne désigne pas les données publiques de référence")
    return Path(root) / "evaluation"


@pytest.fixture(scope="session")
def expected(reference_dir: Path) -> dict[str, Any]:
    """Published numbers of the open cases."""
    return json.loads((reference_dir / "expected.json").read_text("utf-8"))
