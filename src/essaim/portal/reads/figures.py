"""Figures as pages ask for them: before any register is loaded no level exists yet, and there is nothing to show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from essaim.engines.measures import LevelUnknown
from essaim.evaluation.reads import figures


def figure_rows(codes: Sequence[str], *, level: str, **wanted: Any) -> list[dict[str, Any]]:
    """Rows of ``evaluation.reads.figures``; none while the register is empty."""
    try:
        return list(figures(codes, level=level, **wanted).rows())
    except LevelUnknown:
        return []
