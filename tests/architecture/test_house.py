"""The house keeps its shape: imports go upstream, files and functions stay small, every room says what it is."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "essaim"
FILES = sorted(path for path in SOURCE.rglob("*.py") if "migrations" not in path.parts)
ROOMS = ("kernel", "foundation", "territories", "equipment", "training", "resources", "families", "evaluation", "portal", "config")
ENGINES = ("intake", "ledger", "measures", "impact", "search")
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc", "util", "helper"}
FILE_LINES, FUNCTION_LINES, README_LINES = 600, 60, 40
# Purely declarative: a table of indicators, contracts or settings may be long.
DECLARATIVE = {"indicators.py", "contracts.py", "settings.py"}


def test_imports_point_upstream():
    """The import contracts of pyproject.toml hold (layers, independence and purity of engines)."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_no_file_outgrows_its_reader():
    """A file over 600 lines is a package that has not been made yet."""
    long = {str(p.relative_to(ROOT)): n for p in FILES if (n := len(p.read_text().splitlines())) > FILE_LINES}
    assert long == {}


def test_no_function_outgrows_its_reader():
    """A function over 60 lines hides several; declarative modules are exempt."""
    long = {}
    for path in FILES:
        if path.name in DECLARATIVE:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                assert node.end_lineno is not None
                if (size := node.end_lineno - node.lineno + 1) > FUNCTION_LINES:
                    long[f"{path.relative_to(ROOT)}:{node.name}"] = size
    assert long == {}


def test_no_drawer_of_odds_and_ends():
    """A module called utils says nothing of what it holds."""
    assert [str(p.relative_to(ROOT)) for p in FILES if p.stem in FORBIDDEN_NAMES] == []


@pytest.mark.parametrize("place", [*ROOMS, *(f"engines/{name}" for name in ENGINES)])
def test_each_room_says_what_it_is(place):
    """A README of at most forty lines: why, words, doors, invariants, what it never does."""
    readme = SOURCE / place / "README.md"
    assert readme.exists(), f"{place} has no README.md"
    assert len(readme.read_text().splitlines()) <= README_LINES


def test_kernel_and_engines_load_without_django():
    """An engine is a library: importing all of them never imports Django nor opens a socket library."""
    code = (
        "import sys, importlib; [importlib.import_module(f'essaim.engines.{n}') for n in "
        f"{ENGINES!r}]; import essaim.kernel.uai, essaim.kernel.periods; "
        "assert not any(m == 'django' or m.startswith('django.') for m in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_portal_asks_through_reads():
    """No page looks into a table by itself: what a reader may see is decided once, by the reads of the room."""
    found = [str(path) for path in sorted((SOURCE / "portal").rglob("*.py")) if re.search(r"\.objects\b|get_(?:object|list)_or_404\([A-Z]", path.read_text())]
    assert found == []


def test_nothing_names_a_machine_or_a_registry():
    """The project speaks of itself alone: no machine path, no address of a package registry."""
    words = ("/wo" + "rk/", "pypi" + ".org", "files.python" + "hosted", "registry.npm" + "js", "deb.debian" + ".org")
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    guilty = []
    for name in filter(None, tracked):
        path = ROOT / name
        if not path.is_file() or path.suffix in {".png", ".svg", ".ico", ".woff2"}:
            continue
        text = path.read_text(encoding="utf-8", errors="ignore")
        guilty += [f"{name}: {word}" for word in words if word in text]
    assert guilty == []
