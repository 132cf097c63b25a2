"""An S3-compatible object store for tests: imported by the ``conftest`` of those that need one."""

from __future__ import annotations

import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

SERVER = Path(__file__).with_name("s3_server.py")
PYTHON = Path(__file__).parents[1] / ".venv-store" / "bin" / "python"


def asked(method: str, address: str) -> str:
    """What the store answers."""
    with urllib.request.urlopen(urllib.request.Request(address, method=method), timeout=20) as answer:
        return str(answer.read().decode())


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Address of a local S3-compatible server with conditional writes."""
    if not PYTHON.exists():
        pytest.skip("environnement .venv-store absent : le registre n'est pas essayé sur un stockage S3 (make .venv-store/.ready)")
    process = subprocess.Popen([str(PYTHON), str(SERVER)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.communicate(timeout=20)


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """``s3://…`` address of an empty place; its service is told by the environment alone, as in production."""
    name = f"essaim-{uuid4().hex[:12]}"
    asked("PUT", f"{s3_server}/{name}")
    for variable, value in {
        "AWS_ENDPOINT_URL": s3_server, "AWS_ALLOW_HTTP": "true", "AWS_ACCESS_KEY_ID": "essaim",
        "AWS_SECRET_ACCESS_KEY": "essaim-secret", "AWS_REGION": "fr-par",
    }.items():  # fmt: skip
        monkeypatch.setenv(variable, value)
    return f"s3://{name}/registre"
