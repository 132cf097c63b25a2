"""The tutorial notebook runs from top to bottom, its assertions included."""

from __future__ import annotations

from pathlib import Path

import nbformat

NOTEBOOK = Path(__file__).parents[2] / "docs/evaluation/tutoriel.ipynb"


def test_the_tutorial_runs():
    """Every code cell is executed in order in one namespace, as a reader would do."""
    book = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(book)
    cells = [cell.source for cell in book.cells if cell.cell_type == "code"]
    assert len(cells) >= 8 and sum("assert" in c for c in cells) >= 4
    namespace: dict[str, object] = {"__name__": "tutoriel"}
    for k, source in enumerate(cells):
        exec(compile(source, f"tutoriel.ipynb, cellule {k}", "exec"), namespace)
